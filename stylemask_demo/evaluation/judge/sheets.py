"""Contact sheets of what the judge looked at."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from stylemask_demo.evaluation.judge.results import Result
from stylemask_demo.media.contact_sheets import contact_sheet

SIDE = 192  # pixels of a picture on a sheet
ACROSS = 4  # results in a row, each with who and how


def draw_sheets(results: Mapping[str, Sequence[Result]], folder: Path) -> None:
    """Writes one sheet for each kind of reenactment, triples of who, how and result, and one of the sliders.

    A row of the sliders' sheet is one person: the photograph, each slider move, and what the generator alone makes of it.
    """
    alone = [group for group in results.values() if group[0].target is None]
    for name, group in results.items():
        if group not in alone:
            shown = [picture for result in group for picture in result.pictures]
            sheet = contact_sheet(shown, 3 * min(ACROSS, len(group)), SIDE)
            sheet.save(folder / f"real-{name.replace(': ', '-').replace(' ', '-')}.webp", quality=88)
    if alone:
        shown = [picture for row in zip(*alone, strict=True) for picture in (row[0].source, *(one.made for one in row))]
        contact_sheet(shown, 1 + len(alone), SIDE).save(folder / "real-sliders.webp", quality=88)
