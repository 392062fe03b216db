"""Which event calls what.

Endpoints for programs (through `gradio_client`, or over HTTP at /gradio_api/call/NAME); pictures and videos are
files, and what stands in brackets may be left out:

- /reenact(source, target, method, strength, [into_photo, source_face, target_face, pack]) -> PNG
- /edit(source, yaw, pitch, smile, [into_photo, source_face, pack]) -> PNG
- /tune(source, [steps, face, pack]) -> PNG; later calls of the same client use what was tuned
- /drive(source, video, method, strength, [source_face, pack, video_face]) -> MP4
- /random_person(seed, [pack]) -> PNG
- /parameters(picture, [face, pack]) -> JSON
- /stages(picture, [face, pack]) -> aligned crop, inversion, drawn face parameters

The page's own events answer with previews (JPEG inside the answer). They have names too, but are left out of
the API page. Whatever needs the accelerator waits in one line for it; work that takes long waits in a line of
its own, so that nobody's sliders stand still behind it.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any

import gradio as gr

from stylemask_demo.reenactor import STEPS
from stylemask_demo.ui import texts
from stylemask_demo.ui.accelerator import AT_ONCE
from stylemask_demo.ui.any_file import ANY_FILE
from stylemask_demo.ui.cards import Components, FollowCard, MoveCard, PictureCard, Steering
from stylemask_demo.ui.components import DropZone, Shown, VideoZone
from stylemask_demo.ui.error_messages import unasked
from stylemask_demo.ui.examples import EXAMPLE_VIDEO
from stylemask_demo.ui.handlers import Handlers
from stylemask_demo.ui.layout import STAGES
from stylemask_demo.ui.long_handlers import HIDDEN, SHOWN, LongHandlers

Event = dict[str, Any]  # arguments of one of Gradio's events

ACCELERATOR: Event = {"concurrency_id": "accelerator", "concurrency_limit": AT_ONCE}
LONG: Event = {"concurrency_id": "long", "concurrency_limit": AT_ONCE}
DOWNLOAD: Event = {"concurrency_id": "download", "concurrency_limit": 1}
UNSEEN: Event = {"show_progress": "hidden", "api_visibility": "undocumented"}  # a picture never flickers
PREVIEW: Event = {**UNSEEN, **ACCELERATOR}

LARGEST_SEED = 10**9
MOST_STEPS = 500  # of tuning
NEW_SEED = "(seed, pack) => [Math.floor(Math.random() * 1e9), pack]"
NAME_FACES = """() => document.querySelectorAll('.faces').forEach(faces =>
    faces.querySelectorAll('button').forEach((button, index) =>
        button.setAttribute('aria-label', `${faces.id.split('-')[0]} example ${index + 1}`)))"""
METHOD_HINT = f"method => ({json.dumps({name: texts.method_hint(name) for name in texts.METHOD_HINTS})})[method] ?? ''"


def connect(blocks: gr.Blocks, page: Components, handlers: Handlers, long_handlers: LongHandlers) -> None:
    """Connect the page's components with the handlers."""
    source, target, follow, move = page.source, page.follow.target, page.follow, page.move
    used, match = page.packs.used, page.match.match
    unmatched = [match, page.match.line]
    steered = [follow.steering.method, follow.steering.strength]
    result: Event = {
        "fn": handlers.preview,
        "inputs": [source.zone, target.zone, *steered, follow.into_photo, source.face, target.face, used, match],
        "outputs": [follow.result, page.status, *unmatched],
    }
    moved: Event = {
        "fn": handlers.preview_edit,
        "inputs": [source.zone, *move.sliders, move.into_photo, source.face, used, match],
        "outputs": [move.picture, page.status, *unmatched],
    }
    looks: dict[str, Event] = {
        "source": {"inputs": [source.zone, source.face, used], "outputs": page.source_stages},
        "target": {"inputs": [target.zone, target.face, used], "outputs": page.target_stages},
    }
    stages: dict[str, Event] = {role: {"fn": handlers.stages, **event} for role, event in looks.items()}
    shown: dict[str, dict[str, Event]] = {  # what depends on each picture
        "source": {"result": result, "moved": moved},
        "target": {"result": result},
    }

    # A first visit shows the example faces with their result, then fills what is further down.
    blocks.load(None, js=NAME_FACES)
    blocks.load(None, js=ANY_FILE)
    opening = {"result": result, "moved": moved, **{f"{role}_stages": event for role, event in stages.items()}}
    then = blocks.load
    for name, event in opening.items():
        event = {**event, "fn": unasked(event["fn"])}  # a hand may be quicker, with a picture of its own
        then = then(**event, **PREVIEW, api_name=f"open_{name}").then

    matching = _connect_match(page, long_handlers)
    matching.success(**result, **PREVIEW, api_name="matched_result")
    matching.success(**moved, **PREVIEW, api_name="matched_moved")

    # A new picture's stages come first: they show what was found, or explain once that there is no face.
    for role, card in (("source", source), ("target", target)):
        card.zone.upload(handlers.shown_picture, card.zone, card.zone, **UNSEEN, api_name=f"{role}_shown")
        outputs = [card.chooser, card.face, *stages[role]["outputs"]]
        for name, added in _additions(role, card, used, handlers):
            found = added(handlers.new_picture, [card.zone, used], outputs, **PREVIEW, api_name=f"{name}_stages")
            _show(found.success, shown[role], name)
            if role == "source":
                added(_unmatch, None, _match_parts(page), **UNSEEN, cancels=[matching], api_name=f"{name}_unmatch")
        chosen = card.chooser.select(_chosen, None, card.face, **UNSEEN, api_name=f"{role}_face")
        _show(chosen.success, {"stages": stages[role], **shown[role]}, f"{role}_face")
        if role == "source":
            chosen.then(_unmatch, None, _match_parts(page), **UNSEEN, cancels=[matching], api_name="face_unmatch")

    # What a hand moves: while one position is computed, only the latest of the next ones waits.
    latest: Event = {**PREVIEW, "trigger_mode": "always_last"}
    follow.steering.method.input(**result, **latest, api_name="method_result")
    follow.steering.strength.input(**result, **latest, api_name="strength_result")
    follow.into_photo.input(**result, **latest, api_name="photo_result")
    moving = {**moved, "fn": handlers.preview_moving}
    gr.on([slider.input for slider in move.sliders], **moving, **latest, api_name="sliders_moved")
    gr.on([slider.release for slider in move.sliders], **moved, **latest, api_name="sliders_released")
    move.into_photo.input(**moved, **latest, api_name="photo_moved")
    zeros = move.reset.click(lambda: (0, 0, 0), None, move.sliders, **UNSEEN, api_name="reset")
    zeros.success(**moved, **PREVIEW, api_name="reset_moved")
    for steering in (follow.steering, page.video.steering):
        _explain_method(steering)

    _connect_download("reenact", handlers.reenact, result["inputs"], follow)
    _connect_download("edit", handlers.edit, moved["inputs"], move)

    _connect_video(page, long_handlers)
    _connect_packs(page, long_handlers)
    _connect_sliders(blocks, page, handlers)
    # What the sliders show follows when it is known that there are some.
    _show(page.packs.used.change, {name: event for name, event in opening.items() if name != "moved"}, "pack")
    move.ready.change(**moved, **PREVIEW, api_name="ready_moved")
    _connect_programs(page, handlers, long_handlers)


