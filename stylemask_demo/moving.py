"""A face under a hand: pictures of it that follow quickly, and where its parts are, so that they can be taken hold of."""

from collections.abc import Mapping

import numpy as np
from PIL.Image import Image

from stylemask_demo.reenactor import Portrait, Reenactor


def preview(reenactor: Reenactor, source: Portrait, values: Mapping[str, float]) -> Image:
    """The source moved by slider values, RGB of the pack's size: what `Reenactor.edit` makes, nearly, in a single drawing.

    Nothing is looked at: what a slider does to a face is learned when it first moves that to a side, and remembered. Packs
    that correct no sliders draw the same as `edit`. Raises what `Reenactor.edit` raises.
    """
    return reenactor.pipeline.edited([source], values, quick=True)[0]


def landmarks_shown(reenactor: Reenactor, source: Portrait, result: Image, in_photo: bool) -> np.ndarray:
    """The 68 landmarks (68, 2) of a `result` made from a source, as parts of the width and height of what is shown.

    That is the result, or with `in_photo` the source's photo with the result in the face's place.
    """
    (reading,) = reenactor.pipeline.reader.read([result])
    landmarks = reading.parameters.landmarks
    if not in_photo:
        return landmarks / result.width
    # Landmarks count from the edge of the first pixel, transforms from its centre.
    points = source.transform.resized(result.width).to_photo(landmarks - 0.5) + 0.5
    return np.asarray(points / source.photo.size)
