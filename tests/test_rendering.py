"""The renderer of synthetic people, on a face model small enough to be made here: a head of spheres."""

import functools
import io
import tarfile
from dataclasses import replace

import numpy as np
import pytest
from file_host import Answer, file_host
from PIL import Image
from reference.rendering import (
    ambient_occlusion_reference,
    blend_strands_reference,
    creases_reference,
    draw_strands_reference,
    draw_triangles_reference,
    shadow_reference,
    value_noise_reference,
)

from stylemask_demo.cli import main
from stylemask_demo.downloads import fetch
from stylemask_demo.errors import Cancelled, FaceModelMissing, UnwritableMedia
from stylemask_demo.faces.parameters import EXPRESSIONS
from stylemask_demo.rendering import face_model, shards
from stylemask_demo.rendering.anatomy import EYE_CENTRE, Anatomy
from stylemask_demo.rendering.camera import Camera
from stylemask_demo.rendering.face_model import FaceModel, Topology, convert_archive, load_face_model
from stylemask_demo.rendering.figure import Figure
from stylemask_demo.rendering.glasses import frame, random_glasses
from stylemask_demo.rendering.lighting import DIFFUSE, harmonics, random_light
from stylemask_demo.rendering.noise import value_noise
from stylemask_demo.rendering.occlusion import ambient_occlusion, shadow
from stylemask_demo.rendering.person import random_person
from stylemask_demo.rendering.raster import (
    Buffers,
    SoftLayer,
    blend_strands,
    draw_strands,
    draw_triangles,
)
from stylemask_demo.rendering.render import Region, render
from stylemask_demo.rendering.skin import creases
from stylemask_demo.rendering.trajectory import random_trajectory
from stylemask_demo.rendering.vectors import head_rotation, normalised, signed_distance, spline, srgb
from stylemask_demo.rendering.view import plain_view, random_view
from stylemask_demo.training.data import load_faces

# Where the 68 landmarks are on the mean face of ICT-FaceKit: right half of jaw, brows and eyes, then the middle.
JAW = [(-7.4, 3.7, 3.7), (-7.3, 1.5, 3.9), (-6.9, -0.5, 4.5), (-6.6, -2.4, 5.2), (-5.7, -4.5, 6.1), (-4.3, -6.2, 7.3)]
JAW += [(-3.0, -6.9, 8.8), (-1.5, -7.3, 10.3), (0, -7.6, 10.4)]
BROW = [(-5.8, 5.2, 7.9), (-4.9, 6.0, 9.0), (-3.8, 6.3, 9.8), (-2.4, 6.2, 10.5), (-1.2, 5.9, 10.7)]
NOSE = [(0, 3.7, 10.7), (0, 2.6, 11.5), (0, 1.6, 12.3), (0, 0.4, 13.1)]
NOSE += [(-1.2, -1.1, 10.9), (-0.6, -1.1, 11.4), (0, -1.2, 11.6), (0.6, -1.1, 11.4), (1.2, -1.1, 10.9)]
EYE = [(-4.5, 3.4, 8.6), (-3.9, 3.9, 9.4), (-2.8, 3.9, 9.5), (-1.8, 3.2, 9.2), (-2.7, 3.1, 9.4), (-3.9, 3.1, 9.2)]
MOUTH = [(-2.5, -3.5, 10.2), (-1.7, -2.8, 11.2), (-0.7, -2.4, 11.7), (0, -2.5, 11.8)]
INNER = [(-2.2, -3.5, 10.1), (-1.0, -3.3, 11.1), (0, -3.3, 11.3)]
LOWER = [(0, -4.4, 11.5), (-1.0, -4.3, 11.4), (-1.8, -4.1, 10.9)]


def _mirrored(points: list) -> list:
    return [(-x, y, z) for x, y, z in reversed(points)]


def _landmarks() -> np.ndarray:
    left_eye = [(-EYE[i][0], *EYE[i][1:]) for i in (3, 2, 1, 0, 5, 4)]
    mouth = MOUTH + _mirrored(MOUTH[:3]) + _mirrored(LOWER[1:]) + LOWER
    inner = INNER + _mirrored(INNER[:2]) + [(1.1, -3.4, 11.0), (0, -3.4, 11.2), (-1.1, -3.4, 11.0)]
    return np.array(JAW + _mirrored(JAW[:8]) + BROW + _mirrored(BROW) + NOSE + EYE + left_eye + mouth + inner)


