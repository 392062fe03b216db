"""The files of a published pack, in its authors' layout, with weights that draw and read rendered people."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from stylemask_demo.calibration.fitting import fit
from stylemask_demo.calibration.measuring import measure
from stylemask_demo.generator.sampling import mean_w
from stylemask_demo.networks import NETWORKS
from stylemask_demo.packs.catalogue import MAKERS, PUBLISHED, Part, PublishedFile, PublishedPack, latents_of, style_sizes_of
from stylemask_demo.packs.convert import convert, describe
from stylemask_demo.packs.info import PackInfo, read_info
from stylemask_demo.packs.networks import PackNetworks
from stylemask_demo.training.stand_in.drawing import generator_state, mapping_state, mask_state
from stylemask_demo.training.stand_in.readers import TaughtReader, draw_people, train_deca, train_photo_reader
from stylemask_demo.training.stand_in.widening import widened

CONTROLLED = 12  # layers with masks, as published, of those that there are


class StandIn:
    """The networks that stand in for those of a published pack.

    `own` are the embedded pack's; readers are trained on so many random `people`, in so many `steps` each, and the
    directions, where the pack has any, are measured on `measured` others.
    """

    def __init__(self, pack: PublishedPack, own: PackNetworks, people: int, steps: int, measured: int):
        self.pack, self.own, self.measured = pack, own, measured
        drawn = draw_people(own, pack.recipes.published.crop, people)
        self.photo_reader = train_photo_reader(own, drawn, steps)
        self.deca = train_deca(drawn, steps)
        self.average = mean_w(own.generator)[0]
        # Where nobody draws otherwise, encoder and directions were trained under the truncation.
        self.truncation = pack.recipes.default.drawing.truncation

    def write(self, folder: Path) -> list[Path]:
        """Write the files of the pack that this can stand in for; those of the identity network it can do without."""
        folder.mkdir(parents=True, exist_ok=True)
        written = []
        for file in self.pack.files:
            if set(file.becomes) <= set(STATES):
                torch.save(self.content(file), folder / file.name)
                written.append(folder / file.name)
        return written

    def convert(self, files: Path, folder: Path) -> PackInfo:
        """Make a pack in a folder of the files that were written to another, as a download does."""
        for file in self.pack.files:
            if (files / file.name).is_file():
                convert(file, files / file.name, folder)
                describe(self.pack, folder)
        return read_info(folder)

    def content(self, file: PublishedFile) -> dict:
        """What a file holds, in the sections where its authors have it."""
        made: dict = dict(facts(file, self.pack.resolution))
        for part in file.parts:
            if part.class_name == "LatentAverage":
                made[part.section] = self.average.repeat(part.arguments["num_latents"], 1)
                continue
            place = made.setdefault(part.section, {}) if part.section else made
            place |= {part.prefix + name: tensor for name, tensor in STATES[part.key](self, part).items()}
        return made

    def generator(self, part: Part) -> dict[str, Tensor]:
        """The generator, and every decoder."""
        return generator_state(self.own.generator, **part.arguments)

    def encoder(self, part: Part) -> dict[str, Tensor]:
        """Encoder4Editing: one code for all layers, relative to the average where the pack has one."""
        reader = self.photo_reader
        state = {**reader.trunk.state_dict(), **_prefixed("styles.0.", reader.head)}
        made = widened(_expected(part), [state])
        weight, bias = made["styles.0.linear.weight"], made["styles.0.linear.bias"]
        weight /= self.truncation
        bias.sub_(self.average).div_(self.truncation)
        if not self.pack.recipes.published.average:
            bias += self.average
        return made

    def restyle(self, part: Part) -> dict[str, Tensor]:
        """ReStyle: what is read in the photo, less what is read in the rendering."""
        reader = self.photo_reader
        heads: dict[str, Tensor] = {}
        for layer in range(part.arguments["num_latents"]):
            heads |= _prefixed(f"styles.{layer}.", reader.head)
        photo = {**reader.trunk.state_dict(), **heads}
        minus = {name: -tensor if ".linear." in name and name in heads else tensor for name, tensor in photo.items()}
        expected = _expected(part)
        made = widened(expected, [photo, minus])
        for layer in range(part.arguments["num_latents"]):
            made[f"styles.{layer}.linear.bias"].zero_()
        return made

    def motion_encoder(self, part: Part) -> dict[str, Tensor]:
        """The motion encoder: its motion is the first of its codes."""
        reader = self.photo_reader
        state = {**reader.trunk.state_dict(), **_prefixed("output_layer_2.", reader.motion)}
        made = widened(_expected(part), [state])
        made["linear.weight"][:512] = torch.eye(512) * 512**0.5  # which the layer divides by the root of its width
        return made

    def masks(self, part: Part) -> dict[str, Tensor]:
        """Mask predictors of the first layers."""
        assert self.own.masks is not None
        return mask_state(self.own.masks, part.arguments["style_sizes"][:CONTROLLED])

    def motion_mapping(self, part: Part) -> dict[str, Tensor]:
        """The linear layer that joins who and how."""
        assert self.own.motion_mapping is not None
        return mapping_state(self.own.motion_mapping.get(), latents_of(self.pack.resolution))

    def directions(self, part: Part) -> dict[str, Tensor]:
        """The direction matrix; those that were measured have no constant term."""
        generator, scale = self.own.generator, self.pack.recipes.published.directions
        assert scale is not None
        reader = TaughtReader(self.own.extractor, scale)
        values = np.concatenate(list(measure(generator, reader, self.measured)))
        weights = torch.from_numpy(fit(generator, reader, values, "w_plus").weights) / self.truncation
        return {"linear.weight": weights.contiguous(), "linear.bias": torch.zeros(len(weights))}

    def deca_state(self, part: Part) -> dict[str, Tensor]:
        """DECA's encoder."""
        return widened(_expected(part), [self.deca.state_dict()])


