"""The rooms: arrows point down only, nothing goes round in a circle, and modules stay small."""

import pytest
from room_imports import PACKAGE, PUBLIC, all_arrows, imports, room

LONGEST, LONGEST_REENACTOR = 300, 220  # lines

# From the ground up: a room uses those before it. Those of one line do not use each other.
ROOMS = (
    ("messages",),
    ("cores", "errors", "resources"),
    ("ahead", "batching", "caching", "host_settings", "networks", "precision"),
    ("downloads", "media"),
    ("generator", "faces"),
    ("packs",),
    ("portraits",),
    ("methods",),
    ("detail", "editing", "driving", "calibration"),
    ("pipeline",),
    ("film",),
    ("reenactor",),
    ("verification", "comparisons", "live", "moving"),
    ("rendering",),
    ("training",),
    ("evaluation",),
    ("ui",),
    ("commands",),
    ("batch",),
    ("cli",),
    ("__main__",),
)
LEVELS = {room: level for level, rooms in enumerate(ROOMS) for room in rooms}
TOOLS = {"rendering", "training", "evaluation"}  # used by none of the others: the demo starts without them
# The page and the command line ask the reenactor, and what there is to do before it is there: files and packs.
# Modules that serve everybody.
SINGLE = {"ahead", "cores", "errors", "messages", "resources", "batching", "caching", "host_settings", "precision"}
ASKED = SINGLE | {"downloads", "media", "packs", "reenactor", "verification", "comparisons", "live", "moving"}


def test_every_room_has_its_place():
    rooms = {path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or (path / "__init__.py").is_file()}
    assert rooms - {"__init__"} == set(LEVELS)


def test_arrows_point_down():
    assert all_arrows(), "nothing was found"
    up = {f"{user} uses {used}" for user, used in all_arrows() if LEVELS[used] >= LEVELS[user]}
    assert not up


def test_the_demo_needs_none_of_its_tools():
    assert not {f"{user} uses {used}" for user, used in all_arrows() if used in TOOLS and user not in TOOLS}


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
