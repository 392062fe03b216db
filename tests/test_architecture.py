"""The rooms: arrows point down only, nothing goes round in a circle, and modules stay small."""

import ast
from functools import cache
from pathlib import Path

import pytest

import stylemask_demo

PACKAGE = Path(__file__).resolve().parents[1] / "stylemask_demo"
LONGEST, LONGEST_REENACTOR = 300, 220  # lines

# From the ground up: a room uses those before it. Those of one line do not use each other.
ROOMS = (
    ("errors", "resources"),
    ("batching", "caching", "networks"),
    ("downloads", "media"),
    ("generator", "faces"),
    ("packs",),
    ("portraits",),
    ("methods",),
    ("detail", "editing", "driving", "calibration"),
    ("pipeline",),
    ("reenactor",),
    ("verification",),
    ("rendering",),
    ("training",),
    ("evaluation",),
    ("ui",),
    ("commands",),
    ("cli",),
    ("__main__",),
)
LEVELS = {room: level for level, rooms in enumerate(ROOMS) for room in rooms}
TOOLS = {"rendering", "training", "evaluation"}  # used by none of the others: the demo starts without them
# The page and the command line ask the reenactor, and what there is to do before it is there: files and packs.
ASKED = {"errors", "resources", "batching", "caching", "downloads", "media", "packs", "reenactor", "verification"}
# What the package itself offers, and where that stands.
PUBLIC = {f"{PACKAGE.name}.{name}": home for name, home in stylemask_demo.HOMES.items()}


@cache
def imports() -> dict[str, set[str]]:
    """The modules of the package that each of them imports, wherever in it; a package's `__init__` goes by its name."""
    return {module(path): used_by(path) for path in PACKAGE.rglob("*.py")}


def module(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def used_by(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for_types = {
        node
        for branch in ast.walk(tree)
        if isinstance(branch, ast.If) and isinstance(branch.test, ast.Name) and branch.test.id == "TYPE_CHECKING"
        for node in ast.walk(branch)
    }
    used = set()
    for node in set(ast.walk(tree)) - for_types:
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are written in full"
            used |= {home(f"{node.module}.{alias.name}") for alias in node.names}
        elif isinstance(node, ast.Import):
            used |= {home(alias.name) for alias in node.names}
    return used - {"", PACKAGE.name, module(path)}


def home(name: str) -> str:
    """The module of the package that an imported name stands in; nothing for other names."""
    if name.partition(".")[0] != PACKAGE.name:
        return ""
    name = PUBLIC.get(name, name)
    path = PACKAGE.parent.joinpath(*name.split("."))
    return name if path.with_suffix(".py").is_file() or path.is_dir() else home(name.rpartition(".")[0])


def room(name: str) -> str:
    return name.split(".")[1]


def used_rooms() -> set[tuple[str, str]]:
    """Pairs of a room and another that it uses."""
    pairs = {(room(name), room(used)) for name, uses in imports().items() if name != PACKAGE.name for used in uses}
    return {(user, used) for user, used in pairs if user != used}


def test_every_room_has_its_place():
    rooms = {path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or (path / "__init__.py").is_file()}
    assert rooms - {"__init__"} == set(LEVELS)


def test_arrows_point_down():
    assert used_rooms(), "nothing was found"
    up = {f"{user} uses {used}" for user, used in used_rooms() if LEVELS[used] >= LEVELS[user]}
    assert not up


def test_the_demo_needs_none_of_its_tools():
    assert not {f"{user} uses {used}" for user, used in used_rooms() if used in TOOLS and user not in TOOLS}


@pytest.mark.parametrize("asking", ["ui", "commands"])
def test_the_page_and_the_commands_ask_only_the_reenactor(asking):
    used = set().union(*(uses for name, uses in imports().items() if name != PACKAGE.name and room(name) == asking))
    behind = {name for name in used - set(PUBLIC.values()) if room(name) not in ASKED | {"ui"}}
    assert used and not behind


def test_nothing_goes_round_in_a_circle():
    graph, done = imports(), set()

    def follow(name: str, way: tuple[str, ...]) -> None:
        assert name not in way, " -> ".join([*way[way.index(name) :], name])
        if name not in done:
            for used in graph.get(name, ()):
                follow(used, (*way, name))
            done.add(name)

    for name in graph:
        follow(name, ())


def test_networks_know_no_files_and_no_devices():
    for name, uses in imports().items():
        if room(f"{name}.") == "networks":
            assert {room(used) for used in uses} <= {"networks"}, name


def test_modules_stay_small():
    lines = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in PACKAGE.rglob("*.py")}
    assert not {str(path): count for path, count in lines.items() if count > LONGEST}
    assert lines[PACKAGE / "reenactor.py"] <= LONGEST_REENACTOR