STATES: dict[str, Callable[[StandIn, Part], dict[str, Tensor]]] = {
    "generator": StandIn.generator,
    "restyle_decoder": StandIn.generator,
    "motion_decoder": StandIn.generator,
    "encoder": StandIn.encoder,
    "masks": StandIn.masks,
    "directions": StandIn.directions,
    "deca": StandIn.deca_state,
    "restyle": StandIn.restyle,
    "restyle_average": lambda stand_in, part: {},
    "motion_encoder": StandIn.motion_encoder,
    "motion_mapping": StandIn.motion_mapping,
}


def facts(file: PublishedFile, size: int) -> dict:
    """What a file says beside its weights."""
    said: dict[str, dict] = {
        "mask_network_1024.pt": {"num_layers_control": min(CONTROLLED, len(style_sizes_of(size, 2)))},
        "A_matrix.pt": {"learned_directions": 15, "shift_scale": 6, "w_plus": True, "num_layers_shift": 8, "shift_dim": 15},
        "e4e_ffhq_encode_1024.pt": {"opts": {"output_size": size, "encoder_type": "Encoder4Editing"}},
        "restyle_psp_ffhq_encode.pt": {"opts": {"output_size": size, "input_nc": 6, "n_iters_per_batch": 5}},
    }
    return said.get(file.name, {})


def stand_in(name: str, size: int | None, people: int, steps: int, measured: int) -> StandIn:
    """What stands in for the published pack of a name, for pictures of `size` pixels or, without one, the published size.

    Sizes are `packs.catalogue.SIZES`.
    """
    pack = MAKERS[name](size or PUBLISHED[name].resolution)
    made = replace(pack, title=f"{name}, a stand-in", licence="MIT", origin="Made by the command stand-in.")
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return StandIn(made, PackNetworks.load("synthetic", device), people, steps, measured)


def _expected(part: Part) -> dict[str, Tensor]:
    with torch.device("meta"):
        return NETWORKS[part.class_name](**part.arguments).state_dict()


def _prefixed(prefix: str, module: nn.Module) -> dict[str, Tensor]:
    return {prefix + name: tensor for name, tensor in module.state_dict().items()}
