"""The queue of the page: bounded, and fair between visitors; who asks for too much is told so in one sentence.

Gradio's own queue serves whoever came first, so that one visitor with a hundred requests would hold up all others. Here the
second request of a visitor waits until everybody who waits has had a first one, and so on: start-time fair queueing (Goyal,
Vin and Cheng, 1996), with requests of one size.
"""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any
from weakref import WeakKeyDictionary

import fastapi
from fastapi import HTTPException
from gradio.data_classes import PredictBodyInternal
from gradio.queueing import Event, Queue

from stylemask_demo import messages
from stylemask_demo.ui.lines import LONG

MOST_WAITING = 256  # requests of all visitors, in all lines together
MOST_OPEN = 32  # requests of one visitor, waiting and at work: a page has some ten when it opens
MOST_LONG = 4  # of those that take minutes


class FairQueue(Queue):
    """Gradio's queue with limits for all and for each visitor, in which visitors take turns."""

    def __init__(self, like: Queue):
        """`like`: the queue whose settings are taken over."""
        super().__init__(
            like.live_updates,
            like.max_thread_count,
            like.update_intervals,
            None,  # the limits are below, with words of our own
            like.blocks,
            like.default_concurrency_limit,
        )
        self._visitors: WeakKeyDictionary[Event, str] = WeakKeyDictionary()
        self._turns: WeakKeyDictionary[Event, int] = WeakKeyDictionary()
        self._turn: defaultdict[str, int] = defaultdict(int)  # by line: the turn that is served

    async def push(self, body: PredictBodyInternal, request: fastapi.Request, username: str | None) -> Any:
        """Take up a request, in Gradio's form.

        Raises HTTPException: 503 where all is full, and 429 where a visitor has as many as one can have.
        """
        visitor = body.session_hash or _sender(request)
        function = self.blocks.fns.get(body.fn_index) if body.fn_index is not None else None
        if function is not None:
            self._check(visitor, function.concurrency_id)
        answer = await super().push(body, request, username)
        event = self.event_ids_to_events.get(str(answer[1])) if answer[0] else None
        if event is not None:
            self._visitors[event] = visitor
            self._take_turn(event, visitor)
        return answer

    def get_events(self) -> tuple[list[Event], bool, str] | None:
        """Take the next requests out of their line, in Gradio's form."""
        found = super().get_events()
        if found is not None:
            events, _, line = found
            self._turn[line] = max(self._turn[line], self._turns.get(events[0], 0))
        return found

    def working(self) -> Iterator[Event]:
        """The requests at work."""
        return (event for events in self.active_jobs for event in events or ())

    def _check(self, visitor: str, line: str) -> None:
        waiting = [event for queue in self.event_queue_per_concurrency_id.values() for event in queue.queue]
        if len(waiting) >= MOST_WAITING:
            raise HTTPException(503, messages.PAGE_FULL, {"Retry-After": "30"})
        own = [event for event in (*waiting, *self.working()) if self._visitors.get(event) == visitor]
        if len(own) >= MOST_OPEN:
            raise HTTPException(429, messages.MANY_REQUESTS.format(limit=MOST_OPEN), {"Retry-After": "10"})
        if line == LONG["concurrency_id"] and sum(event.concurrency_id == line for event in own) >= MOST_LONG:
            raise HTTPException(429, messages.MUCH_LONG_WORK.format(limit=MOST_LONG), {"Retry-After": "60"})

    def _take_turn(self, event: Event, visitor: str) -> None:
        """Move a request from the end of its line to its visitor's turn, and tell those behind where they stand."""
        line = event.concurrency_id
        waiting = self.event_queue_per_concurrency_id[line].queue
        if not waiting or waiting[-1] is not event:  # it has begun already
            return
        earlier = [other for other in (*waiting[:-1], *self.working()) if other.concurrency_id == line]
        own = [self._turns.get(other, 0) for other in earlier if self._visitors.get(other) == visitor]
        turn = self._turns[event] = max([self._turn[line], *(last + 1 for last in own)])
        place = sum(self._turns.get(other, 0) <= turn for other in waiting[:-1])
        waiting.insert(place, waiting.pop())
        self.broadcast_estimations(line, place)


def _sender(request: fastapi.Request) -> str:
    """Who sends requests that belong to no session: all from one address are one visitor."""
    return f"address {request.client.host}" if request.client else "address"
