"""The parts of the page that events read or write, card by card."""

from dataclasses import dataclass

import gradio as gr

from stylemask_demo.ui.compare_card import CompareCard
from stylemask_demo.ui.components import (
    Comparison,
    DropZone,
    FacePicker,
    LivePicture,
    PictureDownload,
)
from stylemask_demo.ui.move_card import MoveCard
from stylemask_demo.ui.parts import Steering
from stylemask_demo.ui.random_people import RandomPeople
from stylemask_demo.ui.video_card import VideoCard


@dataclass(frozen=True)
class PictureCard:
    """One card for a picture: the place for it, its faces if there are several, examples, a random person."""

    zone: DropZone
    chooser: FacePicker
    face: gr.Number  # which of the faces
    faces: gr.Dataset
    random: RandomPeople


@dataclass(frozen=True)
class MatchRow:
    """The button that tunes the generator to the source, and what shows how far that is."""

    start: gr.Button
    stop: gr.Button
    line: gr.HTML
    match: gr.State  # a Match, or None


@dataclass(frozen=True)
class FollowCard:
    """The result of following the target's face, and what steers it."""

    target: PictureCard
    result: Comparison
    steering: Steering
    into_photo: gr.Checkbox
    save: gr.Button
    file: PictureDownload


@dataclass(frozen=True)
class PackCard:
    """The choice of weights."""

    used: gr.Textbox  # name of the pack in use, which every request names
    chosen: gr.Dropdown
    details: gr.HTML
    line: gr.HTML
    download: gr.Button
    stop: gr.Button


@dataclass(frozen=True)
class Components:
    """Everything on the page that an event reads or writes."""

    source: PictureCard
    match: MatchRow
    follow: FollowCard
    video: VideoCard
    move: MoveCard
    compare: CompareCard
    packs: PackCard
    status: gr.HTML
    source_stages: list[LivePicture]
    target_stages: list[LivePicture]
    tabs: gr.Tabs
    tab: gr.Textbox  # id of the one that is open
    kept: gr.BrowserState  # pictures and settings, which outlive a reload
