"""What visitors are told when something does not work: listed in one module, with something to do, without inner words."""

import ast
import re
import string
from collections.abc import Iterator
from pathlib import Path

import gradio as gr
import pytest
import tomlkit
from PIL import Image
from room_imports import PACKAGE
from test_architecture import TOOLS

from stylemask_demo import errors, messages
from stylemask_demo.errors import PackCorrupt, PackMissing, UnreadableMedia, UnwritableMedia
from stylemask_demo.media.pictures import open_image
from stylemask_demo.media.saving import check_output_path, save_png
from stylemask_demo.media.videos import read_frames, write_video
from stylemask_demo.packs import find_pack, read_info
from stylemask_demo.ui.error_messages import explained

MESSAGES = {name: text for name, text in vars(messages).items() if name.isupper() and isinstance(text, str)}
KINDS = {name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, Exception)}
PROJECT = tomlkit.parse((PACKAGE.parent / "pyproject.toml").read_text()).unwrap()["project"]
LIBRARIES = {re.match(r"[\w-]+", requirement)[0].lower() for requirement in PROJECT["dependencies"]} - {"av", "spaces"}
LIBRARIES |= {"pytorch", "pyav", "ffmpeg", "opencv", "libheif", "pil", "cuda", "python"}
TYPES = {"str", "int", "float", "dict", "tuple", "ndarray", "nonetype", "exception", "traceback"}
# Attributes that carry messages of the module from where they were chosen.
CARRIERS = {"message", "large", "empty"}


@pytest.mark.parametrize("name", MESSAGES)
def test_a_message_says_what_happened_and_what_to_do(name: str) -> None:
    text = MESSAGES[name]
    if name not in ("IN_ROLE", "IN_FIRST_FRAME"):  # which are put before others
        assert len(re.findall(r"[.:] \S|; ", text)) >= 1 and text.endswith((".", "}."))
    assert "\n" not in text and text == text.strip()
    words = {word.lower() for word in re.findall(r"[\w-]+", text)}
    assert not words & (LIBRARIES | TYPES)
    assert not re.search(r"[/\\~]|\w+Error|[a-z]_[a-z]|checkpoints|STYLEMASK", text)


def test_what_is_filled_in_is_told() -> None:
    slots = {field for text in MESSAGES.values() for _, field, _, _ in string.Formatter().parse(text) if field is not None}
    assert slots == set(messages.SLOTS)
    assert not {slot for slot in slots if re.search("path|folder|type|error|reason", slot)}


def visited() -> list[Path]:
    """The modules that a visitor's request can reach."""
    return [path for path in sorted(PACKAGE.rglob("*.py")) if path.relative_to(PACKAGE).parts[0] not in TOOLS]


def raised(path: Path) -> list[tuple[int, ast.expr, ast.AST]]:
    """Where a module makes an error of ours: line, its message, and the function it is in."""
    tree, found = ast.parse(path.read_text()), []
    for scope in ast.walk(tree):
        if isinstance(scope, ast.FunctionDef | ast.Module):
            for node in ast.walk(scope):
                name = node.func if isinstance(node, ast.Call) else None
                if isinstance(name, ast.Name) and name.id in KINDS and node.args:
                    found.append((node.lineno, node.args[0], scope))
    return found


def is_listed(said: ast.expr, scope: ast.AST) -> bool:
    """Whether an expression is made of messages of the module, here or where its name was given in the same function."""
    names = {node.id for node in ast.walk(said) if isinstance(node, ast.Name)}
    for node in ast.walk(said):
        if isinstance(node, ast.Attribute):
            if isinstance(node.value, ast.Name) and node.value.id == "messages" and node.attr in MESSAGES:
                return True
            if node.attr in CARRIERS:
                return True
    given = [node for node in ast.walk(scope) if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) in names]
    return any(is_listed(node.value, ast.Pass()) for node in given)


def test_every_error_has_a_message_of_the_list() -> None:
    made, listed = set(), set()
    for path in visited():
        for line, said, scope in raised(path):
            made.add(f"{path.relative_to(PACKAGE)}:{line}")
            if is_listed(said, scope):
                listed.add(f"{path.relative_to(PACKAGE)}:{line}")
    assert len(made) > 60, "some are overlooked"
    assert made == listed


