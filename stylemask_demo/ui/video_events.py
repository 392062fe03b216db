"""Which event of the card for videos calls what."""

from collections.abc import Callable
from typing import Any

import gradio as gr

from stylemask_demo.errors import UnreadableMedia
from stylemask_demo.media.videos import read_frames
from stylemask_demo.ui import texts
from stylemask_demo.ui.cards import Components
from stylemask_demo.ui.components import Shown
from stylemask_demo.ui.error_messages import in_card
from stylemask_demo.ui.examples import EXAMPLE_VIDEO
from stylemask_demo.ui.lines import LONG, PREVIEW, QUICK, UNSEEN
from stylemask_demo.ui.long_work import connect_cancel, ended, failed, wait
from stylemask_demo.ui.pictures import NOT_WHOLE
from stylemask_demo.ui.video_card import FilmPlace
from stylemask_demo.ui.video_handlers import HIDDEN_PREVIEW, VideoHandlers


def video_inputs(page: Components, source: Any, video: Any, source_face: Any, video_face: Any) -> list[Any]:
    """What `VideoHandlers.drive` is told: pictures and faces as given, and the choices of the card."""
    card = page.video
    steered = [card.steering.method, card.steering.strength]
    whose = [source_face, page.packs.used, page.match.match, video_face]
    return [source, video, *steered, *whose, card.steering.region, *card.choices.inputs]


def connect_video(page: Components, handlers: VideoHandlers, chosen: Callable[..., Any]) -> None:
    """Connect the card with its handlers; `chosen` tells which face was clicked."""
    card, at_end = page.video, [page.video.line, page.video.start, page.video.stop]
    zone = card.video.zone
    inputs = video_inputs(page, page.source.zone, zone, page.source.face, card.face)
    outputs = [card.made, card.preview, card.line, page.status, card.start, card.stop]
    for name, place in (("video", card.video), ("source_film", card.choices.source)):
        _check(name, place)
    card.example.click(lambda: str(EXAMPLE_VIDEO), None, zone, **UNSEEN, api_name="video_example")
    faces = [zone, card.chooser, card.face]
    zone.change(handlers.new_video, [zone, page.packs.used], faces, **PREVIEW, api_name="video_faces")
    film = card.choices.source.zone
    film.change(handlers.new_film, film, film, **UNSEEN, api_name="source_film_shown")
    card.chooser.select(chosen, None, card.face, **QUICK, trigger_mode="multiple", api_name="video_face")
    waiting = wait(card.start, at_end, "video", js="() => (stylemask.startFilm(), [])")
    drive = in_card(handlers.drive, outputs, card.line)
    driving = waiting(drive, inputs, outputs, **UNSEEN, **LONG, api_name="make_video")
    # The components themselves are left alone until there is a result: of what is skipped Gradio makes a copy each time.
    shown = driving.success(_shown, card.made, [card.result, card.animation], **UNSEEN, api_name="show_video")
    shown.success(None, js="() => stylemask.showFilm()")
    stopped = [card.start, card.stop, card.preview]
    driving.failure(lambda: (*failed(), HIDDEN_PREVIEW), None, stopped, **UNSEEN, api_name="video_failed")
    connect_cancel(card.stop, _ended, [*at_end, card.preview], driving, "video")


def _ended() -> Shown:
    return *ended(), HIDDEN_PREVIEW


def _shown(path: str) -> Shown:
    """Show a result as what it is: (film, animation)."""
    moving = path.endswith(".gif")
    return (
        gr.update(value=None if moving else path, visible=not moving),
        gr.update(value=path if moving else None, visible=moving),
    )


def _check(name: str, place: FilmPlace) -> None:
    """Refuse a video that cannot be used as soon as it comes."""
    checked = place.zone.upload(check_video, place.zone, place.refusal, **QUICK, api_name=f"{name}_added")
    checked.success(None, place.refusal, place.zone, js="refusal => (refusal ? null : undefined)")


def check_video(video: str | None) -> str:
    """Say at once why a video cannot be used: a message for the card, or nothing; or that some of it is missing."""
    try:
        if video is not None and (note := read_frames(video).note):
            gr.Warning(note, title=NOT_WHOLE)
    except UnreadableMedia as error:
        return texts.refusal(error.message)
    return ""
