"""Parts that several cards have."""

from dataclasses import dataclass

import gradio as gr

from stylemask_demo.ui import texts
from stylemask_demo.ui.components import EasySlider, FacePicker, MethodChoice


@dataclass(frozen=True)
class Steering:
    """What steers how a face is followed."""

    method: MethodChoice
    hint: gr.HTML
    strength: gr.Slider
    region: gr.Radio


def steering(place: str, methods: tuple[str, ...], strongest: float = 1.0) -> Steering:
    """Lay out what steers how a face is followed, up to a strength."""
    method = MethodChoice(
        texts.method_choices(methods), value=methods[0], label="Method", elem_id=f"{place}-method", elem_classes="methods"
    )
    hint = gr.HTML(texts.method_hint(methods[0]), elem_id=f"{place}-hint", padding=False)
    region = gr.Radio(
        texts.REGION_CHOICES, value="all", label="What follows", elem_id=f"{place}-region", elem_classes="methods"
    )
    strength = EasySlider(0, strongest, value=1, step=0.05, label="Strength", elem_id=f"{place}-strength")
    return Steering(method, hint, strength, region)


def face_choice(role: str) -> tuple[FacePicker, gr.Number]:
    """Lay out the choice between several faces, which shows when there are some."""
    chooser = FacePicker(
        label="Several faces: choose the one you mean",
        columns=5,
        fit_columns=False,
        allow_preview=False,
        interactive=False,
        buttons=[],
        visible=False,
        elem_id=f"{role}-chooser",
        elem_classes="chooser",
    )
    return chooser, gr.Number(0, precision=0, minimum=0, label=f"{role} face", visible="hidden")
