"""The endpoints of comparisons for programs; see `programs` for the others:

- /compare(source, target, [source_face, target_face, pack]) -> PNG
- /strip(source, slider, [source_face, pack]) -> GIF
- /grid(sources, targets, [method, pack]) -> PNG
"""

import gradio as gr

from stylemask_demo.reenactor import SLIDERS
from stylemask_demo.ui.cards import Components
from stylemask_demo.ui.compare_handlers import CompareHandlers
from stylemask_demo.ui.components import MadePicture, PictureFiles
from stylemask_demo.ui.lines import COMPARISONS
from stylemask_demo.ui.programs import face_number, picture_file


def connect_compare_programs(page: Components, handlers: CompareHandlers) -> None:
    """Add the endpoints; what they share with the page are choices and their first values."""
    call = gr.Button(visible=False)
    used, match, method = page.packs.used, page.match.match, page.follow.steering.method
    source, target = picture_file("source"), picture_file("target")
    source_face, target_face = face_number("source_face"), face_number("target_face")
    inputs = [source, target, source_face, target_face, used, match]
    row, strip, table = (MadePicture(label=name, visible=False) for name in ("compared", "strip", "grid"))
    call.click(handlers.compared, inputs, row, api_name="compare", **COMPARISONS)
    slider = gr.Radio(list(SLIDERS), label="slider", visible=False)
    call.click(handlers.strip, [source, slider, source_face, used, match], strip, api_name="strip", **COMPARISONS)
    sources, targets = (
        PictureFiles(label=name, file_count="multiple", type="filepath", visible=False) for name in ("sources", "targets")
    )
    call.click(handlers.whole_grid, [sources, targets, method, used], table, api_name="grid", **COMPARISONS)
