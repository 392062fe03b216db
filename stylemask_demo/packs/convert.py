"""Converting published checkpoints into networks of a pack."""

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from stylemask_demo import messages
from stylemask_demo.errors import PackCorrupt
from stylemask_demo.networks import NETWORKS
from stylemask_demo.networks.stylegan2_layers import fir_kernel
from stylemask_demo.packs.catalogue import RANGES, SHIFT_SCALE, Part, PublishedFile, PublishedPack, direction_scale
from stylemask_demo.packs.checkpoint import PARALLEL, find_state, read_checkpoint
from stylemask_demo.packs.info import read_info
from stylemask_demo.packs.loading import load_network
from stylemask_demo.packs.store import describe_pack, save_network, save_recipes, share_network, update_settings

MOST_LATENTS = 18  # of a 1024 px generator
MOST_REFINEMENTS = 20  # steps of ReStyle; its authors take 5
NOISE_SEED = 0  # of noise buffers that a file is without
# Buffers whose value is known, or that nothing here uses.
COUNTERS, KERNELS, NOISES = "num_batches_tracked", "kernel", "noises."


def convert(file: PublishedFile, path: Path, folder: Path) -> None:
    """Convert the published file at `path` into its networks of the pack in `folder`, stored as float32.

    Raises PackCorrupt when the file is not what was published or holds anything but plain weights, and OSError or
    SafetensorError when the networks cannot be written.
    """
    checkpoint = read_checkpoint(path, file.largest)
    for part in file.parts:
        try:
            module, arguments = BUILDERS.get(part.class_name, _network)(part, checkpoint)
            if module is None:
                continue
            if part.same_as and _same(module, folder, part.same_as):
                share_network(folder, part.key, part.same_as)
            else:
                save_network(folder, part.key, module, arguments, dtype=torch.float32)
        except KeyError as error:
            raise _unfit(path, part, f"it has no '{error.args[0]}'") from None
        except (ValueError, RuntimeError, TypeError) as error:
            raise _unfit(path, part, " ".join(str(error).split())[:200]) from None
        if part.class_name in FACTS:
            update_settings(folder, **FACTS[part.class_name](checkpoint))


def describe(pack: PublishedPack, folder: Path) -> None:
    """Write what ``pack.json`` says of a published pack as a whole: words, and the recipe with what its files say."""
    describe_pack(
        folder,
        name=pack.name,
        title=pack.title,
        resolution=pack.resolution,
        licence=pack.licence,
        origin=pack.origin,
    )
    said = read_info(folder).settings
    changes: dict[str, Any] = {}
    if "shift_scale" in said and pack.name in RANGES:
        changes["directions"] = direction_scale(pack.name, said["shift_scale"])
    if "refinements" in said:
        changes["refinements"] = said["refinements"]
    save_recipes(folder, pack.recipes.updated(**changes))


def _network(part: Part, checkpoint: Mapping) -> tuple[nn.Module | None, dict[str, Any]]:
    return _filled(part, part.arguments, checkpoint), part.arguments


def _masks(part: Part, checkpoint: Mapping) -> tuple[nn.Module | None, dict[str, Any]]:
    """Mask predictors for as many layers as the file says."""
    count, widths = checkpoint["num_layers_control"], part.arguments["style_sizes"]
    if not _is_number(count, len(widths)) or count != int(count):
        raise ValueError(f"'num_layers_control' is {count!r}, not a whole number from 1 to {len(widths)}")
    arguments = {"style_sizes": widths[: int(count)]}
    return _filled(part, arguments, checkpoint), arguments


