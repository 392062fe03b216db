"""The buttons that keep a picture: it is made as a file, which the browser then saves."""

from collections.abc import Callable
from typing import Any, Protocol

import gradio as gr

from stylemask_demo.ui.components import PictureDownload
from stylemask_demo.ui.lines import PREVIEW


class Keeping(Protocol):
    """A card with a picture to keep: the button, and the file that it brings."""

    @property
    def save(self) -> gr.Button: ...

    @property
    def file(self) -> PictureDownload: ...


def connect_download(name: str, function: Callable[..., Any], inputs: Any, card: Keeping) -> None:
    """Let the card's button make the file by a function, and the browser save it."""
    saved = card.save.click(function, inputs, card.file, api_name=name, **PREVIEW)
    saved.success(None, js=f"() => document.querySelector('#{card.file.elem_id}').click()")
