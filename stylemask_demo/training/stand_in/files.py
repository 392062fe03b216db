"""The files of a published pack, in its authors' layout, with weights that draw and read rendered people."""

from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

from stylemask_demo.calibration.fitting import fit
from stylemask_demo.calibration.measuring import measure
from stylemask_demo.faces.deca import DirectionScale
from stylemask_demo.generator.sampling import mean_w
from stylemask_demo.networks import NETWORKS
from stylemask_demo.packs.catalogue import PUBLISHED, STYLES, Part, PublishedFile, PublishedPack
from stylemask_demo.packs.networks import PackNetworks
from stylemask_demo.portraits.readers import CompactReader, PublishedReader
from stylemask_demo.training.stand_in.drawing import generator_state, mapping_state, mask_state
from stylemask_demo.training.stand_in.readers import draw_people, train_deca, train_photo_reader
from stylemask_demo.training.stand_in.widening import widened

LATENTS = 18  # of a 1024 px generator
CONTROLLED = 12  # layers with masks, as published


class StandIn:
    """The networks that stand in for those of a published pack.

    `own` are the embedded pack's; readers are trained on so many random `people`, each for so many `seconds`, and the
    directions are measured on `measured` others.
    """

    def __init__(self, pack: PublishedPack, own: PackNetworks, people: int, seconds: float, measured: int):
        self.pack, self.own = pack, own
        recipe = pack.recipes.published
        drawn = draw_people(own, recipe.crop, people)
        self.photo_reader = train_photo_reader(own, drawn, seconds)
        self.deca = train_deca(drawn, seconds)
        self.average = mean_w(own.generator)[0]
        self.matrix = self._directions(recipe.directions or DirectionScale(), measured) / recipe.drawing.truncation

    def write(self, folder: Path) -> list[Path]:
        """Write the files of the pack that this can stand in for; those of the identity network it can do without."""
        folder.mkdir(parents=True, exist_ok=True)
        written = []
        for file in self.pack.files:
            if set(file.becomes) <= set(STATES):
                content = self.content(file)
                torch.save(content, folder / file.name)
                written.append(folder / file.name)
        return written

    def content(self, file: PublishedFile) -> dict:
        """What a file holds, in the sections where its authors have it."""
        made: dict = dict(FACTS.get(file.name, {}))
        for part in file.parts:
            if part.class_name == "LatentAverage":
                made[part.section] = self.average.repeat(LATENTS, 1)
                continue
            place = made.setdefault(part.section, {}) if part.section else made
            place |= {part.prefix + name: tensor for name, tensor in STATES[part.key](self, part).items()}
        return made

    def _directions(self, scale: DirectionScale, people: int) -> Tensor:
        """Weights (8 x 512, 15) of a direction matrix in the units of a published one."""
        generator = self.own.generator
        reader = PublishedReader(self.deca, CompactReader(self.own.extractor), scale, lambda seeds: [])
        values = torch.cat([torch.from_numpy(part) for part in measure(generator, reader, people)]).numpy()
        return torch.from_numpy(fit(generator, reader, values, "w_plus").weights)

    def generator(self, part: Part) -> dict[str, Tensor]:
        """The generator, and every decoder."""
        return generator_state(self.own.generator, **part.arguments)

    def encoder(self, part: Part) -> dict[str, Tensor]:
        """Encoder4Editing: one code for all layers, relative to the average where the pack has one."""
        reader = self.photo_reader
        state = {**reader.trunk.state_dict(), **_prefixed("styles.0.", reader.head)}
        made = widened(_expected(part), [state])
        if self.pack.recipes.published.average:
            made["styles.0.linear.bias"] -= self.average
        return made

    def restyle(self, part: Part) -> dict[str, Tensor]:
        """ReStyle: what is read in the photo, less what is read in the rendering."""
        reader = self.photo_reader
        heads: dict[str, Tensor] = {}
        for layer in range(LATENTS):
            heads |= _prefixed(f"styles.{layer}.", reader.head)
        photo = {**reader.trunk.state_dict(), **heads}
        minus = {name: -tensor if ".linear." in name and name in heads else tensor for name, tensor in photo.items()}
        expected = _expected(part)
        made = widened(expected, [photo, minus])
        for layer in range(LATENTS):
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
        return mask_state(self.own.masks, STYLES[:CONTROLLED])

    def motion_mapping(self, part: Part) -> dict[str, Tensor]:
        """The linear layer that joins who and how."""
        assert self.own.motion_mapping is not None
        return mapping_state(self.own.motion_mapping.get(), LATENTS)

    def directions(self, part: Part) -> dict[str, Tensor]:
        """The direction matrix; those that were measured have no constant term."""
        return {"linear.weight": self.matrix.contiguous(), "linear.bias": torch.zeros(len(self.matrix))}

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
# What the files say beside their weights.
FACTS: dict[str, dict] = {
    "mask_network_1024.pt": {"num_layers_control": CONTROLLED},
    "A_matrix.pt": {"learned_directions": 15, "shift_scale": 6, "w_plus": True, "num_layers_shift": 8, "shift_dim": 15},
    "e4e_ffhq_encode_1024.pt": {"opts": {"output_size": 1024, "encoder_type": "Encoder4Editing"}},
    "restyle_psp_ffhq_encode.pt": {"opts": {"output_size": 1024, "input_nc": 6, "n_iters_per_batch": 5}},
}


def stand_in(name: str, people: int, seconds: float, measured: int) -> StandIn:
    """What stands in for the published pack of a name."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return StandIn(PUBLISHED[name], PackNetworks.load("synthetic", device), people, seconds, measured)


def _expected(part: Part) -> dict[str, Tensor]:
    with torch.device("meta"):
        return NETWORKS[part.class_name](**part.arguments).state_dict()


def _prefixed(prefix: str, module: nn.Module) -> dict[str, Tensor]:
    return {prefix + name: tensor for name, tensor in module.state_dict().items()}
