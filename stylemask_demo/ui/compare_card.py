"""The card of comparisons: results side by side, a slider as an animation, a grid of sources by targets."""

from dataclasses import dataclass

import gradio as gr

from stylemask_demo.comparisons import MOST
from stylemask_demo.reenactor import SLIDERS
from stylemask_demo.ui import texts
from stylemask_demo.ui.components import LivePicture, PictureRow
from stylemask_demo.ui.examples import example_faces

KINDS = [("A slider, as GIF", "strip"), ("Methods", "methods"), ("Grid", "grid")]
HINTS = {
    "strip": "The source, from one end of a slider to the other and back.",
    "methods": "Every method on the source and the target that Follow a face has.",
    "grid": f"Every source with the pose and expression of every target, up to {MOST} of each, chosen here.",
}
OPENING = 3  # examples of either kind that the grid opens with


@dataclass(frozen=True)
class CompareCard:
    """What is compared, and the picture of it."""

    kind: gr.Radio
    slider: gr.Radio
    sources: PictureRow
    targets: PictureRow
    picture: LivePicture
    line: gr.HTML
    start: gr.Button
    stop: gr.Button
    save: gr.Button


def lay_out_compare() -> CompareCard:
    """Lay the card out inside its tab; what does not belong to the kind chosen is hidden by the style sheet."""
    with gr.Row(elem_classes="compare"):
        with gr.Column(min_width=260, elem_classes="card"):
            gr.HTML(texts.heading("Compare", "results side by side"), padding=False)
            kind = gr.Radio(KINDS, value="strip", label="What to compare", elem_id="compare-kind", elem_classes="methods")
            for name, hint in HINTS.items():
                gr.HTML(texts.tip(hint), padding=False, elem_classes=f"for-{name}")
            slider = gr.Radio(
                [(slider.title, name) for name, slider in SLIDERS.items()],
                value="yaw",
                label="Slider",
                elem_id="compare-slider",
                elem_classes="methods for-strip",
            )
            with gr.Row(elem_classes="for-grid"):
                sources, targets = (_pictures(role) for role in ("source", "target"))
            picture = LivePicture(
                label="The comparison",
                show_label=False,
                alt_text="The results beside each other",
                buttons=["fullscreen"],
                interactive=False,
                elem_id="compared",
            )
            line = gr.HTML("", elem_id="grid-line", padding=False, elem_classes="for-grid")
            with gr.Row(elem_classes="foot"):
                start = gr.Button("Make the grid", min_width=120, elem_id="grid-start", elem_classes="for-grid")
                stop = gr.Button("Cancel", min_width=120, visible=False, elem_id="grid-cancel", elem_classes="for-grid")
                save = gr.Button("Download", variant="primary", min_width=120, elem_id="save-compared")
    return CompareCard(kind, slider, sources, targets, picture, line, start, stop, save)


def _pictures(role: str) -> PictureRow:
    return PictureRow(
        value=example_faces(role)[:OPENING],
        label=f"{role.capitalize()}s",
        file_types=["image"],
        min_width=260,
        columns=MOST,
        fit_columns=False,
        allow_preview=False,
        interactive=True,
        buttons=[],
        elem_id=f"grid-{role}s",
        elem_classes="pictures-row",
    )
