"""README and docs: Python is run, commands are parsed, every name, option, link and picture is there."""

import json
import re
from importlib import import_module
from itertools import islice
from pathlib import Path

import pytest
import requests
import yaml
from command_checks import check, environment_variables, knows, options, subcommands
from documents import DOCUMENTS, README, ROOT, Block, anchors, blocks, commands, links, prose, quoted
from gradio_client import Client
from PIL import Image
from room_imports import arrows, reachable, rooms

from stylemask_demo import comparisons, errors
from stylemask_demo.editing import sliders
from stylemask_demo.generator import inversion
from stylemask_demo.media.videos import read_frames, write_video

DOCS = ROOT / "docs"
FACES = ROOT / "tests" / "assets" / "faces"
ADDRESS = "http://127.0.0.1:7860"
FRAMES = 3  # of the video that the examples follow

# What the command line is called, without a command.
OWN_NAMES = {"python -m stylemask_demo", ".venv/bin/python -m stylemask_demo"}
# Options of other people's programs that the text names.
FOREIGN_OPTIONS = {"--depth", "--gpus", "--build-arg", "--read-only", "--tmpfs", "--cap-drop", "--security-opt"}
# Where the options of a command are told.
GUIDES = {"render": "rendering.md", "train": "training.md", "evaluate": "evaluation.md", "bench": "performance.md"}
GUIDES["stand-in"] = "packs.md"


@pytest.fixture(scope="module")
def endpoints(address) -> dict[str, list[str]]:
    """What programs may call: names of the arguments by name of the endpoint."""
    named = Client(address, verbose=False).view_api(return_format="dict", print_info=False)["named_endpoints"]
    return {name: [p["parameter_name"] for p in endpoint["parameters"]] for name, endpoint in named.items()}


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """The current folder, with the files that the examples expect, which run in fewer steps than they should."""
    for name, face in (("source", "900000_0"), ("target", "900003_1")):
        with Image.open(FACES / f"{face}.webp") as picture:
            picture.save(tmp_path / f"{name}.jpg", quality=95)
    frames = read_frames(ROOT / "assets" / "examples" / "driving_1.mp4")
    write_video(tmp_path / "motion.mp4", islice(frames, FRAMES), fps=frames.fps)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(inversion, "STEPS", 1)
    monkeypatch.setattr(sliders, "CORRECTIONS", 1)
    monkeypatch.setattr(comparisons, "STEPS", 3)
    return tmp_path


def _run(examples: list[Block], address: str = ADDRESS) -> None:
    """Run the blocks of one document, one after another; what takes many steps takes one."""
    names: dict[str, object] = {}
    for block in examples:
        code = re.sub(r"steps=\d+", "steps=1", block.code).replace(ADDRESS, address)
        exec(compile("\n" * (block.line - 1) + code, str(block.path), "exec"), names)


def _of(path: Path) -> list[Block]:
    return [block for block in blocks("python") if block.path == path]


def _written(examples: list[Block]) -> set[str]:
    """The files that the examples say they write."""
    return {name for block in examples for name in re.findall(r"""(?:save|write_video)\("([^"]+)\"""", block.code)}


def test_every_block_is_of_a_language_that_is_checked_here():
    assert {block.language for block in blocks()} <= {"python", "js", "sh", "yaml", "json", "mermaid"}
    assert {block.path for block in blocks("js")} == {DOCS / "http.md"}
    assert {block.path for block in blocks("python")} <= {README, DOCS / "python.md", DOCS / "http.md"}


@pytest.mark.slow
@pytest.mark.parametrize("path", [README, DOCS / "python.md"], ids=lambda path: path.stem)
def test_python_examples_run(path, folder):
    examples = _of(path)
    _run(examples)
    assert len(_written(examples)) >= 3
    for name in _written(examples):
        assert (folder / name).stat().st_size > 1000, name


@pytest.mark.slow
def test_the_notebook_runs(folder):
    """Its cells one after another, with a shorter video, and without what shows their last value."""
    notebook = json.loads((ROOT / "examples" / "tour.ipynb").read_text())
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert not [cell for cell in cells if cell["outputs"] or cell["execution_count"]], "outputs are not kept"
    names: dict[str, object] = {}
    for cell in cells:
        code = re.sub(r"islice\(frames, \d+\)", f"islice(frames, {FRAMES})", "".join(cell["source"]))
        exec(compile(code, cell["id"], "exec"), names)
    assert len(list(read_frames(folder / "driven.mp4"))) == FRAMES


@pytest.mark.slow
def test_http_examples_run(address, folder):
    _run(_of(DOCS / "http.md"), address)


