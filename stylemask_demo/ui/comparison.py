"""A picture before and after, laid over each other: a hand, a finger or the arrow keys move the line between them."""

from typing import Any

import gradio as gr
from PIL import Image

from stylemask_demo.ui.pictures import data_url

# A range lies over the whole picture: browsers let it be dragged anywhere and moved by keys, and scroll the page over it.
MARKUP = """
<figure class="comparison empty">
  <div class="pictures">
    <img class="after" alt="The result: the source with the pose and expression of the target">
    <img class="before" alt="The source before">
    <span class="line" aria-hidden="true"></span>
    <span class="side left" aria-hidden="true">Before</span>
    <span class="side right" aria-hidden="true">After</span>
    <input type="range" min="0" max="100" value="0" step="1" aria-label="Percent of the source before that are shown">
    <button type="button" aria-label="Full screen" title="Full screen"></button>
  </div>
</figure>
"""


class Comparison(gr.HTML):
    """Two pictures of one size, which arrive inside the event's answer. It opens with the whole of the second."""

    is_template = True  # the browser shows gr.HTML

    def __init__(self, elem_id: str):
        super().__init__(
            html_template=MARKUP,
            js_on_load="stylemask.compare(element, props, watch);",
            padding=False,
            elem_id=elem_id,
        )

    def postprocess(self, value: tuple[Image.Image, Image.Image] | None) -> dict[str, str] | None:  # type: ignore[override]
        if value is None:
            return None
        before, after = (data_url(picture) for picture in value)
        return {"before": before, "after": after}

    def api_info(self) -> dict[str, Any]:
        return {"type": "object"}
