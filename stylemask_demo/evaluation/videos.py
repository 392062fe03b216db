"""Real videos in the layout of VoxCeleb, `PERSON/.../CLIP.mp4`: the first frame is the source, the others are targets."""

from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from tqdm import tqdm

from stylemask_demo import Portrait, Reenactor
from stylemask_demo.errors import UnreadableMedia
from stylemask_demo.evaluation.metrics import frechet_distance
from stylemask_demo.evaluation.people import portraits_of
from stylemask_demo.evaluation.reenactment import Pairs
from stylemask_demo.media.videos import read_frames

SUFFIXES = {".mp4", ".webm", ".mkv", ".mov", ".avi"}
FRAMES = 16  # read of a clip, the source among them
FRAMES_A_SECOND = 5


@dataclass(frozen=True)
class Clip:
    """Portraits of some frames of one video, in their order; at least two."""

    person: str
    portraits: list[Portrait]


def find_videos(data: Path) -> dict[str, list[Path]]:
    """The videos of a folder by person: the first folder below it, or the video's own name where there is none."""
    people: dict[str, list[Path]] = {}
    for path in sorted(data.rglob("*")):
        if path.suffix.lower() in SUFFIXES and path.is_file():
            place = path.relative_to(data)
            people.setdefault(place.parts[0] if len(place.parts) > 1 else place.stem, []).append(path)
    return people


def read_clips(reenactor: Reenactor, videos: dict[str, list[Path]], pairs: int) -> tuple[list[Clip], list[str]]:
    """As many clips as give `pairs` pairs, at least two, evenly over the people; and a line for each video left out."""
    wanted = max(2, -(-pairs // (FRAMES - 1)))
    rounds = max(map(len, videos.values()), default=0)
    order = [(person, paths[turn]) for turn in range(rounds) for person, paths in videos.items() if turn < len(paths)]
    clips: list[Clip] = []
    left_out: list[str] = []
    with tqdm(total=min(wanted, len(order)), desc="clips") as progress:
        for person, path in order:
            if len(clips) == wanted:
                break
            try:
                frames = read_frames(path)
                step = max(1, round(frames.fps / FRAMES_A_SECOND))
                chosen = list(islice(frames, 0, step * FRAMES, step))
            except UnreadableMedia as error:
                left_out.append(str(error))
                continue
            portraits = [portrait for portrait in portraits_of(reenactor, chosen) if portrait is not None]
            if len(portraits) < 2:
                left_out.append(f"{path} is left out: a face was found in less than two of its frames.")
                continue
            clips.append(Clip(person, portraits))
            progress.update()
    return clips, left_out


def clip_pairs(clips: list[Clip], cross: bool) -> tuple[Pairs, np.ndarray]:
    """Pairs of rows of all portraits, clip after clip, and the clip (P,) that each target is of.

    The source is the first portrait of the target's own clip or, of `cross` pairs, of the next clip of another person; a
    clip for which there is none gives no cross pairs.
    """
    starts = np.cumsum([0, *(len(clip.portraits) for clip in clips)])
    rows = []
    for i, clip in enumerate(clips):
        others = [(i + step) % len(clips) for step in range(1, len(clips))]
        strangers = [j for j in others if clips[j].person != clip.person]
        if cross and not strangers:
            continue
        source = starts[strangers[0] if cross else i]
        rows += [(source, target, i) for target in range(starts[i] + 1, starts[i + 1])]
    table = np.array(rows, int).reshape(-1, 3)
    return Pairs(table[:, 0], table[:, 1]), table[:, 2]


def frechet_video_distance(made: np.ndarray, true: np.ndarray, clips: np.ndarray) -> float:
    """Frechet distance of videos, after the idea of the FVD (Unterthiner et al. 2018) with features of single frames.

    Features of results and of true frames, both (P, D), in the order of time within each clip; `clips` (P,) tells the clip
    of each row. A clip is described by the mean of its features and the mean absolute change from frame to frame. NaN for
    less than two clips.
    """
    return frechet_distance(*(_pooled(features, clips) for features in (made, true)))


def _pooled(features: np.ndarray, clips: np.ndarray) -> np.ndarray:
    """(P, D) -> (clips, 2 D)."""
    described = []
    for clip in np.unique(clips):
        frames = features[clips == clip]
        changes = np.abs(np.diff(frames, axis=0)).mean(0) if len(frames) > 1 else np.zeros(frames.shape[1])
        described.append(np.concatenate([frames.mean(0), changes]))
    return np.stack(described)
