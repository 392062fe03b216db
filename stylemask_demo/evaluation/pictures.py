"""Contact sheets of what a pack can do: reenactments, slider sweeps and random people."""

from PIL import Image

from stylemask_demo.reenactor import Portrait, Reenactor
from stylemask_demo.sheets import contact_sheet

SWEEPS = {
    "yaw": (-30, -20, -10, 0, 10, 20, 30),
    "pitch": (-15, -10, -5, 0, 5, 10, 15),
    "smile": (-1, -0.6, -0.3, 0, 0.3, 0.6, 1),
}


def reenactment_sheet(
    reenactor: Reenactor, sources: list[Portrait], targets: list[Portrait], method: str
) -> Image.Image:
    """Sources down the left side, targets along the top, results between."""
    shown = [Image.new("RGB", (8, 8), "white"), *(target.crop for target in targets)]
    for source in sources:
        shown += [source.crop, *reenactor.reenact(source, targets, method=method)]
    return contact_sheet(shown, len(targets) + 1)


def slider_sheet(reenactor: Reenactor, sources: list[Portrait]) -> Image.Image:
    """For each source one row a slider: the crop, then the edits from the lowest to the highest value."""
    shown = []
    for source in sources:
        for name, values in SWEEPS.items():
            shown += [source.crop, *(reenactor.edit(source, **{name: value}) for value in values)]
    return contact_sheet(shown, 1 + len(SWEEPS["yaw"]))


def sample_sheet(reenactor: Reenactor, count: int = 32) -> Image.Image:
    """Random people, seeds from 0 on."""
    return contact_sheet(reenactor.sample(list(range(count))), 8)
