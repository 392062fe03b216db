"""Tensors, pictures and plain facts as the bytes of one safetensors file, which holds no code and runs none."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load, save

from stylemask_demo.media.origin import Origin, origin_of, with_origin

Stored = torch.Tensor | np.ndarray | Image.Image
_FACTS, _PROFILE = "facts", " profile"  # names of tensors beside those that are given


def to_bytes(things: Mapping[str, Stored], facts: Mapping[str, Any]) -> bytes:
    """Tensors, arrays and pictures (RGB) by name, and facts that JSON can hold -> bytes.

    Of what is known of where a picture came from, the animation that it was in is left out.
    """
    origins: dict[str, Any] = {}
    tensors: dict[str, torch.Tensor] = {}
    for name, thing in things.items():
        if isinstance(thing, Image.Image):
            origin = origin_of(thing)
            origins[name] = {"size": origin.size, "note": origin.note, "orientation": origin.orientation}
            tensors[name + _PROFILE] = _tensor(np.frombuffer(origin.profile, np.uint8))
        tensors[name] = thing.contiguous() if isinstance(thing, torch.Tensor) else _tensor(np.asarray(thing))
    written = json.dumps({"facts": facts, "pictures": origins})
    return save({**tensors, _FACTS: _tensor(np.frombuffer(written.encode(), np.uint8))})


def from_bytes(content: bytes) -> tuple[dict[str, Stored], dict[str, Any]]:
    """What `to_bytes` was given: tensors, with arrays as tensors too, and pictures by name, and the facts."""
    tensors: dict[str, Any] = load(content)
    written = json.loads(tensors.pop(_FACTS).numpy().tobytes())
    for name, told in written["pictures"].items():
        profile = tensors.pop(name + _PROFILE).numpy().tobytes()
        origin = Origin(tuple(told["size"]), told["note"], profile, told["orientation"])
        tensors[name] = with_origin(Image.fromarray(tensors[name].numpy()), origin)
    return tensors, written["facts"]


def _tensor(array: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.array(array))  # a copy: what pictures and bytes show must not be written to