class _Mesh:
    """Collects parts of a mesh."""

    def __init__(self) -> None:
        self.points, self.polygons, self.uv, self.uv_polygons, self.parts = [], [], [], [], {}

    def add(self, name: str, points: np.ndarray, polygons: np.ndarray, uv: np.ndarray | None = None) -> None:
        first, first_polygon = len(self.points), len(self.polygons)
        self.points += points.tolist()
        self.polygons += (polygons + first).tolist()
        self.uv += (np.zeros((len(points), 2)) if uv is None else uv).tolist()
        self.parts[name] = (first, len(self.points), first_polygon, len(self.polygons))


def _sheet(rows: int, columns: int, closed: bool) -> np.ndarray:
    """Quadrangles of a grid of vertices; `closed` joins the last column to the first."""
    r, c = np.mgrid[: rows - 1, : columns - (not closed)].reshape(2, -1)
    right = (c + 1) % columns
    return np.stack([r * columns + c, (r + 1) * columns + c, (r + 1) * columns + right, r * columns + right], 1)


def _ball(centre, radii, rows: int = 9, columns: int = 16, up=(-1.5, 1.5)) -> tuple[np.ndarray, np.ndarray]:
    around = np.arange(columns) / columns * 2 * np.pi
    elevation, azimuth = np.meshgrid(np.linspace(up[1], up[0], rows), around, indexing="ij")
    unit = [np.cos(elevation) * np.sin(azimuth), np.sin(elevation), np.cos(elevation) * np.cos(azimuth)]
    return np.stack(unit, -1).reshape(-1, 3) * radii + centre, _sheet(rows, columns, closed=True)