@pytest.mark.slow
def test_javascript_examples_run(browser, address, folder, endpoints):
    examples = blocks("js")
    code = re.sub(r"steps: \d+", "steps: 1", "\n".join(block.code for block in examples)).replace(ADDRESS, address)
    assert {f"/{name}" for name in re.findall(r'await call\("(\w+)"', code)} == set(endpoints)
    page = browser.new_page()
    page.goto(f"{address}/gradio_api/info")
    files = ("source.jpg", "target.jpg", "motion.mp4")
    page.set_content("".join(f'<input type="file" id="{Path(name).stem}">' for name in files))
    for name in files:
        page.set_input_files(f"#{Path(name).stem}", folder / name)
    names = re.findall(r"\w+", " ".join(re.findall(r"^const \[(.*)\] = await call", code, re.M)))
    made = page.evaluate(f"async () => {{ {code}; return {{ {', '.join(names)} }} }}")
    page.close()
    angles = made.pop("parameters")
    assert {"yaw", "landmarks"} <= set(angles)
    for name, result in made.items():
        assert len(requests.get(result["url"], timeout=60).content) > 1000, name


@pytest.mark.slow
def test_requests_of_a_shell_are_answered(address, folder, endpoints):
    sent = [words for block in blocks("sh") for words in commands(block.code) if words[0] == "curl"]
    for words in sent:
        check(words, endpoints)
    calls = {words[1].rpartition("/")[2]: words[3] for words in sent if "--json" in words}
    assert {f"/{name}" for name in calls} == set(endpoints)
    api, paths = f"{address}/gradio_api", {}
    for name in ("source.jpg", "target.jpg", "motion.mp4"):
        with (folder / name).open("rb") as file:
            paths[name] = requests.post(f"{api}/upload", files={"files": file}, timeout=60).json()[0]
    for name, text in calls.items():
        for word, file in (("SOURCE", "source.jpg"), ("TARGET", "target.jpg"), ("VIDEO", "motion.mp4")):
            text = text.replace(word, paths[file])
        text = re.sub(r'"steps": \d+', '"steps": 1', text)
        event = requests.post(f"{api}/call/v2/{name}", json=json.loads(text), timeout=60).json()["event_id"]
        answer = requests.get(f"{api}/call/v2/{name}/{event}", timeout=300).text.strip().rpartition("\n\n")[2]
        assert answer.startswith("event: complete\ndata: ["), f"{name}: {answer}"
        assert name == "parameters" or '"url": "http' in answer, f"{name}: {answer}"


@pytest.mark.slow
def test_http_tells_every_endpoint_and_argument(endpoints):
    told = (DOCS / "http.md").read_text()
    rows = {row[0]: row for row in (re.findall(r"[\w/]+", line) for line in told.splitlines() if line.startswith("| `/"))}
    assert set(rows) == set(endpoints)
    for name, arguments in endpoints.items():
        assert set(arguments) <= set(rows[name]), f"{name} takes {arguments}"


@pytest.mark.parametrize("block", [block for block in blocks("sh") if "curl" not in block.code], ids=str)
def test_commands_are_understood(block):
    assert commands(block.code)
    for words in commands(block.code):
        check(words, {})


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.stem)
def test_commands_in_the_text_are_understood(path):
    for code in quoted(path):
        program, *arguments = code.split()
        if arguments and knows(program) and code not in OWN_NAMES:
            check(commands(code)[0], {})


@pytest.mark.parametrize(
    "command",
    [
        "stylemask-demo reenact A B",
        "stylemask-demo reenact A B --colour red -o C.png",
        "stylemask-demo edit A --yaw left -o C.png",
        "stylemask-demo dance A",
        "stylemask-demo train noses --data FACES",
        "stylemask-demo render --people none -o FACES",
        "stylemask-demo evaluate",
        "python -m stylemask_demo packs upload ffhq",
        "STYLEMASK_NOTHING=1 stylemask-demo packs",
        "accelerate launch --processors 2 -m stylemask_demo train all --data FACES",
        "make tea",
        "make demo COLOUR=red",
        "make load ARGS='--visitors none'",
        "make fuzz ARGS='sounds --count 5'",
        "docker compose -f deploy/nothing.yaml up",
        "pip install -r requirements-nothing.txt",
        "pip install .[nothing]",
        "git clone REPOSITORY",
        "docker build --build-arg COLOUR=red .",
        "docker run -p 80:80 stylemask-demo",
        "docker run -v stylemask-demo:/nowhere stylemask-demo",
        "docker run -e STYLEMASK_NOTHING=1 stylemask-demo",
        "curl http://127.0.0.1:7860/gradio_api/call/v2/dance",
        """curl http://127.0.0.1:7860/gradio_api/call/v2/edit --json '{"nose": 1}'""",
        "rm -rf .venv",
    ],
)
def test_wrong_commands_are_noticed(command):
    with pytest.raises((AssertionError, SystemExit)):
        check(commands(command)[0], {"/edit": ["source"]})


