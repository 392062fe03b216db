"""The endpoints for programs, through `gradio_client` or over HTTP at /gradio_api/call/NAME.

Pictures and videos are files, and what stands in brackets may be left out:

- /reenact(source, target, method, strength, [into_photo, source_face, target_face, pack, region]) -> PNG
- /edit(source, yaw, pitch, smile, [into_photo, source_face, pack, and the other sliders by name]) -> PNG
- /tune(source, [steps, face, pack]) -> PNG; later calls of the same client use what was tuned
- /drive(source, video, method, strength, [source_face, pack, video_face, region, motion, smoothing, crop, layout, format,
  source_film]) -> MP4, WebM or GIF
- /random_person(seed, [pack, like, truncation]) -> PNG
- /parameters(picture, [face, pack]) -> JSON
- /stages(picture, [face, pack]) -> aligned crop, inversion, drawn face parameters

Nothing on the page calls them. `compare_programs` has those of comparisons.
"""

from typing import Any

import gradio as gr

from stylemask_demo.reenactor import STEPS
from stylemask_demo.ui.cards import Components
from stylemask_demo.ui.components import DropZone, FilmFile, PictureFile, VideoZone
from stylemask_demo.ui.layout import STAGES
from stylemask_demo.ui.lines import ACCELERATOR, LONG
from stylemask_demo.ui.page_handlers import PageHandlers
from stylemask_demo.ui.random_people import LARGEST_SEED
from stylemask_demo.ui.video_events import video_inputs

MOST_STEPS = 500  # of tuning
FIRST_OF_EDIT = ("yaw", "pitch", "smile")  # that programs give by their place


def connect_programs(page: Components, handlers: PageHandlers) -> None:
    """Add the endpoints; what they share with the page are choices and their first values."""
    call = gr.Button(visible=False)
    used, match, move = page.packs.used, page.match.match, page.move
    source, target, picture = picture_file("source"), picture_file("target"), picture_file("picture")
    face, source_face, target_face, video_face = map(face_number, ("face", "source_face", "target_face", "video_face"))
    result, edited, person, tuned = png_file("result"), png_file("edited"), png_file("person"), png_file("tuned")
    followed = [page.follow.steering.method, page.follow.steering.strength]

    inputs = [
        source,
        target,
        *followed,
        page.follow.into_photo,
        source_face,
        target_face,
        used,
        match,
        page.follow.steering.region,
    ]
    call.click(handlers.pictures.reenact, inputs, result, api_name="reenact", **ACCELERATOR)
    others: dict[str, Any] = dict(move.sliders)
    inputs = [source, *(others.pop(name) for name in FIRST_OF_EDIT), move.into_photo, source_face, used, match]
    call.click(handlers.move.edit, inputs, edited, inputs_kwargs=others, api_name="edit", **ACCELERATOR)
    seed = gr.Number(label="seed", precision=0, minimum=0, maximum=LARGEST_SEED, visible=False)
    like = gr.Number(None, label="like", precision=0, minimum=0, maximum=LARGEST_SEED, visible=False)
    inputs = [seed, used, like, page.source.random.truncation]
    call.click(handlers.pictures.random_person, inputs, person, api_name="random_person", **ACCELERATOR)
    measured = gr.JSON(label="parameters", visible=False)
    call.click(handlers.pictures.parameters, [picture, face, used], measured, api_name="parameters", **ACCELERATOR)
    three = [png_file(name.lower()) for name in STAGES]
    call.click(handlers.pictures.stages, [picture, face, used], three, api_name="stages", **ACCELERATOR)

    steps = gr.Number(STEPS, label="steps", precision=0, minimum=1, maximum=MOST_STEPS, visible=False)
    call.click(handlers.long.tune, [source, steps, face, used], [tuned, match], api_name="tune", **LONG)
    video, made = VideoZone(label="video", visible=False), FilmFile(label="driven", visible=False)
    inputs = video_inputs(page, source, video, source_face, video_face)
    call.click(handlers.video.driven_video, inputs, made, api_name="drive", **LONG)


def picture_file(name: str) -> DropZone:
    """A picture that a program sends."""
    return DropZone(label=name, type="filepath", image_mode=None, visible=False)


def face_number(name: str) -> gr.Number:
    """Which face of a picture is meant."""
    return gr.Number(0, label=name, precision=0, minimum=0, visible=False)


def png_file(name: str) -> PictureFile:
    """A PNG that a program gets."""
    return PictureFile(label=name, format="png", visible=False)