def _head() -> tuple[np.ndarray, np.ndarray]:
    """A ball on a neck that widens to a bust, open below, with a vertex at every landmark."""
    points, _ = _ball((0, 3, 1.5), (8.0, 11.5, 9.8), 40, 48, up=(-1.1, 1.55))
    neck = [
        np.stack([np.sin(a) * width, np.full(48, y), np.cos(a) * width - 1.5], 1)
        for y, width in ((-10, 5.8), (-13, 6.5), (-16, 10), (-18, 12))
        for a in [np.arange(48) / 48 * 2 * np.pi]
    ]
    points = np.concatenate([points, *neck])
    for landmark in _landmarks():
        taken = np.linalg.norm(points - landmark, axis=1).argmin()
        points[taken] = landmark
    return points, _sheet(len(points) // 48, 48, closed=True)


@pytest.fixture(scope="session")
def tiny() -> tuple[FaceModel, Topology]:
    mesh = _Mesh()
    points, polygons = _head()
    split = 20 * 48  # the upper half is called the face, the rest head and neck; polygons of both go down one row
    mesh.points, mesh.uv = points.tolist(), np.zeros((len(points), 2)).tolist()
    mesh.polygons = polygons.tolist()
    mesh.parts["face"] = (0, split, 0, split)
    mesh.parts["head_neck"] = (split, len(points), split, len(polygons))
    mesh.add("mouth_socket", *_ball((0, -3.4, 8.5), (2.4, 1.2, 2.0)))
    for side, name in ((1, "eye_socket_l"), (-1, "eye_socket_r")):
        mesh.add(name, *_ball(EYE_CENTRE * [side, 1, 1] - [0, 0, 0.5], (1.6, 1.6, 1.4)))
    mesh.add("gums_tongue", *_ball((0, -4.0, 8.5), (1.6, 0.5, 1.8)))
    mesh.add("teeth", *_ball((0, -3.2, 9.2), (1.8, 0.5, 1.2)))
    for side, name in ((1, "sclera_l"), (-1, "sclera_r")):
        mesh.add(name, *_ball(EYE_CENTRE * [side, 1, 1], (1.7, 1.7, 1.75), 17, 32))
    for side, name in ((1, "lashes_l"), (-1, "lashes_r")):
        across, along = np.meshgrid(np.arange(19) / 18, np.arange(6) / 5, indexing="ij")
        upper = np.stack([side * (2 + 2.6 * across), 3.9 + 0.2 * along, 9.4 + along - across**2], -1)
        lower = np.stack([side * (2 + 2.6 * across), 3.1 - 0.4 * along, 9.3 + 0.5 * along - across**2], -1)
        strips, quads = np.concatenate([upper.reshape(-1, 3), lower.reshape(-1, 3)]), _sheet(19, 6, closed=False)
        uv = np.stack([across, 0.1 + 0.2 * along], -1).reshape(-1, 2)
        mesh.add(name, strips, np.concatenate([quads, quads + 19 * 6]), np.tile(uv, (2, 1)))
    mesh.parts["face_narrow"] = mesh.parts["face"]
    rng = np.random.default_rng(0)
    mean = np.array(mesh.points, np.float32)
    landmarks = np.array([np.linalg.norm(mean[: len(points)] - p, axis=1).argmin() for p in _landmarks()], np.int32)
    polygons = np.array(mesh.polygons, np.int32)
    polygons[-1, 3] = -1  # one triangle, as the real mesh has some
    shift = 0.02 * rng.normal(size=(100, 1, 3)) * np.ones((1, len(mean), 1))
    expression = np.zeros((len(EXPRESSIONS), len(mean), 3))
    below = (mean[:, 1] < -3.45) & (mean[:, 2] > 6)
    expression[EXPRESSIONS.index("jawOpen"), below] = [0, -2, -0.5]
    model = FaceModel(
        mean=mean,
        identity_basis=shift.astype(np.float32),
        expression_basis=expression.astype(np.float32),
        expression_names=EXPRESSIONS,
        polygons=polygons,
        uv=np.array(mesh.uv, np.float32),
        uv_polygons=polygons,
        landmarks=landmarks,
        vertex_ranges={name: part[:2] for name, part in mesh.parts.items()},
        polygon_ranges={name: part[2:] for name, part in mesh.parts.items()},
    )
    return model, Topology(len(mean), len(polygons), mesh.parts, tuple(landmarks.tolist()))


@pytest.fixture(scope="session")
def anatomy(tiny) -> Anatomy:
    return Anatomy(tiny[0])


@pytest.fixture(scope="session")
def model_file(tiny, tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / face_model.FILE_NAME
    tiny[0].save(path)
    return path


def _scene(seed: int, side: int = 40) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (rng.random((60, 3)) * [side * 1.4, side * 1.4, 4] - [side * 0.2, side * 0.2, 0]).astype(np.float32)


# --- the compiled functions and their plain twins


def test_triangles_equal_the_plain_twin():
    triangles = np.random.default_rng(1).integers(0, 60, (25, 3)).astype(np.int32)
    fast, plain = Buffers.empty(40), Buffers.empty(40)
    draw_triangles(_scene(0), triangles, fast, 7)
    draw_triangles_reference(_scene(0), triangles, plain, 7)
    assert (fast.index >= 7).sum() > 500
    assert (fast.index == plain.index).mean() > 0.998  # an edge may fall on either side
    same = fast.index == plain.index
    np.testing.assert_allclose(fast.depth[same], plain.depth[same], atol=1e-3)
    np.testing.assert_allclose(fast.place[same], plain.place[same], atol=1e-3)


@pytest.mark.parametrize("half_width", [0.2, 1.7])
def test_strands_equal_the_plain_twin(half_width):
    strands = _scene(2).reshape(15, 4, 3)
    widths = np.full(4, half_width, np.float32)
    fast, plain = Buffers.empty(40), Buffers.empty(40)
    draw_strands(strands, widths, fast, 3)
    draw_strands_reference(strands, widths, plain, 3)
    assert (fast.index >= 3).sum() > 150
    assert (fast.index == plain.index).mean() > 0.995
    same = fast.index == plain.index
    np.testing.assert_allclose(fast.depth[same], plain.depth[same], atol=1e-3)
    np.testing.assert_allclose(fast.place[same], plain.place[same], atol=2e-3)


def test_blended_strands_equal_the_plain_twin():
    strands, colours = _scene(3).reshape(15, 4, 3), _scene(4).reshape(15, 4, 3)
    widths = np.array([0.8, 0.6, 0.3, 0.1], np.float32)
    depth = np.full((40, 40), 2, np.float32)
    fast, plain = SoftLayer.empty(40), SoftLayer.empty(40)
    blend_strands(strands, colours, widths, 0.7, 0.5, depth, fast)
    blend_strands_reference(strands, colours, widths, 0.7, 0.5, depth, plain)
    assert (fast.passing < 0.9).sum() > 100
    np.testing.assert_allclose(fast.passing, plain.passing, atol=1e-3)
    np.testing.assert_allclose(fast.over(np.zeros((40, 40, 3))), plain.over(np.zeros((40, 40, 3))), atol=0.02)


def test_ambient_occlusion_equals_the_plain_twin_and_darkens_a_corner():
    depth = np.full((60, 60), 1, np.float32)
    depth[:, 30:] = 4
    depth[:5] = -1e9
    fast = ambient_occlusion(depth, 6.0)
    # A tap may fall on either side of a pixel's edge.
    assert (np.abs(fast - ambient_occlusion_reference(depth, 6.0)) < 1e-4).mean() > 0.98
    assert fast[40, 28] < 0.8 < fast[40, 5] and fast[2, 2] == 1


def test_shadow_equals_the_plain_twin():
    points = _scene(5)
    depth = np.random.default_rng(6).uniform(0, 4, (40, 40)).astype(np.float32)
    lit = shadow(points, depth, 0.15)
    np.testing.assert_allclose(lit, shadow_reference(points, depth, 0.15), atol=1e-6)
    assert lit.min() < 0.3 and lit.max() > 0.7


def test_noise_equals_the_plain_twin():
    points = _scene(7)
    noise = value_noise(points, 2.2, 5)
    np.testing.assert_allclose(noise, value_noise_reference(points, 2.2, 5), atol=2e-3)
    assert noise.std() > 0.2 and np.abs(noise).max() <= 1


def test_creases_equal_the_plain_twin():
    lines = np.array([[1, 0, 3, 1, 0.4, 0.1], [2, -1, 2, 2, 0.2, 0.05]], np.float32)
    rest = np.random.default_rng(8).uniform([-4, -2, 0], [4, 3, 10], (500, 3)).astype(np.float32)
    fast, plain = creases(rest, lines, 0.05), creases_reference(rest, lines, 0.05)
    for one, other in zip(fast, plain, strict=True):
        assert np.isclose(one, other, atol=1e-4).mean() > 0.99
    assert plain[1].max() > 0.08


# --- geometry, camera and labels


@pytest.mark.parametrize("angles", [(0, 0, 0), (40, -20, 8), (-30, 15, -12)])
def test_angles_in_an_unturned_crop_are_those_of_the_head(angles):
    camera = Camera(100.0, 0.0, np.zeros(2), 0.3)
    np.testing.assert_allclose(camera.angles(head_rotation(*angles)), angles, atol=1e-4)


def test_positive_angles_turn_right_look_up_and_lean_anticlockwise():
    forward, up = np.array([0, 0, 1]), np.array([0, 1, 0])
    assert (head_rotation(20, 0, 0) @ forward)[0] > 0.3
    assert (head_rotation(0, 20, 0) @ forward)[1] > 0.3
    assert (head_rotation(0, 0, 20) @ up)[0] < -0.3


def test_a_turned_crop_takes_its_turn_off_the_roll():
    camera = Camera(100.0, np.radians(10), np.zeros(2), 0.3)
    assert camera.angles(head_rotation(0, 0, 10))[2] == pytest.approx(0, abs=1e-4)


def test_the_crop_is_that_of_ffhq():
    landmarks = _landmarks() @ head_rotation(0, 0, 15).T
    camera = Camera.aligned(landmarks, 120.0)
    seen = camera.project(landmarks, 256)[:, :2]
    eyes = np.stack([seen[36:42].mean(0), seen[42:48].mean(0)])
    mouth = (seen[48] + seen[54]) / 2
    across, down = eyes[1] - eyes[0], mouth - eyes.mean(0)
    # Upright, centred a tenth of the way from eyes to mouth, and as large as FFHQ's rule says.
    assert abs(across[1]) < 1 and abs(down[0]) < 1
    np.testing.assert_allclose(eyes.mean(0) + 0.1 * down, [128, 128], atol=0.5)
    assert 256 == pytest.approx(2 * max(2 * np.hypot(*across), 1.8 * np.hypot(*down)), rel=0.01)


def test_projected_landmarks_are_where_the_picture_shows_them(anatomy):
    figure = Figure(anatomy, replace(random_person(3), glasses=None))
    rendering = render(figure, plain_view(yaw=10), 128)
    for eye in (slice(36, 42), slice(42, 48)):
        rows = rendering.landmarks[eye]
        column, row = rows.mean(0).round().astype(int)
        near = rendering.segmentation[row - 4 : row + 5, column - 6 : column + 7]
        assert (near == Region.EYES).any()
    assert rendering.angles == pytest.approx(
        Camera.aligned(figure.pose(plain_view(yaw=10)).landmarks, 110).angles(head_rotation(10, 0, 0))
    )


def test_gaze_turns_the_cornea_towards_the_camera(anatomy):
    figure = Figure(anatomy, replace(random_person(1), identity=np.zeros(100, np.float32)))
    view = plain_view(yaw=15, pitch=5)
    vertices = figure.pose(view).surface.vertices
    start, end = anatomy.model.vertex_ranges["sclera_l"]
    rest = anatomy.rest[start:end]
    arms = normalised(rest - EYE_CENTRE)
    pole = start + (arms @ anatomy.corneal_axis(1)).argmax()
    looks = normalised(vertices[pole] - vertices[start:end].mean(0))
    off = normalised(anatomy.rest[pole] - EYE_CENTRE) @ anatomy.corneal_axis(1)
    toward = normalised(np.array([0, 0, view.distance]) - vertices[start:end].mean(0))
    assert np.degrees(np.arccos(looks @ toward)) < np.degrees(np.arccos(off)) + 4


def test_helpers():
    square = np.array([[0, 0], [2, 0], [2, 2], [0, 2]], float)
    np.testing.assert_allclose(signed_distance(np.array([[1, 1], [3, 1], [1, 1.5]]), square), [1, -1, 0.5])
    curve = spline(np.array([[0, 0], [1, 1], [2, 0]], float), 4, closed=False)
    np.testing.assert_allclose(curve[[0, 4, -1]], [[0, 0], [1, 1], [2, 0]])
    assert srgb(np.array([0.0, 0.2140, 1.0])) == pytest.approx([0, 0.5, 1], abs=2e-3)


def test_light_on_a_face_is_of_one_strength():
    facing = normalised(np.array([[0, 0, 1], [0.5, 0.2, 0.85], [-0.5, 0.2, 0.85], [0, 0.5, 0.85], [0, -0.4, 0.9]]))
    for seed in range(8):
        light = random_light(np.random.default_rng(seed))
        assert np.linalg.norm(light.key_direction) == pytest.approx(1, abs=1e-4)
        key = np.clip(facing @ light.key_direction, 0, None)[:, None] * light.key / np.pi
        assert (light.diffuse(facing) + key).mean() == pytest.approx(1, abs=0.3)


def test_harmonics_give_even_light_in_an_even_room():
    rng = np.random.default_rng(0)
    directions = normalised(rng.normal(size=(20000, 3)))
    ambient = (harmonics(directions).mean(0) * 4 * np.pi)[:, None] * np.ones(3)
    assert (harmonics(directions[:50]) * DIFFUSE) @ ambient == pytest.approx(np.ones((50, 3)), abs=0.06)


def test_glasses_sit_in_front_of_the_eyes():
    for seed in range(6):
        points, triangles = frame(random_glasses(np.random.default_rng(seed), 40), np.zeros(3))
        assert triangles.max() < len(points)
        rim = points[np.abs(points[:, 0]) < 5]
        assert rim[:, 2].min() > EYE_CENTRE[2] + 1.75 and rim[:, 1].max() < 7


# --- people, views and trajectories


def test_people_and_views_follow_from_their_seeds(anatomy):
    pictures = [np.asarray(render(Figure(anatomy, random_person(5)), random_view(8), 64).picture) for _ in range(2)]
    assert np.array_equal(*pictures)
    other = np.asarray(render(Figure(anatomy, random_person(6)), random_view(8), 64).picture)
    assert np.abs(other.astype(int) - pictures[0]).mean() > 5


def test_people_are_balanced():
    people = [random_person(seed) for seed in range(600)]
    assert 0.4 < np.mean([person.female for person in people]) < 0.6
    assert 0.06 < np.mean([person.glasses is not None for person in people]) < 0.14
    thirds = np.histogram([person.tone for person in people], [0, 1 / 3, 2 / 3, 1])[0]
    assert thirds.min() > 140
    ages = np.array([person.age for person in people])
    grey = np.array([person.grey for person in people])
    assert ages.min() >= 18 and (ages > 55).mean() > 0.1
    assert grey[ages > 65].mean() > 0.5 > 0.05 > grey[ages < 35].mean()
    assert all(np.abs(person.identity).max() <= 2 for person in people)


def test_expressions_and_gaze_stay_in_their_ranges():
    for seed in range(200):
        view = random_view(seed)
        assert view.expression.min() >= 0 and view.expression.max() <= 1
        assert abs(view.yaw) <= 55 and abs(view.pitch) <= 28
        assert abs(view.gaze[0]) <= 28 and abs(view.gaze[1]) <= 20


def test_eyes_are_shut_only_by_a_blink():
    for seed in range(200):
        view = random_view(seed)
        lids = view.value("eyeBlink") + 0.5 * view.value("eyeLookDown") + 0.3 * view.value("eyeSquint")
        assert view.value("eyeBlink") > 0.9 or lids < 0.46 or view.value("eyeBlink") == 0


def test_trajectories_are_smooth_and_go_somewhere():
    views = random_trajectory(4, 250)
    track = np.array([[view.yaw, view.pitch, view.roll] for view in views])
    assert np.ptp(track[:, 0]) > 15
    steps = np.diff(track, axis=0)
    # At most what a head does, and no jump from one step to the next.
    assert np.abs(steps).max() < 8 and np.abs(np.diff(steps, axis=0)).max() < 2.5
    expressions = np.array([view.expression for view in views])
    lids = [name.startswith("eyeBlink") for name in EXPRESSIONS]
    assert np.abs(np.diff(expressions[:, ~np.array(lids)], axis=0)).max() < 0.2
    assert expressions[:, lids].max() > 0.8
    assert len({view.scene_seed for view in views}) == 1 and len({view.distance for view in views}) == 1


# --- pictures and segmentation


def test_every_region_is_found(anatomy):
    person = replace(random_person(2), glasses=random_glasses(np.random.default_rng(0), 30))
    rendering = render(Figure(anatomy, person), plain_view(jawOpen=0.6), 128)
    assert set(np.unique(rendering.segmentation)) == {int(region) for region in Region}
    assert rendering.picture.size == (128, 128)
    skin = np.asarray(rendering.picture)[rendering.segmentation == Region.SKIN]
    assert 40 < skin.mean() < 230 and skin.std() > 5


def test_faces_are_exposed_by_their_tone(anatomy):
    def brightness(tone: float) -> float:
        base = random_person(11)
        person = replace(base, tone=tone, skin=base.skin * (1 - 0.8 * tone), glasses=None)
        rendering = render(Figure(anatomy, person), plain_view(scene_seed=5), 64)
        return float(np.asarray(rendering.picture)[rendering.segmentation == Region.SKIN].mean())

    light, dark = brightness(0.0), brightness(1.0)
    assert 1.3 * dark < light and dark > 40


# --- shards


def test_shards_are_what_the_training_reads(model_file, tmp_path):
    arguments = ["--people", "2", "--views", "2", "--size", "64", "--workers", "1", "--face-model", str(model_file)]
    assert main(["render", *arguments, "--first", "7", "-o", str(tmp_path)]) == 0
    faces = load_faces(tmp_path, "train-*", tmp_path / "cache", sides=(64,))
    assert faces.labels["person"].tolist() == [7, 7, 8, 8]
    assert faces.pictures[64].shape == (4, 64, 64, 3) and faces.pictures[64].std() > 10
    assert faces.labels["landmarks"].shape == (4, 68, 2)
    eyes = faces.labels["landmarks"][:, 36:48].mean(1)
    assert (np.abs(eyes[:, 0] - 0.5) < 0.1).all() and (eyes[:, 1] < 0.5).all()
    with np.load(tmp_path / "train-000007.npz") as rows:
        assert set(rows.files) >= {"gaze", "view", "age", "glasses", "tone", "female", "hair_style", "euler"}
        np.testing.assert_array_equal(rows["identity"][0], random_person(7).identity.astype(np.float16))
    with tarfile.open(tmp_path / "segmentation-train-000007.tar") as tar:
        assert tar.getnames() == ["000007_0.png", "000007_1.png", "000008_0.png", "000008_1.png"]
        regions = np.asarray(Image.open(tar.extractfile("000007_0.png")))
    assert regions.shape == (64, 64) and regions.max() <= max(Region)
    assert not list(tmp_path.glob("*.partial"))


def test_a_stopped_run_leaves_no_shard_and_goes_on(model_file, tmp_path, monkeypatch):
    order = shards.Order(1, 64)
    monkeypatch.setattr(shards, "SHARD_PEOPLE", 1)
    assert [list(people) for people in shards.shard_people(5, 2)] == [[5], [6]]

    def stopping():
        yield from shards.render_people([5], model_file, order, 1)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        shards.write_shard(tmp_path / "train-000005", stopping(), 2)
    assert not shards.finished(tmp_path / "train-000005", range(5, 7), order)
    arguments = ["--people", "2", "--views", "1", "--size", "64", "--workers", "1", "--face-model", str(model_file)]
    assert main(["render", *arguments, "--first", "5", "-o", str(tmp_path)]) == 0
    first = (tmp_path / "train-000005.tar").stat().st_mtime_ns
    assert main(["render", *arguments, "--first", "5", "-o", str(tmp_path)]) == 0
    assert (tmp_path / "train-000005.tar").stat().st_mtime_ns == first
    with pytest.raises(UnwritableMedia, match="other people"):
        shards.finished(tmp_path / "train-000005", range(5, 6), shards.Order(3, 64))


@pytest.mark.slow
def test_several_processes_make_the_same_pictures(model_file):
    order = shards.Order(1, 64)
    alone = list(shards.render_people([1, 2], model_file, order, 1))
    together = list(shards.render_people([1, 2], model_file, order, 2))
    assert [p.picture for person in alone for p in person] == [p.picture for person in together for p in person]


def test_a_person_in_one_scene_is_seen_in_one_light_and_place():
    scene, apart = (shards.Order(4, 64, scene=scene).views_of(7) for scene in (True, False))
    assert len({(view.scene_seed, view.distance) for view in scene}) == 1
    assert len({(view.scene_seed, view.distance) for view in apart}) == 4
    assert [view.gaze for view in scene] == [view.gaze for view in apart]
    assert [view.yaw for view in scene] == [view.yaw for view in apart[:1] * 2 + apart[2:]]
    assert (scene[0].pitch, scene[0].roll) == (scene[1].pitch, scene[1].roll)
    assert (scene[0].expression != scene[1].expression).any()


def test_shards_of_scenes_have_their_own_name(model_file, tmp_path):
    arguments = ["--people", "1", "--views", "2", "--size", "64", "--workers", "1", "--face-model", str(model_file)]
    assert main(["render", *arguments, "--scene", "-o", str(tmp_path)]) == 0
    assert sorted(path.name for path in tmp_path.glob("scene-*")) == ["scene-000000.npz", "scene-000000.tar"]


def test_video_frames_are_labelled(model_file, tmp_path):
    arguments = ["--video", "--views", "3", "--size", "64", "--workers", "1", "--face-model", str(model_file)]
    assert main(["render", *arguments, "-o", str(tmp_path)]) == 0
    with tarfile.open(tmp_path / "train-000000.tar") as tar:
        assert tar.getnames() == [f"000000_{frame:04d}.webp" for frame in range(3)]
    with np.load(tmp_path / "train-000000.npz") as rows:
        assert np.abs(np.diff(rows["euler"], axis=0)).max() < 8
    assert (tmp_path / "000000.mp4").stat().st_size > 500


# --- the face model: found, converted, downloaded


def _archive(model: FaceModel, without: str = "") -> bytes:
    """The repository's archive with this model in its layout."""
    names = [f"identity{i:03d}" for i in range(3)]
    shapes = dict(zip(names, model.mean + model.identity_basis[:3], strict=True))
    shapes |= dict(zip(EXPRESSIONS, model.mean + model.expression_basis, strict=True))
    corners = [
        "f " + " ".join(f"{v + 1}/{t + 1}" for v, t in zip(polygon, uv, strict=True) if v >= 0)
        for polygon, uv in zip(model.polygons, model.uv_polygons, strict=True)
    ]
    texture = [f"vt {u:.6f} {v:.6f}" for u, v in model.uv]

    def obj(points: np.ndarray) -> bytes:
        lines = ["# ICT FaceKit", "mtllib ICTFaceModelMaterial.mtl", *(f"v {x:.6g} {y:.6g} {z:.6g}" for x, y, z in points)]
        return "\n".join([*lines, *texture, "usemtl M_Face", *corners, ""]).encode()

    files = {"generic_neutral_mesh": model.mean, **shapes}
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", compresslevel=1) as tar:
        root = f"ICT-FaceKit-{face_model.COMMIT}"
        members = {f"{root}/README.md": b"# ICT-FaceKit", f"{root}/FaceXModel/PupilDilate_L.obj": b"v 0 0 0\n"}
        members |= {f"{root}/FaceXModel/{name}.obj": obj(points) for name, points in files.items() if name != without}
        for name, content in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


@pytest.fixture
def host(tiny, tmp_path, monkeypatch):
    """A host from which the face model can be downloaded into an empty cache."""
    with file_host() as host:
        monkeypatch.setenv("STYLEMASK_HOME", str(tmp_path / "home"))
        monkeypatch.setattr(fetch, "PAUSE", 0.0)
        monkeypatch.setattr(face_model, "ARCHIVE_URL", f"{host.address}/archive.tar.gz")
        monkeypatch.setattr(face_model, "convert_archive", functools.partial(convert_archive, topology=tiny[1]))
        host.files["archive.tar.gz"] = _archive(tiny[0])
        yield host


def _cached(tmp_path) -> list[str]:
    return sorted(path.name for path in (tmp_path / "home").rglob("*") if path.is_file() and path.suffix != ".lock")


def test_the_face_model_is_downloaded_and_converted_once(tiny, host, tmp_path):
    told = []
    model = load_face_model(progress=lambda *progress: told.append(progress))
    np.testing.assert_allclose(model.mean, tiny[0].mean, atol=1e-3)
    np.testing.assert_array_equal(model.polygons, tiny[0].polygons)
    np.testing.assert_array_equal(model.uv_polygons, tiny[0].uv_polygons)
    np.testing.assert_allclose(model.identity_basis, tiny[0].identity_basis[:3], atol=2e-3)
    np.testing.assert_allclose(model.expression_basis, tiny[0].expression_basis, atol=2e-3)
    size = len(host.files["archive.tar.gz"])
    assert model.vertex_ranges == tiny[0].vertex_ranges and (size, size) in {progress[:2] for progress in told}
    assert _cached(tmp_path) == [face_model.FILE_NAME]  # the archive is not needed any more
    host.files.clear()
    load_face_model()


def test_a_download_of_the_face_model_that_was_stopped_goes_on(host, tmp_path):
    def stop(done: int, total: int, what: str) -> None:
        if 0 < done < total:
            raise Cancelled

    host.next("archive.tar.gz", Answer(cut=2 * fetch.BLOCK))
    with pytest.raises(Cancelled):
        load_face_model(progress=stop)
    assert len(host.files["archive.tar.gz"]) > 2 * fetch.BLOCK
    load_face_model()
    assert host.requests[-1][1] is not None and _cached(tmp_path) == [face_model.FILE_NAME]  # only the rest was asked for


def test_a_model_that_cannot_be_downloaded_is_explained(host, tmp_path):
    host.files["archive.tar.gz"] = b"not an archive"
    with pytest.raises(FaceModelMissing, match="cannot be used"):
        load_face_model()
    host.files.clear()
    with pytest.raises(FaceModelMissing, match="not at GitHub any more.*--face-model"):
        load_face_model()
    assert _cached(tmp_path) == []


@pytest.mark.parametrize("without", ["generic_neutral_mesh", "jawOpen"])
def test_an_archive_of_another_layout_is_refused(tiny, without):
    with pytest.raises(FaceModelMissing, match=without):
        convert_archive(io.BytesIO(_archive(tiny[0], without)), tiny[1])


def test_a_mesh_of_another_size_is_refused(tiny):
    with pytest.raises(FaceModelMissing, match="26719"):
        convert_archive(io.BytesIO(_archive(tiny[0])))


def test_a_path_without_a_model_or_with_a_damaged_one_is_refused(tmp_path):
    with pytest.raises(FaceModelMissing, match="There is no"):
        load_face_model(tmp_path)
    (tmp_path / face_model.FILE_NAME).write_bytes(b"PK\x03\x04 broken")
    with pytest.raises(FaceModelMissing, match="damaged"):
        load_face_model(tmp_path)


def test_bad_arguments_are_refused(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["render", "-o", "somewhere", "--size", "20"])
    assert stopped.value.code == 2 and "from 64 to 1024" in capsys.readouterr().err
