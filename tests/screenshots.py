"""Makes the pictures of the page for the documents: ``make screenshots`` writes them into assets/page/.

The page in three widths and both themes, and how a face is turned by hand, as an animated GIF.
"""

import io
import math
import tempfile
from pathlib import Path

from browser import NONE, launch
from PIL import Image
from playwright.sync_api import sync_playwright
from serving import ROOT, serving
from visiting import SCREENSHOTS, Visit

from stylemask_demo.media.saving import save_gif

FOLDER = ROOT / "assets" / "page"
SIZES = {1360: 900, 768: 1024, 390: 844}  # width and height of the window
POSITIONS = 9  # of the slider from one end to the other
FILM = {"width": 900, "height": 760}
FILM_WIDTH, MILLISECONDS = 520, 140


def draw_page(tab: Visit, name: str) -> None:
    """Keep a picture of the whole page."""
    tab.keep(name)
    with Image.open(SCREENSHOTS / f"{name}.png") as picture:
        picture.convert("RGB").save(FOLDER / f"{name}.webp", quality=84)


def draw_film(tab: Visit) -> None:
    """Keep an animation of a face that is turned by its slider."""
    tab.open("Move by hand")
    picture = tab.wait_for("#edited img")
    slider, shown = tab.page.locator("#yaw input[type=range]"), []
    for number in range(POSITIONS):
        yaw = round(-25 * math.cos(math.pi * number / (POSITIONS - 1)))
        slider.fill(str(yaw))
        if yaw:
            picture = tab.wait_for("#edited img", other_than=picture)
        tab.page.wait_for_timeout(800)  # until it rests, when the picture is made as large as the photo
        picture = tab.wait_for("#edited img")
        with Image.open(io.BytesIO(tab.page.locator(".workspace").screenshot())) as frame:
            height = round(frame.height * FILM_WIDTH / frame.width)
            shown.append(frame.convert("RGB").resize((FILM_WIDTH, height), Image.Resampling.LANCZOS))
    save_gif([*shown, *shown[-2:0:-1]], FOLDER / "moving.gif", MILLISECONDS)


def main() -> None:
    """Make all of them."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder) / "log") as address, sync_playwright() as playwright:
        browser = launch(playwright)
        if browser is None:
            raise SystemExit(NONE)
        for scheme in ("light", "dark"):
            for width, height in SIZES.items():
                page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
                draw_page(Visit(page, address), f"{width}-{scheme}")
                page.close()
        draw_film(Visit(browser.new_page(viewport=FILM, color_scheme="light"), address))
        browser.close()


if __name__ == "__main__":
    main()
