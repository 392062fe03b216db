"""Random people: the button that brings one, and the folded choices of who comes and what stays of the one before."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gradio as gr

from stylemask_demo.ui.components import DropZone, EasySlider
from stylemask_demo.ui.handlers import Handlers
from stylemask_demo.ui.lines import PREVIEW, UNSEEN

LARGEST_SEED = 10**9
NEW = [("Everything", "all"), ("The person", "person"), ("The motion", "motion")]
USUAL_TRUNCATION = 0.7


@dataclass(frozen=True)
class RandomPeople:
    """The button, and what the person that it brings is drawn from."""

    button: gr.Button
    new: gr.Radio  # what changes with each press; the rest stays
    seed: gr.Number  # the person
    like: gr.Number  # seed of the person whose motion it takes, empty for the person's own
    truncation: EasySlider


def surprise_button(role: str) -> gr.Button:
    """Lay the button out."""
    return gr.Button("Surprise me", size="sm", min_width=90, elem_id=f"{role}-surprise")


def random_options(role: str, button: gr.Button) -> RandomPeople:
    """Lay the choices out, folded."""
    with gr.Accordion("Random people", open=False, elem_id=f"{role}-random", elem_classes="folding random"):
        new = gr.Radio(NEW, value="all", label="What is new with each press", elem_classes="methods")
        with gr.Row(elem_classes="seeds"):
            seed, like = _seed("Person"), _seed("Motion of")
        truncation = EasySlider(0, 1, value=USUAL_TRUNCATION, step=0.05, label="Variety", info="0 is the mean face")
    return RandomPeople(button, new, seed, like, truncation)


def _seed(label: str) -> gr.Number:
    return gr.Number(None, precision=0, minimum=0, maximum=LARGEST_SEED, label=label, placeholder="any", min_width=80)


def connect_random_people(
    blocks: gr.Blocks, role: str, card: RandomPeople, zone: DropZone, used: gr.Textbox, handlers: Handlers
) -> None:
    """Let the button bring a random person, and numbers the one that they mean, unless another picture comes meanwhile."""
    person = DropZone(format="png", visible=False)
    drawn, seeds = [card.seed, used, card.like, card.truncation], [card.seed, card.like]
    blocks.load(None, None, seeds, js="() => [null, null]")  # or Gradio would open with zeros
    chosen = card.button.click(None, [*seeds, card.new], seeds, js="stylemask.drawSeeds")
    listeners: dict[str, Callable[..., Any]] = {
        "random": chosen.then,
        "seed": card.seed.submit,
        "like": card.like.submit,
        "truncation": card.truncation.release,
    }
    for name, listen in listeners.items():
        js = f"(...drawn) => stylemask.surprise('{role}', drawn)"
        came = listen(handlers.random_person, drawn, person, js=js, api_name=f"{role}_{name}", **PREVIEW)
        came.success(None, person, zone, js=f"person => stylemask.surprised('{role}', person)", **UNSEEN)
        came.failure(None, js=f"() => stylemask.surprised('{role}')")
