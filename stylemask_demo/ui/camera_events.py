"""Which event calls what while a camera is followed.

The script sends a frame when the answer to the last but one has come, so that one is followed while another is drawn. It
asks by itself, not through the queue, whose rests would take as long as a picture.
"""

from functools import partial
from typing import Any

import gradio as gr

from stylemask_demo.ui.camera_handlers import CameraHandlers
from stylemask_demo.ui.cards import Components
from stylemask_demo.ui.lines import PREVIEW


def connect_camera(page: Components, handlers: CameraHandlers, matching: gr.events.Dependency) -> None:
    """Connect the camera with its handlers; `matching` ends with another portrait of the source."""
    camera, source, used = page.video.camera, page.source, page.packs.used
    steering, choices = page.video.steering, page.video.choices
    steers: list[Any] = [steering.method, steering.strength, steering.region, choices.motion, choices.smoothing]
    begun = [source.zone, *steers, source.face, used, page.match.match, camera.key]
    camera.start.click(None, None, camera.asked, js="stylemask.camera.start")
    camera.stop.click(None, None, None, js="stylemask.camera.stop")
    turns = [part.change for part in (source.zone, source.face, used, *steers)]
    for listen in (partial(gr.on, turns), matching.success):
        listen(None, None, camera.asked, js="stylemask.camera.turn")
    beginning = camera.asked.change(
        handlers.begin,
        begun,
        [camera.key, camera.told, camera.line],
        trigger_mode="always_last",
        api_name="begin_camera",
        **PREVIEW,
    )
    beginning.success(None, camera.told, None, js="stylemask.camera.begun")
    beginning.failure(None, None, None, js="() => stylemask.camera.stop()")
    gr.api(handlers.follow, api_name="follow_camera", queue=False, api_visibility="undocumented")
    gr.api(handlers.end, api_name="end_camera", queue=False, api_visibility="undocumented")
