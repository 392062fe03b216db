"""Heads made by hand as points of MediaPipe's face mesh, so that what is measured of them is known."""

import numpy as np


def mesh_of(yaw=0.0, pitch=0.0, roll=0.0, mouth=0.0, mouth_width=0.5, lids=0.1, gaze=0.0) -> np.ndarray:
    """A face mesh (478, 3) in pixels around (128, 128).

    Turned by degrees as seen in the picture (right, up, anticlockwise), with gaps in distances between the outer eye
    corners, which are 100 pixels, and a gaze to the right in eye widths. Points that the judge has no use for lie in the
    middle of the head.
    """
    mesh = np.zeros((478, 3))
    mesh[234], mesh[454], mesh[10], mesh[152] = (-70, 0, 0), (70, 0, 0), (0, -90, 0), (0, 90, 0)
    mesh[13], mesh[14] = (0, 40 - 50 * mouth, 0), (0, 40 + 50 * mouth, 0)
    mesh[61], mesh[291] = (-50 * mouth_width, 40, 0), (50 * mouth_width, 40, 0)
    eyes = (((33, 133, 159, 145, 468), -35), ((362, 263, 386, 374, 473), 35))
    for (left, right, upper, lower, iris), middle in eyes:
        mesh[left], mesh[right] = (middle - 15, -20, 0), (middle + 15, -20, 0)
        mesh[upper], mesh[lower] = (middle, -20 - 50 * lids, 0), (middle, -20 + 50 * lids, 0)
        mesh[iris] = (middle + 30 * gaze, -20, 0)
    (cy, sy), (cp, sp), (cr, sr) = ((np.cos(a), np.sin(a)) for a in np.radians([yaw, pitch, roll]))
    # x to the right, y down, z away: to turn right brings the left ear nearer.
    about_y = np.array([[cy, 0, -sy], [0, 1, 0], [sy, 0, cy]])
    about_x = np.array([[1, 0, 0], [0, cp, sp], [0, -sp, cp]])
    about_z = np.array([[cr, sr, 0], [-sr, cr, 0], [0, 0, 1]])
    return mesh @ (about_z @ about_x @ about_y).T + [128, 128, 0]


def face_of(picture: np.ndarray) -> dict[str, float]:
    """What the stand-in judge takes a picture (H, W, 3) uint8 to show: a turn by its red, a mouth by its green."""
    red, green, _ = picture.reshape(-1, 3).mean(0) / 255
    return {"yaw": 60 * red - 30, "mouth": green}


def identity_of(picture: np.ndarray) -> np.ndarray:
    """What the stand-in judge takes the person of a picture (H, W, 3) uint8 for: its blue, along one axis."""
    return np.eye(128)[0] * picture[:, :, 2].mean() / 255
