"""What can be done with portraits: the calls that the page, the command line and programs use."""

from collections.abc import Generator, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast, overload

import numpy as np
import torch
from PIL.Image import Image

from stylemask_demo.batching import as_list
from stylemask_demo.calibration import Calibrator, PackCalibration
from stylemask_demo.driving.options import Crop, Driving, Layout, More, Motion  # noqa: F401
from stylemask_demo.editing.sliders import Sliders, sliders_of  # noqa: F401  the page asks here
from stylemask_demo.editing.table import ANGLES, PRESETS, SLIDERS, SliderValues  # noqa: F401
from stylemask_demo.faces.detect import create_face_finder
from stylemask_demo.faces.finding import Face
from stylemask_demo.faces.regions import Region
from stylemask_demo.film import driven
from stylemask_demo.generator.tuning import STEPS, Progress
from stylemask_demo.media.pictures import open_image
from stylemask_demo.methods import check_method, methods_of
from stylemask_demo.packs import PackInfo
from stylemask_demo.packs.networks import PackNetworks
from stylemask_demo.pipeline import Following, Leader, Pipeline, Several, Size, Subject, Subjects
from stylemask_demo.portraits.builder import Which
from stylemask_demo.portraits.portrait import Portrait

if TYPE_CHECKING:
    from typing_extensions import Unpack


