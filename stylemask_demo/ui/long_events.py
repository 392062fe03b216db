"""Events of work that takes long: it is begun by a button, shows how far it is, and is ended by another."""

from collections.abc import Callable, Sequence
from typing import Any

import gradio as gr
from gradio.components import Component

from stylemask_demo.ui import texts
from stylemask_demo.ui.components import Shown
from stylemask_demo.ui.lines import QUICK, UNSEEN
from stylemask_demo.ui.long_handlers import HIDDEN, SHOWN


def wait(start: gr.Button, shown: Sequence[Component], name: str, js: str | None = None) -> Callable[..., Any]:
    """Show at once that long work was asked for, in (line, start button, cancel button): others may come first."""
    waiting = start.click(_begun, None, shown, **QUICK, js=js, api_name=f"{name}_waiting")
    return waiting.then


def connect_cancel(
    stop: gr.Button, rest: Callable[..., Any], shown: Sequence[Component], work: gr.events.Dependency, name: str
) -> None:
    """Let a button end long work, and show that twice: a step of the work may be on its way to the page still."""
    cancelled = stop.click(rest, None, shown, **UNSEEN, cancels=[work], api_name=f"{name}_cancelled")
    cancelled.then(rest, None, shown, **UNSEEN, api_name=f"{name}_ended")


def _begun() -> Shown:
    return texts.progress("Waiting for others"), HIDDEN, SHOWN


def at_rest() -> Shown:
    """Show that there is no work: (line, start button, cancel button)."""
    return "", SHOWN, HIDDEN


def failed() -> Shown:
    """Let the work be started anew; why it failed stays in its line: (start button, cancel button)."""
    return SHOWN, HIDDEN
