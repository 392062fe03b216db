"""The calibration of a pack: what is done on the device, and what is kept in its folder."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from stylemask_demo import messages
from stylemask_demo.calibration.fitting import SPACES, Calibration, Fitted, Progress, best, calibrate, fit
from stylemask_demo.calibration.measuring import measure, number_of_samples
from stylemask_demo.calibration.trials import trial_pictures
from stylemask_demo.downloads.locking import locked
from stylemask_demo.errors import WrongSetting
from stylemask_demo.networks.stylegan2 import Generator
from stylemask_demo.packs import PackInfo
from stylemask_demo.packs.store import save_network, update_settings
from stylemask_demo.portraits.readers import ParameterReader


@dataclass(frozen=True)
class PackCalibration:
    """How the calibration of a pack stands, and its part that needs neither networks nor an accelerator."""

    info: PackInfo

    @property
    def missing(self) -> bool:
        """Whether the pack could have directions, but came without and has not got any yet."""
        return self.info.installed and "generator" in self.info.networks and "directions" not in self.info.networks

    def alone(self, progress: Progress | None = None) -> AbstractContextManager[None]:
        """Let nobody else calibrate the pack meanwhile; waits for who does so already, and tells `progress`.

        Raises OSError where the pack's folder cannot be written.
        """
        tell = progress or (lambda done, total, what: None)
        return locked(self.info.folder / ".directions.lock", tell, "Waiting for another program that does the same")

    def in_pieces(
        self,
        parts: list[np.ndarray],
        measure: Callable[[int], tuple[int, list[np.ndarray]]],
        fit: Callable[[np.ndarray, str, Callable[[int, int], None]], Fitted],
        progress: Progress,
    ) -> None:
        """Calibrate by pieces of work that are done elsewhere, and keep the directions in the pack's folder.

        `parts` are the values of the people that were measured before; those that follow are added. `measure(first)` gives
        how many people are measured in all and the values of the next ones from number `first` on, `fit(values,
        space, made)` directions, and calls `made` with the pictures made and all of them: see `Calibrator`. `progress` is
        called with what is done, all of it, and what that is.
        """
        done, total = sum(map(len, parts)), -1
        while done != total:
            total, more = measure(done)
            parts += more
            done = sum(map(len, parts))
            progress(done, total, "Measuring random people, number")
        values = np.concatenate(parts)

        def tried(number: int, space: str) -> Fitted:
            def tell(made: int, pictures: int) -> None:
                progress(made + number * pictures, len(SPACES) * pictures, "Trying the sliders, picture")

            return fit(values, space, tell)

        self.keep(best([tried(number, space) for number, space in enumerate(SPACES)], done))

    def keep(self, calibration: Calibration) -> None:
        """Write directions into the pack's folder, in place of earlier ones, with the report as its setting."""
        # The setting first: directions without it pass for the pack's own.
        update_settings(self.info.folder, calibration=calibration.report)
        arguments = calibration.arguments
        save_network(self.info.folder, "directions", calibration.matrix, arguments, dtype=torch.float32)


@dataclass(frozen=True)
class Calibrator:
    """The calibration of a loaded pack, whole or in pieces; `reader` measures the faces, in the units of its directions."""

    info: PackInfo
    generator: Generator
    reader: ParameterReader

    def run(self, samples: int | None = None, progress: Progress | None = None) -> dict[str, Any]:
        """Fit directions for a pack that came without, and keep them in its folder; return how well they do.

        `samples` random people are measured, unless given as many as suit the device. `progress` is called with the
        pictures made, all of them, and what is being done; it may raise `errors.Cancelled` to stop, and nothing is kept
        then. See `calibration.fitting.Calibration.report` for what is returned. Raises WrongSetting for a pack that has
        directions of its own, and ValueError for less than 100 samples.
        """
        if "directions" in self.info.networks and "calibration" not in self.info.settings:
            raise WrongSetting(messages.NOTHING_TO_CALIBRATE)
        pack = PackCalibration(self.info)
        with pack.alone(progress):
            found = calibrate(self.generator, self.reader, samples, progress)
            pack.keep(found)
        return found.report

    def measure(self, first: int = 0) -> tuple[int, Iterator[np.ndarray]]:
        """How many people are measured in all, and where those from number `first` on stand along the directions.

        The iterator gives (B, 15) for the next B people, as it is read.
        """
        samples = number_of_samples(next(self.generator.parameters()).device)
        return samples, measure(self.generator, self.reader, samples, first)

    def fit(self, values: np.ndarray, space: str, progress: Callable[[int, int], None]) -> Fitted:
        """Directions in one of `calibration.fitting.SPACES`, fitted to the values (N, 15) of all people.

        `progress` is called with the pictures made and all that will be; it may raise to stop.
        """
        total = trial_pictures(self.reader)
        return fit(self.generator, self.reader, values, space, lambda count: progress(count, total))
