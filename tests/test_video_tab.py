"""The card for videos: choices, what is seen while a video is made, and the same for programs."""

import re
from pathlib import Path

import pytest
from films import film, tone
from gradio_client import handle_file
from people import picture
from PIL import Image
from serving import ROOT
from visiting import WAIT

from stylemask_demo.media.videos import read_frames

FRAMES, RATE = 5, 10
SOURCE = ROOT / "assets" / "examples" / "source_3.webp"


@pytest.fixture(scope="module")
def clip(tmp_path_factory) -> Path:
    """A short video with sound in which a face tilts."""
    face, times = picture("900003_1"), [number / RATE for number in range(FRAMES)]
    pictures = [face.rotate(number, Image.Resampling.BICUBIC) for number in range(FRAMES)]
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    return film(path, pictures, times, [(0.0, tone(0.2, 0.0, FRAMES / RATE))])


def test_a_video_is_made_as_chosen_and_seen_meanwhile(tab, clip):
    page = tab.page
    tab.open("Follow a video")
    tab.drop("#video", clip)
    page.locator("#video video").wait_for(timeout=WAIT)
    assert not page.locator("#video-layout").is_visible(), "choices that few need are folded"
    page.get_by_role("button", name="More choices").click()
    for name in ("Beside the video", "GIF, silent", "What changes in it"):
        page.get_by_label(name).click()
    page.evaluate(
        """() => {
            window.previews = new Set();
            window.lines = new Set();
            setInterval(() => {
                const preview = document.querySelector('#driven-preview img');
                if (preview?.src) previews.add(preview.src);
                lines.add(document.querySelector('#video-line').innerText);
            }, 30);
        }"""
    )
    page.click("#drive")
    page.wait_for_function("document.querySelector('#driven-gif img')?.naturalWidth === 512", timeout=WAIT)
    page.locator("#driven-preview").wait_for(state="hidden", timeout=WAIT)
    assert page.evaluate("previews.size") >= 2
    lines = page.evaluate("[...lines]")
    assert any(re.search(rf"Making frame \d of {FRAMES}, about \d+ (s|min) left", line) for line in lines), lines
    page.get_by_text("A GIF has no sound").wait_for(timeout=WAIT)
    for width in (390, 768, 1360):
        tab.resize(width)
        assert tab.fits(), width
        inside = page.evaluate(
            """() => [...document.querySelectorAll('.more label, .more .film, #driven-gif img')]
                .every(part => part.getBoundingClientRect().right <= part.closest('.card').getBoundingClientRect().right)"""
        )
        assert inside, width
    tab.keep("video-choices")


def test_programs_choose_too_and_may_send_a_video_of_the_source(client, clip):
    chosen = {"motion": "relative", "smoothing": 2, "crop": "stays", "layout": "photo", "format": "webm"}
    path = client.predict(
        handle_file(SOURCE),
        handle_file(clip),
        "directions",
        1.5,
        **chosen,
        source_film=handle_file(clip),
        api_name="/drive",
    )
    made = read_frames(path)
    assert path.endswith(".webm") and (made.width, made.height) == (256, 256)
    assert len(list(made)) == FRAMES
