"""Converting published checkpoints into networks of a pack."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn

from stylemask_demo.errors import PackCorrupt
from stylemask_demo.generator.sampling import mean_w
from stylemask_demo.networks import NETWORKS, Generator, LatentAverage
from stylemask_demo.packs.catalogue import Part, PublishedFile, PublishedPack
from stylemask_demo.packs.checkpoint import find_state, read_checkpoint
from stylemask_demo.packs.info import read_info
from stylemask_demo.packs.loading import load_network
from stylemask_demo.packs.store import describe_pack, save_network, update_settings

RANGES = json.loads(Path(__file__).with_name("parameter_ranges.json").read_text(encoding="utf-8"))
ANGLES = {"yaw_degrees": 40.0, "pitch_degrees": 20.0, "roll_degrees": 20.0}  # degrees that make a whole shift
DIRECTIONS = RANGES["names"][:15]  # yaw, pitch, roll, jaw and eleven expression modes, in the order of the matrix
SHIFT_SCALE = 6.0  # what the published matrix calls a whole shift
MOST_LATENTS = 18  # of a 1024 px generator


def convert(file: PublishedFile, path: Path, folder: Path) -> None:
    """Convert the published file at `path` into its networks of the pack in `folder`, stored as float32.

    Raises PackCorrupt when the file is not what was published or holds anything but plain weights, and OSError or
    SafetensorError when the networks cannot be written.
    """
    checkpoint = read_checkpoint(path, file.largest)
    for part in file.parts:
        try:
            module, arguments = BUILDERS.get(part.class_name, _network)(part, checkpoint, folder)
            save_network(folder, part.key, module, arguments, dtype=torch.float32)
        except KeyError as error:
            raise _unfit(path, part, f"it has no '{error.args[0]}'") from None
        except (ValueError, RuntimeError, TypeError) as error:
            raise _unfit(path, part, " ".join(str(error).split())[:200]) from None
        if part.class_name == "DirectionMatrix":
            scale = checkpoint.get("shift_scale")
            update_settings(folder, shift_scale=scale if _is_number(scale) else SHIFT_SCALE)


def describe(pack: PublishedPack, folder: Path) -> None:
    """Write what `pack.json` says of a published pack as a whole, once its networks are in `folder`."""
    describe_pack(
        folder,
        name=pack.name,
        title=pack.title,
        resolution=pack.resolution,
        licence=pack.licence,
        origin=pack.origin,
    )
    ranges = dict(zip(RANGES["names"], RANGES[pack.name], strict=True))
    scale = read_info(folder).settings.get("shift_scale", SHIFT_SCALE)
    # How far to go along each direction for a change of its parameter by one: degree, radian or unit of a coefficient.
    factors = [
        scale / ANGLES[name] if name in ANGLES else 2 * scale / (ranges[name][1] - ranges[name][0]) for name in DIRECTIONS
    ]
    update_settings(
        folder,
        parameter_names=list(ranges),
        parameter_ranges=list(ranges.values()),
        direction_names=DIRECTIONS,
        direction_factors=factors,
    )


def _network(part: Part, checkpoint: Mapping, _folder: Path) -> tuple[nn.Module, dict[str, Any]]:
    return _filled(part, part.arguments, checkpoint), part.arguments


def _motion_mapping(part: Part, checkpoint: Mapping, _folder: Path) -> tuple[nn.Module, dict[str, Any]]:
    """The mapping network for as many styles as the file has it for."""
    bias = find_state(checkpoint, ["linear_relu.0.bias"], part.section, part.prefix)["linear_relu.0.bias"]
    arguments = {"num_latents": min(bias.numel() // 512, MOST_LATENTS)}
    return _filled(part, arguments, checkpoint), arguments


def _average(part: Part, checkpoint: Mapping, folder: Path) -> tuple[nn.Module, dict[str, Any]]:
    """The average latent of the file, or where it has none that of the pack's generator, for all layers."""
    module = LatentAverage(**part.arguments)
    stored = checkpoint.get(part.section)
    if isinstance(stored, Tensor):
        average = stored.float().reshape(-1, module.latent.shape[1])  # (1 or L, style_dim)
    else:
        average = mean_w(cast(Generator, load_network(read_info(folder), "generator")))  # (1, style_dim)
    update_settings(folder, **{part.key: "checkpoint" if isinstance(stored, Tensor) else "generator"})
    module.latent.copy_(average)
    return module, part.arguments


def _filled(part: Part, arguments: dict[str, Any], checkpoint: Mapping) -> nn.Module:
    """Build a network with the checkpoint's weights, which stay where they are."""
    with torch.device("meta"):
        module = NETWORKS[part.class_name](**arguments)
    state = find_state(checkpoint, list(module.state_dict()), part.section, part.prefix)
    # Shapes first: a tensor of a few stored bytes can pretend to be of any size.
    for name, expected in module.state_dict().items():
        found = state[name]
        if found.shape != expected.shape or found.is_floating_point() != expected.is_floating_point():
            raise ValueError(
                f"'{name}' is {found.dtype} {tuple(found.shape)} instead of {expected.dtype} {tuple(expected.shape)}"
            )
    module.load_state_dict(state, assign=True)
    return module


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1000


def _unfit(path: Path, part: Part, reason: str) -> PackCorrupt:
    return PackCorrupt(
        f"{path.name} does not hold the published {part.class_name} ({reason}). "
        "Delete it and get it again from its publisher."
    )


BUILDERS = {"LatentAverage": _average, "MotionMapping": _motion_mapping}
