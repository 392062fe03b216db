"""Results as they are shown: what the generator makes of codes, with the detail of the photos they come from."""

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

from stylemask_demo.caching import VISITOR_SECONDS, Cache, bytes_of
from stylemask_demo.detail.full_size import at_full_size
from stylemask_demo.detail.photo_detail import Drawn, PhotoDetail, Steady, Watch
from stylemask_demo.faces.paste import Behind, paste_back
from stylemask_demo.faces.regions import Region, around
from stylemask_demo.generator.style_space import Part, PictureCode, StyleSpace
from stylemask_demo.generator.synthesis import Synthesis
from stylemask_demo.media.provenance import as_result, settings_of
from stylemask_demo.media.tensors import to_tensor
from stylemask_demo.portraits.portrait import Portrait
from stylemask_demo.portraits.readers import ParameterReader

# Portraits at rest, up to 7 MB each: frames of a video go back into the same photo.
REMEMBERED, REMEMBERED_BYTES = 8, 60_000_000
READ_SIDE = 256  # pixels that readers see of a face at most


class Results:
    """Draws results; `detail` is None where the pack has no network that brings the photo's own detail into them."""

    def __init__(self, space: StyleSpace, synthesis: Synthesis, detail: PhotoDetail | None, reader: ParameterReader):
        self.space = space
        self._synthesis, self._detail, self._reader = synthesis, detail, reader
        self._unmoved: Cache[tuple[str, str | None, int], tuple[Image.Image, np.ndarray]] = Cache(
            REMEMBERED, REMEMBERED_BYTES, bytes_of, VISITOR_SECONDS
        )

    @torch.inference_mode()
    def pictures(
        self,
        code: PictureCode,
        sources: Sequence[Portrait] = (),
        size: int | None = None,
        region: Region = "all",
        parts: Sequence[Part] = (),
    ) -> list[Image.Image]:
        """Codes of B results -> B pictures, RGB; `sources` are the portraits they were made of, or one of all, if any.

        With a `size` larger than the pack's, results with detail are as large as the photo shows the face, at most that.
        Where only a `region` of the face moves, all around it is the photo itself, if the pack has a network for detail;
        `parts` of the faces are drawn by other codes.
        """
        made = self.finished(self._read(self._made(code, sources), sources), sources, size, region)
        if not parts:
            return made
        faces = self._landmarks(made)
        for part in parts:
            others = self.pictures(part.code, sources, size, region)
            masks = [around(one.width, face[part.landmarks]) for one, face in zip(made, faces, strict=True)]
            made = [_laid_over(*pictures) for pictures in zip(made, others, masks, strict=True)]
        return made

    @torch.inference_mode()
    def drawn(self, code: PictureCode, sources: Sequence[Portrait], steady: Steady) -> Drawn:
        """What the generator draws of codes of B results, which `finished` finishes; for `steady` see there."""
        return self._read(self._made(code, sources), sources, steady)

    @torch.inference_mode()
    def finished(
        self,
        drawn: Drawn,
        sources: Sequence[Portrait] = (),
        size: int | None = None,
        region: Region = "all",
        watch: Watch | None = None,
    ) -> list[Image.Image]:
        """B results that were `drawn`, as `pictures` shows them; for `watch` see there."""
        made = drawn.made
        if self._detail is None or not sources:
            if watch is not None:
                watch(made)
            return self._synthesis.images(made)
        layers, size = self._detail(drawn, sources, region, watch), max(size or 0, made.shape[-1])
        pictures = []
        for i in range(len(made)):
            crop = sources[i % len(sources)].crop_of(size)
            photo = to_tensor([crop], crop.width).to(made.device)
            pictures += self._synthesis.images(at_full_size(layers.of(i), photo))
        return pictures

    @torch.inference_mode()
    def tensors(self, code: PictureCode, sources: Sequence[Portrait] = ()) -> torch.Tensor:
        """Codes of B results -> (B, 3, S, S), values about -1..1, to be read; `sources` as for `pictures`.

        Larger ones are made at 256 pixels, where no detail is added to them.
        """
        size = None if self._detail else min(self.space.generator.size, READ_SIDE)
        return self._with_detail(self._made(code, sources, size), sources)

    @torch.inference_mode()
    def detailed(self, pictures: Sequence[Image.Image], sources: Sequence[Portrait]) -> list[Image.Image]:
        """Pictures that something else than the generator made of B sources -> the same with the detail of their photos."""
        made = to_tensor(pictures, self.space.generator.size).to(self.space.mean_w.device)
        return self._synthesis.images(self._with_detail(made, sources))

    @torch.inference_mode()
    def inversion(self, w_plus: torch.Tensor) -> Image.Image:
        """The picture of one W+ code (1, L, style_dim), as the generator makes it."""
        return self._synthesis.pictures(self.space.code(w_plus.to(self.space.mean_w.device)))[0]

    @torch.inference_mode()
    def still(self, portrait: Portrait, size: int | None = None) -> Image.Image:
        """The portrait as results show it when nothing moves, RGB; `size` as for `pictures`."""
        return self.pictures(self.space.code(portrait.codes.to(self.space.mean_w.device)), [portrait], size)[0]

    def into_photo(self, portrait: Portrait, result: Image.Image) -> Image.Image:
        """The portrait's photo with `result`, a picture made from the portrait, in the place of the face.

        Raises ValueError for a result of another size than results of the portrait have.
        """
        size = result.width
        crop = portrait.crop_of(size)
        (now,) = self._landmarks([result])
        still, unmoved = self._unmoved.find((*portrait.look, size), lambda: self._at_rest(portrait, size))
        # What a result shows of the photo itself, around a face that holds still, is no change.
        shown, true = np.asarray(result), np.asarray(crop)
        still = Image.fromarray(np.where((shown == true).all(2, keepdims=True), true, np.asarray(still)))
        landmarks = portrait.parameters.landmarks * (size / portrait.crop.width)
        # Relative to the unmoved face, so that what its inversion gets wrong does not pass for a motion.
        moved = landmarks + now - unmoved
        transform = portrait.transform.resized(crop.width)
        behind = self._behind(portrait, result)
        whole = paste_back(portrait.photo, result, crop, transform, landmarks, moved, still, behind)
        return as_result(whole, **(settings_of(result) or {}), into_photo=True)

    def _at_rest(self, portrait: Portrait, size: int) -> tuple[Image.Image, np.ndarray]:
        """The portrait as `still` draws it, and the landmarks (68, 2) seen there."""
        still = self.still(portrait, size)
        return still, self._landmarks([still])[0]

    def _landmarks(self, pictures: Sequence[Image.Image]) -> list[np.ndarray]:
        return [reading.parameters.landmarks for reading in self._reader.read(pictures)]

    @torch.inference_mode()
    def _behind(self, portrait: Portrait, result: Image.Image) -> Behind | None:
        """Where a result of a portrait shows what was behind the head, as the detail network sees it."""
        if self._detail is None:
            return None
        made = to_tensor([result], portrait.crop.width).to(self.space.mean_w.device)
        layers = self._detail(self._detail.read(made, [portrait]), [portrait])
        background, seen = (
            F.interpolate(part.float(), size=result.width, mode="bilinear", align_corners=False)[0, 0].cpu().numpy()
            for part in (layers.unmoved, torch.sigmoid(layers.found.seen))
        )
        return Behind(background, (seen < 0.5) & (background < 0.5))

    def _with_detail(self, made: torch.Tensor, sources: Sequence[Portrait]) -> torch.Tensor:
        if self._detail is None or not sources:
            return made
        return self._detail(self._detail.read(made, sources), sources).drawn

    def _read(self, made: torch.Tensor, sources: Sequence[Portrait], steady: Steady | None = None) -> Drawn:
        return self._detail.read(made, sources, steady) if self._detail is not None and sources else Drawn(made)

    def _made(self, code: PictureCode, sources: Sequence[Portrait], size: int | None = None) -> torch.Tensor:
        """Codes of B results -> (B, 3, S, S) as the generator makes them, or as it was tuned to their sources."""
        return self._synthesis.tensors(code, [source.tuning for source in sources] or (None,), size)


def _laid_over(picture: Image.Image, other: Image.Image, mask: np.ndarray) -> Image.Image:
    """A result with what another shows, RGB, where `mask` (H, W) is 1."""
    share = Image.fromarray(np.rint(255 * mask).astype(np.uint8))
    return as_result(Image.composite(other, picture, share), **(settings_of(picture) or {}))
