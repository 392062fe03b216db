"""The published weights: which files there are, where they lie, what they may be used for, and what they become."""

import json
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from stylemask_demo.faces.crops import BoxCrop, FfhqCrop
from stylemask_demo.faces.deca import DECA_DIRECTIONS, DirectionScale
from stylemask_demo.networks.stylegan2 import channels_for
from stylemask_demo.packs.recipe import Drawing, ParameterReading, Recipe, Recipes, View

MEGABYTE = 10**6
GIGABYTE = 10**9


@dataclass(frozen=True)
class Part:
    """One network that a published file holds."""

    key: str  # of the network in the pack
    class_name: str  # key of stylemask_demo.networks.NETWORKS
    arguments: dict[str, Any] = field(default_factory=dict)  # keyword arguments of the class
    section: str = ""  # the file's dictionary that holds the weights; empty for the file's top level
    prefix: str = ""  # what stands before the names of the weights there
    lenient: bool = False  # noise buffers may be absent, and unknown weights there: the authors' program reads it so
    optional: bool = False  # files without it are as good
    same_as: str = ""  # key of a network whose weights these usually are; then they are not stored twice


@dataclass(frozen=True)
class PublishedFile:
    """One file as its authors published it."""

    name: str  # also its name in a mirror repository and in a local folder
    drive_id: str  # on Google Drive
    parts: tuple[Part, ...]
    licence: str  # whose it is and what it may be used for
    largest: int  # limit of its size in bytes, generous: files with the state of the optimiser inside still pass
    optional: bool = False  # the pack works without it
    archives: tuple[str, ...] = ()  # other names: archives that hold the file

    @property
    def becomes(self) -> tuple[str, ...]:
        """Keys of the pack's networks that surely come from this file."""
        return tuple(part.key for part in self.parts if not part.optional)


@dataclass(frozen=True)
class PublishedPack:
    """A pack that is made of published files when it is downloaded."""

    name: str
    title: str
    resolution: int  # pixels a side
    licence: str
    origin: str
    files: tuple[PublishedFile, ...]  # a file that needs another one's networks comes after it
    recipes: Recipes = Recipes()  # what its authors' programs do around the networks, and what is better

    def licence_text(self) -> str:
        """Return what to show before the download: each file, whose it is and what it may be used for."""
        lines = [f"{self.title}: {self.licence}. {self.origin}", "By downloading it you accept the terms of its files:"]
        lines += [f"- {file.name}{' (optional)' if file.optional else ''}: {file.licence}" for file in self.files]
        return "\n".join([*lines, "Use it only with pictures of people who agreed to it."])


RESEARCH = "for non-commercial research"
NO_LICENCE = "no licence stated by its authors; published with a paper, use it for research only"

RANGES = json.loads(Path(__file__).with_name("parameter_ranges.json").read_text(encoding="utf-8"))
ANGLES = (40.0, 20.0, 20.0)  # degrees of yaw, pitch and roll that make a whole shift
SHIFT_SCALE = 6.0  # what the published matrix calls a whole shift
JAW_SCALE = 12.0  # which the program does not take from the file, other than those of the expressions
PUBLISHED_SIGNS = (-1.0, -1.0, 1.0)  # yaw > 0 to the left of the picture, pitch > 0 down


def direction_scale(pack: str, scale: float = SHIFT_SCALE) -> DirectionScale:
    """What a matrix with this shift scale, for the generator of a pack, calls a change of DECA's parameters."""
    lengths = [high - low for low, high in RANGES[pack][3 : len(DECA_DIRECTIONS)]]  # of the jaw and the expressions
    expressions = [2 * scale / length for length in lengths[1:]]
    factors = (*(scale / angle for angle in ANGLES), JAW_SCALE / lengths[0], *expressions)
    return DirectionScale(factors=factors, signs=PUBLISHED_SIGNS)


# StyleMask and Finding Directions draw every code at 0.7 of its distance from the mean face, always.
TRUNCATED = Drawing(truncation=0.7)
WHITE = 2 / 2.00001  # of DECA's input: the programs take no chances with a division by zero

