"""Following the face of a video: where it is in each frame, and what it does, without jitter."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from PIL import Image

from stylemask_demo import messages
from stylemask_demo.driving.options import Crop
from stylemask_demo.driving.person import Person
from stylemask_demo.driving.smoothing import PLACE, OneEuro
from stylemask_demo.errors import NoFaceFound
from stylemask_demo.faces.align import crop_quad
from stylemask_demo.faces.crops import CropRule, FfhqCrop
from stylemask_demo.faces.detect import FaceFinder
from stylemask_demo.faces.extract import locate, locate_near
from stylemask_demo.faces.finding import AGREEMENT, Face, choose_face, find_faces
from stylemask_demo.networks.parameter_extractor import ParameterExtractor
from stylemask_demo.portraits.builder import Which
from stylemask_demo.precision import Precision

USUAL_RATE = 25.0  # frames a second, where nobody tells
PATIENCE = 0.16  # seconds without the face after which it is searched no more often than this, because that takes long
LOOKED_AFTER = 0.2  # seconds after which a face that moves little is known by its looks again
LEAP = 0.1  # sides of the crop that a landmark moves from a frame to the next, from which on the face is known by its looks
NEAR = 0.04  # sides of the crop that a landmark moves, from which on the face is read once more where it is now
LOOK_AROUND = 25  # frames after which the whole frame is searched for others, who are not to be taken for the person
LOOK_SIDE = 256  # pixels of the crop by which faces are told apart


class FaceFollower:
    """Finds one person's face again in every frame of a video.

    Searching a whole frame takes up to seconds, reading a face around its last place a tenth of one. So the face is
    followed by reading, and searched anew when the reading is no face any more, or somebody else's, as is looked at where
    it leaps, and five times a second. `identify` gives unit vectors by which faces are told apart, from aligned crops, and
    `alike` is the cosine from which on they mean one person; faces whose place is known are read in `precision`. `face`
    says whom to follow, as `choose_face` does, in the first frame that shows a face; `rate` is that of the frames. A `crop`
    that "stays" is where it was in the first frame, as long as the face is in it.
    """

    def __init__(
        self,
        finder: FaceFinder,
        extractor: ParameterExtractor,
        identify: Callable[[Sequence[Image.Image]], np.ndarray],
        alike: float,
        precision: Precision,
        face: Which = None,
        rate: float = USUAL_RATE,
        crop: Crop = "follows",
    ):
        self._finder, self._extractor, self._identify, self._precision = finder, extractor, identify, precision
        self._face, self._alike = face, alike
        self._stays = crop == "stays"
        self._place: np.ndarray | None = None  # landmarks where the crop stays
        self._patience, self._looked_after = (
            max(round(seconds * rate), 1) for seconds in (PATIENCE, LOOKED_AFTER)
        )  # frames
        self._person: Person | None = None
        self._last: np.ndarray | None = None  # landmarks as they were read, not smoothed
        self._lost, self._followed_for = 0, 0  # frames since the face was seen, and since others were looked for
        # A finder with landmarks of its own sees them a little differently, by this much in sides of the crop.
        self._difference = np.zeros((68, 2))
        self._filter = OneEuro(PLACE)

    def landmarks(self, frame: Image.Image) -> np.ndarray | None:
        """Landmarks (68, 2) in pixels of the next frame (RGB), or None where the person's face is not seen.

        Raises NoFaceFound where the first frame with faces shows none such as is to be followed.
        """
        read = self._followed(frame)
        if read is None or self._followed_for >= LOOK_AROUND:
            found = self._searched(frame)
            read = read if found is None else found
        if read is None:
            self._lost, self._filter = self._lost + 1, OneEuro(PLACE)
            if self._lost >= self._patience:
                self._last = None  # it may come back anywhere
            return None
        self._last, self._lost, self._followed_for = read, 0, self._followed_for + 1
        quad = crop_quad(read)
        side = float(np.linalg.norm(quad[3] - quad[0]))
        found = read + self._difference @ _axes(quad)
        return self._filter(torch.from_numpy(found / side)).numpy() * side

    def crop(self, frame: Image.Image, rule: CropRule, size: int) -> Image.Image | None:
        """The crop by a rule of the face in the next frame (RGB), `size` pixels a side; None and NoFaceFound as above."""
        landmarks = self.landmarks(frame)
        if self._stays and landmarks is not None:
            self._place = landmarks = landmarks if self._place is None else self._around(landmarks, self._place)
        try:
            return None if landmarks is None else rule.cut(frame, landmarks, size)[0]
        except ValueError:  # it has left the picture
            return None

    @staticmethod
    def _around(landmarks: np.ndarray, place: np.ndarray) -> np.ndarray:
        """The place of a crop that stays; the landmarks themselves where they have left it."""
        quad = crop_quad(place)
        seen = (landmarks - quad.mean(0)) @ np.linalg.inv(_axes(quad))  # in sides of the crop
        return place if np.abs(seen).max() < 0.5 else landmarks

    def _followed(self, frame: Image.Image) -> np.ndarray | None:
        """What is read where the face was last, if that is the person's face, whose middle is in the frame."""
        if self._last is None or self._person is None:
            return None
        try:
            quad, pixels = crop_quad(self._last), np.asarray(frame)
            with self._precision():
                landmarks, disagreement = locate_near(self._extractor, pixels, quad)
                moved = self._moved(landmarks, quad)
                if moved > NEAR:
                    landmarks, disagreement = locate_near(self._extractor, pixels, crop_quad(landmarks))
            x, y = crop_quad(landmarks).mean(0)
        except ValueError:  # eyes and mouth in one place: this is no face
            return None
        inside = 0 <= x < frame.width and 0 <= y < frame.height
        if disagreement >= AGREEMENT or not inside:
            return None
        known = moved < LEAP and self._followed_for % self._looked_after
        return landmarks if known or self._person.is_followed(self._looks(frame, [landmarks])[0]) else None

    def _moved(self, landmarks: np.ndarray, quad: np.ndarray) -> float:
        """How far a landmark is from where it was last, at most, in sides of the crop that lay there."""
        return float(np.abs((landmarks - self._last) @ np.linalg.inv(_axes(quad))).max())

    def _searched(self, frame: Image.Image) -> np.ndarray | None:
        """What is read where the finder sees the person."""
        if self._lost > self._patience and self._lost % self._patience:
            return None
        self._followed_for = 0
        faces = find_faces(frame, self._finder, self._extractor)
        number = self._recognised(frame, faces)
        if number is None:
            return None
        found = faces[number].landmarks
        quad = crop_quad(found)
        read, disagreement = locate(self._extractor, np.asarray(frame), quad)
        if disagreement > AGREEMENT:  # only the finder knows this face: it is searched in every frame
            self._difference = np.zeros_like(found)
            return found
        self._difference = (found - read) @ np.linalg.inv(_axes(crop_quad(read)))
        return read

    def _recognised(self, frame: Image.Image, faces: list[Face]) -> int | None:
        """Which of the faces of a frame is the person's; the first faces that are seen tell who that is."""
        if not faces:
            return None
        looks = self._looks(frame, [face.landmarks for face in faces])
        if self._person is not None:
            return self._person.among(looks)
        try:
            chosen = choose_face(faces, self._face)
        except NoFaceFound as error:
            raise NoFaceFound(messages.IN_FIRST_FRAME.format(message=error.message)) from None
        number = next(i for i, face in enumerate(faces) if face is chosen)
        self._person = Person(looks[number], looks[:number] + looks[number + 1 :], self._alike)
        return number

    def _looks(self, frame: Image.Image, places: Sequence[np.ndarray]) -> list[np.ndarray]:
        """How the faces with such landmarks (68, 2) look, as unit vectors."""
        return list(self._identify([FfhqCrop().cut(frame, place, LOOK_SIDE)[0] for place in places]))


def _axes(quad: np.ndarray) -> np.ndarray:
    """The crop's sides to the right and down, (2, 2): they take what is in sides of the crop to pixels of the frame."""
    return np.stack([quad[3] - quad[0], quad[1] - quad[0]])
