"""The command line, ``python -m stylemask_demo COMMAND``: exit status 0, or 2 and one line for bad input."""

import argparse
import json
import math
import sys
import warnings
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import NoReturn

from stylemask_demo.errors import StyleMaskError

DEFAULT_PACK = "synthetic"
# Commands with a parser of their own, in modules that the demo does not need.
TOOLS = {
    "render": ("stylemask_demo.rendering.command", "Render synthetic people with exact labels."),
    "train": ("stylemask_demo.training.command", "Train a network of the embedded pack."),
    "evaluate": ("stylemask_demo.evaluation.command", "Measure a pack on labelled pictures."),
    "bench": ("stylemask_demo.evaluation.bench", "Compare fast ways with plain ones on this machine."),
}
STRONGEST = 5  # expressions that `parameters` prints without --json


class _Parser(argparse.ArgumentParser):
    """An argument parser that says what is wrong in one line instead of printing its usage before it."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}. See '{self.prog} --help'.\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return the exit status: 0, or 2 for bad input, explained in one line on stderr."""
    argv = list(sys.argv[1:] if argv is None else argv)
    # What Pillow has to say about a damaged file before it gives up would bury the one line that helps.
    warnings.filterwarnings("ignore", module=r"PIL\.")
    try:
        if argv and argv[0] in TOOLS:
            # Imported here: the demo starts without the code and the packages of training and measuring.
            return import_module(TOOLS[argv[0]][0]).main(argv[1:])
        options = _parser().parse_args(argv)
        options.run(options)
        return 0
    except StyleMaskError as error:
        print(f"stylemask_demo: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def _reenact(options: argparse.Namespace) -> None:
    from stylemask_demo.media import check_png_path, open_image

    check_png_path(options.output)
    source, target = open_image(options.source), open_image(options.target)
    reenactor = _reenactor(options)
    if options.method not in reenactor.methods:
        raise StyleMaskError(
            f"The pack '{reenactor.info.name}' has no method '{options.method}'. "
            f"Choose one of: {', '.join(reenactor.methods)}."
        )
    _save(reenactor.reenact(source, target, method=options.method, strength=options.strength), options.output)


def _edit(options: argparse.Namespace) -> None:
    from stylemask_demo.media import check_png_path, open_image

    check_png_path(options.output)
    source = open_image(options.source)
    result = _reenactor(options).edit(source, yaw=options.yaw, pitch=options.pitch, smile=options.smile)
    _save(result, options.output)


def _parameters(options: argparse.Namespace) -> None:
    from stylemask_demo.media import open_image

    image = open_image(options.image)
    portrait = _reenactor(options).portrait(image)
    parameters = portrait.parameters
    angles = {name: round(float(getattr(parameters, name)), 3) for name in ("yaw", "pitch", "roll")}
    expression = {name: round(float(value), 4) for name, value in parameters.expression.items()}
    if options.json:
        points = [[round(float(x), 2), round(float(y), 2)] for x, y in portrait.landmarks_in_photo]
        print(json.dumps({**angles, "expression": expression, "landmarks": points}, indent=2))
        return
    for name, value in angles.items():
        print(f"{name:<20} {value:7.1f} degrees")
    for name in sorted(expression, key=lambda name: -abs(expression[name]))[:STRONGEST]:
        print(f"{name:<20} {expression[name]:7.2f}")


def _invert(options: argparse.Namespace) -> None:
    from stylemask_demo.media import check_png_path, open_image

    check_png_path(options.output)
    image = open_image(options.image)
    _save(_reenactor(options).portrait(image).inversion, options.output)


def _sample(options: argparse.Namespace) -> None:
    from stylemask_demo.media import check_png_path

    check_png_path(options.output)
    _save(_reenactor(options).sample(options.seed), options.output)


def _packs(options: argparse.Namespace) -> None:
    from stylemask_demo.packs import available_packs, missing_files

    for pack in available_packs():
        without = f" (without {', '.join(missing_files(pack))})" if missing_files(pack) else ""
        print(f"{pack.name:<12} {pack.resolution:>5} px  {pack.state:<14}  {pack.licence:<13}  {pack.title}{without}")


def _download(options: argparse.Namespace) -> None:
    from stylemask_demo.packs import download_pack, licence_text
    from stylemask_demo.packs.progress import ProgressBars

    print(licence_text(options.name), file=sys.stderr)
    with ProgressBars() as bars:
        info, left_out = download_pack(options.name, bars, options.source)
    for line in left_out:
        print(f"stylemask_demo: left out: {line}", file=sys.stderr)
    print(info.folder)


def _reenactor(options: argparse.Namespace):
    # Imported here: help and complaints about arguments need no networks.
    from stylemask_demo.reenactor import Reenactor

    return Reenactor.from_pack(options.pack, device="auto")


def _save(picture, path: str) -> None:
    from stylemask_demo.media import save_png

    save_png(picture, path)
    print(path)


def _number(lowest: float, highest: float) -> Callable[[str], float]:
    """Return an argument type that takes numbers from ``lowest`` to ``highest``."""

    def read(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not lowest <= value <= highest:
            raise argparse.ArgumentTypeError(f"'{text}' is not a number from {lowest:g} to {highest:g}")
        return value

    return read


def _seed(text: str) -> int:
    if not text.isdecimal() or int(text) >= 2**63:
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number from 0 to {2**63 - 1}")
    return int(text)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="python -m stylemask_demo", description="Reenact and edit portraits.")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    def command(name: str, run: Callable[[argparse.Namespace], None], text: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=text, description=text)
        added.set_defaults(run=run)
        return added

    def pack_option(added: argparse.ArgumentParser) -> None:
        added.add_argument("--pack", default=DEFAULT_PACK, help=f"name or folder of the weights (default: {DEFAULT_PACK})")

    def output_option(added: argparse.ArgumentParser) -> None:
        added.add_argument("-o", "--output", required=True, metavar="OUT.png", help="where the picture goes")

    reenact = command("reenact", _reenact, "Give the source person the target's head pose and expression.")
    reenact.add_argument("source", metavar="SOURCE", help="picture of the person (who)")
    reenact.add_argument("target", metavar="TARGET", help="picture of the pose and expression (how)")
    reenact.add_argument("--method", default="stylemask", help="stylemask or directions (default: stylemask)")
    reenact.add_argument(
        "--strength",
        type=_number(0, 1),
        default=1.0,
        metavar="0..1",
        help="0 keeps the source, 1 takes all of the target's pose (default: 1)",
    )

    edit = command("edit", _edit, "Turn a face and change its smile, relative to the picture.")
    edit.add_argument("source", metavar="SOURCE", help="picture of the person")
    edit.add_argument(
        "--yaw",
        type=_number(-45, 45),
        default=0.0,
        metavar="DEGREES",
        help="more than 0 turns the face to the right of the picture",
    )
    edit.add_argument("--pitch", type=_number(-30, 30), default=0.0, metavar="DEGREES", help="more than 0 looks up")
    edit.add_argument("--smile", type=_number(-1, 1), default=0.0, metavar="-1..1", help="more or less smile")

    parameters = command("parameters", _parameters, "Print head pose, expression and landmarks of a face.")
    parameters.add_argument("image", metavar="IMAGE")
    parameters.add_argument(
        "--json",
        action="store_true",
        help="all of it as JSON: angles in degrees, expression by name, landmarks in pixels of the picture",
    )

    invert = command("invert", _invert, "Write the face as the generator reproduces it.")
    invert.add_argument("image", metavar="IMAGE")

    sample = command("sample", _sample, "Write a random person.")
    sample.add_argument("--seed", type=_seed, default=0, help="another seed, another person (default: 0)")

    for added in (reenact, edit, invert, sample):
        output_option(added)
    for added in (reenact, edit, parameters, invert, sample):
        pack_option(added)
    packs = command("packs", _packs, "List the packs of weights, or download one.")
    download = packs.add_subparsers(metavar="download").add_parser(
        "download", help="fetch and convert published weights", description="Fetch and convert published weights."
    )
    download.set_defaults(run=_download)
    download.add_argument("name", metavar="NAME", help="ffhq or voxceleb")
    download.add_argument("--from", dest="source", metavar="FOLDER", help="folder that has the published files already")
    for name, (_, text) in TOOLS.items():
        commands.add_parser(name, help=f"{text} '{name} --help' tells more.", add_help=False)
    return parser
