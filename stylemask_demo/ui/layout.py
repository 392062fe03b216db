"""Where everything stands on the page; what happens with it is in `events`."""

from collections.abc import Callable
from typing import TypeVar

import gradio as gr

from stylemask_demo.packs import PackInfo
from stylemask_demo.ui import texts
from stylemask_demo.ui.cards import Components, FollowCard, MatchRow, PackCard, PictureCard
from stylemask_demo.ui.compare_card import lay_out_compare
from stylemask_demo.ui.components import (
    Comparison,
    DropZone,
    FacePicker,
    LivePicture,
    PictureDownload,
)
from stylemask_demo.ui.compute import Facts
from stylemask_demo.ui.examples import MOVING_PORTRAIT, STILL_PORTRAIT, example_faces
from stylemask_demo.ui.move_card import TAB as MOVE_TAB
from stylemask_demo.ui.move_card import lay_out_move
from stylemask_demo.ui.parts import face_choice, steering
from stylemask_demo.ui.random_people import random_options, surprise_button
from stylemask_demo.ui.tuned_portraits import Match
from stylemask_demo.ui.video_card import video_card

STAGES = ("Aligned crop", "Inversion", "Face parameters")
OPENING = {"source": 0, "target": 1}  # examples that the page opens with: their change is plain to see

KEPT_IN_BROWSER = "settings-of-page"  # scrambles them, and must outlive a restart; there is nothing secret in them

T = TypeVar("T")


def lay_out(
    facts: Facts,
    packs: list[PackInfo],
    forget: Callable[[Match | None], None],
    leave: Callable[[str | None], None],
) -> Components:
    """Lay the page out inside the current `gr.Blocks` and return its components.

    `facts` are those of the pack that the page opens with, which is the first of `packs`; `forget` is called
    with the Match of a visitor who has left, and `leave` with the key of one with a camera.
    """
    gr.HTML(texts.header(MOVING_PORTRAIT, STILL_PORTRAIT), padding=False)
    tab = gr.Textbox("follow", visible=False)
    with gr.Row(elem_classes="workspace"):
        with gr.Column(min_width=260, elem_classes="card who"):
            source, match = _source_card(forget)
        with gr.Column(min_width=260):
            with gr.Tabs(elem_classes="ways") as tabs:
                with gr.Tab("Follow a face", id="follow") as opened:
                    follow = _follow_card(facts.methods)
                opened.select(None, None, tab, js="() => 'follow'")
                with gr.Tab("Follow a video", id="video") as opened:
                    video = video_card(facts.methods, leave)
                opened.select(None, None, tab, js="() => 'video'")
                with gr.Tab("Move by hand", id=MOVE_TAB) as opened:
                    move = lay_out_move(_keeping)
                opened.select(None, None, tab, js=f"() => '{MOVE_TAB}'")
                with gr.Tab("Compare", id="compare") as opened:
                    compare = lay_out_compare()
                opened.select(None, None, tab, js="() => 'compare'")
    status_line = gr.HTML(texts.status(facts), elem_id="status", padding=False)
    with gr.Accordion("How the two faces were understood", open=False, elem_classes="card folding stages"):
        gr.HTML(texts.STAGES_HINT, padding=False)
        with gr.Row(elem_classes="both"):
            source_stages = _stages("source")
            target_stages = _stages("target")
    with gr.Accordion("Weights", open=False, elem_classes="card folding", elem_id="weights"):
        weights = _pack_card(packs)
    gr.HTML(texts.FOOTER, padding=False)
    kept = gr.BrowserState(storage_key="stylemask-demo", secret=KEPT_IN_BROWSER)
    return Components(
        source, match, follow, video, move, compare, weights, status_line, source_stages, target_stages, tabs, tab, kept
    )


def _source_card(forget: Callable[[Match | None], None]) -> tuple[PictureCard, MatchRow]:
    parts = _picture_parts("source", "who it is")
    line = gr.HTML("", elem_id="match-line", padding=False)
    with gr.Row(elem_classes="foot"):
        surprise = surprise_button("source")
        start = gr.Button("Match this person better", size="sm", min_width=170, elem_id="match")
        stop = gr.Button("Cancel matching", size="sm", min_width=170, visible=False, elem_id="match-cancel")
    random = random_options("source", surprise)
    return PictureCard(*parts, random), MatchRow(start, stop, line, gr.State(None, delete_callback=forget))


def _target_card() -> PictureCard:
    parts = _picture_parts("target", "how it moves")
    with gr.Row(elem_classes="foot"):
        surprise = surprise_button("target")
    return PictureCard(*parts, random_options("target", surprise))


def _picture_parts(role: str, hint: str) -> tuple[DropZone, FacePicker, gr.Number, gr.Dataset]:
    """Lay out what every card for a picture has: the place for it, its faces, and examples."""
    examples = example_faces(role)
    gr.HTML(texts.heading(role.capitalize(), hint), padding=False)
    zone = DropZone(
        value=examples[OPENING[role]],
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
    gr.HTML("", elem_id=f"{role}-sign", padding=False)
    chooser, face = face_choice(role)
    faces = gr.Dataset(
        components=[gr.Image(visible=False)],
        samples=[[path] for path in examples],
        label=f"Example faces for the {role}",
        show_label=False,
        elem_id=f"{role}-faces",
        elem_classes="faces",
    )
    gr.HTML(texts.TIPS[role], padding=False)
    return zone, chooser, face, faces


def _keeping(place: str) -> tuple[gr.Checkbox, gr.Button]:
    """Lay out the choice between crop and whole photo, and the download of either."""
    with gr.Row(elem_classes="foot keeping"):
        into_photo = gr.Checkbox(False, label="Into the photo", min_width=120, elem_id=f"{place}-photo")
        save = gr.Button("Download PNG", variant="primary", min_width=120, elem_id=f"save-{place}")
    return into_photo, save


def _follow_card(methods: tuple[str, ...]) -> FollowCard:
    with gr.Row(elem_classes="follow"):
        with gr.Column(min_width=260, elem_classes="card"):
            target = _target_card()
        with gr.Column(min_width=260, elem_classes="card"):
            gr.HTML(texts.heading("Result", "drag to compare"), padding=False)
            result = Comparison(elem_id="result")
            steered = steering("result", methods)
            into_photo, save = _keeping("result")
            file = PictureDownload("reenacted", elem_id="result-file", visible="hidden")
    return FollowCard(target, result, steered, into_photo, save, file)


def _pack_card(packs: list[PackInfo]) -> PackCard:
    used = gr.Textbox(packs[0].name, label="pack", visible="hidden")
    chosen = gr.Dropdown(
        texts.pack_choices(packs), value=packs[0].name, label="Pack", show_label=False, filterable=False, elem_id="pack"
    )
    details = gr.HTML(texts.pack_details(packs[0]), elem_id="pack-details", padding=False)
    line = gr.HTML("", elem_id="pack-line", padding=False)
    with gr.Row(elem_classes="foot"):
        download = gr.Button("Download", variant="primary", size="md", visible=False, elem_id="download-pack")
        stop = gr.Button("Cancel", size="md", visible=False, elem_id="download-cancel")
    return PackCard(used, chosen, details, line, download, stop)


def _stages(role: str) -> list[LivePicture]:
    with gr.Column(min_width=280):
        gr.HTML(texts.heading(role.capitalize()), padding=False)
        with gr.Row(elem_classes="three", elem_id=f"{role}-stages"):
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
