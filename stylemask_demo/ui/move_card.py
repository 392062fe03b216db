"""The card that moves the source by hand: where its parts stand."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import gradio as gr

from stylemask_demo.reenactor import PRESETS, SLIDERS
from stylemask_demo.ui import texts
from stylemask_demo.ui.components import DropZone, EasySlider, LivePicture, PictureDownload

TAB = "move"  # of the card, among the ways of working
# Groups of sliders that are folded, by name; those of the first are always seen.
FOLDS = {"mouth": "Mouth", "eyes": "Eyes and brows", "head": "Place of the head"}
LOOKED_AT = 1.0  # seconds between two looks at how far work in the background is


@dataclass(frozen=True)
class Sample:
    """A picture that an expression is taken from, and how much of it."""

    zone: DropZone
    ratio: EasySlider
    take: gr.Button


@dataclass(frozen=True)
class MoveCard:
    """The source moved by hand, and the sliders."""

    picture: LivePicture
    sliders: Mapping[str, EasySlider]  # by name
    folds: Mapping[str, gr.Accordion]  # by group
    face: gr.Textbox  # where the face is on the picture, and which sliders move it; see `move_drag_script.js`
    pulled: gr.Button  # pressed by the browser for each position of a hand that pulls it
    reached: gr.Textbox  # tells of each position in which the sliders have followed it
    pullable: gr.Textbox  # tells of each source that can be pulled, once the card is open
    settled: gr.Textbox  # tells of each setting in which a hand has come to rest
    presets: Mapping[str, gr.Button]  # by name
    sample: Sample
    undo: gr.Button
    redo: gr.Button
    reset: gr.Button
    store: gr.Button  # as JSON
    load: gr.Button
    said: gr.HTML  # why sliders could not be loaded
    ready: gr.Textbox  # name of the pack whose sliders are there, or nothing
    line: gr.HTML  # how far they are otherwise
    prepare: gr.Button
    clock: gr.Timer  # ticks while they are being prepared
    into_photo: gr.Checkbox
    save: gr.Button
    file: PictureDownload

    @property
    def tools(self) -> list[gr.Button]:
        """The buttons that set sliders."""
        return [*self.presets.values(), self.undo, self.redo, self.reset, self.store, self.load]


def lay_out_move(keeping: Callable[[str], tuple[gr.Checkbox, gr.Button]]) -> MoveCard:
    """Lay the card out inside its tab; `keeping` lays out what a place keeps its picture by."""
    with gr.Row(elem_classes="move"):
        with gr.Column(min_width=260, elem_classes="card"):
            gr.HTML(texts.heading("Result", "drag the face, or the sliders"), padding=False)
            with gr.Column(elem_classes="pinned"):
                picture = LivePicture(
                    label="The source, moved",
                    show_label=False,
                    alt_text="The source with the pose and expression of the sliders",
                    buttons=["fullscreen"],
                    interactive=False,
                    elem_id="edited",
                )
                with gr.Row(elem_classes="presets"):
                    presets = {name: _tool(name.capitalize(), f"preset-{name}") for name in PRESETS}
        with gr.Column(min_width=240, elem_classes="card"):
            gr.HTML(texts.heading("Change", "from the source"), padding=False)
            line = gr.HTML("", visible=False, elem_id="sliders-line", padding=False)
            prepare = gr.Button("Prepare the sliders", variant="primary", visible=False, elem_id="prepare")
            sliders, folds = _sliders("first"), {}
            for group, title in FOLDS.items():
                with gr.Accordion(title, open=False, elem_classes="fold", elem_id=f"fold-{group}") as folds[group]:
                    sliders |= _sliders(group)
            with gr.Accordion("Take it from a photo", open=False, elem_classes="fold", elem_id="fold-sample"):
                sample = _sample()
            said = gr.HTML("", elem_id="sliders-said", padding=False)
            with gr.Row(elem_classes="tools"):
                undo, redo, reset = _tool("Undo", "undo"), _tool("Redo", "redo"), _tool("Reset", "reset")
                store, load = _tool("Save", "store-sliders"), _tool("Load", "load-sliders")
            into_photo, save = keeping("edited")
            file = PictureDownload("edited", elem_id="edited-file", visible="hidden")
    face = gr.Textbox("", label="face", visible="hidden")
    pulled = gr.Button("Pulled", visible="hidden", elem_id="pulled")
    reached = gr.Textbox("", label="reached", visible="hidden")
    pullable = gr.Textbox("", label="pullable", visible="hidden")
    settled = gr.Textbox("", label="settled", visible="hidden")
    ready, clock = gr.Textbox("", label="ready", visible="hidden"), gr.Timer(LOOKED_AT, active=False)
    return MoveCard(
        picture=picture,
        sliders=sliders,
        folds=folds,
        face=face,
        pulled=pulled,
        reached=reached,
        pullable=pullable,
        settled=settled,
        presets=presets,
        sample=sample,
        undo=undo,
        redo=redo,
        reset=reset,
        store=store,
        load=load,
        said=said,
        ready=ready,
        line=line,
        prepare=prepare,
        clock=clock,
        into_photo=into_photo,
        save=save,
        file=file,
    )


def _sliders(group: str) -> dict[str, EasySlider]:
    return {
        name: EasySlider(
            slider.low,
            slider.high,
            value=0,
            step=slider.step,
            label=slider.title,
            info=slider.hint,
            elem_id=name.replace("_", "-"),
            elem_classes="slide",
        )
        for name, slider in SLIDERS.items()
        if slider.group == group
    }


def _tool(text: str, name: str) -> gr.Button:
    return gr.Button(text, size="sm", min_width=60, elem_id=name)


def _sample() -> Sample:
    zone = DropZone(
        type="filepath",
        image_mode=None,  # the file as it is; `pictures` opens it
        label="Picture whose expression is taken",
        show_label=False,
        alt_text="The picture whose expression is taken",
        sources=["upload", "webcam", "clipboard"],
        buttons=[],
        placeholder="Drop a portrait\nor click to choose",
        elem_id="sample",
        elem_classes="zone",
    )
    gr.HTML("", elem_id="sample-sign", padding=False)
    ratio = EasySlider(0, 1.5, value=1, step=0.05, label="Ratio", info="How much of its expression", elem_id="sample-ratio")
    return Sample(zone, ratio, gr.Button("Take its expression", size="sm", elem_id="take-sample"))
