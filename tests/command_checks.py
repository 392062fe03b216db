"""Whether a command of the documents would be understood: by our own parsers, the Makefile, pyproject.toml, the Dockerfile.

Nothing is run. A command that would not be understood, or that nothing here knows, fails an assertion.
"""

import argparse
import contextlib
import io
import json
import re
import shlex
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import pytest
from documents import ROOT

from stylemask_demo import cli

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

Endpoints = dict[str, list[str]]  # names of the arguments by name of the endpoint
PACKAGE = ROOT / "stylemask_demo"
TOOLS = ("fuzz", "load")  # targets of the Makefile, named after the tools that they start with ARGS


def check(words: list[str], endpoints: Endpoints) -> None:
    """Assert that a command is one that can be given; `endpoints` are those of the page."""
    while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
        _check_variable(words[0].partition("=")[0])
        words = words[1:]
    program = Path(words[0]).name
    assert program in _CHECKS, f"nothing here knows the command '{program}'"
    _CHECKS[program](words[1:], endpoints)


def knows(program: str) -> bool:
    """Whether `check` understands commands of this program."""
    return Path(program).name in _CHECKS


def parse(arguments: list[str]) -> None:
    """Assert that the command line takes the arguments; the command is not run."""

    class Parsed(Exception):
        pass

    real = argparse.ArgumentParser.parse_args

    def parse_only(self, args=None, namespace=None):
        real(self, args, namespace)
        raise Parsed

    said = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stderr(said):
        patch.setattr(argparse.ArgumentParser, "parse_args", parse_only)
        try:
            cli.main(arguments)
        except Parsed:
            return
        except SystemExit as stop:
            if stop.code == 0:  # help or version
                return
    raise AssertionError(f"{arguments}: {said.getvalue() or 'no arguments were read'}")


def help_text(*command: str) -> str:
    """What a command prints for --help."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.suppress(SystemExit):
        cli.main([*command, "--help"])
    return said.getvalue()


def options(*command: str) -> set[str]:
    """The options of a command that begin with two dashes, but for --help."""
    return set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", help_text(*command))) - {"--help"}


def subcommands() -> list[str]:
    """The commands of the command line."""
    return re.findall(r"^    (\w[\w-]*)", help_text(), re.M)


def environment_variables(code: Path = PACKAGE) -> set[str]:
    """The variables of our own that the code of a folder reads."""
    sources = [path.read_text(encoding="utf-8") for path in code.rglob("*.py")]
    return {name for source in sources for name in re.findall(r"""["'](STYLEMASK_[A-Z_]+)["']""", source)}


def _check_variable(name: str) -> None:
    if name.startswith("STYLEMASK_"):
        assert name in environment_variables(), f"nothing reads {name}"


def _own(arguments: list[str], _: Endpoints) -> None:
    parse(arguments)


def _python(arguments: list[str], endpoints: Endpoints) -> None:
    assert arguments[0] == "-m", arguments
    if arguments[1] == "stylemask_demo":
        parse(arguments[2:])
    else:
        check(arguments[1:], endpoints)


def _understood(parser: argparse.ArgumentParser, arguments: list[str]) -> None:
    said = io.StringIO()
    with contextlib.redirect_stderr(said):
        try:
            parser.parse_args(arguments)
        except SystemExit:
            raise AssertionError(f"{arguments}: {said.getvalue()}") from None


def _accelerate(arguments: list[str], _: Endpoints) -> None:
    from accelerate.commands.launch import launch_command_parser

    assert arguments[0] == "launch", arguments
    launched = launch_command_parser().parse_args(arguments[1:])
    assert (launched.module, launched.training_script) == (True, "stylemask_demo")
    parse(launched.training_script_args)


def _make(arguments: list[str], _: Endpoints) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = re.findall(r"^([\w-]+):", makefile, re.M)
    for argument in arguments:
        name, assigned, _ = argument.partition("=")
        if assigned:
            assert f"$({name})" in makefile, f"the Makefile uses no {name}"
        else:
            assert name in targets, f"the Makefile has no target '{name}'"
        if name in TOOLS:
            given = next((after.partition("=")[2] for after in arguments if after.startswith("ARGS=")), "")
            _understood(import_module(name).parser(), shlex.split(given))


def _pip(arguments: list[str], _: Endpoints) -> None:
    assert arguments[0] == "install", arguments
    for option, what in zip(arguments[1:], [*arguments[2:], ""], strict=True):
        if option == "-r":
            assert (ROOT / what).is_file(), f"there is no {what}"
    own = [argument for argument in arguments if re.match(r"\.(\[|$)", argument)]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for extra in re.findall(r"[\w-]+", " ".join(own)):
        assert extra in project.get("optional-dependencies", {}), f"pyproject.toml has no extra '{extra}'"


def _git(arguments: list[str], _: Endpoints) -> None:
    if arguments[0] == "clone":
        assert arguments[1:3] == ["--depth", "1"], "the history is large: clone without it"


def _docker(arguments: list[str], _: Endpoints) -> None:
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    if arguments[:2] == ["compose", "-f"]:
        assert arguments[3] in ("up", "restart") and (ROOT / arguments[2]).is_file(), arguments
        return
    assert arguments[0] in ("build", "run"), arguments
    for option, value in zip(arguments, [*arguments[1:], ""], strict=True):
        if option == "--build-arg":
            assert f"ARG {value.partition('=')[0]}=" in dockerfile, f"the Dockerfile has no argument {value}"
        elif option == "-p":
            assert f"EXPOSE {value.partition(':')[2]}\n" in dockerfile, f"the Dockerfile opens no port {value}"
        elif option == "-v":
            assert value.partition(":")[2] in dockerfile, f"the Dockerfile knows no folder {value}"
        elif option == "-e":
            _check_variable(value.partition("=")[0])


def _curl(arguments: list[str], endpoints: Endpoints) -> None:
    (address,) = (argument for argument in arguments if argument.startswith("http://"))
    call = re.fullmatch(r"http://127\.0\.0\.1:7860/gradio_api/(?:upload|call/v2/(\w+)(?:/EVENT)?)", address)
    assert call, f"{address} is no endpoint's address"
    if call[1]:
        assert f"/{call[1]}" in endpoints, f"the page has no endpoint {call[1]}"
    if "--json" in arguments:
        sent = json.loads(arguments[arguments.index("--json") + 1])
        assert set(sent) <= set(endpoints[f"/{call[1]}"]), f"{call[1]} takes {endpoints[f'/{call[1]}']}"


def _fine(arguments: list[str], _: Endpoints) -> None:
    """Other people's commands, which stay as they are."""


_CHECKS: dict[str, Callable[[list[str], Endpoints], None]] = {
    "stylemask-demo": _own,
    "python": _python,
    "accelerate": _accelerate,
    "make": _make,
    "pip": _pip,
    "git": _git,
    "docker": _docker,
    "curl": _curl,
    "cd": _fine,
    "apt-get": _fine,
    "hf": _fine,
    "pre-commit": _fine,
}
