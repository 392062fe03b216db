"""Contact sheets of what a pack can do: reenactments, slider sweeps, inversions, random people and a driven film."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from PIL import Image

from stylemask_demo import Portrait, Reenactor
from stylemask_demo.evaluation.people import Face
from stylemask_demo.evaluation.sliders import VALUES, move
from stylemask_demo.media.contact_sheets import contact_sheet
from stylemask_demo.media.videos import read_frames, write_video

STRIPS = {
    "yaw": (-30, -20, -10, 0, 10, 20, 30),
    "pitch": (-15, -10, -5, 0, 5, 10, 15),
    "smile": (-1, -0.6, -0.3, 0, 0.3, 0.6, 1),
}
MOMENTS = 8  # shown of a film
SIDE = 8  # sources, targets, and the square root of the random people


def draw_sheets(reenactor: Reenactor, faces: Sequence[Face], methods: Sequence[str], folder: Path) -> None:
    """Writes the sheets into a folder: one of reenactments for each method, and the others."""
    portraits = list({face.person: face.portrait for face in faces}.values())
    half = len(portraits) // 2
    for method in methods:
        sheet = reenactment_sheet(reenactor, portraits[:half][:SIDE], portraits[half:][:SIDE], method)
        sheet.save(folder / f"reenactment-{method}.webp", quality=88)
    slider_sheet(reenactor, portraits[:3], STRIPS).save(folder / "sliders.webp", quality=88)
    others = {name: values for name, values in VALUES.items() if name not in STRIPS and name in reenactor.sliders.names}
    slider_sheet(reenactor, portraits[:2], others).save(folder / "more-sliders.webp", quality=88)
    contact_sheet(reenactor.sample(list(range(SIDE**2))), SIDE).save(folder / "samples.webp", quality=88)
    pairs = [picture for p in portraits[:32] for picture in (p.crop, p.inversion)]
    contact_sheet(pairs, SIDE).save(folder / "inversions.webp", quality=88)


def reenactment_sheet(reenactor: Reenactor, sources: list[Portrait], targets: list[Portrait], method: str) -> Image.Image:
    """Sources down the left side, targets along the top, results between."""
    shown = [Image.new("RGB", (8, 8), "white"), *(target.crop for target in targets)]
    for source in sources:
        shown += [source.crop, *reenactor.reenact(source, targets, method=method)]
    return contact_sheet(shown, len(targets) + 1)


def slider_sheet(reenactor: Reenactor, sources: list[Portrait], strips: Mapping[str, Sequence[float]]) -> Image.Image:
    """For each source one row a slider: the crop, then the edits from the lowest to the highest value."""
    shown, columns = [], 1 + max(len(values) for values in strips.values())
    for source in sources:
        for name, values in strips.items():
            row = [source.crop, *(reenactor.edit(source, **move(name, value)) for value in values)]
            shown += row + [Image.new("RGB", (8, 8), "white")] * (columns - len(row))
    return contact_sheet(shown, columns)


def draw_film(reenactor: Reenactor, source: Portrait, film: Path, methods: Sequence[str], folder: Path) -> None:
    """Writes driven.mp4, a film with what each method makes of it to the right, and driven.webp, moments of it."""
    frames = read_frames(film)
    driving = list(frames)
    driven = [reenactor.drive(source, driving, method=method) for method in methods]
    moments = list(zip(driving, *driven, strict=True))
    rows = (contact_sheet(list(moment), len(moment), reenactor.resolution) for moment in moments)
    write_video(folder / "driven.mp4", rows, frames.fps)
    shown = [moments[len(moments) * i // MOMENTS] for i in range(MOMENTS)]
    left = [Image.new("RGB", (8, 8), "white"), *[source.crop] * len(methods)]
    lines = zip(left, *shown, strict=True)
    contact_sheet([picture for line in lines for picture in line], 1 + MOMENTS).save(folder / "driven.webp", quality=88)
