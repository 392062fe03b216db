"""Contact sheets that prove the renderer: to be looked at, with the parts named that used to go wrong."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from PIL import Image

from stylemask_demo.rendering.anatomy import Anatomy
from stylemask_demo.rendering.camera import Camera
from stylemask_demo.rendering.figure import Figure
from stylemask_demo.rendering.glasses import random_glasses
from stylemask_demo.rendering.person import Person, random_person
from stylemask_demo.rendering.render import render
from stylemask_demo.rendering.trajectory import random_trajectory
from stylemask_demo.rendering.view import View, plain_view, random_view

REGION_COLOURS = np.array(
    [[32, 32, 36], [232, 180, 150], [110, 70, 40], [70, 130, 220], [210, 60, 70], [80, 150, 90], [220, 200, 60]], np.uint8
)
COLUMNS = 8


def people_sheet(anatomy: Anatomy, first: int, size: int) -> Image.Image:
    """Four rows of random people in random views."""
    return _grid([_shot(anatomy, random_person(first + i), random_view(first + i), size) for i in range(4 * COLUMNS)])


def proof_sheet(anatomy: Anatomy, first: int, size: int) -> Image.Image:
    """Rows of one subject each: people turning, smiles, open jaws, brows and lids close up, ages, glasses, segmentation."""
    steps = np.linspace(0, 1, COLUMNS)

    def row(who: Callable[[int], Person], how: Callable[[float], View], closer: bool = False) -> list[Image.Image]:
        return [_shot(anatomy, who(i), how(t), size, closer) for i, t in enumerate(steps)]

    def one(i: int) -> Person:
        return random_person(first)

    def another(i: int) -> Person:
        return random_person(first + i)

    def aged(i: int) -> Person:
        return replace(another(i), age=20 + 8.0 * i, wrinkles=i / (COLUMNS - 1), grey=max(0.0, i / 4 - 0.75))

    def spectacled(i: int) -> Person:
        return replace(another(i), glasses=random_glasses(np.random.default_rng(first + i), 20 + 8.0 * i))

    shots = row(one, lambda t: plain_view(yaw=100 * t - 50))
    shots += row(another, lambda t: plain_view(mouthSmile=t, cheekSquint=0.4 * t, mouthUpperUp=0.3 * t))
    shots += row(another, lambda t: plain_view(jawOpen=0.6 * t))
    shots += row(another, lambda t: plain_view(yaw=20 * t - 10), closer=True)
    shots += row(aged, lambda t: plain_view(scene_seed=3))
    shots += row(spectacled, lambda t: plain_view(yaw=60 * t - 30))
    for i in range(COLUMNS):
        rendering = render(Figure(anatomy, another(i)), random_view(first + i), size)
        shots.append(Image.fromarray(REGION_COLOURS[rendering.segmentation]))
    return _grid(shots)


def video_sheet(anatomy: Anatomy, first: int, size: int) -> Image.Image:
    """Rows of frames, a fifth of a second apart, of people who move."""
    shots = []
    for person in range(first, first + 3):
        figure = Figure(anatomy, random_person(person))
        shots += [render(figure, view, size).picture for view in random_trajectory(person, 5 * COLUMNS)[::5]]
    return _grid(shots)


SHEETS = {"people": people_sheet, "proof": proof_sheet, "video": video_sheet}


def _shot(anatomy: Anatomy, person: Person, view: View, size: int, closer: bool = False) -> Image.Image:
    figure = Figure(anatomy, person)
    if not closer:
        return render(figure, view, size).picture
    # The upper half of the face fills the picture.
    camera = Camera.aligned(figure.pose(view).landmarks, view.distance)
    eyes = camera.centre + np.array([0.0, 0.1 * camera.side])
    return render(figure, view, size, replace(camera, centre=eyes, side=0.45 * camera.side)).picture


def _grid(shots: list[Image.Image]) -> Image.Image:
    size = shots[0].width
    sheet = Image.new("RGB", (COLUMNS * size, len(shots) // COLUMNS * size))
    for i, shot in enumerate(shots):
        sheet.paste(shot, (i % COLUMNS * size, i // COLUMNS * size))
    return sheet
