"""Which event calls what.

Endpoints for programs (through `gradio_client`, or over HTTP at /gradio_api/call/NAME); pictures are files:

- /reenact(source, target, method, strength) -> PNG
- /edit(source, yaw, pitch, smile) -> PNG
- /random_person(seed) -> PNG
- /parameters(picture) -> JSON
- /stages(picture) -> aligned crop, inversion, drawn face parameters

The page's own events answer with previews (JPEG inside the answer). They have names too, but are left out of
the API page. Whatever needs the accelerator waits in one line for it.
"""

from collections.abc import Callable, Iterator

import gradio as gr

from stylemask_demo.ui.components import DropZone
from stylemask_demo.ui.handlers import Handlers, unasked
from stylemask_demo.ui.layout import STAGES, Components, PictureCard

ACCELERATOR = {"concurrency_id": "accelerator", "concurrency_limit": 1}
UNSEEN = {"show_progress": "hidden", "api_visibility": "undocumented"}  # a picture never flickers
PREVIEW = {**UNSEEN, **ACCELERATOR}

LARGEST_SEED = 10**9
NEW_SEED = "() => [Math.floor(Math.random() * 1e9)]"
NAME_FACES = """() => document.querySelectorAll('.faces').forEach(faces =>
    faces.querySelectorAll('button').forEach((button, index) =>
        button.setAttribute('aria-label', `${faces.id.split('-')[0]} example ${index + 1}`)))"""


def connect(blocks: gr.Blocks, page: Components, handlers: Handlers) -> None:
    """Connect the page's components with the handlers."""
    result = {
        "fn": handlers.preview,
        "inputs": [page.source.zone, page.follow.target.zone, page.follow.method, page.follow.strength],
        "outputs": [page.follow.result, page.status],
    }
    moved = {
        "fn": handlers.preview_edit,
        "inputs": [page.source.zone, *page.move.sliders],
        "outputs": [page.move.picture, page.status],
    }
    source_stages = {"fn": handlers.stages, "inputs": page.source.zone, "outputs": page.source_stages}
    target_stages = {"fn": handlers.stages, "inputs": page.follow.target.zone, "outputs": page.target_stages}

    # A first visit shows the example faces with their result, then fills what is further down.
    blocks.load(None, js=NAME_FACES)
    opening = {"result": result, "moved": moved, "source_stages": source_stages, "target_stages": target_stages}
    then = blocks.load
    for name, event in opening.items():
        event = {**event, "fn": unasked(event["fn"])}  # a hand may be quicker, with a picture of its own
        then = then(**event, **PREVIEW, api_name=f"open_{name}").then

    # A new picture's stages come first: they show what was found, or explain once that there is no face.
    for name, added in _additions("source", page.source, handlers):
        found = added(**source_stages, **PREVIEW, api_name=f"{name}_stages")
        found.success(**result, **PREVIEW, api_name=f"{name}_result")
        found.success(**moved, **PREVIEW, api_name=f"{name}_moved")
    for name, added in _additions("target", page.follow.target, handlers):
        found = added(**target_stages, **PREVIEW, api_name=f"{name}_stages")
        found.success(**result, **PREVIEW, api_name=f"{name}_result")

    # What a hand moves: while one position is computed, only the latest of the next ones waits.
    latest = {**PREVIEW, "trigger_mode": "always_last"}
    page.follow.method.input(**result, **latest, api_name="method_result")
    page.follow.strength.input(**result, **latest, api_name="strength_result")
    gr.on([slider.input for slider in page.move.sliders], **moved, **latest, api_name="sliders_moved")
    zeros = page.move.reset.click(lambda: (0, 0, 0), None, page.move.sliders, **UNSEEN, api_name="reset")
    zeros.success(**moved, **PREVIEW, api_name="reset_moved")

    for name, function, inputs, card in (
        ("reenact", handlers.reenact, result["inputs"], page.follow),
        ("edit", handlers.edit, moved["inputs"], page.move),
    ):
        saved = card.save.click(function, inputs, card.file, api_name=name, show_progress="hidden", **ACCELERATOR)
        saved.success(None, js=f"() => document.querySelector('#{card.file.elem_id}').click()")
    _connect_programs(handlers)


def _additions(role: str, card: PictureCard, handlers: Handlers) -> Iterator[tuple[str, Callable]]:
    """Yield name and event of each way in which a picture gets into a card."""
    # `upload` is also the camera's and the clipboard's event; `change` would come twice for each of them.
    yield f"{role}_upload", card.zone.upload

    chosen = card.faces.click(lambda sample: sample[0], card.faces, card.zone, **UNSEEN, api_name=f"{role}_example")
    yield f"{role}_chosen", chosen.success

    sampled = card.surprise.click(
        handlers.random_person,
        gr.Number(label="seed", precision=0, visible=False),
        card.zone,
        js=NEW_SEED,
        api_name=f"{role}_random",
        **PREVIEW,
    )
    yield f"{role}_sampled", sampled.success


def _connect_programs(handlers: Handlers) -> None:
    """Add the endpoints that nothing on the page calls."""
    call = gr.Button(visible=False)
    picture = DropZone(label="picture", type="filepath", image_mode=None, visible=False)
    person = gr.Image(label="person", format="png", visible=False)
    three = [gr.Image(label=name, format="png", visible=False) for name in STAGES]
    seed = gr.Number(label="seed", precision=0, minimum=0, maximum=LARGEST_SEED, visible=False)
    call.click(handlers.random_person, seed, person, api_name="random_person", **ACCELERATOR)
    call.click(handlers.parameters, picture, gr.JSON(visible=False), api_name="parameters", **ACCELERATOR)
    call.click(handlers.stages, picture, three, api_name="stages", **ACCELERATOR)