def _show(then: Callable[..., Any], events: dict[str, Event], name: str) -> None:
    for part, event in events.items():
        then(**event, **PREVIEW, api_name=f"{name}_{part}")


def _connect_download(name: str, function: Callable[..., Any], inputs: Any, card: FollowCard | MoveCard) -> None:
    saved = card.save.click(function, inputs, card.file, api_name=name, show_progress="hidden", **ACCELERATOR)
    saved.success(None, js=f"() => document.querySelector('#{card.file.elem_id}').click()")


def _additions(
    role: str, card: PictureCard, used: gr.Textbox, handlers: Handlers
) -> Iterator[tuple[str, Callable[..., Any]]]:
    """Yield name and event of each way in which a picture gets into a card."""
    # `upload` is also the camera's and the clipboard's event; `change` would come twice for each of them.
    yield f"{role}_upload", card.zone.upload

    chosen = card.faces.click(lambda sample: sample[0], card.faces, card.zone, **UNSEEN, api_name=f"{role}_example")
    yield f"{role}_chosen", chosen.success

    sampled = card.surprise.click(
        handlers.random_person,
        [gr.Number(label="seed", precision=0, visible=False), used],
        card.zone,
        js=NEW_SEED,
        api_name=f"{role}_random",
        **PREVIEW,
    )
    yield f"{role}_sampled", sampled.success


def _chosen(choice: gr.SelectData) -> int:
    """Return which face was clicked."""
    return choice.index


def _explain_method(steering: Steering) -> None:
    steering.method.change(None, steering.method, steering.hint, js=METHOD_HINT)


def _match_parts(page: Components) -> list[gr.components.Component]:
    return [page.match.match, page.match.line, page.match.start, page.match.stop]


def _unmatch() -> Shown:
    """Forget that the source was matched: (match, match line, match button, cancel button)."""
    return None, *_ended()


