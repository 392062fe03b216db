"""Which event calls what; see `programs` for what programs call.

The page's own events answer with previews (JPEG inside the answer). They have names too, but are left out of
the API page. Whatever needs the accelerator waits in one line for it; work that takes long waits in a line of
its own, so that nobody's sliders stand still behind it.
"""

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import gradio as gr

from stylemask_demo.errors import UnreadableMedia
from stylemask_demo.media.videos import read_frames
from stylemask_demo.ui import texts
from stylemask_demo.ui.any_file import ANY_FILE
from stylemask_demo.ui.cards import Components, FollowCard, MoveCard, Steering
from stylemask_demo.ui.compare_events import connect_compare
from stylemask_demo.ui.compare_handlers import CompareHandlers
from stylemask_demo.ui.compare_programs import connect_compare_programs
from stylemask_demo.ui.components import Shown
from stylemask_demo.ui.error_messages import in_card
from stylemask_demo.ui.examples import EXAMPLE_VIDEO, example_faces
from stylemask_demo.ui.handlers import Handlers
from stylemask_demo.ui.lines import DOWNLOAD, LONG, PREVIEW, QUICK, UNSEEN, Event, name_lines
from stylemask_demo.ui.long_handlers import LongHandlers
from stylemask_demo.ui.long_work import HIDDEN, connect_cancel, ended, failed, wait
from stylemask_demo.ui.pictures import NOT_WHOLE
from stylemask_demo.ui.programs import connect_programs
from stylemask_demo.ui.questions import Place, ask, new_place
from stylemask_demo.ui.random_people import connect_random_people

NAME_FACES = """() => document.querySelectorAll('.faces').forEach(faces =>
    faces.querySelectorAll('button').forEach((button, index) =>
        button.setAttribute('aria-label', `${faces.id.split('-')[0]} example ${index + 1}`)))"""
METHOD_HINT = f"method => ({json.dumps({name: texts.method_hint(name) for name in texts.METHOD_HINTS})})[method] ?? ''"


def connect(
    blocks: gr.Blocks,
    page: Components,
    handlers: Handlers,
    long_handlers: LongHandlers,
    compare_handlers: CompareHandlers,
) -> None:
    """Connect the page's components with the handlers."""
    source, target, follow, move = page.source, page.follow.target, page.follow, page.move
    used, match = page.packs.used, page.match.match
    told = [match, page.match.line]
    steered = [follow.steering.method, follow.steering.strength]
    followed = [source.zone, target.zone, *steered, follow.into_photo, source.face, target.face, used, match]
    followed += [follow.steering.region]
    moved = [source.zone, *move.sliders, move.into_photo, source.face, used, match]
    matching = _connect_match(page, long_handlers)

    result = new_place("result", [follow.result, page.status])
    edited = new_place("edited", [move.picture, page.status])
    source_stages = new_place("source-stages", [source.chooser, *page.source_stages])
    target_stages = new_place("target-stages", [target.chooser, *page.target_stages])
    _connect_pictures(blocks, page, handlers, [result, edited, source_stages, target_stages], matching)

    # What a hand moves asks too: while one position is computed, only the latest of the next ones waits.
    steering = follow.steering
    steers = [steering.method.input, steering.region.input, steering.strength.change, follow.into_photo.input]
    for name, listen in (("show", partial(gr.on, [result.asked.change, *steers])), ("matched", matching.success)):
        ask(result, listen, handlers.preview, followed, told, api_name=f"{name}_result", **PREVIEW)

    moving = partial(gr.on, [slider.input for slider in move.sliders])
    ask(edited, moving, handlers.preview_moving, moved, told, api_name="sliders_moved", **PREVIEW)
    rests = [edited.asked.change, *(slider.release for slider in move.sliders), move.into_photo.input, move.ready.change]
    zeros = move.reset.click(None, None, move.sliders, js="() => [0, 0, 0]")
    listeners = {"show": partial(gr.on, rests), "reset": zeros.success, "matched": matching.success}
    for name, listen in listeners.items():
        ask(edited, listen, handlers.preview_edit, moved, told, api_name=f"{name}_edited", **PREVIEW)

    for place, card in ((source_stages, source), (target_stages, target)):
        looked = [card.zone, card.face, used]
        ask(place, place.asked.change, handlers.preview_stages, looked, api_name=f"show_{place.name}", **PREVIEW)

    for steering in (follow.steering, page.video.steering):
        _explain_method(steering)
    _connect_download("save_result", handlers.reenact, followed, follow)
    _connect_download("save_edited", handlers.edit, moved, move)
    _connect_video(page, long_handlers)
    _connect_packs(page, long_handlers)
    _connect_sliders(blocks, page, handlers)
    connect_compare(page, compare_handlers, matching)
    connect_programs(page, handlers, long_handlers)
    connect_compare_programs(page, compare_handlers)
    blocks.load(None, js=name_lines(blocks))


