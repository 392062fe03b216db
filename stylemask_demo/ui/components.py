"""Gradio's components, changed where the page needs it: what travels, and when it is decoded."""

import base64
import binascii
from pathlib import Path
from typing import Any, ClassVar

import gradio as gr
from gradio import component_meta
from gradio.components.gallery import GalleryData, GalleryImage
from gradio.data_classes import Base64ImageData, FileData, ImageData, ListFiles
from gradio.processing_utils import save_bytes_to_cache
from PIL import Image

from stylemask_demo import messages
from stylemask_demo.media.provenance import Marks, settings_of
from stylemask_demo.media.saving import png_of
from stylemask_demo.ui.pictures import data_url, kind_of

# Gradio would write a stub for each class below beside this module, which may be an installed one.
component_meta.create_or_modify_pyi = lambda *_arguments: None


Upload = str | bytes | None  # a picture as DropZone hands it over: a path, the bytes of a file, or nothing
Shown = Any  # what an event shows in its components: a value of each, or gr.update of it


# A range lies over the whole picture: browsers let it be dragged anywhere and moved by keys, and scroll the page over it.
COMPARISON = """
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


class Tidied:
    """A component whose files are deleted with all others of the page.

    Of a component that is updated Gradio makes a copy for the visitor, and would forget the files that the copy shows. This
    comes second among a component's bases: by the first Gradio knows what the browser shows.
    """

    _files: ClassVar[set[str]] = set()

    @property
    def temp_files(self) -> set[str]:
        return Tidied._files

    @temp_files.setter
    def temp_files(self, files: set[str]) -> None:
        """Keep to those of all."""


class DropZone(gr.Image, Tidied):
    """A place for one picture that hands the file over undecoded.

    gr.Image opens the file itself before the event's function is called, so a damaged or gigantic picture
    would fail there with a traceback; here the function opens it, within its limits.
    """

    is_template = True  # the browser shows gr.Image

    def preprocess(self, payload: ImageData | None) -> Upload:  # type: ignore[override]
        if payload is None:
            return None
        if payload.url and payload.url.startswith("data:"):
            return _decode(payload.url)
        return payload.path

    def postprocess(self, value: Any) -> Any:
        return super().postprocess(_as_file(self, value, "none"))  # it goes in again

    def example_payload(self) -> Any:
        return _file_of_ours("source_1.webp")

    def example_value(self) -> Any:
        return "assets/examples/source_1.webp"


def _file_of_ours(name: str) -> dict[str, Any]:
    """Return what a program sends as a file, in the examples of the API page: one of this repository."""
    path = f"assets/examples/{name}"
    return {"path": path, "url": path, "meta": {"_type": "gradio.FileData"}}


def _decode(url: str) -> bytes:
    """Return what a base64 data URL carries; nothing for a broken one, as a broken picture."""
    try:
        return base64.b64decode(url.partition(",")[2])
    except binascii.Error:
        return b""


def _as_file(component: gr.Image, value: Any, marks: Marks) -> Any:
    """Return the path of a PNG of a result, with its provenance, in the cache that is emptied by age; others unchanged."""
    if not isinstance(value, Image.Image) or settings_of(value) is None:
        return value
    return save_bytes_to_cache(png_of(value, marks), "image.png", component.GRADIO_CACHE)


class PictureFile(gr.Image):
    """A picture for programs, as a PNG file; a result with its provenance."""

    is_template = True

    def postprocess(self, value: Any) -> Any:
        return super().postprocess(_as_file(self, value, "all"))


class LivePicture(gr.Image):
    """A picture that arrives inside the event's answer: quick to replace, and never a file on the disk.

    Given as the bytes of a PNG or GIF file it arrives as it is.
    """

    is_template = True

    def postprocess(self, value: Image.Image | bytes | None) -> Base64ImageData | None:  # type: ignore[override]
        return None if value is None else Base64ImageData(url=data_url(value))


class MadePicture(gr.Image, Tidied):
    """A picture that a program gets, of the bytes of a PNG or GIF file, from the cache that is emptied by age."""

    is_template = True

    def postprocess(self, value: bytes | None) -> ImageData | None:  # type: ignore[override]
        if value is None:
            return None
        name = f"{self.label}.{kind_of(value)}"
        return ImageData(path=save_bytes_to_cache(value, name, self.GRADIO_CACHE), orig_name=name)


class Comparison(gr.HTML):
    """Two pictures of one size, laid over each other, which arrive inside the event's answer.

    It opens with the whole of the second; a hand, a finger or the arrow keys bring the first from the left.
    """

    is_template = True  # the browser shows gr.HTML

    def __init__(self, elem_id: str):
        super().__init__(
            html_template=COMPARISON,
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


class FacePicker(gr.Gallery):
    """Small pictures to choose one of, which arrive inside the event's answer."""

    is_template = True

    def postprocess(self, value: list[Image.Image] | None) -> GalleryData:  # type: ignore[override]
        return GalleryData(root=[GalleryImage(image=ImageData(url=data_url(face))) for face in value or []])


