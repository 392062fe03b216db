"""Where everything stands on the page; what happens with it is in `events`."""

from dataclasses import dataclass
from pathlib import Path

import gradio as gr

from stylemask_demo.ui import texts
from stylemask_demo.ui.components import BeforeAfter, DropZone, LivePicture, PictureDownload

EXAMPLES = Path(__file__).resolve().parents[2] / "assets" / "examples"
STAGES = ("Aligned crop", "Inversion", "Face parameters")


@dataclass(frozen=True)
class PictureCard:
    """One card for a picture: the place for it, example faces, and a button for a random person."""

    zone: DropZone
    faces: gr.Dataset
    surprise: gr.Button


@dataclass(frozen=True)
class FollowCard:
    """The result of following the target's face, and what steers it."""

    target: PictureCard
    result: BeforeAfter
    method: gr.Radio
    strength: gr.Slider
    save: gr.Button
    file: PictureDownload


@dataclass(frozen=True)
class MoveCard:
    """The source moved by hand, and the sliders."""

    picture: LivePicture
    sliders: list[gr.Slider]  # yaw, pitch, smile
    reset: gr.Button
    save: gr.Button
    file: PictureDownload


@dataclass(frozen=True)
class Components:
    """Everything on the page that an event reads or writes."""

    source: PictureCard
    follow: FollowCard
    move: MoveCard
    status: gr.HTML
    source_stages: list[LivePicture]
    target_stages: list[LivePicture]


def lay_out(methods: tuple[str, ...], status: str) -> Components:
    """Lay the page out inside the current `gr.Blocks` and return its components.

    `methods` are the reenactor's method names, the first one chosen; `status` is the status line's HTML.
    """
    gr.HTML(texts.HEADER, padding=False)
    with gr.Row(elem_classes="workspace"):
        with gr.Column(min_width=260, elem_classes="card"):
            source = _picture_card("source", "who it is")
        with gr.Column(min_width=260):
            with gr.Tabs(elem_classes="ways"):
                with gr.Tab("Follow a face", id="follow"):
                    follow = _follow_card(methods)
                with gr.Tab("Move by hand", id="move"):
                    move = _move_card()
    status_line = gr.HTML(status, elem_id="status", padding=False)
    with gr.Accordion("The three stages behind a result", elem_classes="card stages"):
        with gr.Row(elem_classes="both"):
            source_stages = _stages("source")
            target_stages = _stages("target")
    gr.HTML(texts.FOOTER, padding=False)
    return Components(source, follow, move, status_line, source_stages, target_stages)


def _picture_card(role: str, hint: str) -> PictureCard:
    examples = sorted(str(path) for path in EXAMPLES.glob(f"{role}_*.webp"))
    gr.HTML(texts.heading(role.capitalize(), hint), padding=False)
    zone = DropZone(
        value=examples[0],
        type="filepath",
        image_mode=None,  # the file as it is; `pictures` opens it
        format="png",  # of a random person's picture
        label=f"{role.capitalize()} portrait",
        show_label=False,
        alt_text=f"The {role} portrait",
        sources=["upload", "webcam", "clipboard"],
        buttons=[],
        placeholder="Drop a portrait\nor click to choose",
        elem_id=role,
        elem_classes="zone",
    )
    faces = gr.Dataset(
        components=[gr.Image(visible=False)],
        samples=[[path] for path in examples],
        label=f"Example faces for the {role}",
        show_label=False,
        elem_id=f"{role}-faces",
        elem_classes="faces",
    )
    gr.HTML(texts.TIPS[role], padding=False)
    surprise = gr.Button("Surprise me", size="sm", elem_id=f"{role}-surprise")
    return PictureCard(zone, faces, surprise)


def _follow_card(methods: tuple[str, ...]) -> FollowCard:
    with gr.Row(elem_classes="follow"):
        with gr.Column(min_width=260, elem_classes="card"):
            target = _picture_card("target", "how it moves")
        with gr.Column(min_width=260, elem_classes="card"):
            gr.HTML(texts.heading("Result", "drag to compare"), padding=False)
            result = BeforeAfter(
                label="The source before and after",
                show_label=False,
                buttons=["fullscreen"],
                interactive=False,
                elem_id="result",
            )
            choices = [(texts.METHOD_NAMES.get(name, name), name) for name in methods]
            method = gr.Radio(choices, value=methods[0], label="Method", elem_id="method")
            strength = gr.Slider(0, 1, value=1, step=0.05, label="Strength", elem_id="strength")
            save = gr.Button("Download PNG", variant="primary", elem_id="save-result")
            file = PictureDownload("reenacted", elem_id="result-file", visible="hidden")
    return FollowCard(target, result, method, strength, save, file)


def _move_card() -> MoveCard:
    with gr.Row(elem_classes="move"):
        with gr.Column(min_width=260, elem_classes="card"):
            gr.HTML(texts.heading("Result", "follows the sliders"), padding=False)
            picture = LivePicture(
                label="The source, moved",
                show_label=False,
                alt_text="The source with the pose and smile of the sliders",
                buttons=["fullscreen"],
                interactive=False,
                elem_id="edited",
            )
        with gr.Column(min_width=240, elem_classes="card"):
            gr.HTML(texts.heading("Change", "from the source"), padding=False)
            sliders = [
                gr.Slider(-30, 30, value=0, step=1, label="Yaw", info="Left to right, degrees", elem_id="yaw"),
                gr.Slider(-15, 15, value=0, step=1, label="Pitch", info="Down to up, degrees", elem_id="pitch"),
                gr.Slider(-0.5, 1, value=0, step=0.05, label="Smile", info="Less to more", elem_id="smile"),
            ]
            reset = gr.Button("Reset", elem_id="reset")
            save = gr.Button("Download PNG", variant="primary", elem_id="save-edited")
            file = PictureDownload("edited", elem_id="edited-file", visible="hidden")
    return MoveCard(picture, sliders, reset, save, file)


def _stages(role: str) -> list[LivePicture]:
    with gr.Column(min_width=280):
        gr.HTML(texts.heading(role.capitalize()), padding=False)
        with gr.Row(elem_classes="three"):
            return [
                LivePicture(
                    label=name,
                    alt_text=f"{name} of the {role}",
                    buttons=["fullscreen"],
                    interactive=False,
                    min_width=90,
                    elem_id=f"{role}-stage-{number}",
                )
                for number, name in enumerate(STAGES, start=1)
            ]
