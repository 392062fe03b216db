"""What the commands of the command line do; `cli` says what they are called with."""

import argparse
import json
import os
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from stylemask_demo import messages
from stylemask_demo.errors import WrongSetting

if TYPE_CHECKING:
    from PIL.Image import Image

    from stylemask_demo.media.videos import VideoFrames
    from stylemask_demo.reenactor import Portrait, Reenactor

STRONGEST = 5  # expressions that `parameters` prints without --json


def app(options: argparse.Namespace) -> None:
    """Serve the page and open it in the browser."""
    from stylemask_demo.ui import PackRegistry, build_page, launch

    page = build_page(PackRegistry.from_environment(options.pack))
    launch(page, port=options.port, share=options.share)


def reenact(options: argparse.Namespace) -> None:
    """Write the source person with the target's head pose and expression."""
    from stylemask_demo.media.saving import check_output_path

    check_output_path(options.output, ".png")
    picture, target = open_picture(options.source), open_picture(options.target)
    reenactor = load(options, options.method)
    source = portrait_of(reenactor, picture, options)
    how = {"method": options.method, "strength": options.strength, "region": options.region}
    save(reenactor.reenact(source, target, **how), options.output)


def edit(options: argparse.Namespace) -> None:
    """Write the source with the head turned and the expression changed."""
    from stylemask_demo.media.saving import check_output_path
    from stylemask_demo.reenactor import SLIDERS

    check_output_path(options.output, ".png")
    picture = open_picture(options.source)
    like = None if options.like is None else open_picture(options.like)
    reenactor = load(options, "directions")
    source = portrait_of(reenactor, picture, options)
    values = {name: getattr(options, name) for name in SLIDERS if getattr(options, name) is not None}
    if like is not None:
        values = {**reenactor.sliders.towards(source, reenactor.portrait(like), options.ratio), **values}
    save(reenactor.edit(source, **values), options.output)


def compare(options: argparse.Namespace) -> None:
    """Write the results of all methods beside each other."""
    from stylemask_demo.comparisons import compare_methods
    from stylemask_demo.media.saving import check_output_path

    check_output_path(options.output, ".png")
    source, target = open_picture(options.source), open_picture(options.target)
    save(compare_methods(load(options), source, target), options.output)


def strip(options: argparse.Namespace) -> None:
    """Write an animation of the source from one end of a slider to the other and back."""
    from stylemask_demo.comparisons import MILLISECONDS, STEPS, slider_strip
    from stylemask_demo.media.saving import check_output_path, save_gif

    check_output_path(options.output, ".gif")
    picture = open_picture(options.source)
    made = slider_strip(load(options, "directions"), picture, options.slider)
    save_gif(list(_counted(made, 2 * STEPS - 2, "picture")), options.output, MILLISECONDS)
    print(options.output)


def grid(options: argparse.Namespace) -> None:
    """Write a table of results, sources by targets."""
    from stylemask_demo.comparisons import grid
    from stylemask_demo.media.saving import check_output_path

    check_output_path(options.output, ".png")
    sources, targets = ([open_picture(path) for path in paths] for paths in (options.sources, options.targets))
    reenactor = load(options, options.method)
    made = grid(
        reenactor, sources, targets, options.method, progress=lambda done, total: tell_progress("picture", done, total)
    )
    save(made, options.output)


def drive(options: argparse.Namespace) -> None:
    """Write a video of the source that moves as the face in another."""
    from stylemask_demo.media.saving import check_output_path
    from stylemask_demo.media.video_formats import VIDEO_FORMATS

    check_output_path(options.output, *VIDEO_FORMATS)
    source, frames = open_source(options.source, options), open_frames(options.video)
    drive_file(load(options, options.method), source, frames, options)


def drive_file(
    reenactor: "Reenactor", source: "Image | VideoFrames", frames: "VideoFrames", options: argparse.Namespace
) -> None:
    """Write to `options.output` the source that moves as the face in the frames of `options.video`."""
    from PIL import Image

    from stylemask_demo.media.videos import note_on_sound, write_video

    who = portrait_of(reenactor, source, options) if isinstance(source, Image.Image) else source
    more = {name: getattr(options, name) for name in ("motion", "smoothing", "crop", "layout")}
    made = reenactor.drive(who, frames, options.method, options.strength, options.region, options.face, **more)
    write_video(options.output, _counted(made, frames.count, "frame"), fps=frames.fps, audio_from=options.video)
    _tell(options.output, note_on_sound(options.output, options.video))
    print(options.output)


def open_source(path: str | os.PathLike, options: argparse.Namespace) -> "Image | VideoFrames":
    """The picture of a file, or its frames; of films nothing is tuned to."""
    from stylemask_demo.media.files import is_film

    if not is_film(path):
        return open_picture(path)
    if options.tune:
        raise WrongSetting(messages.FILM_NOT_TUNED)
    return open_frames(path)


