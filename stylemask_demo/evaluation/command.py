"""The command `evaluate`: all measurements on labelled people, videos or photographs, in Markdown, JSON and figures."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from stylemask_demo import Reenactor
from stylemask_demo.errors import StyleMaskError, UnreadableMedia, UnwritableMedia
from stylemask_demo.evaluation.bars import CROSS, SELF, verdicts
from stylemask_demo.evaluation.baselines import Way, all_ways
from stylemask_demo.evaluation.figures import group_chart, slider_chart
from stylemask_demo.evaluation.instruments import Instruments
from stylemask_demo.evaluation.judge.evaluation import evaluate_real
from stylemask_demo.evaluation.people import Face, by_group, has_shard, read_people
from stylemask_demo.evaluation.portraits import measure_extractor, measure_inversion
from stylemask_demo.evaluation.reenactment import (
    Gallery,
    Outcome,
    Pairs,
    cross_pairs,
    measure_cross,
    measure_self,
    self_pairs,
)
from stylemask_demo.evaluation.report import to_json, to_markdown
from stylemask_demo.evaluation.sheets import draw_film, draw_sheets
from stylemask_demo.evaluation.sliders import VALUES, Sweep, neutral_faces, sweep
from stylemask_demo.evaluation.standard_networks import StandardNetworks
from stylemask_demo.evaluation.videos import clip_pairs, find_videos, frechet_video_distance, read_clips

ALL = "all"
PAIRS, REAL_PAIRS = 200, 40
KINDS = {SELF: measure_self, CROSS: measure_cross}


@dataclass(frozen=True)
class Setup:
    """What every measurement needs."""

    reenactor: Reenactor
    methods: Sequence[str]
    ways: dict[str, Way]
    instruments: Instruments
    standard: StandardNetworks


def main(argv: list[str]) -> int:
    """Prints the measurements; returns the exit status. Raises StyleMaskError for what a person must change."""
    parser = argparse.ArgumentParser(
        prog="python -m stylemask_demo evaluate",
        description="Measures a pack on labelled pictures of people, on videos of real people, or on photographs.",
    )
    material = parser.add_mutually_exclusive_group(required=True)
    material.add_argument(
        "--data",
        type=Path,
        help="folder with validation.tar and validation.npz, and perhaps an MP4 file that drives a face for --sheets, "
        "or with videos as PERSON/.../CLIP.mp4",
    )
    material.add_argument(
        "--real",
        type=Path,
        metavar="FOLDER",
        help="folder with photographs and videos of real people; outside eyes that 'make judge' installs judge the results",
    )
    parser.add_argument("--method", default=ALL, help="stylemask, directions, motion or all (default: all)")
    parser.add_argument("--pack", default="synthetic", help="name or folder of the pack (default: synthetic)")
    parser.add_argument(
        "--pairs",
        type=_count,
        help=f"pairs for self and for cross reenactment, each (default: {PAIRS}; of photographs {REAL_PAIRS})",
    )
    parser.add_argument("--sheets", type=Path, help="folder into which figures and contact sheets are drawn")
    parser.add_argument("--json", type=Path, metavar="FILE", help="where the numbers go; the tables go beside it as .md")
    options = parser.parse_args(argv)
    _make_folders(options.sheets, options.json)
    if options.real:
        reenactor = Reenactor.from_pack(options.pack)
        methods = _methods(reenactor, options.method)
        report = evaluate_real(reenactor, methods, options.real, options.pairs or REAL_PAIRS, options.sheets)
    else:
        report = _evaluate_data(options)
    if options.json:
        options.json.write_text(to_json(report), encoding="utf-8")
        options.json.with_suffix(".md").write_text(to_markdown(report), encoding="utf-8")
    print(to_markdown(report), end="")
    return 0


def _evaluate_data(options: argparse.Namespace) -> dict:
    """Labelled people where the folder has them, else videos."""
    labelled, pairs = has_shard(options.data), options.pairs or PAIRS
    videos = {} if labelled else find_videos(options.data)
    if not (labelled or videos):
        raise UnreadableMedia(
            f"{options.data} holds neither validation.npz nor videos. Name a folder of labelled faces, made by "
            "'python -m stylemask_demo render', or of videos as PERSON/.../CLIP.mp4."
        )
    setup = set_up(options.pack, options.method)
    return (
        evaluate_people(setup, options.data, pairs, options.sheets) if labelled else evaluate_videos(setup, videos, pairs)
    )


def set_up(pack: str, method: str = ALL) -> Setup:
    """Loads a pack with the instruments, baselines and standard networks to measure one or all of its methods."""
    reenactor = Reenactor.from_pack(pack)
    methods = _methods(reenactor, method)
    instruments = Instruments(reenactor.pipeline.networks)
    ways = all_ways(reenactor, instruments, methods)
    return Setup(reenactor, methods, ways, instruments, StandardNetworks(reenactor.device, instruments))


def evaluate_people(setup: Setup, data: Path, pairs: int, sheets: Path | None = None) -> dict:
    """All measurements on labelled people, as nested dictionaries of numbers; figures and sheets go into `sheets`."""
    faces, missed = read_people(setup.reenactor, data)
    if not faces:
        raise UnreadableMedia(f"No face was found in any picture of {data}. Check the pictures.")
    gallery = Gallery.labelled(faces, setup.instruments)
    extracted = measure_extractor(faces)
    inverted = measure_inversion(faces, setup.instruments)
    report: dict[str, Any] = {
        "pack": setup.reenactor.info.name,
        "data": {"people": len(set(gallery.people)), "pictures": len(faces) + missed, "no face found": missed},
        "extractor": {name: float(values.mean()) for name, values in extracted.items()},
        "inversion": {name: float(values.mean()) for name, values in inverted.items()},
    }
    chosen = {SELF: self_pairs(gallery.people, pairs), CROSS: cross_pairs(gallery.people, pairs)}
    outcomes = _reenact(setup, gallery, chosen, report)
    sweeps = _sweep(setup, faces)
    report["sliders"] = {found.slider: found.measures() for found in sweeps}
    groups = {"extractor and inversion": by_group(faces, extracted["pose error"], inverted["identity cosine"])}
    for kind, of_ways in outcomes.items():
        sources = [faces[row] for row in chosen[kind].sources]
        for method in setup.methods:
            each = of_ways[method].each
            groups[f"{kind}, {method}"] = by_group(sources, each["pose error"], each["CSIM"])
    report["groups"] = groups
    report["bars"] = verdicts(report, setup.methods)
    report["left out"] = setup.standard.missing
    if sheets:
        if sweeps:
            slider_chart(sweeps).savefig(sheets / "sliders.png")
        for name, kinds in groups.items():
            group_chart(name, kinds).savefig(sheets / f"groups-{name.replace(', ', '-').replace(' ', '-')}.png")
        draw_sheets(setup.reenactor, faces, setup.methods, sheets)
        for film in sorted(data.glob("*.mp4"))[:1]:
            draw_film(setup.reenactor, faces[0].portrait, film, setup.methods, sheets)
    return report


def evaluate_videos(setup: Setup, videos: dict[str, list[Path]], pairs: int) -> dict:
    """Self and cross reenactment of videos of real people, as nested dictionaries of numbers.

    What is true of a target is what the instruments see in its frame.
    """
    clips, left_out = read_clips(setup.reenactor, videos, pairs)
    if not clips:
        raise UnreadableMedia(f"None of the videos can be measured. {' '.join(left_out[:3])}")
    portraits = [portrait for clip in clips for portrait in clip.portraits]
    people = [clip.person for clip in clips for _ in clip.portraits]
    gallery = Gallery.as_seen(portraits, people, setup.instruments)
    chosen = {SELF: clip_pairs(clips, cross=False), CROSS: clip_pairs(clips, cross=True)}
    report: dict[str, Any] = {
        "pack": setup.reenactor.info.name,
        "data": {"people": len(set(people)), "clips": len(clips), "frames": len(portraits)},
    }
    outcomes = _reenact(setup, gallery, {kind: rows for kind, (rows, _) in chosen.items()}, report)
    for kind, of_ways in outcomes.items():
        rows, of_clips = chosen[kind]
        for way, outcome in of_ways.items():
            true = gallery.sight.features[rows.targets]
            if len(set(of_clips)) > 1:
                report[kind][way]["Frechet of videos"] = frechet_video_distance(outcome.sight.features, true, of_clips)
    if CROSS not in report:
        left_out.append("Cross reenactment is left out: the videos are of one person.")
    report["left out"] = left_out + setup.standard.missing
    return report


def _methods(reenactor: Reenactor, method: str) -> Sequence[str]:
    """The methods that are measured: one, or all that the pack can do."""
    if method == ALL:
        return reenactor.methods
    if method not in reenactor.methods:
        raise StyleMaskError(
            f"The pack '{reenactor.info.name}' has no method '{method}'. "
            f"Choose one of: {', '.join([ALL, *reenactor.methods])}."
        )
    return (method,)


def _reenact(setup: Setup, gallery: Gallery, chosen: dict[str, Pairs], report: dict) -> dict[str, dict[str, Outcome]]:
    """Measures every way on the pairs of each kind, {kind: {way: outcome}}; the means go into the report."""
    outcomes: dict[str, dict[str, Outcome]] = {}
    for kind, pairs in chosen.items():
        if not len(pairs.sources):
            continue
        report["data"][f"pairs for {kind}"] = len(pairs.sources)
        outcomes[kind] = {
            name: KINDS[kind](way, gallery, pairs, setup.instruments, setup.standard)
            for name, way in tqdm(setup.ways.items(), desc=kind)
        }
        report[kind] = {name: outcome.means() for name, outcome in outcomes[kind].items()}
    return outcomes


def _sweep(setup: Setup, faces: list[Face]) -> list[Sweep]:
    """The sliders, of packs that have them."""
    if "directions" not in setup.reenactor.methods:
        return []
    chosen, names = neutral_faces(faces), [name for name in VALUES if name in setup.reenactor.sliders.names]
    return [sweep(setup.reenactor, chosen, setup.instruments, slider) for slider in tqdm(names, desc="sliders")]


def _make_folders(sheets: Path | None, json: Path | None) -> None:
    """Fails before the minutes of measuring rather than after them."""
    try:
        if sheets:
            sheets.mkdir(parents=True, exist_ok=True)
        if json:
            json.parent.mkdir(parents=True, exist_ok=True)
            json.touch()
    except OSError as error:
        raise UnwritableMedia(f"The results cannot be written there ({error}). Name another place.") from None


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number from 1 on")
    return int(text)
