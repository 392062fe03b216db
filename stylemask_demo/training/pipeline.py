"""Knows which trained networks each task starts from, and what the pack is made of."""

from pathlib import Path

import torch
from accelerate import Accelerator
from torch import nn

from stylemask_demo import Reenactor
from stylemask_demo.faces.parameters import DIRECTIONS
from stylemask_demo.networks.compact_motion_encoder import CompactMotionEncoder
from stylemask_demo.networks.detail import DetailNetwork
from stylemask_demo.networks.direction_matrix import DirectionMatrix
from stylemask_demo.networks.identity_network import IdentityNetwork
from stylemask_demo.networks.mask_predictors import MaskPredictors
from stylemask_demo.networks.motion_mapping import MotionMapping
from stylemask_demo.networks.parameter_extractor import ParameterExtractor
from stylemask_demo.networks.portrait_encoder import PortraitEncoder
from stylemask_demo.networks.stylegan2 import Generator
from stylemask_demo.packs.store import describe_pack, save_network
from stylemask_demo.training.autoencoder import GENERATOR, autoencoder_task
from stylemask_demo.training.data import Faces, find_shards, load_faces
from stylemask_demo.training.details import Pairs, details_task, make_pairs
from stylemask_demo.training.directions import LAYERS, calibrate, directions_task
from stylemask_demo.training.extractor import extractor_task
from stylemask_demo.training.factors import factors_task
from stylemask_demo.training.identity import identity_task
from stylemask_demo.training.loop import Task, load_averages, run
from stylemask_demo.training.mapping import fit_mapping
from stylemask_demo.training.masks import CONTROLLED, masks_task
from stylemask_demo.training.model_card import write_card
from stylemask_demo.training.motion import motion_task
from stylemask_demo.training.presets import Preset
from stylemask_demo.training.sample_bank import Bank, EmbeddedTeachers, make_bank


