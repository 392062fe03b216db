"""The card in which a video drives the source: where everything stands on it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import gradio as gr

from stylemask_demo.ui import texts
from stylemask_demo.ui.camera_card import CameraParts, camera_buttons, camera_view, live_view
from stylemask_demo.ui.components import EasySlider, FacePicker, LivePicture, VideoZone
from stylemask_demo.ui.parts import Steering, face_choice, steering

MOST_STRENGTH, MOST_SMOOTHING = 1.5, 4


@dataclass(frozen=True)
class FilmPlace:
    """A place for one video, and why one cannot be used."""

    zone: VideoZone
    refusal: gr.HTML


@dataclass(frozen=True)
class VideoChoices:
    """What steers how a video is followed, beside what steers any face, and what becomes of it."""

    layout: gr.Radio
    format: gr.Radio
    motion: gr.Radio
    crop: gr.Radio
    smoothing: EasySlider
    source: FilmPlace  # whose person is shown in place of the source

    @property
    def inputs(self) -> list[gr.components.Component]:
        """What is told to who makes the video, in order."""
        return [self.motion, self.smoothing, self.crop, self.layout, self.format, self.source.zone]


@dataclass(frozen=True)
class VideoCard:
    """The source driven by a video."""

    video: FilmPlace
    chooser: FacePicker
    face: gr.Number  # which of the faces in its first frame
    example: gr.Button
    result: VideoZone
    animation: gr.Image  # the result where it is a GIF
    preview: LivePicture  # the latest frame of what is being made
    made: gr.State  # path of the result
    steering: Steering
    choices: VideoChoices
    line: gr.HTML
    start: gr.Button
    stop: gr.Button
    camera: CameraParts  # what takes the place of the video


def video_card(methods: tuple[str, ...], leave: Callable[[str | None], None]) -> VideoCard:
    """Lay out the card inside the current `gr.Blocks`; `leave` gets the key of a visitor with a camera who has gone.

    What belongs to a video or to a camera has that as a class: the style sheet shows either.
    """
    with gr.Row(elem_classes="follow"):
        with gr.Column(min_width=260, elem_classes="card"):
            gr.Radio(
                texts.FOLLOWED_CHOICES,
                value="video",
                label="Followed is",
                interactive=True,
                elem_id="video-mode",
                elem_classes="methods",
            )
            with gr.Column(elem_classes="of-video"):
                gr.HTML(texts.heading("Video", "how it moves"), padding=False)
                video = _film_place("video", "The video to follow", ["upload", "webcam"])
                chooser, face = face_choice("video")
                gr.HTML(texts.TIPS["video"], padding=False)
                example = gr.Button("Take the example", size="sm", elem_id="video-example")
            with gr.Column(elem_classes="of-camera"):
                camera_view()
        with gr.Column(min_width=260, elem_classes="card"):
            gr.HTML(texts.heading("Result", "the source, moving"), padding=False)
            with gr.Column(elem_classes="of-video"):
                seen = _screen()
                gr.HTML(texts.OTHER_FILM, elem_id="film-note", padding=False)
            with gr.Column(elem_classes="of-camera"):
                live_view()
            steered = steering("video", methods, MOST_STRENGTH)
            with gr.Column(elem_classes="of-video"):
                line = gr.HTML("", elem_id="video-line", padding=False)
                start = gr.Button("Make the video", variant="primary", elem_id="drive")
                stop = gr.Button("Cancel", visible=False, elem_id="drive-cancel")
            with gr.Column(elem_classes="of-camera"):
                camera = camera_buttons(leave)
    choices = _choices()
    return VideoCard(video, chooser, face, example, *seen, gr.State(None), steered, choices, line, start, stop, camera)


def _film_place(name: str, label: str, sources: list[Literal["upload", "webcam"]]) -> FilmPlace:
    """Lay out a place for one video."""
    zone = VideoZone(
        label=label,
        show_label=False,
        sources=sources,
        include_audio=True,
        buttons=[],
        elem_id=name,
        elem_classes="zone film",
    )
    return FilmPlace(zone, gr.HTML("", elem_id=f"{name}-refusal", padding=False))


def _screen() -> tuple[VideoZone, gr.Image, LivePicture]:
    """Lay out where the result is seen: as a film, as a GIF, and while it is made."""
    with gr.Column(elem_classes="screen"):
        result = VideoZone(
            label="The source, moving as in the video",
            show_label=False,
            interactive=False,
            autoplay=True,
            loop=True,
            buttons=["download"],
            elem_id="driven",
        )
        animation = gr.Image(
            label="The source, moving as in the video",
            show_label=False,
            interactive=False,
            type="filepath",
            visible=False,
            buttons=["download"],
            elem_id="driven-gif",
        )
        preview = LivePicture(
            label="The latest frame",
            show_label=False,
            alt_text="The latest frame of the video that is being made",
            interactive=False,
            visible=False,
            buttons=[],
            elem_id="driven-preview",
        )
    return result, animation, preview


def _choices() -> VideoChoices:
    """Lay out the choices that few need, folded."""

    def choice(name: str, label: str, choices: list[tuple[str, str]], of: str = "of-video") -> gr.Radio:
        classes = ["methods", of]
        return gr.Radio(choices, value=choices[0][1], label=label, elem_id=f"video-{name}", elem_classes=classes)

    with (
        gr.Accordion("More choices", open=False, elem_classes="card folding more", elem_id="video-more"),
        gr.Row(elem_classes="choices"),
    ):
        with gr.Column(min_width=240, scale=2):
            layout = choice("layout", "What is shown", texts.LAYOUT_CHOICES)
            kind = choice("format", "File", texts.FORMAT_CHOICES)
            motion = choice("motion", "Motion", texts.MOTION_CHOICES, "")
            crop = choice("crop", "Crop of the video", texts.CROP_CHOICES)
            smoothing = EasySlider(0, MOST_SMOOTHING, value=1, step=0.25, label="Smoothing", elem_id="video-smoothing")
        with gr.Column(min_width=240, elem_classes="of-video"):
            gr.HTML(texts.FILM_SOURCE, padding=False)
            source = _film_place("source-film", "A video of the source", ["upload"])
    return VideoChoices(layout, kind, motion, crop, smoothing, source)
