"""A person who moves: head, face and eyes on smooth random paths."""

from dataclasses import replace

import numpy as np
from scipy.interpolate import PchipInterpolator

from stylemask_demo.faces.parameters import EXPRESSIONS
from stylemask_demo.rendering.view import View, gaze_at_camera, random_view, with_gaze

FRAMES_PER_SECOND = 25
SECONDS_BETWEEN_POSES = 0.9
SECONDS_BETWEEN_BLINKS = 3.5
BLINK_SECONDS = 0.16  # from open to shut, and again to open
_BLINKS = [EXPRESSIONS.index("eyeBlink_L"), EXPRESSIONS.index("eyeBlink_R")]


def random_trajectory(seed: int, frames: int) -> list[View]:
    """Views of one person in one place, `FRAMES_PER_SECOND` of them a second; equal seeds give equal trajectories.

    Poses, expressions and gaze pass through random views about a second apart, monotonically between them, so that nothing
    overshoots. Light, background and camera distance stay; people blink every few seconds.
    """
    rng = np.random.default_rng(seed)
    seconds = np.arange(frames) / FRAMES_PER_SECOND
    times = np.arange(int(seconds[-1] / SECONDS_BETWEEN_POSES) + 2) * SECONDS_BETWEEN_POSES
    poses = [random_view(int(number)) for number in rng.integers(1 << 40, size=len(times))]
    first = poses[0]
    gazes = [np.subtract(pose.gaze, gaze_at_camera(pose)) for pose in poses]
    keys = np.array([[p.yaw, p.pitch, p.roll, *gaze, *p.expression] for p, gaze in zip(poses, gazes, strict=True)])
    # Lids that a random view shuts would stay shut for a second.
    keys[:, [5 + blink for blink in _BLINKS]] = np.minimum(keys[:, [5 + blink for blink in _BLINKS]], 0.3)
    track = PchipInterpolator(times, keys)(seconds)
    shut = _blinking(rng, seconds)
    views = []
    for (yaw, pitch, roll, aside, up, *expression), lid in zip(track, shut, strict=True):
        values = np.clip(np.array(expression, np.float32), 0, 1)
        view = replace(first, expression=values, yaw=yaw, pitch=pitch, roll=roll, scene_seed=seed)
        toward = gaze_at_camera(view)
        view = with_gaze(view, toward[0] + aside, toward[1] + up)
        view.expression[_BLINKS] = np.maximum(view.expression[_BLINKS], lid)
        views.append(view)
    return views


def _blinking(rng: np.random.Generator, seconds: np.ndarray) -> np.ndarray:
    """How far the lids are shut by blinks, 0..1, at each moment (N,)."""
    shut = np.zeros_like(seconds)
    moment = rng.uniform(0.5, SECONDS_BETWEEN_BLINKS)
    while moment < seconds[-1]:
        away = np.abs(seconds - moment) / BLINK_SECONDS
        shut = np.maximum(shut, 0.5 + 0.5 * np.cos(np.pi * np.minimum(away, 1)))
        moment += rng.uniform(0.5, 1.5) * SECONDS_BETWEEN_BLINKS
    return shut
