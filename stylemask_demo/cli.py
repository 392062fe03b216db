"""The command line, ``stylemask-demo`` or ``python -m stylemask_demo``: exit status 0, or 2 and one line for bad input."""

import argparse
import math
import sys
import warnings
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import NoReturn

from stylemask_demo import __version__, batch, commands
from stylemask_demo.editing.table import SLIDERS
from stylemask_demo.errors import StyleMaskError

SCRIPT = "stylemask-demo"  # as it is named once the package is installed
DEFAULT_PACK = "synthetic"
WIDER = {"yaw": (-45, 45), "pitch": (-30, 30), "smile": (-1, 1)}  # sliders that go further than is safe on the page
# Commands with a parser of their own, in modules that the demo does not need.
TOOLS = {
    "render": ("stylemask_demo.rendering.command", "Render synthetic people with exact labels."),
    "train": ("stylemask_demo.training.command", "Train a network of the embedded pack."),
    "evaluate": ("stylemask_demo.evaluation.command", "Measure a pack on labelled pictures."),
    "stand-in": ("stylemask_demo.training.stand_in.command", "Make files that stand in for a published pack."),
    "bench": ("stylemask_demo.evaluation.bench.command", "Measure what this machine needs for each kind of work."),
}


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


def _whole_number(lowest: int, highest: int) -> Callable[[str], int]:
    """Return an argument type that takes whole numbers from ``lowest`` to ``highest``."""

    def read(text: str) -> int:
        if not text.isdecimal() or not lowest <= int(text) <= highest:
            raise argparse.ArgumentTypeError(f"'{text}' is not a whole number from {lowest} to {highest}")
        return int(text)

    return read


def _face(text: str) -> int | tuple[float, float]:
    """Return the face that a text means: by its number, or by a point on it."""
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if text.isdecimal():
        return int(text)
    if len(numbers) != 2 or not all(map(math.isfinite, numbers)):
        raise argparse.ArgumentTypeError(f"'{text}' is no number of a face, such as 1, and no point, such as 320,180")
    return numbers[0], numbers[1]


def _leader(text: str) -> int | str:
    """Return whom a random person follows: a seed as a number, a picture by its name."""
    return int(text) if text.isdecimal() else text