class Reenactor:
    """Turns portraits: the source's identity with the target's head pose and expression, or edits of one's own.

    Pictures go in and out as PIL images; most methods also take a list of any length, and then return a list. An instance
    may serve many visitors at once: nothing about them is kept but bounded caches, which forget within the hour.
    """

    def __init__(self, pipeline: Pipeline, size: Size = None):
        self.pipeline, self.size, self.device = pipeline, size, pipeline.networks.device
        self.face_finder: str = pipeline.finder.name  # name of the face finder in use

    @classmethod
    def from_pack(
        cls, name: str | Path = "synthetic", device: str = "auto", compatibility: bool = False, size: Size = None
    ) -> "Reenactor":
        """Loads a pack by name or folder onto "cpu", "cuda" or, by "auto", the best there is.

        With `compatibility` pictures are made as the published programs make them: photos are truncated towards the mean
        face too, which costs likeness, and the direction matrix adds its constant term. With a `size` in pixels larger than
        the pack's, results are as large as the photo shows the face, at most that. Raises PackMissing or PackCorrupt.
        """
        if device == "auto":
            device = "cuda" if torch.cuda.is_available() else "cpu"
        return cls(Pipeline(PackNetworks.load(name, torch.device(device)), create_face_finder(device), compatibility), size)

    @property
    def info(self) -> PackInfo:
        """What is known of the pack."""
        return self.pipeline.networks.info

    @property
    def resolution(self) -> int:
        """Side of the pictures in pixels."""
        return self.pipeline.networks.generator.size

    @property
    def methods(self) -> tuple[str, ...]:
        """Names of the reenactment methods that this pack can do."""
        return methods_of(self.info)

    def check(self, method: str) -> None:
        """Raise UnknownMethod, which says what there is, when the pack cannot do a method."""
        check_method(self.info, method)

    @staticmethod
    def methods_of(info: PackInfo) -> tuple[str, ...]:
        """Names of the reenactment methods that a pack can do, whether it is loaded or not."""
        return methods_of(info)

    @staticmethod
    def calibration_of(info: PackInfo) -> PackCalibration:
        """How the calibration of a pack stands, whether it is loaded or not."""
        return PackCalibration(info)

    @property
    def sliders(self) -> Sliders:
        """What the pack can do by `edit`: `names`, and the values that lead `towards` another expression."""
        return self.pipeline.sliders

    @property
    def calibrator(self) -> Calibrator:
        """The calibration of the pack, whole or in pieces; `renew` takes up what comes of it."""
        return Calibrator(self.info, self.pipeline.networks.generator, self.pipeline.reader)

    def renew(self) -> None:
        """Takes up what was added to the pack's folder since it was loaded, such as directions from a calibration."""
        self.pipeline.networks.renew()

    def faces(self, image: Image) -> list[Face]:
        """The faces of a picture, or of the first of an animation that shows any, clearest first; none gives an empty list.

        Boxes and landmarks are in its pixels. Raises UnreadableMedia for a picture outside of the limits.
        """
        return self.pipeline.portraits.faces(open_image(image))

    @overload
    def portrait(self, image: Image, face: Which = None) -> Portrait: ...
    @overload
    def portrait(self, image: Sequence[Image], face: Which = None) -> list[Portrait]: ...
    def portrait(self, image: Image | Sequence[Image], face: Which = None) -> Portrait | list[Portrait]:
        """Aligns, inverts and measures a face of a picture, or of each picture of a list.

        `face` is its number in `faces`, or a point (x, y) of the picture near it; without one the clearest is taken. Raises
        UnreadableMedia for a picture outside of the limits and NoFaceFound where there is no such face.
        """
        made = self.pipeline.portraits.of_photos(as_list(image), face)
        return made if isinstance(image, Sequence) else made[0]

    @overload
    def reenact(self, source: Subject, target: Subject, method: str = ..., **how: "Unpack[Following]") -> Image: ...
    @overload
    def reenact(self, source: Several, target: Subjects, method: str = ..., **how: "Unpack[Following]") -> list[Image]: ...
    @overload
    def reenact(self, source: Subject, target: Several, method: str = ..., **how: "Unpack[Following]") -> list[Image]: ...
    def reenact(
        self,
        source: Subjects,
        target: Subjects,
        method: str = "stylemask",
        strength: float = 1.0,
        size: Size = None,
        region: Region = "all",
    ) -> Image | list[Image]:
        """The source person with the head pose and expression of the target.

        `strength` goes from 0 (the source as it is) to 1; `size` is that of `from_pack`, for this call; `region` is what
        follows: "all", "pose", "expression", "lips" or "eyes", which the pack adds to the source in one way, whatever the
        method. Where the head stays, the photo stays around the face. Lists are paired; a single picture goes with every
        one of a list. Raises UnknownMethod and UnknownRegion, which are ValueErrors, ValueError for lists of different
        lengths, and what `portrait` raises.
        """
        made = self.pipeline.reenacted(as_list(source), as_list(target), method, strength, size or self.size, region)
        return made if isinstance(source, Sequence) or isinstance(target, Sequence) else made[0]

    @overload
    def edit(self, source: Subject, size: Size = ..., **values: "Unpack[SliderValues]") -> Image: ...
    @overload
    def edit(self, source: Several, size: Size = ..., **values: "Unpack[SliderValues]") -> list[Image]: ...
    def edit(self, source: Subjects, size: Size = None, **values: "Unpack[SliderValues]") -> Image | list[Image]:
        """The source turned by `yaw` and `pitch` degrees, its `smile` changed, and more, relative to what it is.

        The values are those of `SliderValues`: yaw > 0 turns the face to the right of the picture, pitch > 0 looks up;
        `size` is that of `from_pack`, for this call. The embedded pack keeps expressions within what faces can do. Raises
        UnknownSlider for what the pack cannot move, UnknownMethod for a pack that has no directions, and what `portrait`
        raises.
        """
        made = self.pipeline.edited(as_list(source), cast(dict[str, float], values), size or self.size)
        return made if isinstance(source, Sequence) else made[0]

    @overload
    def sample(self, seed: int, like: Leader = None, method: str = ..., truncation: float | None = ...) -> Image: ...
    @overload
    def sample(
        self, seed: Sequence[int], like: Leader = None, method: str = ..., truncation: float | None = ...
    ) -> list[Image]: ...
    def sample(
        self, seed: int | Sequence[int], like: Leader = None, method: str = "stylemask", truncation: float | None = None
    ) -> Image | list[Image]:
        """A random person; the same seed gives the same person.

        With `like` the person takes head pose and expression by `method` from that face, or from the random person of that
        seed. `truncation` goes from 0 (the mean face) to 1 (as odd as they come); without, it is the pack's. Raises
        ValueError for a negative seed, UnknownMethod, and what `portrait` raises.
        """
        made = self.pipeline.sampled(as_list(seed), like, method, truncation)
        return made if isinstance(seed, Sequence) else made[0]

    def drive(
        self,
        source: Subject | Iterable[Image],
        frames: Iterable[Image],
        method: str = "stylemask",
        strength: float = 1.0,
        region: Region = "all",
        face: Which = None,
        **more: "Unpack[More]",
    ) -> Generator[Image, None, None]:
        """The source with the head pose and expression of each frame of a video (RGB), as they come, smoothed over time.

        Followed is the `face`, as in `portrait`, of the first frame that shows one, known by looks from then on; without it
        the last result is repeated. The source may be a video too. `More` is told by `Driving`, strengths up to 1.5 too.
        Raises what `reenact` raises, WrongSetting, and NoFaceFound after a video without any face.
        """
        return driven(self.pipeline, source, frames, Driving(method, strength, region, face, **more), self.size)

    def tune(self, face: Subject, steps: int = STEPS, progress: Progress | None = None) -> Portrait:
        """Bends a copy of the generator towards one face, so that all that is made of it looks more like the person.

        Returns a portrait that carries the changes as `tuning`; others' generator stays as it is. `progress` is called with
        steps done, all steps and the loss, and may raise `errors.Cancelled` to stop. Raises what `portrait` raises.
        """
        return self.pipeline.tuned(face, steps, progress)

    def into_photo(self, portrait: Portrait, result: Image) -> Image:
        """The portrait's photo with a `result` made from it in the face's place. Raises ValueError for another size."""
        return self.pipeline.results.into_photo(portrait, result)

    @overload
    def identity(self, picture: Subject) -> np.ndarray: ...
    @overload
    def identity(self, picture: Several) -> list[np.ndarray]: ...
    def identity(self, picture: Subjects) -> np.ndarray | list[np.ndarray]:
        """Unit vector (256,) that points the same way for pictures of one person; (512,) where a pack brings ArcFace.

        Raises what `portrait` raises.
        """
        made = self.pipeline.identities(as_list(picture))
        return made if isinstance(picture, Sequence) else made[0]
