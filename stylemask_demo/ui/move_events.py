"""Which event of the card that moves the source by hand calls what.

A hand that moves a slider, or pulls the face itself, asks for quick pictures, and when it rests for one at full size.
Whatever else sets sliders writes `settled`, as a hand does that rests; the browser keeps each of these settings to go back
to, see `move_script.js`.
"""

import json
from functools import partial
from typing import Any

import gradio as gr

from stylemask_demo.reenactor import ANGLES, PRESETS, SLIDERS
from stylemask_demo.ui.cards import Components
from stylemask_demo.ui.downloading import connect_download
from stylemask_demo.ui.lines import PREVIEW, UNSEEN, Event
from stylemask_demo.ui.move_card import TAB
from stylemask_demo.ui.move_handlers import MoveHandlers
from stylemask_demo.ui.questions import Place, ask

RANGES = json.dumps({name: [slider.low, slider.high, slider.step] for name, slider in SLIDERS.items()})


def connect_move(
    blocks: gr.Blocks, page: Components, edited: Place, handlers: MoveHandlers, matching: gr.events.Dependency
) -> None:
    """Connect the card with its handlers; `edited` is the place of its picture, `matching` what tunes the source."""
    card, source, match = page.move, page.source, page.match
    sliders, who = list(card.sliders.values()), [source.face, page.packs.used, match.match]
    asked, told = [source.zone, card.into_photo, *who, *sliders], [match.match, match.line]

    moving = partial(gr.on, [*(slider.input for slider in sliders), card.reached.change])
    ask(edited, moving, handlers.preview_moving, asked, told, api_name="sliders_moved", **PREVIEW)
    card.face.change(None, card.face, None, js="stylemask.drag.know")
    rests = [edited.asked.change, card.settled.change, card.into_photo.input, card.ready.change]
    for name, listen in {"show": partial(gr.on, rests), "matched": matching.success}.items():
        ask(edited, listen, handlers.preview_edit, asked, told, api_name=f"{name}_edited", **PREVIEW)

    _connect_learning(page, edited, handlers)
    connect_download("save_edited", handlers.save, asked, card)
    _connect_settings(page)
    _connect_likenesses(page, edited, handlers)
    _connect_preparation(blocks, page, handlers)


def _connect_learning(page: Components, edited: Place, handlers: MoveHandlers) -> None:
    """Let a face be known before it is pulled: one slider after the other, so that who pulls at once waits for one.

    The browser says whose face, and only once the card is open and has sliders.
    """
    card, begin = page.move, [edited.asked.change, page.tab.change, page.move.ready.change]
    gr.on(
        begin,
        *(None, [card.pullable, page.tab, edited.asked, card.ready], card.pullable),
        js=f"(known, tab, asked, ready) => tab === {json.dumps(TAB)} && ready ? asked : known",
        trigger_mode="multiple",
    )
    whom = [page.source.zone, page.source.face, page.packs.used, page.match.match]
    listen: Any = card.pullable.change
    for slider in ANGLES:
        listen = listen(partial(handlers.learn, slider), whom, None, api_name=f"learn_{slider}", **PREVIEW).then


def _connect_settings(page: Components) -> None:
    """Let hands and buttons set the sliders, in the browser alone."""
    card, sliders = page.move, list(page.move.sliders.values())
    card.pulled.click(
        *(None, sliders, [*sliders, card.reached]),
        js=f"(...values) => stylemask.drag.set({RANGES}, ...values)",
        trigger_mode="multiple",
    )
    moves = [*(slider.input for slider in sliders), card.reached.change]
    for events, act in ((moves, "rest"), ([slider.release for slider in sliders], "settle")):
        gr.on(events, None, sliders, card.settled, js=f"stylemask.sliders.{act}", trigger_mode="multiple")
    for button, act in ((card.undo, "undo"), (card.redo, "redo"), (card.reset, "reset")):
        button.click(None, sliders, [*sliders, card.settled, card.said], js=f"stylemask.sliders.{act}")
    card.store.click(None, sliders, None, js=f"(...values) => stylemask.sliders.store({RANGES}, values)")
    card.load.click(
        *(None, sliders, [*sliders, card.settled, card.said]),
        js=f"(...values) => stylemask.sliders.load({RANGES}, values)",
        trigger_mode="multiple",  # one that was given up may never answer
    )


def _connect_likenesses(page: Components, edited: Place, handlers: MoveHandlers) -> None:
    """Let presets and samples set the sliders, unless another source comes meanwhile."""
    card, sliders = page.move, list(page.move.sliders.values())
    come = gr.JSON(visible=False)
    whom = [edited.asked, page.source.zone, page.source.face, page.packs.used, page.match.match, *sliders]

    def connect(name: str, button: gr.Button, handler: Any, inputs: list[Any]) -> None:
        came = button.click(handler, [*inputs, *whom], [come, card.said], api_name=name, **PREVIEW)
        came.success(None, come, [*sliders, card.settled], js="stylemask.sliders.come")

    for name in PRESETS:
        connect(f"preset_{name}", card.presets[name], partial(handlers.towards_preset, name), [])
    connect("take_sample", card.sample.take, handlers.towards_sample, [card.sample.zone, card.sample.ratio])


def _connect_preparation(blocks: gr.Blocks, page: Components, handlers: MoveHandlers) -> None:
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
            *card.sliders.values(),
            *card.folds.values(),
            *card.tools,
            card.sample.take,
            card.into_photo,
            card.save,
        ],
    }
    looked: Event = {**UNSEEN, "queue": False}
    blocks.load(handlers.sliders, **shown, **looked, api_name="open_sliders")
    page.packs.used.change(handlers.sliders, **shown, **looked, api_name="pack_sliders")
    card.clock.tick(handlers.sliders, **shown, **looked, api_name="sliders_prepared")
    card.prepare.click(handlers.prepare, **shown, **UNSEEN, api_name="prepare_sliders")
