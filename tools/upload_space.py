"""Uploads what a Space needs to the Hugging Face Hub: ``make space SPACE=owner/name``.

The Hub refuses a plain push of this repository, because two files of weights exceed 10 MiB. Its own client stores them as
the Hub demands. The Space is made if it is missing, and afterwards holds these files and no others.
"""

import argparse
import re
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import tomlkit
from huggingface_hub import HfApi, get_token, metadata_load
from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).resolve().parents[1]
NEEDED = (
    "README.md",
    "app.py",
    "requirements.txt",
    "LICENSE",
    "NOTICE",
    "stylemask_demo",
    "checkpoints/synthetic",
    "assets/examples",
)
LEFT_OUT = {".pyc", ".pyi"}
LARGE = 10 * 1024 * 1024  # bytes, above which the Hub wants a file outside of git
TEXTS = ("title", "emoji", "license", "short_description", "suggested_hardware")
COLOURS = {"red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray"}


class NotReady(Exception):
    """The Space cannot be uploaded; the message says what to do."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Check the settings, list the files and upload them; returns the exit status, 2 when something is to be mended."""
    parser = argparse.ArgumentParser(prog="make space", usage="make space SPACE=OWNER/NAME [ARGS=--dry-run]")
    parser.add_argument("space", metavar="SPACE=OWNER/NAME", type=_space, help="the Space on the Hugging Face Hub")
    parser.add_argument("--dry-run", action="store_true", help="list the files and their sizes, and upload nothing")
    options = parser.parse_args(arguments)
    try:
        settings = read_settings(ROOT)
        files = needed_files(ROOT, settings)
        _list(files)
        if not options.dry_run:
            print(upload(options.space, files))
    except NotReady as error:
        print(f"make space: {error}", file=sys.stderr)
        return 2
    return 0


def read_settings(root: Path) -> dict[str, Any]:
    """Return what the top of README.md tells the Space, once it fits the repository at ``root``; raises NotReady."""
    settings = metadata_load(root / "README.md") or {}
    if problems := settings_problems(settings, root):
        raise NotReady(f"Mend these lines at the top of README.md. {' '.join(problems)}")
    return settings


def settings_problems(settings: dict[str, Any], root: Path) -> list[str]:
    """Return a sentence for each setting of a Space that the Hub or the repository at ``root`` would not bear."""
    pins = dict(re.findall(r"^([\w-]+)==(\S+)", (root / "requirements.txt").read_text(encoding="utf-8"), flags=re.M))
    project = tomlkit.parse((root / "pyproject.toml").read_text(encoding="utf-8")).unwrap()["project"]
    pythons = SpecifierSet(project["requires-python"])

    def is_file(name: str) -> bool:
        return bool(settings.get(name)) and (root / settings[name]).is_file()

    found = {f"'{name}' is missing.": settings.get(name) for name in TEXTS}
    for name in ("colorFrom", "colorTo"):
        found[f"'{name}' is none of {', '.join(sorted(COLOURS))}."] = settings.get(name) in COLOURS
    found |= {
        "'sdk' is not 'gradio'.": settings.get("sdk") == "gradio",
        f"'sdk_version' is not {pins['gradio']}, as in requirements.txt.": settings.get("sdk_version") == pins["gradio"],
        f"'python_version' is not one of {pythons}.": pythons.contains(str(settings.get("python_version"))),
        "'app_file' names no file.": is_file("app_file"),
        "'thumbnail' names no file.": str(settings.get("thumbnail")).startswith("https://") or is_file("thumbnail"),
        "'short_description' is longer than 60 letters.": len(str(settings.get("short_description"))) <= 60,
        "'models' is no list.": isinstance(settings.get("models"), list),
        "'tags' is no list.": isinstance(settings.get("tags"), list),
    }
    return [problem for problem, right in found.items() if not right]


def needed_files(root: Path, settings: dict[str, Any]) -> dict[str, Path]:
    """Return the files of a Space by their path in it, sorted; raises NotReady for one that is not there."""
    names = list(NEEDED)
    if not settings["thumbnail"].startswith("https://"):
        names.append(settings["thumbnail"])
    files: dict[str, Path] = {}
    for name in names:
        found = [root / name] if (root / name).is_file() else [path for path in (root / name).rglob("*") if path.is_file()]
        if not found:
            raise NotReady(f"'{name}' is missing. Restore it with: git checkout -- {name}")
        files |= {str(path.relative_to(root).as_posix()): path for path in found if path.suffix not in LEFT_OUT}
    return dict(sorted(files.items()))


def upload(space: str, files: dict[str, Path]) -> str:
    """Upload the files to the Space ``owner/name`` and return its address; raises NotReady when the Hub refuses."""
    if get_token() is None:
        raise NotReady("The Hub does not know you. Log in with '.venv/bin/hf auth login', or set HF_TOKEN.")
    hub = HfApi()
    try:
        address = hub.create_repo(space, repo_type="space", space_sdk="gradio", exist_ok=True)
        with tempfile.TemporaryDirectory() as folder:
            for name, path in files.items():
                (Path(folder) / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, Path(folder) / name)
            hub.upload_folder(
                repo_id=space,
                repo_type="space",
                folder_path=folder,
                commit_message="Upload the demo",
                delete_patterns="*",  # what an earlier version had and this one has not
            )
    except Exception as error:  # of many kinds: the network's, the Hub's, and those of the client's own checks
        raise NotReady(f"{space} could not be uploaded: {' '.join(str(error).split())}") from error
    return str(address)


def _list(files: dict[str, Path]) -> None:
    total = 0
    for name, path in files.items():
        size = path.stat().st_size
        total += size
        print(f"{size / 1e6:8.3f} MB  {name}{'  (large: outside of git)' if size > LARGE else ''}")
    print(f"{total / 1e6:8.3f} MB  in {len(files)} files")


def _space(text: str) -> str:
    if not re.fullmatch(r"[\w-][\w.-]*/[\w-][\w.-]*", text):
        raise argparse.ArgumentTypeError(f"'{text}' is not OWNER/NAME, such as somebody/stylemask-demo")
    return text


if __name__ == "__main__":
    sys.exit(main())
