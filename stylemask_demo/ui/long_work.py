"""How work that takes long is begun, ended and given up: with a line that tells how far it is, and two buttons."""

from collections.abc import Callable
from functools import partial
from typing import Any

import gradio as gr

from stylemask_demo.ui import texts
from stylemask_demo.ui.components import Shown
from stylemask_demo.ui.lines import QUICK, UNSEEN

SHOWN, HIDDEN = gr.update(visible=True), gr.update(visible=False)


def wait(start: gr.Button, shown: list[gr.components.Component], name: str, js: str | None = None) -> Callable[..., Any]:
    """Show at once that long work was asked for, in (line, start button, cancel button): others may come first."""
    waiting = start.click(_begun, None, shown, **QUICK, js=js, api_name=f"{name}_waiting")
    # What was just cancelled may not be over for the browser, which would drop what it takes for the same work twice.
    return partial(waiting.then, trigger_mode="multiple")


def connect_cancel(
    stop: gr.Button, ended: Callable[..., Any], shown: list[gr.components.Component], work: gr.events.Dependency, name: str
) -> None:
    """Let a button end long work, and show that twice: a step of the work may be on its way to the page still."""
    cancelled = stop.click(ended, None, shown, **UNSEEN, cancels=[work], api_name=f"{name}_cancelled")
    cancelled.then(ended, None, shown, **UNSEEN, api_name=f"{name}_ended")


def ended() -> Shown:
    """Show that there is no work: (line, start button, cancel button)."""
    return "", SHOWN, HIDDEN


def failed() -> Shown:
    """Let the work be started anew; why it failed stays in its line: (start button, cancel button)."""
    return SHOWN, HIDDEN


def _begun() -> Shown:
    return texts.progress("Waiting for others"), HIDDEN, SHOWN