def _wait(start: gr.Button, shown: list[gr.components.Component], name: str) -> Callable[..., Any]:
    """Show at once that long work was asked for, in (line, start button, cancel button): others may come first."""
    waiting = start.click(_begun, None, shown, **UNSEEN, queue=False, api_name=f"{name}_waiting")
    return waiting.then


def _begun() -> Shown:
    return texts.progress("Waiting for others"), HIDDEN, SHOWN


def _ended() -> Shown:
    return "", SHOWN, HIDDEN


def _connect_match(page: Components, handlers: LongHandlers) -> gr.events.Dependency:
    parts, inputs = _match_parts(page), [page.source.zone, page.source.face, page.packs.used]
    waiting = _wait(page.match.start, parts[1:], "match")
    matching = waiting(handlers.match, inputs, parts, **UNSEEN, **LONG, api_name="match")
    matching.failure(_unmatch, None, parts, **UNSEEN, api_name="match_failed")
    page.match.stop.click(_unmatch, None, parts, **UNSEEN, cancels=[matching], api_name="match_cancelled")
    return matching


def _connect_video(page: Components, handlers: LongHandlers) -> None:
    card, ended = page.video, [page.video.line, page.video.start, page.video.stop]
    steered = [card.steering.method, card.steering.strength]
    inputs = [page.source.zone, card.zone, *steered, page.source.face, page.packs.used, page.match.match, card.face]
    outputs = [card.made, card.line, page.status, card.start, card.stop]
    card.example.click(lambda: str(EXAMPLE_VIDEO), None, card.zone, **UNSEEN, api_name="video_example")
    card.zone.change(
        handlers.new_video,
        [card.zone, page.packs.used],
        [card.zone, card.chooser, card.face],
        **PREVIEW,
        api_name="video_faces",
    )
    card.chooser.select(_chosen, None, card.face, **UNSEEN, api_name="video_face")
    waiting = _wait(card.start, ended, "video")
    driving = waiting(handlers.drive, inputs, outputs, **UNSEEN, **LONG, api_name="make_video")
    # The component itself is left alone until there is a result: of what is skipped Gradio makes a copy for the
    # visitor, and files that a copy shows are never deleted.
    driving.success(lambda path: path, card.made, card.result, **UNSEEN, api_name="show_video")
    driving.failure(_ended, None, ended, **UNSEEN, api_name="video_failed")
    card.stop.click(_ended, None, ended, **UNSEEN, cancels=[driving], api_name="video_cancelled")


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
    ended = [card.line, card.download, card.stop]
    waiting = _wait(card.download, ended, "download")
    fetched = waiting(handlers.download, card.chosen, ended, **UNSEEN, **DOWNLOAD, api_name="download_pack")
    fetched.failure(_ended, None, ended, **UNSEEN, api_name="download_failed")
    card.stop.click(_ended, None, ended, **UNSEEN, cancels=[fetched], api_name="download_cancelled")
    card.chosen.input(lambda: ("", HIDDEN, HIDDEN), None, ended, **UNSEEN, cancels=[fetched], api_name="pack_looked_at")
    card.chosen.input(**choice, **PREVIEW, api_name="choose_pack")
    fetched.success(**choice, **PREVIEW, api_name="pack_fetched")


def _connect_programs(page: Components, handlers: Handlers, long_handlers: LongHandlers) -> None:
    """Add the endpoints that nothing on the page calls."""
    call = gr.Button(visible=False)
    used, match = page.packs.used, page.match.match
    picture = DropZone(label="picture", type="filepath", image_mode=None, visible=False)
    face = gr.Number(0, label="face", precision=0, minimum=0, visible=False)
    person = gr.Image(label="person", format="png", visible=False)
    three = [gr.Image(label=name, format="png", visible=False) for name in STAGES]
    seed = gr.Number(label="seed", precision=0, minimum=0, maximum=LARGEST_SEED, visible=False)
    measured = gr.JSON(visible=False)
    call.click(handlers.random_person, [seed, used], person, api_name="random_person", **ACCELERATOR)
    call.click(handlers.parameters, [picture, face, used], measured, api_name="parameters", **ACCELERATOR)
    call.click(handlers.stages, [picture, face, used], three, api_name="stages", **ACCELERATOR)

    video = VideoZone(label="video", visible=False)
    made = VideoZone(label="result", visible=False)
    steered = [page.video.steering.method, page.video.steering.strength]
    steps = gr.Number(STEPS, label="steps", precision=0, minimum=1, maximum=MOST_STEPS, visible=False)
    call.click(long_handlers.tune, [picture, steps, face, used], [person, match], api_name="tune", **LONG)
    video_face = gr.Number(0, label="video face", precision=0, minimum=0, visible=False)
    inputs = [picture, video, *steered, face, used, match, video_face]
    call.click(long_handlers.driven_video, inputs, made, api_name="drive", **LONG)