DECA = PublishedFile(
    name="deca_model.tar",  # written by torch.save in spite of its name
    drive_id="1BHVJAEXscaXMj_p2rOsHYF_vaRRRHQbA",
    parts=(Part("deca", "DecaEncoder", section="E_flame", lenient=True),),
    licence=f"DECA, Max Planck Society, {RESEARCH} (deca.is.tue.mpg.de)",
    largest=2 * GIGABYTE,
    archives=("data.tar.gz", "data.tar", "data.zip"),
)
IDENTITY = PublishedFile(
    name="model_ir_se50.pth",
    drive_id="1s5pWag4AwqQyhue6HH-M_f2WDV4IVZEl",
    parts=(Part("identity", "ArcFace", lenient=True),),
    licence=f"IR-SE-50 face recognition by TreB1eN, MIT; trained on pictures that are {RESEARCH}",
    largest=500 * MEGABYTE,
    optional=True,
)

SIZES = (64, 128, 256, 512, 1024)  # pixels a side of pictures that packs in the published layout can have


def ffhq(size: int = 1024) -> PublishedPack:
    """The pack of StyleMask, and of Pose and Expression Transfer; published at 1024 px, other sizes are for stand-ins."""
    generator, latents = {"size": size, "channel_multiplier": 2}, latents_of(size)
    styles = {"style_sizes": style_sizes_of(size, 2)}
    return PublishedPack(
        name="ffhq",
        title="FFHQ 1024 (photo-real)",
        resolution=size,
        licence="research only",
        origin="The weights of StyleMask (Bounareli et al. 2023), with those of Pose and Expression Transfer "
        "(Jahoda and Cech 2024).",
        files=(
            PublishedFile(
                name="stylegan2-ffhq-config-f_1024.pt",
                drive_id="1I01HVu9UUyzAV7rNNnbzyFqPF0msebD7",
                parts=(Part("generator", "Generator", generator, section="g_ema"),),
                licence="StyleGAN2, NVIDIA Source Code License-NC; trained on FFHQ, CC BY-NC-SA 4.0",
                largest=2 * GIGABYTE,
            ),
            PublishedFile(
                name="e4e_ffhq_encode_1024.pt",
                drive_id="1DexTMA3QMRNwQ3Xhdojki8UAYuY3g0uu",
                parts=(
                    Part("encoder", "Encoder4Editing", {"resolution": size}, section="state_dict", prefix="encoder."),
                    Part("average", "LatentAverage", {"num_latents": latents}, section="latent_avg", optional=True),
                ),
                licence="Encoder4Editing (Tov et al. 2021), MIT; trained on FFHQ, CC BY-NC-SA 4.0",
                largest=4 * GIGABYTE,
            ),
            PublishedFile(
                name="mask_network_1024.pt",
                drive_id="1_V_MnFB8rh5qrQ3zJk00fKXb81uHjIU8",
                parts=(Part("masks", "MaskPredictors", styles, section="mask_net"),),
                licence=f"StyleMask (Bounareli et al. 2023), {NO_LICENCE}",
                largest=500 * MEGABYTE,
            ),
            DECA,
            IDENTITY,
            PublishedFile(
                name="restyle_psp_ffhq_encode.pt",
                drive_id="1sw6I2lRIB0MpuJkpc8F5BJiSZrc0hjfE",
                parts=(
                    Part("restyle", "ReStyleEncoder", {"num_latents": latents}, "state_dict", "encoder.", lenient=True),
                    Part("restyle_average", "LatentAverage", {"num_latents": latents}, section="latent_avg"),
                    Part("restyle_decoder", "Generator", generator, "state_dict", "decoder.", same_as="generator"),
                ),
                licence="ReStyle (Alaluf et al. 2021), MIT; trained on FFHQ, CC BY-NC-SA 4.0",
                largest=4 * GIGABYTE,
                optional=True,
            ),
            PublishedFile(
                name="best_model.pt",
                drive_id="11q5_a0NAceAeQ7-WyH8hjIROcYwlTAax",
                parts=(
                    Part("motion_encoder", "MotionEncoder", {"num_latents": latents}, "state_dict", "encoder."),
                    Part("motion_mapping", "MotionMapping", section="state_dict", prefix="mapping_net."),
                    Part("motion_decoder", "Generator", generator, "state_dict", "decoder.", same_as="generator"),
                ),
                licence="Pose and Expression Transfer (Jahoda and Cech 2024), GPL-2; trained on FFHQ, CC BY-NC-SA 4.0",
                largest=6 * GIGABYTE,
                optional=True,
            ),
        ),
        recipes=Recipes(
            published=Recipe(
                views={
                    "encoder": View(FfhqCrop(plain=True), 256),
                    "motion": View(FfhqCrop(blur=0.02, finer=4, whole=True, plain=True), 1024),
                },
                average=True,
                parameters=ParameterReading("deca", white=WHITE),
                directions=direction_scale("ffhq"),
                identity="restyle",
                drawing=TRUNCATED,
                methods={"motion": Drawing(decoder="motion_decoder", noise="random", rounding="down", people=1.0)},
            ),
            # One crop serves all networks, people keep their likeness, and the same face always gives the same picture.
            default=Recipe(
                beyond="drawn",
                average=True,
                parameters=ParameterReading("deca", white=WHITE),
                directions=direction_scale("ffhq"),
                identity="restyle",
                methods={"motion": Drawing(decoder="motion_decoder")},
            ),
        ),
    )