def _motion_mapping(part: Part, checkpoint: Mapping) -> tuple[nn.Module | None, dict[str, Any]]:
    """The mapping network for as many styles as the file has it for."""
    bias = find_state(checkpoint, ["linear_relu.0.bias"], part.section, part.prefix)["linear_relu.0.bias"]
    arguments = {"num_latents": min(bias.numel() // 512, MOST_LATENTS)}
    return _filled(part, arguments, checkpoint), arguments


def _average(part: Part, checkpoint: Mapping) -> tuple[nn.Module | None, dict[str, Any]]:
    """The average latent of the file, for all layers."""
    stored = checkpoint.get(part.section)
    if stored is None and part.optional:
        return None, {}
    if not isinstance(stored, Tensor):
        raise KeyError(part.section)
    module = NETWORKS[part.class_name](**part.arguments)
    latent = module.get_buffer("latent")
    if stored.numel() not in (latent.numel(), latent.shape[1]):
        raise ValueError(f"'{part.section}' is {tuple(stored.shape)} instead of {tuple(latent.shape)}")
    latent.copy_(stored.float().reshape(-1, latent.shape[1]))  # (1 or L, style_dim)
    return module, part.arguments


def _filled(part: Part, arguments: dict[str, Any], checkpoint: Mapping) -> nn.Module:
    """Build a network with the checkpoint's weights, which stay where they are.

    Raises KeyError with the name of a weight that is missing, and ValueError for one of another shape, and for unknown ones
    where the part is not lenient.
    """
    with torch.device("meta"):
        module = NETWORKS[part.class_name](**arguments)
    expected = module.state_dict()
    known = {name: value for name in expected if (value := _known_buffer(name, expected[name], part.lenient)) is not None}
    state = find_state(checkpoint, [name for name in expected if name not in known], part.section, part.prefix, known)
    # Shapes first: a tensor of a few stored bytes can pretend to be of any size.
    for name, wanted in expected.items():
        found = state[name]
        if found.shape != wanted.shape or found.is_floating_point() != wanted.is_floating_point():
            is_, should = (f"{tensor.dtype} {tuple(tensor.shape)}" for tensor in (found, wanted))
            raise ValueError(f"'{part.prefix}{name}' is {is_} instead of {should}")
    if not part.lenient:
        _check_unknown(part, checkpoint, expected)
    module.load_state_dict(state, assign=True)
    return module


def _known_buffer(name: str, wanted: Tensor, lenient: bool) -> Tensor | None:
    """The value of a buffer that a file may be without, None for all others."""
    leaf = name.rpartition(".")[2]
    if leaf == COUNTERS:
        return torch.zeros(wanted.shape, dtype=wanted.dtype)
    if leaf == KERNELS:
        return fir_kernel(gain=4.0)
    if lenient and name.startswith(NOISES):
        # The published program draws it anew at every start; here a face shall look the same tomorrow.
        size = wanted.shape[-1]
        return torch.randn(wanted.shape, generator=torch.Generator().manual_seed(NOISE_SEED + size))
    return None


def _check_unknown(part: Part, checkpoint: Mapping, expected: Collection[str]) -> None:
    """Raise ValueError for weights at the part's place that its network does not know."""
    published = checkpoint.get(part.section, checkpoint) if part.section else checkpoint
    for name in published:
        plain = str(name).removeprefix(PARALLEL)
        if not plain.startswith(part.prefix) or not isinstance(published[name], Tensor):
            continue
        known = plain.removeprefix(part.prefix) in expected
        if not known and plain.rpartition(".")[2] not in (COUNTERS, KERNELS):
            raise ValueError(f"it has '{name}', which the network does not know")


def _same(module: nn.Module, folder: Path, key: str) -> bool:
    """Whether a network of the pack has these very weights."""
    info = read_info(folder)
    if key not in info.networks:
        return False
    state, others = module.state_dict(), load_network(info, key).state_dict()
    return state.keys() == others.keys() and all(torch.equal(state[name], others[name]) for name in state)


def _shift_scale(checkpoint: Mapping) -> dict[str, Any]:
    scale = checkpoint.get("shift_scale")
    return {"shift_scale": scale if _is_number(scale, 1000) else SHIFT_SCALE}


def _refinements(checkpoint: Mapping) -> dict[str, Any]:
    """The steps that ReStyle takes, of the options that its training left in the file."""
    options = checkpoint.get("opts")
    options = options if isinstance(options, Mapping) else getattr(options, "__dict__", {})
    steps: Any = options.get("n_iters_per_batch")
    return {"refinements": int(steps)} if _is_number(steps, MOST_REFINEMENTS) else {}


def _is_number(value: Any, largest: float) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= largest


def _unfit(path: Path, part: Part, reason: str) -> PackCorrupt:
    return PackCorrupt(
        messages.DAMAGED_FILE.format(file=path.name),
        f"{path.name} does not hold the published {part.class_name} ({reason}). "
        "Delete it and get it again from its publisher.",
    )


Builder = Callable[[Part, Mapping], tuple[nn.Module | None, dict[str, Any]]]
BUILDERS: dict[str, Builder] = {"LatentAverage": _average, "MaskPredictors": _masks, "MotionMapping": _motion_mapping}
# What a file says beside its weights, as settings of the pack.
FACTS: dict[str, Callable[[Mapping], dict[str, Any]]] = {"DirectionMatrix": _shift_scale, "ReStyleEncoder": _refinements}
