"""Which event of the card of comparisons calls what: it answers by itself, but for a grid, which a button begins."""

from collections.abc import Iterator, Sequence
from typing import Any

import gradio as gr

from stylemask_demo.ui import texts
from stylemask_demo.ui.cards import Components
from stylemask_demo.ui.compare_handlers import CompareHandlers, shown
from stylemask_demo.ui.components import Shown
from stylemask_demo.ui.error_messages import in_card
from stylemask_demo.ui.lines import COMPARISONS, QUICK, UNSEEN, Event
from stylemask_demo.ui.long_work import HIDDEN, SHOWN, connect_cancel, ended, failed, wait
from stylemask_demo.ui.progress import Progress
from stylemask_demo.ui.questions import answer_of, ask, new_place


def connect_compare(page: Components, handlers: CompareHandlers, matching: gr.events.Dependency) -> None:
    """Connect the card; what nobody looks at is not asked."""
    card, source, target = page.compare, page.source, page.follow.target
    used, method = page.packs.used, page.follow.steering.method
    place = new_place("compared", [card.picture, page.status])
    seen: list[Any] = [page.tab, card.kind, card.slider, used, source.zone, source.face, target.zone, target.face]
    seen += [card.sources, card.targets, method]
    look: Event = {"fn": None, "inputs": seen, "outputs": place.asked}
    gr.on([part.change for part in seen], **look, js="stylemask.lookCompared")
    matching.success(**look, js="(...seen) => stylemask.lookCompared(...seen, true)")

    inputs: list[Any] = [card.kind, card.slider, source.zone, target.zone, source.face, target.face, used, page.match.match]
    ask(place, place.asked.change, handlers.preview, inputs, api_name="show_compared", **UNSEEN, **COMPARISONS)
    card.save.click(None, js="() => stylemask.save('compared')")

    def grid(sources: Sequence[str], targets: Sequence[str], pack: str, method: str, asked: str) -> Iterator[Shown]:
        for item in handlers.grid(sources, targets, pack, method):
            if isinstance(item, Progress):
                yield gr.skip(), texts.progress("Making picture", item.done, item.total), gr.skip(), gr.skip()
            else:
                yield answer_of(place, asked, shown(item)), "", SHOWN, HIDDEN

    at_end = [card.line, card.start, card.stop]
    outputs = [place.answer, *at_end]
    waiting = wait(card.start, at_end, "grid")
    inputs = [card.sources, card.targets, used, method, place.asked]
    making = waiting(in_card(grid, outputs, card.line), inputs, outputs, **UNSEEN, **COMPARISONS, api_name="make_grid")
    made = making.success(None, place.answer, place.shown, js="answer => stylemask.tell('compared', answer)")
    made.success(None, js="() => stylemask.say('The grid is ready.')")
    making.failure(failed, None, at_end[1:], **UNSEEN, api_name="grid_failed")
    connect_cancel(card.stop, ended, at_end, making, "grid")
    others = [part.change for part in (card.sources, card.targets, card.kind)]
    gr.on(others, ended, None, at_end, **QUICK, cancels=[making], api_name="grid_changed")