def _connect_pictures(
    blocks: gr.Blocks, page: Components, handlers: Handlers, places: list[Place], matching: gr.events.Dependency
) -> None:
    """Let every picture that comes or goes change what the page asks; keep what is there over a reload."""
    source, target, used = page.source, page.follow.target, page.packs.used
    seen: list[Any] = [used, source.zone, source.face, target.zone, target.face, page.video.zone, page.video.face]
    look: Event = {"fn": None, "inputs": seen, "outputs": [place.asked for place in places], "js": "stylemask.look"}
    for role, card in (("source", source), ("target", target)):
        card.zone.upload(handlers.shown_picture, card.zone, card.zone, **UNSEEN, api_name=f"{role}_shown")
        card.zone.change(None, card.zone, card.face, js="stylemask.firstFace")
        card.faces.click(
            None, card.faces, card.zone, js=f"index => stylemask.example({json.dumps(example_faces(role))}[index])"
        )
        card.chooser.select(_chosen, None, card.face, **QUICK, trigger_mode="multiple", api_name=f"{role}_face")
        connect_random_people(blocks, role, card.random, card.zone, used, handlers)
    gr.on([part.change for part in seen], **look)
    gr.on([source.zone.change, source.face.change], _unmatch, None, _match_parts(page), **UNSEEN, cancels=[matching])

    follow, move = page.follow, page.move
    kept: list[Any] = [source.zone, target.zone, source.face, target.face, follow.steering.method, follow.steering.strength]
    kept += [follow.steering.region, follow.into_photo, *move.sliders, move.into_photo, page.tab]
    kept += [page.compare.kind, page.compare.slider, page.compare.sources, page.compare.targets]
    come = blocks.load(None, [page.kept, *kept], kept, js="stylemask.restore")
    come.then(None, page.tab, page.tabs, js="stylemask.openTab").then(**look)
    gr.on([part.change for part in kept], None, kept, page.kept, js="stylemask.keep")
    blocks.load(None, js=NAME_FACES)
    blocks.load(None, js=ANY_FILE)


def _connect_download(name: str, function: Callable[..., Any], inputs: Any, card: FollowCard | MoveCard) -> None:
    saved = card.save.click(function, inputs, card.file, api_name=name, **PREVIEW)
    saved.success(None, js=f"() => document.querySelector('#{card.file.elem_id}').click()")


async def _chosen(choice: gr.SelectData) -> int:
    """Return which face was clicked."""
    return choice.index


def _explain_method(steering: Steering) -> None:
    steering.method.change(None, steering.method, steering.hint, js=METHOD_HINT)


def _match_parts(page: Components) -> list[gr.components.Component]:
    return [page.match.match, page.match.line, page.match.start, page.match.stop]


def _unmatch() -> Shown:
    """Forget that the source was matched: (match, match line, match button, cancel button)."""
    return None, *ended()


def _connect_match(page: Components, handlers: LongHandlers) -> gr.events.Dependency:
    parts, inputs = _match_parts(page), [page.source.zone, page.source.face, page.packs.used]
    waiting = wait(page.match.start, parts[1:], "match")
    match = in_card(handlers.match, parts, page.match.line)
    matching = waiting(match, inputs, parts, **UNSEEN, **LONG, api_name="match")
    matching.failure(failed, None, parts[2:], **UNSEEN, api_name="match_failed")
    connect_cancel(page.match.stop, _unmatch, parts, matching, "match")
    return matching