def voxceleb(size: int = 256) -> PublishedPack:
    """The pack of Finding Directions; published at 256 px, other sizes are for stand-ins."""
    generator = {"size": size, "channel_multiplier": 1}
    return PublishedPack(
        name="voxceleb",
        title="VoxCeleb 256 (people in videos)",
        resolution=size,
        licence="research only",
        origin="The weights of Finding Directions in GAN's Latent Space (Bounareli et al. 2022).",
        files=(
            PublishedFile(
                name="stylegan-voxceleb.pt",
                drive_id="1cBwIFwq6cYIA5iR8tEvj6BIL7Ji7azIH",
                parts=(Part("generator", "Generator", generator, "g_ema", lenient=True),),
                licence=f"Finding Directions (Bounareli et al. 2022), {NO_LICENCE}",
                largest=2 * GIGABYTE,
            ),
            PublishedFile(
                name="e4e-voxceleb.pt",
                drive_id="1TRATaREBi4VCMITUZV0ZO2XFU3YZKGlQ",
                parts=(Part("encoder", "Encoder4Editing", {"resolution": size}, section="e"),),
                licence=f"Finding Directions (Bounareli et al. 2022), {NO_LICENCE}",
                largest=4 * GIGABYTE,
            ),
            PublishedFile(
                name="A_matrix.pt",
                drive_id="11aNalhBnPREFQT9i9wmQE0-fkQac4SzQ",
                parts=(Part("directions", "DirectionMatrix", {"num_directions": 15, "num_layers": 8}, section="A_matrix"),),
                licence=f"Finding Directions (Bounareli et al. 2022), {NO_LICENCE}",
                largest=50 * MEGABYTE,
            ),
            DECA,
            IDENTITY,
        ),
        # Encoder, matrix and generator were trained together under truncation: there it stays.
        recipes=Recipes(
            published=Recipe(
                crop=BoxCrop(),
                search_again=True,
                parameters=ParameterReading("deca", landmarks="finder", white=WHITE),
                directions=direction_scale("voxceleb"),
                constant="always",
                drawing=TRUNCATED,
            ),
            default=Recipe(
                crop=BoxCrop(),
                beyond="drawn",
                parameters=ParameterReading("deca", landmarks="finder", white=WHITE),
                directions=direction_scale("voxceleb"),
                constant="followed",
                drawing=TRUNCATED,
            ),
        ),
    )


def latents_of(size: int) -> int:
    """Codes in the W+ of a generator: two for each resolution but the first and the last, which share."""
    return 2 * int(math.log2(size)) - 2


def style_sizes_of(size: int, multiplier: int) -> list[int]:
    """Channels of the style codes of the 3x3 convolutions of a published generator."""
    widths = list(channels_for(size, multiplier).values())
    return [widths[0], *(width for pair in pairwise(widths) for width in pair)]


MAKERS: dict[str, Callable[[int], PublishedPack]] = {"ffhq": ffhq, "voxceleb": voxceleb}  # of packs for pictures of a size
PUBLISHED: dict[str, PublishedPack] = {pack.name: pack for pack in (ffhq(), voxceleb())}
