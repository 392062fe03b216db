"""Reading face parameters from crops, and finding the exact place of a face with them."""

import cv2
import numpy as np
import torch

from stylemask_demo.faces.align import crop_quad
from stylemask_demo.faces.parameters import EXPRESSIONS, MIRRORED_EXPRESSIONS, MIRRORED_LANDMARKS, FaceParameters
from stylemask_demo.media.tensors import from_pixels
from stylemask_demo.networks.parameter_extractor import ExtractedParameters, ParameterExtractor
from stylemask_demo.networks.trunk import INPUT_SIZE

ROUNDS = 3  # crops taken one after another, each where the landmarks of the one before say
PROBES = (
    (1.0, 0.0, 0.0),
    (1.2, 0.09, -0.06),
    (0.88, -0.08, 0.06),
)  # scale and shift of the crops that must agree
FEWEST = 2  # of them


def read_twice(extractor: ParameterExtractor, pictures: torch.Tensor) -> ExtractedParameters:
    """The mean of what the extractor reads in pictures (B, 3, 128, 128) and in their mirror images.

    Errors that prefer a side cancel, which takes a sixteenth off all of them. A mirrored person is somebody else: the
    identity coefficients are those of the pictures as they are.
    """
    halves = [torch.chunk(values, 2) for values in extractor(torch.cat([pictures, pictures.flip(3)]))]
    found, mirrored = (ExtractedParameters(*values) for values in zip(*halves, strict=True))
    euler = mirrored.euler * mirrored.euler.new_tensor([-1.0, 1.0, -1.0])
    landmarks = mirrored.landmarks[:, MIRRORED_LANDMARKS] * euler.new_tensor([-1.0, 1.0]) + euler.new_tensor([1.0, 0.0])
    return ExtractedParameters(
        (found.euler + euler) / 2,
        (found.expression + mirrored.expression[:, MIRRORED_EXPRESSIONS]) / 2,
        (found.landmarks + landmarks) / 2,
        found.identity,
    )


def face_parameters(found: ExtractedParameters, crop_size: int) -> list[FaceParameters]:
    """Output of the extractor for B crops -> B FaceParameters with landmarks in pixels of a crop of `crop_size`."""
    euler, expression, landmarks, identity = (t.float().cpu().numpy() for t in found)
    landmarks = landmarks * crop_size
    for array in (landmarks, identity):
        array.setflags(write=False)
    return [
        FaceParameters(yaw, pitch, roll, dict(zip(EXPRESSIONS, coefficients, strict=True)), landmarks[i], identity[i])
        for i, ((yaw, pitch, roll), coefficients) in enumerate(zip(euler.tolist(), expression.tolist(), strict=True))
    ]


def locate(
    extractor: ParameterExtractor, photo: np.ndarray, quad: np.ndarray, rounds: int = ROUNDS, looks: int = len(PROBES)
) -> tuple[np.ndarray, float]:
    """Refines a rough face quad until it is the FFHQ crop of the landmarks found in it.

    `photo` (H, W, 3) uint8 RGB; `quad` (4, 2) corners as `crop_quad` gives them. Returns the landmarks (68, 2) in pixels
    of the photo and their disagreement: how far the landmarks differ between crops of the same place, as a fraction of the
    eye distance. On a face they agree within a few percent; where there is none they follow the crop.
    The quad is corrected in so many `rounds`, and then looked at by so many crops, two at least.
    """
    for _ in range(rounds):
        landmarks = _landmarks(extractor, photo, [quad])[0]
        quad = crop_quad(landmarks)
    centre, x, y = quad.mean(0), (quad[3] - quad[0]) / 2, (quad[1] - quad[0]) / 2
    probes = []
    for scale, right, down in PROBES[:looks]:
        middle = centre + 2 * (right * x + down * y)
        probes.append(middle + scale * np.stack([-x - y, -x + y, x + y, x - y]))
    found = _landmarks(extractor, photo, probes)
    eyes = np.linalg.norm(found[0, 36:42].mean(0) - found[0, 42:48].mean(0))
    spread = np.linalg.norm(found - found.mean(0), axis=2).mean()
    return found[0], float(spread / max(eyes, 1e-6))


def locate_near(extractor: ParameterExtractor, photo: np.ndarray, quad: np.ndarray) -> tuple[np.ndarray, float]:
    """What `locate` gives of a face that is nearly there: read in the quad as it is, by as few crops as tell a face."""
    return locate(extractor, photo, quad, rounds=0, looks=FEWEST)


@torch.inference_mode()
def _landmarks(extractor: ParameterExtractor, photo: np.ndarray, quads: list[np.ndarray]) -> np.ndarray:
    """Landmarks (N, 68, 2) in pixels of the photo, read from a small crop at each quad."""
    device = next(extractor.parameters()).device
    crops, maps = [], []
    for quad in quads:
        # Landmark fractions count from the crop's edge, the photo's pixels from their centres.
        corners = np.array([[0, 0], [0, INPUT_SIZE], [INPUT_SIZE, INPUT_SIZE]], np.float32) - 0.5
        matrix = cv2.getAffineTransform(corners, quad[:3].astype(np.float32))
        crops.append(_cut(photo, matrix))
        maps.append(matrix)
    batch = from_pixels(torch.from_numpy(np.stack(crops)))
    points = extractor(batch.to(device)).landmarks.float().cpu().numpy() * INPUT_SIZE - 0.5
    return np.stack([p @ m[:, :2].T + m[:, 2] for p, m in zip(points, maps, strict=True)])


def _cut(photo: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """The crop that `matrix` (2, 3) maps to the photo; large faces are averaged, not subsampled."""
    pixels_per_pixel = float(np.hypot(*matrix[:, 0]))
    oversample = int(np.clip(np.ceil(pixels_per_pixel), 1, 8))
    side = INPUT_SIZE * oversample
    fine = matrix.copy()
    fine[:, :2] /= oversample
    fine[:, 2] += matrix[:, :2] @ np.full(2, 0.5 / oversample - 0.5)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    # Repeated, because a face at the border would be reflected into one with four eyes.
    crop = cv2.warpAffine(photo, fine, (side, side), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return cv2.resize(crop, (INPUT_SIZE, INPUT_SIZE), interpolation=cv2.INTER_AREA) if oversample > 1 else crop