def _connect_video(page: Components, handlers: LongHandlers) -> None:
    card, at_end = page.video, [page.video.line, page.video.start, page.video.stop]
    steered = [card.steering.method, card.steering.strength]
    inputs = [page.source.zone, card.zone, *steered, page.source.face, page.packs.used, page.match.match, card.face]
    inputs += [card.steering.region]
    outputs = [card.made, card.line, page.status, card.start, card.stop]
    checked = card.zone.upload(check_video, card.zone, card.refusal, **QUICK, api_name="video_added")
    checked.success(None, card.refusal, card.zone, js="refusal => (refusal ? null : undefined)")
    card.example.click(lambda: str(EXAMPLE_VIDEO), None, card.zone, **UNSEEN, api_name="video_example")
    card.zone.change(
        handlers.new_video,
        [card.zone, page.packs.used],
        [card.zone, card.chooser, card.face],
        **PREVIEW,
        api_name="video_faces",
    )
    card.chooser.select(_chosen, None, card.face, **QUICK, trigger_mode="multiple", api_name="video_face")
    waiting = wait(card.start, at_end, "video", js="() => (stylemask.startFilm(), [])")
    drive = in_card(handlers.drive, outputs, card.line)
    driving = waiting(drive, inputs, outputs, **UNSEEN, **LONG, api_name="make_video")
    # The component itself is left alone until there is a result: of what is skipped Gradio makes a copy for the
    # visitor, and files that a copy shows are never deleted.
    shown = driving.success(lambda path: path, card.made, card.result, **UNSEEN, api_name="show_video")
    shown.success(None, js="() => stylemask.showFilm()")
    driving.failure(failed, None, at_end[1:], **UNSEEN, api_name="video_failed")
    connect_cancel(card.stop, ended, at_end, driving, "video")


def check_video(video: str | None) -> str:
    """Say at once why a video cannot be used: a message for the card, or nothing; or that some of it is missing."""
    try:
        if video is not None and (note := read_frames(video).note):
            gr.Warning(note, title=NOT_WHOLE)
    except UnreadableMedia as error:
        return texts.refusal(error.message)
    return ""


def _connect_sliders(blocks: gr.Blocks, page: Components, handlers: Handlers) -> None:
    card = page.move
    shown: Event = {
        "inputs": [page.packs.used, card.ready],
        "outputs": [
            card.ready,
            card.line,
            card.prepare,
            card.clock,
            card.picture,
            page.follow.steering.method,
            page.video.steering.method,
            *card.sliders,
            card.reset,
            card.into_photo,
            card.save,
        ],
    }
    looked: Event = {**UNSEEN, "queue": False}
    blocks.load(handlers.sliders, **shown, **looked, api_name="open_sliders")
    page.packs.used.change(handlers.sliders, **shown, **looked, api_name="pack_sliders")
    card.clock.tick(handlers.sliders, **shown, **looked, api_name="sliders_prepared")
    card.prepare.click(handlers.prepare, **shown, **UNSEEN, api_name="prepare_sliders")


def _connect_packs(page: Components, handlers: LongHandlers) -> None:
    card = page.packs
    choice: Event = {
        "fn": handlers.choose_pack,
        "inputs": [card.chosen, card.used],
        "outputs": [
            card.used,
            card.details,
            card.download,
            page.follow.steering.method,
            page.video.steering.method,
            page.match.match,
            page.match.line,
            page.status,
        ],
    }
    at_end = [card.line, card.download, card.stop]
    waiting = wait(card.download, at_end, "download")
    download = in_card(handlers.download, at_end, card.line)
    fetched = waiting(download, card.chosen, at_end, **UNSEEN, **DOWNLOAD, api_name="download_pack")
    fetched.failure(failed, None, at_end[1:], **UNSEEN, api_name="download_failed")
    connect_cancel(card.stop, ended, at_end, fetched, "download")
    card.chosen.input(lambda: ("", HIDDEN, HIDDEN), None, at_end, **UNSEEN, cancels=[fetched], api_name="pack_looked_at")
    card.chosen.input(**choice, **PREVIEW, api_name="choose_pack")
    fetched.success(**choice, **PREVIEW, api_name="pack_fetched")