def open_frames(path: str | os.PathLike) -> "VideoFrames":
    """The frames of a file; what its owner should know of it is said."""
    from stylemask_demo.media.videos import read_frames

    frames = read_frames(path)
    _tell(path, frames.note)
    return frames


def parameters(options: argparse.Namespace) -> None:
    """Print head pose, expression and landmarks of a face."""
    image = open_picture(options.image)
    portrait = load(options).portrait(image)
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


def invert(options: argparse.Namespace) -> None:
    """Write the face as the generator reproduces it."""
    from stylemask_demo.media.saving import check_output_path

    check_output_path(options.output, ".png")
    image, reenactor = open_picture(options.image), load(options)
    save(portrait_of(reenactor, image, options).inversion, options.output)


def sample(options: argparse.Namespace) -> None:
    """Write a random person."""
    from stylemask_demo.media.saving import check_output_path

    check_output_path(options.output, ".png")
    like = open_picture(options.like) if isinstance(options.like, str) else options.like
    reenactor = load(options, None if like is None else options.method)
    save(reenactor.sample(options.seed, like, options.method, options.truncation), options.output)


def packs(options: argparse.Namespace) -> None:
    """List the packs."""
    from stylemask_demo.packs import available_packs, missing_files

    for pack in available_packs():
        without = f" (without {', '.join(missing_files(pack))})" if missing_files(pack) else ""
        print(f"{pack.name:<12} {pack.resolution:>5} px  {pack.state:<14}  {pack.licence:<13}  {pack.title}{without}")


def download(options: argparse.Namespace) -> None:
    """Fetch and convert a published pack."""
    from stylemask_demo.downloads.progress_bars import ProgressBars
    from stylemask_demo.packs import download_pack, licence_text

    print(licence_text(options.name), file=sys.stderr)
    with ProgressBars() as bars:
        info, left_out = download_pack(options.name, bars, options.source)
    for line in left_out:
        print(f"stylemask_demo: left out: {line}", file=sys.stderr)
    print(info.folder)


def verify(options: argparse.Namespace) -> None:
    """Print a report on a pack, line by line as it is made."""
    from stylemask_demo.verification import report

    for line in report(options.name):
        print(line, flush=True)


def calibrate(options: argparse.Namespace) -> None:
    """Fit directions for a pack that has none."""
    reenactor = load(argparse.Namespace(pack=options.name))
    report = reenactor.calibrator.run(progress=lambda done, total, what: tell_progress(f"{what}, picture", done, total))
    print(reenactor.info.folder)
    errors = ", ".join(f"{space} {error:.2f}" for space, error in report["held_out_error"].items())
    print(f"stylemask_demo: kept the directions in {report['space']}; error of each: {errors}", file=sys.stderr)


def load(options: argparse.Namespace, method: str | None = None) -> "Reenactor":
    """The pack that the options name; raises UnknownMethod when it cannot do the method."""
    # Imported here: help and complaints about arguments need no networks.
    from stylemask_demo.reenactor import Reenactor

    reenactor = Reenactor.from_pack(options.pack, device="auto", size=getattr(options, "size", None))
    if method is not None:
        reenactor.check(method)  # before the pictures are looked at
    return reenactor


def open_picture(path: str | os.PathLike) -> "Image":
    """The picture of a file; what its owner should know of it is said."""
    from stylemask_demo.media.origin import origin_of
    from stylemask_demo.media.pictures import open_image

    image = open_image(path)
    _tell(path, origin_of(image).note)
    return image


def _tell(path: str | os.PathLike, note: str) -> None:
    if note:
        from stylemask_demo.media.files import told_of

        print(f"stylemask_demo: {told_of(path, note)}", file=sys.stderr)


def portrait_of(reenactor: "Reenactor", image: "Image", options: argparse.Namespace) -> "Portrait":
    """The portrait of a picture; with --tune the generator is tuned to it."""
    portrait = reenactor.portrait(image)
    if not options.tune:
        return portrait
    return reenactor.tune(portrait, progress=lambda done, total, loss: tell_progress("tuning step", done, total))


def _counted(pictures: Iterator["Image"], total: int, what: str) -> Iterator["Image"]:
    for done, picture in enumerate(pictures, 1):
        tell_progress(what, done, max(done, total))
        yield picture


def tell_progress(what: str, done: int, total: int) -> None:
    """Say how far long work is, on one line of a terminal; logs and pipes stay clean."""
    if sys.stderr.isatty():
        print(f"\r{what} {done} of {total}", end="\n" if done == total else "", file=sys.stderr, flush=True)


def save(picture: "Image", path: str | os.PathLike) -> None:
    """Write a picture as PNG, and print where it is."""
    from stylemask_demo.media.saving import save_png

    save_png(picture, path)
    print(path)
