"""A published pack of small files, put in the place of the real one; also run as a program that downloads it."""

import io
import sys

import torch

from stylemask_demo.networks import DirectionMatrix, MaskPredictors
from stylemask_demo.packs import catalogue
from stylemask_demo.packs.catalogue import Part, PublishedFile, PublishedPack

MATRIX = PublishedFile(
    name="matrix.pt",
    drive_id="id-of-the-matrix",
    parts=(Part("directions", "DirectionMatrix", {"num_directions": 15, "num_layers": 8}, section="A_matrix"),),
    licence="for tests",
    largest=500_000,
)
MASKS = PublishedFile(
    name="masks.pt",
    drive_id="id-of-the-masks",
    parts=(Part("masks", "MaskPredictors", {"style_sizes": [32, 16]}, section="mask_net"),),
    licence="for tests",
    largest=100_000,
    archives=("data.tar.gz", "data.zip"),
)
AVERAGE = PublishedFile(
    name="average.pt",
    drive_id="id-of-the-average",
    parts=(Part("average", "LatentAverage", {"num_latents": 2}, section="latent_avg"),),
    licence="for tests",
    largest=100_000,
    optional=True,
)
PACK = PublishedPack(
    name="voxceleb",
    title="Small",
    resolution=256,
    licence="for tests",
    origin="Made by a test.",
    files=(AVERAGE, MATRIX, MASKS),
    recipes=catalogue.PUBLISHED["voxceleb"].recipes,
)


def checkpoints() -> dict[str, dict]:
    """The content of each file."""
    torch.manual_seed(0)
    return {
        "matrix.pt": {"A_matrix": DirectionMatrix().state_dict(), "shift_scale": 3},
        "masks.pt": {"mask_net": MaskPredictors([32, 16]).state_dict(), "num_layers_control": 2},
        "average.pt": {"latent_avg": torch.randn(2, 512)},
    }


def saved(checkpoint: object) -> bytes:
    """The bytes that torch.save makes of a checkpoint."""
    buffer = io.BytesIO()
    torch.save(checkpoint, buffer)
    return buffer.getvalue()


if __name__ == "__main__":
    catalogue.PUBLISHED[PACK.name] = PACK
    from stylemask_demo import cli

    sys.exit(cli.main(["packs", "download", PACK.name, *sys.argv[1:]]))