class PictureRow(gr.Gallery, Tidied):
    """A place for some pictures that hands the files over as they came, whatever they are."""

    is_template = True

    def preprocess(self, payload: GalleryData | None) -> list[str]:  # type: ignore[override]
        given = payload.root if payload is not None else []
        return [item.image.path or "" for item in given if isinstance(item, GalleryImage)]


class PictureFiles(gr.File, Tidied):
    """Some pictures that a program sends. gr.File would leave an empty file behind for each of them."""

    is_template = True

    def preprocess(self, payload: ListFiles | None) -> list[str]:  # type: ignore[override]
        return [] if payload is None else [file.path for file in payload.root]

    def example_payload(self) -> Any:
        return [_file_of_ours(f"{str(self.label).removesuffix('s')}_{number}.webp") for number in (1, 2)]

    def example_value(self) -> Any:
        return [file["path"] for file in self.example_payload()]


class VideoZone(gr.Video, Tidied):
    """A place for one video that hands the file over as it came: gr.Video would call ffmpeg on some."""

    is_template = True

    def preprocess(self, payload: FileData | None) -> str | None:
        return None if payload is None else payload.path

    def example_payload(self) -> Any:
        return _file_of_ours("driving_1.mp4")

    def example_value(self) -> Any:
        return "assets/examples/driving_1.mp4"


class FilmFile(VideoZone):
    """A film for programs, which may be a GIF: gr.Video would make an MP4 of that."""

    def postprocess(self, value: str | None) -> FileData | None:
        return None if value is None else FileData(path=value, orig_name=Path(value).name)


class EasySlider(gr.Slider):
    """A slider whose number may be emptied while another one is typed: it means the value to begin with then."""

    is_template = True

    def preprocess(self, payload: float | None) -> float:
        value = self.value if payload is None else payload
        if not self.minimum <= value <= self.maximum:
            said = messages.OUT_OF_RANGE.format(name=self.label, number=value, least=self.minimum, limit=self.maximum)
            raise gr.Error(said, print_exception=False)
        return super().preprocess(value)


class MethodChoice(gr.Radio):
    """A choice of methods that leaves it to the pack to know them: each visitor may use another pack."""

    is_template = True

    def preprocess(self, payload: str | None) -> str:  # type: ignore[override]
        return payload or ""


class PictureDownload(gr.DownloadButton, Tidied):
    """A download of one picture as PNG, named like its button, from the cache that is emptied by age."""

    is_template = True

    def postprocess(self, value: Image.Image | None) -> FileData | None:  # type: ignore[override]
        if value is None:
            return None
        path = save_bytes_to_cache(png_of(value), f"{self.label}.png", self.GRADIO_CACHE)
        return FileData(path=path, orig_name=f"{self.label}.png")