def _parser() -> argparse.ArgumentParser:
    script = Path(sys.argv[0]).stem == SCRIPT
    parser = _Parser(prog=SCRIPT if script else "python -m stylemask_demo", description="Reenact and edit portraits.")
    parser.add_argument("--version", action="version", version=f"{SCRIPT} {__version__}")
    choices = parser.add_subparsers(metavar="COMMAND", required=True)

    def command(name: str, run: Callable[[argparse.Namespace], None], text: str) -> argparse.ArgumentParser:
        added = choices.add_parser(name, help=text, description=text)
        added.set_defaults(run=run)
        return added

    def pack_option(added: argparse.ArgumentParser) -> None:
        added.add_argument("--pack", default=DEFAULT_PACK, help=f"name or folder of the weights (default: {DEFAULT_PACK})")

    def output_option(added: argparse.ArgumentParser, name: str) -> None:
        added.add_argument("-o", "--output", required=True, metavar=name, help="where the result goes")

    def method_option(added: argparse.ArgumentParser) -> None:
        added.add_argument(
            "--method",
            default="stylemask",
            metavar="METHOD",
            help="stylemask, directions or motion, as far as the pack has them (default: stylemask)",
        )

    def strength_option(added: argparse.ArgumentParser, strongest: float) -> None:
        added.add_argument(
            "--strength",
            type=_number(0, strongest),
            default=1.0,
            metavar=f"0..{strongest:g}",
            help="0 keeps the source, 1 takes all of the pose and expression (default: 1)",
        )

    def region_option(added: argparse.ArgumentParser) -> None:
        added.add_argument(
            "--region",
            default="all",
            metavar="REGION",
            help="what follows the target: all, pose, expression, lips or eyes (default: all)",
        )

    app = command("app", commands.app, "Open the page in the browser.")
    app.add_argument("--port", type=_whole_number(1, 65535), help="port of the page (default: a free one from 7860)")
    app.add_argument("--share", action="store_true", help="also give the page an address that everybody can reach")
    app.add_argument(
        "--pack", help=f"name or folder of the weights that it opens with (default: $STYLEMASK_PACK, else {DEFAULT_PACK})"
    )

    reenact = command("reenact", commands.reenact, "Give the source person the target's head pose and expression.")
    reenact.add_argument("source", metavar="SOURCE", help="picture of the person (who)")
    reenact.add_argument("target", metavar="TARGET", help="picture of the pose and expression (how)")

    compare = command("compare", commands.compare, "Show the results of all methods beside each other.")
    compare.add_argument("source", metavar="SOURCE", help="picture of the person (who)")
    compare.add_argument("target", metavar="TARGET", help="picture of the pose and expression (how)")

    strip = command("strip", commands.strip, "Move a face from one end of a slider to the other, as an animation.")
    strip.add_argument("source", metavar="SOURCE", help="picture of the person")
    strip.add_argument("--slider", default="yaw", metavar="SLIDER", help="one that edit has (default: yaw)")

    grid = command("grid", commands.grid, "Show every source with the pose and expression of every target.")
    for role in ("sources", "targets"):
        grid.add_argument(f"--{role}", nargs="+", required=True, metavar="PICTURE", help=f"one to five {role}")

    drive = command("drive", batch.drive, "Let the source person move as the face in a video.")
    drive.add_argument("source", metavar="SOURCE", help="picture or video of the person (who), or a folder of them")
    drive.add_argument("video", metavar="VIDEO", help="video of the motion (how), at most a minute, or a folder of them")
    drive.add_argument(
        "--face",
        type=_face,
        metavar="FACE",
        help="who of several is followed: number of a face in the first frame, 0 the clearest, or a point on it: 320,180",
    )
    drive.add_argument(
        "--motion",
        default="absolute",
        metavar="MOTION",
        help="absolute: as the video has it; relative: what changes since its first frame is added (default: absolute)",
    )
    drive.add_argument(
        "--smoothing", type=_number(0, 4), default=1.0, metavar="0..4", help="how much the motion is smoothed (default: 1)"
    )
    drive.add_argument(
        "--crop",
        default="follows",
        metavar="CROP",
        help="the face in the video is read where it is (follows) or where it was at first (stays) (default: follows)",
    )
    drive.add_argument(
        "--layout",
        default="plain",
        metavar="LAYOUT",
        help="plain results, the video beside them, or all of the source's photo with them in it (default: plain)",
    )
    drive.add_argument(
        "--format", choices=("mp4", "webm", "gif"), default="mp4", help="kind of the results of folders (default: mp4)"
    )

    many = command("batch", batch.batch, "Do what reenact does, for many files.")
    many.add_argument("sources", metavar="SOURCES", help="folder of pictures (who), or one picture")
    many.add_argument("targets", metavar="TARGETS", help="folder of pictures (how), or one picture")

    edit = command("edit", commands.edit, "Turn a face and change its expression, relative to the picture.")
    edit.add_argument("source", metavar="SOURCE", help="picture of the person")
    for name, slider in SLIDERS.items():
        low, high = WIDER.get(name, (slider.low, slider.high))
        edit.add_argument(
            f"--{name.replace('_', '-')}",
            type=_number(low, high),
            metavar="DEGREES" if slider.unit == "degrees" else f"{low:g}..{high:g}",
            help=f"{slider.title.lower()}: {slider.hint.lower()}, {low:g} to {high:g}",
        )
    edit.add_argument("--like", metavar="PICTURE", help="picture whose expression the person takes; options above go first")
    edit.add_argument(
        "--ratio", type=_number(0, 1.5), default=1.0, metavar="0..1.5", help="of that expression (default: 1)"
    )

    parameters = command("parameters", commands.parameters, "Print head pose, expression and landmarks of a face.")
    parameters.add_argument("image", metavar="IMAGE")
    parameters.add_argument(
        "--json",
        action="store_true",
        help="all of it as JSON: angles in degrees, expression by name, landmarks in pixels of the picture",
    )

    invert = command("invert", commands.invert, "Write the face as the generator reproduces it.")
    invert.add_argument("image", metavar="IMAGE")

    sample = command("sample", commands.sample, "Write a random person.")
    seed = _whole_number(0, 2**63 - 1)
    sample.add_argument("--seed", type=seed, default=0, help="another seed, another person (default: 0)")
    sample.add_argument(
        "--like",
        type=_leader,
        metavar="TARGET",
        help="whose head pose and expression the person takes: a picture, or the seed of another random person",
    )
    sample.add_argument(
        "--truncation",
        type=_number(0, 1),
        metavar="0..1",
        help="0 is the mean face, 1 as odd as they come (default: as the pack's authors have it)",
    )

    for added in (reenact, edit, compare, grid, invert, sample):
        output_option(added, "OUT.png")
    output_option(drive, "OUT")
    output_option(many, "DIR")
    for added in (drive, many):
        added.add_argument("--matrix", action="store_true", help="all with all, where files of folders else go in pairs")
    output_option(strip, "OUT.gif")
    for added in (reenact, grid, drive, many, sample):
        method_option(added)
    for added, strongest in ((reenact, 1.0), (drive, 1.5), (many, 1.0)):
        strength_option(added, strongest)
        region_option(added)
    for added in (reenact, edit, drive, many):
        added.add_argument(
            "--size",
            type=_whole_number(64, 1024),
            metavar="PIXELS",
            help="results as large as the picture shows the face, at most this (default: the size of the pack)",
        )
    for added in (reenact, edit, drive, many, invert):
        added.add_argument(
            "--tune", action="store_true", help="first tune the generator to the person: takes longer, looks more alike"
        )
    for added in (reenact, edit, compare, strip, grid, drive, many, parameters, invert, sample):
        pack_option(added)
    packs = command("packs", commands.packs, "List the packs of weights, download one, or fit directions for one.")
    actions = packs.add_subparsers(metavar="{download,verify,calibrate}")
    download = actions.add_parser(
        "download", help="fetch and convert published weights", description="Fetch and convert published weights."
    )
    download.set_defaults(run=commands.download)
    download.add_argument("name", metavar="NAME", help="ffhq or voxceleb")
    download.add_argument("--from", dest="source", metavar="FOLDER", help="folder that has the published files already")
    verification = actions.add_parser(
        "verify",
        help="check a pack, and let two sampled people reenact each other",
        description="Check a pack: its files, its recipe, and how two sampled people reenact each other. For a report.",
    )
    verification.set_defaults(run=commands.verify)
    verification.add_argument("name", metavar="NAME", help="name or folder of the pack")
    calibration = actions.add_parser(
        "calibrate",
        help="fit directions for a pack that has none",
        description="Fit directions for a pack that has none, such as ffhq, on random faces. Minutes on a graphics card.",
    )
    calibration.set_defaults(run=commands.calibrate)
    calibration.add_argument("name", metavar="NAME", help="name or folder of the pack")
    for name, (_, text) in TOOLS.items():
        choices.add_parser(name, help=f"{text} '{name} --help' tells more.", add_help=False)
    return parser