class TrainingPipeline:
    """One training run: pictures in `data`, checkpoints in `folder`."""

    def __init__(self, data: Path, folder: Path, preset: Preset, accelerator: Accelerator) -> None:
        self.data, self.folder, self.preset, self.accelerator = data, folder, preset, accelerator

    def train(self, network: str, steps: int | None = None) -> None:
        """Trains one network as long as the preset says, or for `steps`; goes on where it was stopped.

        Raises FileNotFoundError when the pictures, or the networks that it starts from, are not there.
        """
        plan = self.preset.plans[network]
        torch.manual_seed(0)
        task: Task = getattr(self, f"_{network}")(steps or plan.steps, plan.batch)
        if steps is None:
            task.seconds = plan.minutes * 60
        run(task, self.folder, self.accelerator)

    def write(self, pack: Path) -> None:
        """Saves the averaged weights of all tasks as a pack, with its model card. Raises FileNotFoundError as `train`."""
        teachers = self._teachers()
        bank = self._bank(teachers)
        if not self.accelerator.is_main_process:
            return
        self._save(pack, teachers, bank)
        network = DetailNetwork()
        self._load("details", network=network)
        save_network(pack, "details", network, {})
        write_card(pack, self.folder, self.data, self.accelerator.device)

    def check_data(self) -> None:
        """Raises FileNotFoundError unless all pictures are there that `train` asks for, sooner or later."""
        for pattern in ("train-*", "validation", "scene-*"):
            find_shards(self.data, pattern)

    def _save(self, pack: Path, teachers: EmbeddedTeachers, bank: Bank) -> None:
        """Saves all networks but the details as a pack. Waits for no other process, so that one may do it alone."""
        generator = teachers.generator
        masks, matrix = self._new_masks(generator), self._new_matrix(generator)
        motion, mapping = CompactMotionEncoder(), MotionMapping(num_latents=1)
        self._load("masks", masks=masks)
        self._load("directions", directions=matrix)
        self._load("motion", motion=motion, mapping=mapping)
        calibrate(teachers, bank, matrix)
        save_network(pack, "generator", generator, GENERATOR)
        save_network(pack, "encoder", teachers.encoder, {"num_latents": generator.num_latents})
        save_network(pack, "extractor", teachers.extractor, {})
        save_network(pack, "identity", teachers.identity, {})
        save_network(pack, "masks", masks, {"style_sizes": masks.style_sizes})
        save_network(pack, "directions", matrix, {"num_directions": len(DIRECTIONS), "num_layers": LAYERS})
        save_network(pack, "motion_encoder", motion, {"num_latents": 1})
        save_network(pack, "motion_mapping", mapping, {"num_latents": 1})
        describe_pack(
            pack,
            name="synthetic",
            title="Rendered people, 256 px (embedded)",
            resolution=generator.size,
            licence="MIT",
            origin="Trained by this project's own code on rendered people; no photograph was used.",
        )

    def _faces(self, pattern: str, *sides: int) -> Faces:
        with self.accelerator.local_main_process_first():  # one process decodes, the others find the cache
            return load_faces(self.data, pattern, self.folder / "cache", sides)

    def _pictures(self, *sides: int) -> tuple[Faces, Faces]:
        return self._faces("train-*", *sides), self._faces("validation", *sides)

    def _extractor(self, steps: int, batch: int) -> Task:
        return extractor_task(*self._pictures(128), steps, batch)

    def _identity(self, steps: int, people: int) -> Task:
        return identity_task(*self._pictures(128), self._finished_extractor(), steps, people)

    def _autoencoder(self, steps: int, batch: int) -> Task:
        teachers = self._finished_extractor(), self._finished_identity()
        return autoencoder_task(*self._pictures(128), *teachers, steps, batch)

    def _factors(self, steps: int, people: int) -> Task:
        generator, encoder = self._started("autoencoder")
        teachers = self._finished_extractor(), self._finished_identity()
        faces, validation = self._pictures(128, 256)
        scenes = self._faces("scene-*", 128, 256)
        return factors_task(faces, scenes, validation, generator, encoder, *teachers, steps, people)

    def _directions(self, steps: int, batch: int) -> Task:
        teachers = self._teachers()
        return directions_task(teachers, self._bank(teachers), steps, batch)

    def _masks(self, steps: int, batch: int) -> Task:
        teachers = self._teachers()
        return masks_task(teachers, self._bank(teachers), steps, batch)

    def _motion(self, steps: int, pairs: int) -> Task:
        return motion_task(self._teachers(), self._faces("train-*", 128), steps, pairs)

    def _details(self, steps: int, batch: int) -> Task:
        faces = self._faces("scene-*", self._new_generator().size)
        teachers = self._finished_extractor(), self._finished_identity()
        return details_task(self._pairs(faces), faces, *teachers, steps, batch)

    def _pairs(self, faces: Faces) -> Pairs:
        """Reenactments by the pack as it is without details, made once; every process makes a share of them."""
        kept, partial, pack = self.folder / "pairs", self.folder / "pairs.partial", self.folder / "pack"
        teachers, alone = self._teachers(), self.accelerator.is_main_process
        bank = self._bank(teachers)
        if not kept.exists():
            if alone:
                self._save(pack, teachers, bank)
                people = len(faces.rows_by_person())
                Pairs.create(partial, people * max(1, round(self.preset.pairs / people)), teachers.generator.size)
            self.accelerator.wait_for_everyone()
            share, shares = self.accelerator.process_index, self.accelerator.num_processes
            with torch.device("cpu"):  # the pipeline places what it makes by itself
                reenactor = Reenactor.from_pack(pack, self.accelerator.device.type)
                make_pairs(reenactor, teachers.encoder, faces, Pairs.open(partial, writing=True), share, shares)
            self.accelerator.wait_for_everyone()
            if alone:
                partial.rename(kept)
            self.accelerator.wait_for_everyone()
        return Pairs.open(kept)

    def _teachers(self) -> EmbeddedTeachers:
        return EmbeddedTeachers(*self._mapped(), self._finished_extractor(), self._finished_identity())

    def _bank(self, teachers: EmbeddedTeachers) -> Bank:
        path = self.folder / "bank.pt"
        with self.accelerator.local_main_process_first():
            if not path.exists():
                torch.save(make_bank(teachers, self._faces("train-*", 128), self.preset.bank).state(), path)
        return Bank.from_state(torch.load(path, weights_only=True, map_location=torch.get_default_device()))

    def _mapped(self) -> tuple[Generator, PortraitEncoder]:
        """Generator and encoder with the mapping from z, which is computed when the factors are finished."""
        path = self.folder / "mapped.pt"
        generator, encoder = self._new_generator(), self._new_encoder()
        with self.accelerator.local_main_process_first():
            if not path.exists():
                self._load("factors", generator=generator, encoder=encoder)
                fit_mapping(generator, encoder.eval(), self._faces("train-*", 128))
                torch.save({"generator": generator.state_dict(), "encoder": encoder.state_dict()}, path)
        state = torch.load(path, weights_only=True, map_location=torch.get_default_device())
        generator.load_state_dict(state["generator"])
        encoder.load_state_dict(state["encoder"])
        return generator.eval(), encoder.eval()

    def _started(self, task: str) -> tuple[Generator, PortraitEncoder]:
        generator, encoder = self._new_generator(), self._new_encoder()
        self._load(task, generator=generator, encoder=encoder)
        return generator, encoder

    def _new_generator(self) -> Generator:
        return Generator(**GENERATOR)

    def _new_encoder(self) -> PortraitEncoder:
        return PortraitEncoder(self._new_generator().num_latents)

    def _new_masks(self, generator: Generator) -> MaskPredictors:
        return MaskPredictors(generator.style_sizes[:CONTROLLED])

    def _new_matrix(self, generator: Generator) -> DirectionMatrix:
        return DirectionMatrix(len(DIRECTIONS), LAYERS, generator.style_dim)

    def _finished_extractor(self) -> ParameterExtractor:
        extractor = ParameterExtractor()
        self._load("extractor", extractor=extractor)
        return extractor

    def _finished_identity(self) -> IdentityNetwork:
        identity = IdentityNetwork()
        self._load("identity", identity=identity)
        return identity

    def _load(self, task: str, **modules: nn.Module) -> None:
        """Loads the averaged weights of a task into the modules, for use."""
        load_averages(self.folder, task, **modules)
        for module in modules.values():
            module.eval()
