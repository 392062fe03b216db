"""Which event calls what; see `programs` for what programs call.

The page's own events answer with previews (JPEG inside the answer). They have names too, but are left out of
the API page. Whatever needs the accelerator waits in one line for it; work that takes long waits in a line of
its own, so that nobody's sliders stand still behind it.
"""

import json
from functools import partial
from typing import Any

import gradio as gr

from stylemask_demo.ui import texts
from stylemask_demo.ui.any_file import ANY_FILE
from stylemask_demo.ui.camera_events import connect_camera
from stylemask_demo.ui.cards import Components, Steering
from stylemask_demo.ui.compare_events import connect_compare
from stylemask_demo.ui.compare_programs import connect_compare_programs
from stylemask_demo.ui.components import Shown
from stylemask_demo.ui.downloading import connect_download
from stylemask_demo.ui.error_messages import in_card
from stylemask_demo.ui.examples import example_faces
from stylemask_demo.ui.handlers import Handlers
from stylemask_demo.ui.lines import DOWNLOAD, LONG, PREVIEW, QUICK, UNSEEN, Event, name_lines
from stylemask_demo.ui.long_handlers import LongHandlers
from stylemask_demo.ui.long_work import HIDDEN, connect_cancel, ended, failed, wait
from stylemask_demo.ui.move_events import connect_move
from stylemask_demo.ui.page_handlers import PageHandlers
from stylemask_demo.ui.programs import connect_programs
from stylemask_demo.ui.questions import Place, ask, new_place
from stylemask_demo.ui.random_people import connect_random_people
from stylemask_demo.ui.video_events import connect_video

NAME_FACES = """() => document.querySelectorAll('.faces').forEach(faces =>
    faces.querySelectorAll('button').forEach((button, index) =>
        button.setAttribute('aria-label', `${faces.id.split('-')[0]} example ${index + 1}`)))"""
METHOD_HINT = f"method => ({json.dumps({name: texts.method_hint(name) for name in texts.METHOD_HINTS})})[method] ?? ''"


def connect(blocks: gr.Blocks, page: Components, handlers: PageHandlers) -> None:
    """Connect the page's components with the handlers."""
    source, target, follow = page.source, page.follow.target, page.follow
    used, match = page.packs.used, page.match.match
    told = [match, page.match.line]
    steered = [follow.steering.method, follow.steering.strength]
    followed = [source.zone, target.zone, *steered, follow.into_photo, source.face, target.face, used, match]
    followed += [follow.steering.region]
    matching = _connect_match(page, handlers.long)

    result = new_place("result", [follow.result, page.status])
    edited = new_place("edited", [page.move.picture, page.move.face, page.status])
    source_stages = new_place("source-stages", [source.chooser, *page.source_stages])
    target_stages = new_place("target-stages", [target.chooser, *page.target_stages])
    _connect_pictures(blocks, page, handlers.pictures, [result, edited, source_stages, target_stages], matching)

    # What a hand moves asks too: while one position is computed, only the latest of the next ones waits.
    steering = follow.steering
    steers = [steering.method.input, steering.region.input, steering.strength.change, follow.into_photo.input]
    for name, listen in (("show", partial(gr.on, [result.asked.change, *steers])), ("matched", matching.success)):
        ask(result, listen, handlers.pictures.preview, followed, told, api_name=f"{name}_result", **PREVIEW)

    connect_move(blocks, page, edited, handlers.move, matching)

    for place, card in ((source_stages, source), (target_stages, target)):
        looked = [card.zone, card.face, used]
        ask(place, place.asked.change, handlers.pictures.preview_stages, looked, api_name=f"show_{place.name}", **PREVIEW)

    for steering in (follow.steering, page.video.steering):
        _explain_method(steering)
    connect_download("save_result", handlers.pictures.reenact, followed, follow)
    connect_video(page, handlers.video, _chosen)
    connect_camera(page, handlers.camera, matching)
    _connect_packs(page, handlers.long)
    connect_programs(page, handlers)
    connect_compare(page, handlers.compare, matching)
    connect_compare_programs(page, handlers.compare)
    blocks.load(None, js=name_lines(blocks))


def _connect_pictures(
    blocks: gr.Blocks, page: Components, handlers: Handlers, places: list[Place], matching: gr.events.Dependency
) -> None:
    """Let every picture that comes or goes change what the page asks; keep what is there over a reload."""
    source, target, used = page.source, page.follow.target, page.packs.used
    seen: list[Any] = [used, source.zone, source.face, target.zone, target.face, page.video.video.zone, page.video.face]
    seen += [page.video.choices.source.zone]
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
    kept += [follow.steering.region, follow.into_photo, *move.sliders.values(), move.into_photo, page.tab]
    kept += [page.compare.kind, page.compare.slider, page.compare.sources, page.compare.targets]
    come = blocks.load(None, [page.kept, *kept], kept, js="stylemask.restore")
    come.then(None, page.tab, page.tabs, js="stylemask.openTab").then(**look)
    come.then(None, list(move.sliders.values()), None, js="stylemask.sliders.begin")
    # What is folded tells of no change.
    gr.on([*(part.change for part in kept), move.settled.change], None, kept, page.kept, js="stylemask.keep")
    blocks.load(None, js=NAME_FACES)
    blocks.load(None, js=ANY_FILE)


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
    parts = [card.line, card.download, card.stop]
    waiting = wait(card.download, parts, "download")
    download = in_card(handlers.download, parts, card.line)
    fetched = waiting(download, card.chosen, parts, **UNSEEN, **DOWNLOAD, api_name="download_pack")
    fetched.failure(failed, None, parts[1:], **UNSEEN, api_name="download_failed")
    connect_cancel(card.stop, ended, parts, fetched, "download")
    card.chosen.input(lambda: ("", HIDDEN, HIDDEN), None, parts, **UNSEEN, cancels=[fetched], api_name="pack_looked_at")
    card.chosen.input(**choice, **PREVIEW, api_name="choose_pack")
    fetched.success(**choice, **PREVIEW, api_name="pack_fetched")