@pytest.mark.parametrize("block", blocks("yaml", "json"), ids=str)
def test_data_can_be_read(block):
    assert {"yaml": yaml.safe_load, "json": json.loads}[block.language](block.code)


def test_every_command_and_option_is_told():
    for command in subcommands():
        assert f"| `{command}` |" in prose(DOCS / "command-line.md"), command
        guide = DOCS / GUIDES.get(command, "command-line.md")
        # Those of its own commands, such as `packs download`, are in the guides to what they are for.
        assert options(command) <= set(re.findall(r"--[a-z-]+", guide.read_text())), command


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.stem)
def test_options_in_the_text_are_there(path):
    known = {"--help"} | options() | options("packs", "download")
    known |= {option for command in subcommands() for option in options(command)}
    named = {option for code in quoted(path) for option in re.findall(r"(?<![\w-])--[a-z][a-z-]*", code)}
    assert named <= known | FOREIGN_OPTIONS


def test_every_environment_variable_is_told():
    table = set(re.findall(r"^\| `(STYLEMASK_\w+)`", prose(DOCS / "hosting.md"), re.M))
    assert table == environment_variables()
    named = {name for path in DOCUMENTS for name in re.findall(r"STYLEMASK_[A-Z_]+", path.read_text())}
    assert named <= table | environment_variables(ROOT / "tests")


def test_every_error_is_told():
    own = {name for name, kind in vars(errors).items() if isinstance(kind, type) and kind.__module__ == errors.__name__}
    told = set(re.findall(r"^\| `(\w+)` \|", prose(DOCS / "python.md"), re.M))
    assert told == own - {"StyleMaskError"}


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.stem)
def test_files_and_names_in_the_text_are_there(path):
    made_here = {line.rstrip("/") for line in (ROOT / ".gitignore").read_text().splitlines()}
    folders = {entry.name for entry in ROOT.iterdir() if entry.is_dir() and not entry.name.startswith(".")} - made_here
    for code in quoted(path):
        if re.fullmatch(r"[\w.*-]+(/[\w.*-]*)+", code) and code.partition("/")[0] in folders:
            assert any(ROOT.glob(code.rstrip("/"))), f"there is no {code}"
        elif re.fullmatch(r"stylemask_demo(\.\w+)+", code):
            _resolve(code)


def _resolve(name: str) -> object:
    module, _, last = name.rpartition(".")
    try:
        return import_module(name)
    except ModuleNotFoundError:
        return getattr(import_module(module), last)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.stem)
def test_links_and_pictures_are_there(path):
    for link in links(path):
        if re.match(r"[a-z]+:", link):
            assert link.startswith("https://"), link
            continue
        name, _, anchor = link.partition("#")
        place = (path.parent / name).resolve() if name else path
        assert place.exists() and place.is_relative_to(ROOT), link
        if anchor:
            assert anchor in anchors(place), link


def test_the_picture_of_the_rooms_is_true():
    (picture,) = blocks("mermaid")
    drawn = set(re.findall(r"^ *(\w+).* --> (\w+)", picture.code, re.M)) - {("app", "ui")}
    assert {room for arrow in drawn for room in arrow} == rooms()
    assert drawn <= arrows(), "an arrow is drawn that no import follows"
    hidden = {(user, used) for user, used in arrows() if used not in reachable(user, drawn)}
    assert not hidden, "imports that follow no arrow"
    upwards = {(user, used) for user, used in drawn if user in reachable(used, drawn)}
    assert not upwards, "a circle"
    told = re.findall(r"^\| `stylemask_demo/(\w+)", prose(DOCS / "architecture.md"), re.M)
    assert rooms() <= set(told)


def test_readme_is_short_and_leads_to_every_guide():
    assert len(README.read_text().splitlines()) <= 180
    assert {f"docs/{path.name}" for path in DOCS.glob("*.md")} <= set(links(README))
    assert any(link.startswith("assets/") for link in links(README))
    assert {("make", "demo"), ("make", "test")} <= {
        tuple(words) for block in blocks("sh") if block.path == README for words in commands(block.code)
    }
