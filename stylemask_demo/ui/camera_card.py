"""What the card for videos shows when a camera is followed in place of a video."""

from collections.abc import Callable
from dataclasses import dataclass

import gradio as gr

from stylemask_demo.ui import texts


@dataclass(frozen=True)
class CameraParts:
    """What starts a camera and says how it goes; its picture and the result are the script's."""

    asked: gr.Textbox  # changes when the script asks to begin, or to go on with other settings
    key: gr.State  # of the follower, which goes with the visitor
    told: gr.Textbox  # the same for the script
    line: gr.HTML  # why it does not work
    start: gr.Button
    stop: gr.Button


def camera_view() -> None:
    """Lay out what the camera sees."""
    gr.HTML(texts.heading("Camera", "how it moves"), padding=False)
    gr.HTML(texts.CAMERA_VIEW, padding=False)
    gr.HTML(texts.TIPS["camera"], padding=False)


def live_view() -> None:
    """Lay out where the result is seen."""
    gr.HTML(texts.LIVE_VIEW, padding=False)


def camera_buttons(leave: Callable[[str | None], None]) -> CameraParts:
    """Lay out what starts and stops it, and what carries its answers; `leave` gets the key of a visitor who has gone."""
    line = gr.HTML("", elem_id="camera-line", padding=False)
    start = gr.Button("Start the camera", variant="primary", elem_id="camera-start")
    stop = gr.Button("Stop the camera", elem_id="camera-stop")
    asked, told = (gr.Textbox("", label=name, visible="hidden") for name in ("asked", "told"))
    return CameraParts(asked, gr.State(None, delete_callback=leave), told, line, start, stop)
