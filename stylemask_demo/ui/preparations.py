"""Sliders for weights that came without directions: fitted once, in the background, for all visitors.

On a Space with shared GPUs this starts with the page, outside of any visitor's request. That is allowed: `spaces` asks
for a GPU without a visitor's token then, as it does for examples that are made at the start. It may be refused while
GPUs are short, so the work is cut in pieces, each of which is asked for again.
"""

import contextvars
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple, TypeVar

import gradio as gr
import numpy as np

from stylemask_demo import Reenactor, messages
from stylemask_demo.errors import StyleMaskError
from stylemask_demo.packs import PackInfo
from stylemask_demo.reenactor import sliders_of
from stylemask_demo.ui.compute import Compute
from stylemask_demo.ui.pack_registry import PackRegistry
from stylemask_demo.ui.progress import Progress

T = TypeVar("T")

REFUSALS = 20  # of a GPU, one after another, after which it is given up
PAUSE = 30  # seconds after a refusal


class Preparation(NamedTuple):
    """How far the sliders of a pack are: `ready`, or being made while there is `progress`, or neither."""

    ready: bool
    progress: Progress | None = None
    error: str = ""  # why it was given up


class Preparations:
    """What is being fitted for which pack; each is made once in this process, and once in all that share its folder."""

    def __init__(self, registry: PackRegistry, compute: Compute):
        self._registry, self._compute = registry, compute
        self._lock = threading.Lock()
        self._states: dict[str, Preparation] = {}
        self._parts: dict[str, list[np.ndarray]] = {}  # what was measured; it outlives a preparation that is given up

    def of(self, pack: str) -> Preparation:
        """How far the sliders of a pack are. Raises PackMissing for an unknown name."""
        info = self._registry.info(pack)
        if not Reenactor.calibration_of(info).missing:
            return Preparation(ready="directions" in Reenactor.methods_of(info))
        with self._lock:
            return self._states.get(pack, Preparation(ready=False))

    def methods(self, pack: str) -> tuple[str, ...]:
        """What the pack can do by now. Raises PackMissing for an unknown name."""
        return Reenactor.methods_of(self._registry.info(pack))

    def sliders(self, pack: str) -> tuple[str, ...]:
        """Which sliders the pack can do. Raises PackMissing for an unknown name."""
        return sliders_of(self._registry.info(pack).recipe())

    def start(self, pack: str) -> None:
        """Begin, unless the sliders are there or already being made. Raises PackMissing for an unknown name."""
        info = self._registry.info(pack)
        with self._lock:
            known = self._states.get(pack)
            if not Reenactor.calibration_of(info).missing or (known is not None and known.progress is not None):
                return
            self._states[pack] = Preparation(ready=False, progress=Progress(what="Getting ready"))
        # With the visitor's context, if one has asked for it: then a shared GPU is lent to this visitor.
        work = contextvars.copy_context().run
        threading.Thread(target=work, args=(self._prepare, info), daemon=True).start()

    def _prepare(self, info: PackInfo) -> None:
        try:
            with Reenactor.calibration_of(info).alone(lambda *told: self._tell(info.name, Progress(*told))):
                info = self._registry.info(info.name)
                if Reenactor.calibration_of(info).missing:  # another process may have done it meanwhile
                    self._calibrate(info)
            state = Preparation(ready=True)
        except OSError as error:
            print(f"stylemask_demo: {info.folder} cannot be written ({error.strerror or error}). Change its rights.")
            state = Preparation(False, error=messages.PREPARATION_UNWRITABLE)
        except (StyleMaskError, gr.Error) as error:
            state = Preparation(False, error=error.message)
        except Exception:
            # Nobody else would hear of it: the page shows it, and the log of the thread has it whole.
            with self._lock:
                self._states[info.name] = Preparation(False, error=messages.PREPARATION_FAILED)
            raise
        with self._lock:
            self._states[info.name] = state

    def _calibrate(self, info: PackInfo) -> None:
        pack = info.name
        parts = self._parts.setdefault(pack, [])

        def measure(first: int) -> tuple[int, list[np.ndarray]]:
            return self._insisting(pack, partial(self._compute.measure, pack, first)).value

        def fit(values: np.ndarray, space: str, made: Callable[[int, int], None]) -> Any:
            return self._insisting(pack, partial(self._fit, pack, values, space, made))

        def tell(done: int, total: int, what: str) -> None:
            self._tell(pack, Progress(done, total, what))

        Reenactor.calibration_of(info).in_pieces(parts, measure, fit, tell)
        del self._parts[pack]

    def _fit(self, pack: str, values: np.ndarray, space: str, made: Callable[[int, int], None]) -> Any:
        """Plain data that stands for the directions of one space."""
        fitted = None
        for item in self._compute.fit(pack, values, space):
            if isinstance(item, Progress):
                made(item.done, item.total)
            else:
                fitted = item.value
        return fitted

    def _insisting(self, pack: str, work: Callable[[], T]) -> T:
        """Do a piece of work that is refused now and then, with a gr.Error, while shared GPUs are short."""
        for _ in range(REFUSALS - 1):
            try:
                return work()
            except gr.Error:
                self._tell(pack, Progress(what="Waiting for a GPU"))
                time.sleep(PAUSE)
        return work()

    def _tell(self, pack: str, progress: Progress) -> None:
        with self._lock:
            self._states[pack] = Preparation(ready=False, progress=progress)
