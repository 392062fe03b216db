"""Shards of labelled pictures, as the training reads them: `NAME.tar` with WebP pictures and `NAME.npz` with their labels.

`segmentation-NAME.tar` holds a PNG of `Region` values for every picture. A shard appears whole or not at all, its labels
last, so that a run that was stopped goes on where it was.
"""

import io
import os
import tarfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from stylemask_demo.errors import UnwritableMedia
from stylemask_demo.rendering.anatomy import Anatomy
from stylemask_demo.rendering.face_model import load_face_model
from stylemask_demo.rendering.figure import Figure
from stylemask_demo.rendering.person import Person, random_person
from stylemask_demo.rendering.render import Rendering, render
from stylemask_demo.rendering.trajectory import random_trajectory
from stylemask_demo.rendering.view import View, random_view

SHARD_PEOPLE = 250
LABEL_SIDE = 256  # landmarks are in pixels of a picture of this side, whatever its size is
VIEW_SEED = 10_000_000  # seeds of views begin here, a hundred for each person
QUALITY = 85


@dataclass(frozen=True)
class Order:
    """What to render: `views` pictures of each person, `size` pixels; or with `moving` a trajectory of `views` frames.

    In one `scene` all views of a person have the light, background and camera distance of the first, and the second holds
    the head as the first does: only the expression differs.
    """

    views: int
    size: int
    moving: bool = False
    scene: bool = False

    def views_of(self, person: int) -> list[View]:
        """The views in which a person is rendered."""
        if self.moving:
            return random_trajectory(VIEW_SEED + person * 100, self.views)
        views = [random_view(VIEW_SEED + person * 100 + view) for view in range(self.views)]
        if self.scene:
            first = views[0]
            views = [replace(view, scene_seed=first.scene_seed, distance=first.distance) for view in views]
            views[1:2] = [replace(view, yaw=first.yaw, pitch=first.pitch, roll=first.roll) for view in views[1:2]]
        return views


@dataclass(frozen=True)
class Picture:
    """An encoded picture (WebP) and segmentation (PNG) with its labels, by name."""

    name: str
    picture: bytes
    segmentation: bytes
    labels: dict[str, object]


def labels_of(person: Person, number: int, view: View, rendering: Rendering) -> dict[str, object]:
    """The labels of one picture, view `number` of a person; the README lists them."""
    return {
        "person": person.seed,
        "view": number,
        "identity": person.identity.astype(np.float16),
        "expression": view.expression.astype(np.float16),
        "euler": np.array(rendering.angles, np.float32),
        "gaze": np.array(view.gaze, np.float32),
        "landmarks": (rendering.landmarks * LABEL_SIDE / rendering.picture.width).astype(np.float16),
        "tone": person.tone,
        "female": person.female,
        "hair_style": person.hair_style.kind,
        "age": np.float32(person.age),
        "glasses": person.glasses is not None,
    }


def render_person(number: int, anatomy: Anatomy, order: Order) -> list[Picture]:
    """All pictures of one person."""
    person = random_person(number)
    figure = Figure(anatomy, person)
    pictures = []
    for i, view in enumerate(order.views_of(number)):
        rendering = render(figure, view, order.size)
        picture, segmentation = io.BytesIO(), io.BytesIO()
        rendering.picture.save(picture, "WEBP", quality=QUALITY, method=4)
        Image.fromarray(rendering.segmentation).save(segmentation, "PNG")
        name = f"{number:06d}_{i:04d}" if order.moving else f"{number:06d}_{i}"
        labels = labels_of(person, i, view, rendering)
        pictures.append(Picture(name, picture.getvalue(), segmentation.getvalue(), labels))
    return pictures


def render_people(people: Iterable[int], face_model: Path | None, order: Order, workers: int) -> Iterator[list[Picture]]:
    """The pictures of people, person by person in their order, made by `workers` processes."""
    if workers == 1:
        anatomy = Anatomy(load_face_model(face_model))
        yield from (render_person(person, anatomy, order) for person in people)
        return
    with ProcessPoolExecutor(workers, get_context("spawn"), _prepare, (face_model,)) as pool:
        yield from pool.map(partial(_render_in_worker, order=order), people)


_prepared: dict[str, Anatomy] = {}


def _prepare(face_model: Path | None) -> None:
    _prepared["anatomy"] = Anatomy(load_face_model(face_model))


def _render_in_worker(person: int, order: Order) -> list[Picture]:
    return render_person(person, _prepared["anatomy"], order)


def shard_people(first: int, people: int) -> list[range]:
    """The people of each shard."""
    end = first + people
    return [range(start, min(start + SHARD_PEOPLE, end)) for start in range(first, end, SHARD_PEOPLE)]


def finished(base: Path, people: range, order: Order) -> bool:
    """Whether the shard `base` is there. Raises UnwritableMedia when there is one of other people or views."""
    labels = base.parent / f"{base.name}.npz"
    if not labels.exists():
        return False
    with np.load(labels) as rows:
        persons = np.unique(rows["person"])
        if np.array_equal(persons, np.array(people)) and len(rows["person"]) == len(people) * order.views:
            return True
    raise UnwritableMedia(f"{labels} holds other people or another number of views. Choose another folder with -o.")


def write_shard(
    base: Path, pictures: Iterator[list[Picture]], people: int, progress: Callable[[int], None] = lambda done: None
) -> None:
    """Writes the next `people` people of `pictures` to `base`.tar, segmentation-`base`.tar and `base`.npz.

    `progress` is told how many people are done. Raises UnwritableMedia when the folder cannot be written.
    """
    paths = [base.parent / name for name in (f"{base.name}.tar", f"segmentation-{base.name}.tar", f"{base.name}.npz")]
    partials = [path.with_name(path.name + ".partial") for path in paths]
    rows: list[dict[str, object]] = []
    try:
        base.parent.mkdir(parents=True, exist_ok=True)
        with tarfile.open(partials[0], "w") as tar, tarfile.open(partials[1], "w") as segmentations:
            for done in range(people):
                for picture in next(pictures):
                    _add(tar, picture.name + ".webp", picture.picture)
                    _add(segmentations, picture.name + ".png", picture.segmentation)
                    rows.append(picture.labels)
                progress(done + 1)
        with open(partials[2], "wb") as file:
            columns: dict[str, Any] = {name: np.array([row[name] for row in rows]) for name in rows[0]}
            np.savez_compressed(file, **columns)
        for partial_path, path in zip(partials, paths, strict=True):
            os.replace(partial_path, path)
    except OSError as error:
        raise UnwritableMedia(f"{base.parent} cannot be written: {error}. Choose another folder with -o.") from error


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    tar.addfile(entry, io.BytesIO(content))
