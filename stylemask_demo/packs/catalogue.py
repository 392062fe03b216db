"""The published weights: which files there are, where they lie, what they may be used for, and what they become."""

from dataclasses import dataclass, field
from typing import Any

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
        """Keys of the pack's networks that come from this file."""
        return tuple(part.key for part in self.parts)


@dataclass(frozen=True)
class PublishedPack:
    """A pack that is made of published files when it is downloaded."""

    name: str
    title: str
    resolution: int  # pixels a side
    licence: str
    origin: str
    files: tuple[PublishedFile, ...]  # a file that needs another one's networks comes after it

    def licence_text(self) -> str:
        """Return what to show before the download: each file, whose it is and what it may be used for."""
        lines = [f"{self.title}: {self.licence}. {self.origin}", "By downloading it you accept the terms of its files:"]
        lines += [f"- {file.name}{' (optional)' if file.optional else ''}: {file.licence}" for file in self.files]
        return "\n".join([*lines, "Use it only with pictures of people who agreed to it."])


RESEARCH = "for non-commercial research"
NO_LICENCE = f"published without a licence of its own, {RESEARCH}"

# The codes of the first twelve 3x3 convolutions of the 1024 px generator.
MASKED_STYLES = [512] * 10 + [256] * 2

DECA = PublishedFile(
    name="deca_model.tar",  # written by torch.save in spite of its name
    drive_id="1BHVJAEXscaXMj_p2rOsHYF_vaRRRHQbA",
    parts=(Part("deca", "DecaEncoder", section="E_flame"),),
    licence=f"DECA, Max Planck Society, {RESEARCH} (deca.is.tue.mpg.de)",
    largest=2 * GIGABYTE,
    archives=("data.tar.gz", "data.tar", "data.zip"),
)
IDENTITY = PublishedFile(
    name="model_ir_se50.pth",
    drive_id="1s5pWag4AwqQyhue6HH-M_f2WDV4IVZEl",
    parts=(Part("identity", "ArcFace"),),
    licence=f"IR-SE-50 face recognition by TreB1eN, MIT; trained on pictures that are {RESEARCH}",
    largest=500 * MEGABYTE,
    optional=True,
)

FFHQ = PublishedPack(
    name="ffhq",
    title="FFHQ 1024 (photo-real)",
    resolution=1024,
    licence="research only",
    origin="The weights of StyleMask (Bounareli et al. 2023), with those of Pose and Expression Transfer "
    "(Jahoda and Cech 2024).",
    files=(
        PublishedFile(
            name="stylegan2-ffhq-config-f_1024.pt",
            drive_id="1I01HVu9UUyzAV7rNNnbzyFqPF0msebD7",
            parts=(Part("generator", "Generator", {"size": 1024, "channel_multiplier": 2}, section="g_ema"),),
            licence="StyleGAN2, NVIDIA Source Code License-NC; trained on FFHQ, CC BY-NC-SA 4.0",
            largest=2 * GIGABYTE,
        ),
        PublishedFile(
            name="e4e_ffhq_encode_1024.pt",
            drive_id="1DexTMA3QMRNwQ3Xhdojki8UAYuY3g0uu",
            parts=(
                Part("encoder", "Encoder4Editing", {"resolution": 1024}, section="state_dict", prefix="encoder."),
                Part("average", "LatentAverage", {"num_latents": 18}, section="latent_avg"),
            ),
            licence="Encoder4Editing (Tov et al. 2021), MIT; trained on FFHQ, CC BY-NC-SA 4.0",
            largest=4 * GIGABYTE,
        ),
        PublishedFile(
            name="mask_network_1024.pt",
            drive_id="1_V_MnFB8rh5qrQ3zJk00fKXb81uHjIU8",
            parts=(Part("masks", "MaskPredictors", {"style_sizes": MASKED_STYLES}, section="mask_net"),),
            licence=f"StyleMask (Bounareli et al. 2023), {NO_LICENCE}",
            largest=500 * MEGABYTE,
        ),
        DECA,
        IDENTITY,
        PublishedFile(
            name="restyle_psp_ffhq_encode.pt",
            drive_id="1sw6I2lRIB0MpuJkpc8F5BJiSZrc0hjfE",
            parts=(
                Part("restyle", "ReStyleEncoder", {"num_latents": 18}, section="state_dict", prefix="encoder."),
                Part("restyle_average", "LatentAverage", {"num_latents": 18}, section="latent_avg"),
            ),
            licence="ReStyle (Alaluf et al. 2021), MIT; trained on FFHQ, CC BY-NC-SA 4.0",
            largest=4 * GIGABYTE,
            optional=True,
        ),
        PublishedFile(
            name="best_model.pt",
            drive_id="11q5_a0NAceAeQ7-WyH8hjIROcYwlTAax",
            parts=(
                # Its sections are not documented: they are looked for.
                Part("motion_encoder", "MotionEncoder", {"num_latents": 18}),
                Part("motion_mapping", "MotionMapping"),
            ),
            licence=f"Pose and Expression Transfer (Jahoda and Cech 2024), {NO_LICENCE}",
            largest=6 * GIGABYTE,
            optional=True,
        ),
    ),
)

VOXCELEB = PublishedPack(
    name="voxceleb",
    title="VoxCeleb 256 (people in videos)",
    resolution=256,
    licence="research only",
    origin="The weights of Finding Directions in GAN's Latent Space (Bounareli et al. 2022).",
    files=(
        PublishedFile(
            name="stylegan-voxceleb.pt",
            drive_id="1cBwIFwq6cYIA5iR8tEvj6BIL7Ji7azIH",
            parts=(Part("generator", "Generator", {"size": 256, "channel_multiplier": 1}, section="g_ema"),),
            licence=f"Finding Directions (Bounareli et al. 2022), {NO_LICENCE}",
            largest=2 * GIGABYTE,
        ),
        PublishedFile(
            name="e4e-voxceleb.pt",
            drive_id="1TRATaREBi4VCMITUZV0ZO2XFU3YZKGlQ",
            parts=(
                Part("encoder", "Encoder4Editing", {"resolution": 256}, section="e"),
                Part("average", "LatentAverage", {"num_latents": 14}, section="latent_avg"),
            ),
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
)

PUBLISHED: dict[str, PublishedPack] = {pack.name: pack for pack in (FFHQ, VOXCELEB)}
