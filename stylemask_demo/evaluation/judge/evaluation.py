"""The measurements of `evaluate --real`: what is made of real people, judged by outside eyes, as tables and sheets."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from PIL import Image

from stylemask_demo import Reenactor
from stylemask_demo.evaluation.judge.agreement import agreement
from stylemask_demo.evaluation.judge.environment import find_judge, look
from stylemask_demo.evaluation.judge.material import RealPeople, read_real_people
from stylemask_demo.evaluation.judge.measures import JudgedFace, Judgement, judge, summary
from stylemask_demo.evaluation.judge.results import Result, make_results
from stylemask_demo.evaluation.judge.sheets import draw_sheets
from stylemask_demo.media.pictures import content_hash

Sights = Mapping[str, JudgedFace | None]  # by the content of the picture


def evaluate_real(
    reenactor: Reenactor, methods: Sequence[str], folder: Path, pairs: int, sheets: Path | None = None
) -> dict:
    """All measurements on a folder of photographs and videos, as nested dictionaries of numbers; sheets go into `sheets`.

    Raises JudgeMissing, before anything is made, where the judge's environment is missing, and UnreadableMedia for a folder
    without faces.
    """
    command = find_judge()
    people = read_real_people(reenactor, folder)
    results = make_results(reenactor, people, methods, pairs)
    shown = [picture for group in results.values() for result in group for picture in result.pictures]
    crops = [portrait.crop for portrait in people.portraits]
    sights = look(command, [*shown, *crops])
    judged = {name: _judged(group, sights) for name, group in results.items()}
    judged = {name: judgements for name, judgements in judged.items() if judgements}
    if sheets:
        draw_sheets(results, sheets)
    return {
        "pack": reenactor.info.name,
        "data": _counts(people),
        "judged": {name: summary(judgements) for name, judgements in judged.items()},
        "agreement": _agreement(people, crops, sights),
        "each": {name: {one.name: {"turn": one.turn, **one.measures} for one in group} for name, group in judged.items()},
        "left out": people.left_out + _unseen(people, sights),
    }


def _judged(results: Sequence[Result], sights: Sights) -> list[Judgement]:
    """Judgements of results; those whose source or target the judge cannot see are left out."""
    found = []
    for result in results:
        source, made = sights[content_hash(result.source)], sights[content_hash(result.made)]
        target = source if result.target is None else sights[content_hash(result.target)]
        if source is not None and target is not None:
            wanted = target.facing_as(source) if result.still else target.turned(result.change)
            found.append(judge(result.name, source, made, wanted, "smile" in result.change))
    return found


def _agreement(people: RealPeople, crops: Sequence[Image.Image], sights: Sights) -> dict[str, dict[str, float]]:
    both = [
        (portrait.parameters, seen)
        for portrait, crop in zip(people.portraits, crops, strict=True)
        if (seen := sights[content_hash(crop)]) is not None
    ]
    return agreement(*zip(*both, strict=True)) if both else {}


def _counts(people: RealPeople) -> dict[str, int]:
    frames = sum(len(frames) for frames in people.videos.values())
    return {"photographs": len(people.photographs), "videos": len(people.videos), "frames of videos": frames}


def _unseen(people: RealPeople, sights: Sights) -> list[str]:
    named = [*people.photographs.items()]
    named += [(f"Frame {i} of {name}", frame) for name, frames in people.videos.items() for i, frame in enumerate(frames)]
    return [
        f"{name} is left out: the judge sees no face in it." for name, who in named if not sights[content_hash(who.crop)]
    ]
