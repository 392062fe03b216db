"""Draws assets/photograph.webp: what the embedded pack makes of a photograph of a real person.

She is Eileen Collins, photographed by NASA, in the public domain; the picture comes with scikit-image. Rows: her head
turned by yaw, the photograph in the middle; example faces; and she with their expressions while her head stays.
"""

from pathlib import Path

from PIL import Image
from skimage import data

from stylemask_demo import Reenactor
from stylemask_demo.media.contact_sheets import contact_sheet

ASSETS = Path(__file__).resolve().parents[1] / "assets"
YAWS = (-20, -10, 0, 10, 20)  # degrees
SIDE = 224  # pixels of a picture


def main() -> None:
    """Draw the sheet."""
    reenactor = Reenactor.from_pack("synthetic", size=512)
    portrait = reenactor.portrait(Image.fromarray(data.astronaut()))
    targets = [Image.open(path) for path in sorted((ASSETS / "examples").glob("target_*"))]
    turned = [reenactor.edit(portrait, yaw=yaw) if yaw else portrait.crop for yaw in YAWS]
    moved = reenactor.reenact(portrait, targets, region="expression")
    sheet = contact_sheet([*turned, *targets, *moved], len(YAWS), SIDE)
    sheet.save(ASSETS / "photograph.webp", quality=88)


if __name__ == "__main__":
    main()
