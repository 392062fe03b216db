"""The command `train`: one network after another, each resumable, and the pack that they make together."""

import argparse
import os
from pathlib import Path

import torch
import torch.distributed as dist
from torch import nn

from stylemask_demo.faces.parameters import DIRECTIONS
from stylemask_demo.networks.compact import IdentityNetwork, LatentEncoder, ParameterExtractor
from stylemask_demo.networks.directions import DirectionMatrix
from stylemask_demo.networks.mask import MaskPredictors
from stylemask_demo.networks.stylegan2 import Generator
from stylemask_demo.packs.store import describe_pack, save_network
from stylemask_demo.training.autoencoder import GENERATOR, autoencoder_task
from stylemask_demo.training.bank import Bank, Teachers, make_bank
from stylemask_demo.training.data import Faces, load_faces
from stylemask_demo.training.directions import LAYERS, calibrate, directions_task
from stylemask_demo.training.extractor import extractor_task
from stylemask_demo.training.identity import identity_task
from stylemask_demo.training.loop import load_averages, run
from stylemask_demo.training.mapping import fit_mapping
from stylemask_demo.training.masks import CONTROLLED, masks_task

# Steps that the shipped weights took, as far as two CPU cores get in two hours; more make them better.
STEPS = {"extractor": 1600, "identity": 270, "autoencoder": 2300, "directions": 300, "masks": 400}
STAGES = {64: 1300, 128: 850, 256: 150}  # the autoencoder's steps at each resolution
BANK = 2048


def main(argv: list[str]) -> int:
    """Trains the networks named on the command line; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m stylemask_demo train",
        description="Trains the embedded pack's networks on labelled pictures of people. "
        "Run again to go on after an interruption; under torchrun several processes share the work.",
    )
    networks = ["extractor", "identity", "autoencoder", "directions", "masks"]
    parser.add_argument(
        "network", choices=[*networks, "pack"], help="what to train, in this order; 'pack' writes the result"
    )
    parser.add_argument(
        "--data", type=Path, required=True, help="folder with train-*.tar/.npz and validation.tar/.npz"
    )
    parser.add_argument(
        "--run", type=Path, default=Path("runs/synthetic"), help="folder of checkpoints and sheets"
    )
    parser.add_argument(
        "--steps", type=int, help="optimiser steps, in place of the usual number"
    )
    parser.add_argument(
        "--pack", type=Path, default=Path("checkpoints/synthetic"), help="folder that 'pack' writes"
    )
    options = parser.parse_args(argv)
    if "WORLD_SIZE" in os.environ:
        dist.init_process_group("gloo")
    try:
        Workshop(options.data, options.run).do(options.network, options.steps, options.pack)
    except FileNotFoundError as error:
        parser.exit(2, f"{error}. Train the networks in order, and give --data and --run the same for all.\n")
    return 0


class Workshop:
    """Knows which trained networks each task starts from."""

    def __init__(self, data: Path, folder: Path):
        self.data, self.folder = data, folder

    def do(self, network: str, steps: int | None, pack: Path) -> None:
        """Trains one network for `steps` (None: as usual), or writes the pack."""
        if network == "pack":
            return self.write(pack)
        torch.manual_seed(0)
        run(getattr(self, f"_{network}")(steps or STEPS[network]), self.folder)

    def write(self, pack: Path) -> None:
        """Saves the averaged weights of all tasks as a pack."""
        teachers = self._teachers()
        generator, encoder = teachers.generator, teachers.encoder
        masks = self._loaded("masks", masks=MaskPredictors(generator.style_sizes[:CONTROLLED]))
        matrix = DirectionMatrix(len(DIRECTIONS), LAYERS, generator.style_dim)
        self._loaded("directions", directions=matrix)
        calibrate(teachers, self._bank(teachers), matrix)
        save_network(pack, "generator", generator, GENERATOR)
        save_network(pack, "encoder", encoder, {"num_latents": generator.num_latents})
        save_network(pack, "extractor", teachers.extractor, {})
        save_network(pack, "identity", teachers.identity, {})
        save_network(pack, "masks", masks, {"style_sizes": masks.style_sizes})
        save_network(pack, "directions", matrix, {"num_directions": len(DIRECTIONS), "num_layers": LAYERS})
        describe_pack(
            pack,
            name="synthetic",
            title="Rendered people, 256 px (embedded)",
            resolution=generator.size,
            licence="MIT",
            origin="Trained by this project's own code on rendered people; no photograph was used.",
        )

    def _faces(self, pattern: str, *sides: int) -> Faces:
        return load_faces(self.data, pattern, self.folder / "cache", sides)

    def _extractor(self, steps: int):
        return extractor_task(self._faces("train-*", 128), self._faces("validation", 128), steps)

    def _identity(self, steps: int):
        faces, validation = self._faces("train-*", 128), self._faces("validation", 128)
        return identity_task(faces, validation, self._finished_extractor(), steps)

    def _autoencoder(self, steps: int):
        stages = {side: max(1, share * steps // sum(STAGES.values())) for side, share in STAGES.items()}
        faces, validation = (self._faces(pattern, 256, 128) for pattern in ("train-*", "validation"))
        return autoencoder_task(faces, validation, self._finished_extractor(), self._finished_identity(), stages)

    def _directions(self, steps: int):
        teachers = self._teachers()
        return directions_task(teachers, self._bank(teachers), steps)

    def _masks(self, steps: int):
        teachers = self._teachers()
        return masks_task(teachers, self._bank(teachers), steps)

    def _teachers(self) -> Teachers:
        return Teachers(*self._mapped(), self._finished_extractor(), self._finished_identity())

    def _bank(self, teachers: Teachers) -> Bank:
        path = self.folder / "bank.pt"
        if not path.exists():
            torch.save(make_bank(teachers, self._faces("train-*", 128), BANK).state(), path)
        return Bank.from_state(torch.load(path, weights_only=True))

    def _mapped(self) -> tuple[Generator, LatentEncoder]:
        """Generator and encoder with the mapping from z, which is computed when the autoencoder is finished."""
        generator = Generator(**GENERATOR)
        encoder = LatentEncoder(generator.num_latents)
        path = self.folder / "mapped.pt"
        if not path.exists():
            self._loaded("autoencoder", generator=generator, encoder=encoder)
            fit_mapping(generator, encoder.eval(), self._faces("train-*", 128))
            torch.save({"generator": generator.state_dict(), "encoder": encoder.state_dict()}, path)
        state = torch.load(path, weights_only=True)
        generator.load_state_dict(state["generator"])
        encoder.load_state_dict(state["encoder"])
        return generator.eval(), encoder.eval()

    def _finished_extractor(self) -> ParameterExtractor:
        return self._loaded("extractor", extractor=ParameterExtractor())

    def _finished_identity(self) -> IdentityNetwork:
        return self._loaded("identity", identity=IdentityNetwork())

    def _loaded(self, task: str, **modules: nn.Module) -> nn.Module:
        """Loads the averaged weights of a task into the modules; returns the first, frozen for use."""
        load_averages(self.folder, task, **modules)
        return next(iter(modules.values())).eval()