def test_every_message_is_used() -> None:
    source = "".join(path.read_text() for path in PACKAGE.rglob("*.py"))
    assert not {name for name in MESSAGES if not re.search(rf"messages\.{name}\b", source)}


def test_the_page_never_shows_the_detail() -> None:
    """The page's code makes no text of an error: that would have the files of the machine in it."""
    for path in (PACKAGE / "ui").glob("*.py"):
        for line in path.read_text().splitlines():
            if re.search(r"str\(error\)|\{error\}", line):
                assert line.strip().startswith("print("), f"{path.name}: {line}"  # for who runs the demo


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with files that cannot be read."""
    for name, content in {
        "text.png": b"Dear reader",
        "text.mp4": b"Dear reader",
        "empty.png": b"",
        "cut.png": b"\x89PNG\r\n\x1a\n" + bytes(100),
        "pack.json": b"{",
    }.items():
        (tmp_path / name).write_bytes(content)
    return tmp_path


PICTURE, LONG = Image.new("RGB", (64, 64)), "n" * 300  # a picture, and a name that is too long
WAYS_TO_FAIL = {
    "no picture": (UnreadableMedia, lambda place: open_image(place / "none.png")),
    "a folder": (UnreadableMedia, open_image),
    "text": (UnreadableMedia, lambda place: open_image(place / "text.png")),
    "an empty file": (UnreadableMedia, lambda place: open_image(place / "empty.png")),
    "a damaged file": (UnreadableMedia, lambda place: open_image(place / "cut.png")),
    "a long name": (UnreadableMedia, lambda place: open_image(place / f"{LONG}.png")),
    "no video": (UnreadableMedia, lambda place: read_frames(place / "none.mp4")),
    "a text for a video": (UnreadableMedia, lambda place: read_frames(place / "text.mp4")),
    "a wrong ending": (UnwritableMedia, lambda place: check_output_path(place / "out.jpg", ".png")),
    "no such folder": (UnwritableMedia, lambda place: save_png(PICTURE, place / "none" / "out.png")),
    "an unwritable picture": (UnwritableMedia, lambda place: save_png(PICTURE, place / f"{LONG}.png")),
    "an unwritable video": (UnwritableMedia, lambda place: write_video(place / f"{LONG}.mp4", [PICTURE], 25)),
    "a damaged pack": (PackCorrupt, read_info),
    "no pack": (PackMissing, lambda place: find_pack(place / "none")),
}


@pytest.mark.parametrize("way", WAYS_TO_FAIL)
def test_visitors_read_no_paths_and_the_owner_does(place: Path, way: str) -> None:
    kind, fail = WAYS_TO_FAIL[way]
    with pytest.raises(kind) as failed:
        fail(place)
    assert str(place) in str(failed.value), "who runs the demo learns which file it is"

    def stream() -> Iterator[object]:
        yield fail(place)

    for function in (explained(lambda: fail(place)), lambda: list(explained(stream)())):
        with pytest.raises(gr.Error) as told:
            function()
        assert str(place.parent) not in told.value.message and LONG not in told.value.message


def test_what_nobody_foresaw_is_told_without_inner_words(tmp_path: Path) -> None:
    def fail() -> None:
        raise KeyError(str(tmp_path))

    with pytest.raises(gr.Error) as told:
        explained(fail)()
    assert told.value.message == messages.UNEXPECTED


def test_the_guide_tells_what_is_refused_with_which_sentence() -> None:
    guide = (PACKAGE.parent / "docs" / "guide.md").read_text()
    told = {row.split("|")[2].strip() for row in guide.splitlines() if row.startswith("|")}
    modules = [*(PACKAGE / "media").glob("*.py"), *(PACKAGE / "faces").glob("finding.py")]
    modules += [PACKAGE / "portraits" / "builder.py", PACKAGE / "driving" / "driver.py"]
    used = {name for path in modules for name in re.findall(r"messages\.([A-Z_]+)", path.read_text())}
    assert len(used) > 30
    for name in used:
        template = re.sub(r"\\\{\w+\\\}", ".+", re.escape(MESSAGES[name]))
        assert any(re.fullmatch(template, sentence) for sentence in told), name
