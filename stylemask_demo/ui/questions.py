"""Answers that know their question, so that those which come late are not shown.

What a place of the page shows depends on pictures. The browser keeps what each place asks: which faces of which pictures,
as one text. Asking sends that text along, the answer brings it back, and the browser shows an answer only where that is
still what the place asks. So all places show the same people, whatever order answers come in; see `page_script.js`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr
from gradio.components import Component
from gradio.data_classes import GradioModel, GradioRootModel

from stylemask_demo.errors import StyleMaskError
from stylemask_demo.ui.components import Comparison, FacePicker, LivePicture
from stylemask_demo.ui.error_messages import explained


@dataclass(frozen=True)
class Place:
    """A part of the page that shows answers to one question at a time."""

    name: str  # of the element in the browser
    shown: Sequence[Component]
    asked: gr.Textbox  # the question; changes when the place asks another one
    answer: gr.JSON  # the latest answer, shown or not


def new_place(name: str, shown: Sequence[Component]) -> Place:
    """Return a place, with what carries its question and answers, inside the current `gr.Blocks`."""
    return Place(name, shown, gr.Textbox(visible=False), gr.JSON(visible=False))


def ask(
    place: Place,
    listen: Callable[..., gr.events.Dependency],
    handler: Callable[..., Any],
    inputs: Sequence[Component],
    told: Sequence[Component] = (),
    **event: Any,
) -> gr.events.Dependency:
    """Let the event `listen` ask for what a place shows; while one answer is made, only the latest of the next waits.

    `handler` gets the values of `inputs` and returns those of `place.shown`, then those of `told`, which are told in any
    case. A StyleMaskError of it is shown in the place, whose pictures go.
    """
    asking = listen(
        answering(handler, place, len(told)),
        [*inputs, place.asked],
        [place.answer, *told],
        js=f"(...inputs) => (stylemask.asking('{place.name}'), inputs)",
        trigger_mode="always_last",
        **event,
    )
    shown = asking.success(None, place.answer, place.shown, js=f"answer => stylemask.show('{place.name}', answer)")
    asking.failure(None, None, None, js=f"() => stylemask.failed('{place.name}')")
    return shown


def answering(handler: Callable[..., Any], place: Place, told: int) -> Callable[..., Any]:
    """Return the handler with its answer, and with what it tells, as one value or as several."""

    def answer(*arguments: Any) -> Any:
        *inputs, asked = arguments
        try:
            values = explained(handler)(*inputs)
        except gr.Error as error:
            if not isinstance(error.__cause__, StyleMaskError):
                raise
            shown = [_blank(component) for component in place.shown]
            return _together({"asked": asked, "shown": shown, "message": error.message}, [gr.skip()] * told)
        count = len(place.shown)
        return _together(answer_of(place, asked, values[:count]), values[count:])

    return answer


def answer_of(place: Place, asked: str, values: Sequence[Any]) -> dict[str, Any]:
    """Return the answer to a question: a value for each of the components of `place.shown`."""
    return {"asked": asked, "shown": [_sent(part, value) for part, value in zip(place.shown, values, strict=True)]}


def _together(answer: dict[str, Any], told: Sequence[Any]) -> Any:
    return (answer, *told) if told else answer


def _sent(component: Component, value: Any) -> Any:
    """Return a value of a component as Gradio would send it to the browser."""
    if isinstance(value, dict) and value.get("__type__") == "update":
        return {**value, **({"value": _sent(component, value["value"])} if "value" in value else {})}
    value = component.postprocess(value)
    return value.model_dump() if isinstance(value, GradioModel | GradioRootModel) else value


def _blank(component: Component) -> Any:
    """Return what a component shows where there is no answer: no picture, and else what it showed."""
    if isinstance(component, FacePicker):
        return gr.update(value=[], visible=False)
    return None if isinstance(component, LivePicture | Comparison) else gr.skip()
