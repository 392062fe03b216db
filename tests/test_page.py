"""The page over the shipped pack: through gradio_client, and in a real browser.

The pictures that the browser tests take are kept in build/page/.
"""

import io
import json
import re
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from gradio_client import handle_file
from gradio_client.exceptions import AppError
from PIL import Image
from serving import ROOT
from visiting import SCREENSHOTS, WAIT, Visit

from stylemask_demo.media.videos import read_frames, write_video

EXAMPLES = ROOT / "assets" / "examples"
SOURCE, TARGET = EXAMPLES / "source_3.webp", EXAMPLES / "target_3.webp"  # not those that the page opens with

NETWORKS = json.loads((ROOT / "checkpoints" / "synthetic" / "pack.json").read_text())["networks"]
FRAMES = 4  # of the video that is followed
STEPS = 4  # of a slider, by a key
METHODS = ["stylemask", "directions"] + ["motion"] * ("motion_mapping" in NETWORKS)
EXPLAINED = {"stylemask": "Learned masks", "directions": "measured difference", "motion": "An encoder reads"}


@pytest.fixture
def no_face(tmp_path) -> Path:
    """A picture of a sunset without people."""
    rows = np.linspace(0, 1, 300)[:, None, None]
    sky = (1 - rows) * [70, 110, 180] + rows * [240, 170, 110]
    path = tmp_path / "sunset.png"
    Image.fromarray(np.broadcast_to(sky, (300, 400, 3)).astype(np.uint8)).save(path)
    return path


@pytest.fixture(scope="session")
def clip(tmp_path_factory) -> Path:
    """A short video in which a face tilts."""
    return _write_clip(tmp_path_factory.mktemp("clip") / "clip.mp4", _open(TARGET), FRAMES)


@pytest.fixture(scope="session")
def group(tmp_path_factory) -> Path:
    """A photo of two people, the left one larger."""
    photo = Image.new("RGB", (600, 360), (96, 104, 110))
    photo.paste(_open(EXAMPLES / "source_2.webp").resize((288, 288)), (18, 45))
    photo.paste(_open(EXAMPLES / "source_3.webp").resize((240, 240)), (338, 75))
    path = tmp_path_factory.mktemp("group") / "group.png"
    photo.save(path)
    return path


def _write_clip(path: Path, picture: Image.Image, frames: int, fps: int = 10) -> Path:
    tilts = 6 * np.sin(np.linspace(0, 2 * np.pi, frames))
    write_video(path, (picture.rotate(tilt, Image.Resampling.BICUBIC) for tilt in tilts), fps=fps)
    return path


def _until(true: Callable[[], Any], seconds: float = 60) -> Any:
    """Return what a function tells once it tells something; the last of it when time is up."""
    until = time.monotonic() + seconds
    while not (told := true()) and time.monotonic() < until:
        time.sleep(0.1)
    return told


def _open(path: Path) -> Image.Image:
    with Image.open(path) as picture:
        return picture.convert("RGB")


def _picture(path: str) -> np.ndarray:
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"), dtype=float)


# --- for programs


def test_programs_find_exactly_the_documented_endpoints(client):
    endpoints = client.view_api(return_format="dict", print_info=False)["named_endpoints"]
    working = {"/reenact", "/edit", "/tune", "/drive", "/random_person", "/parameters", "/stages"}
    assert set(endpoints) == working | {"/compare", "/strip", "/grid"}
    named = {name: [p["parameter_name"] for p in endpoint["parameters"]] for name, endpoint in endpoints.items()}
    assert named["/reenact"][:4] == ["source", "target", "method", "strength"]
    assert named["/edit"][:4] == ["source", "yaw", "pitch", "smile"]
    assert named["/drive"][:4] == ["source", "video", "method", "strength"]
    for endpoint in endpoints.values():  # what came later may be left out, so that older programs still run
        assert all(p["parameter_has_default"] for p in endpoint["parameters"][4:])


def test_reenact_gives_a_png(client):
    path = client.predict(handle_file(SOURCE), handle_file(TARGET), "stylemask", 1, api_name="/reenact")
    with Image.open(path) as picture:
        assert picture.format == "PNG"
        assert picture.width == picture.height >= 256


def test_strength_leads_from_the_source_towards_the_target(client):
    files = handle_file(SOURCE), handle_file(TARGET)
    for method in METHODS:
        paths = [client.predict(*files, method, strength, api_name="/reenact") for strength in (0, 0.5, 1)]
        own, half, full = map(_picture, paths)
        assert np.abs(own - half).mean() > 0.5, method
        assert np.abs(own - full).mean() > np.abs(own - half).mean(), method


def test_a_region_may_follow_alone(client):
    files = handle_file(SOURCE), handle_file(TARGET)
    whole, lips = (client.predict(*files, "stylemask", 1, region=r, api_name="/reenact") for r in ("all", "lips"))
    own = _picture(client.predict(*files, "stylemask", 0, api_name="/reenact"))
    changed = [np.abs(_picture(path) - own)[: len(own) // 3].mean() for path in (whole, lips)]
    assert changed[1] < 0.3 * changed[0]


def test_edit_turns_the_head_both_ways(client):
    left, right = (client.predict(handle_file(SOURCE), yaw, 0, 0, api_name="/edit") for yaw in (-20, 20))
    yaws = [client.predict(handle_file(path), api_name="/parameters")["yaw"] for path in (left, right)]
    assert yaws[0] + 15 < yaws[1]


def test_a_seed_is_a_person(client):
    first, again, other = (client.predict(seed, api_name="/random_person") for seed in (3, 3, 4))
    assert np.array_equal(_picture(first), _picture(again))
    assert not np.array_equal(_picture(first), _picture(other))


def test_parameters_are_in_pixels_of_the_picture_sent(client, tmp_path):
    """A larger copy of a picture has the same angles, and its landmarks lie further out."""
    with Image.open(SOURCE) as picture:
        larger = 768 / picture.width
        picture.resize((768, 768), Image.Resampling.BICUBIC).save(tmp_path / "large.png")
    small = client.predict(handle_file(SOURCE), api_name="/parameters")
    large = client.predict(handle_file(tmp_path / "large.png"), api_name="/parameters")
    assert abs(small["yaw"] - large["yaw"]) < 4
    assert len(small["expression"]) == 53
    points, further = np.array(small["landmarks"]), np.array(large["landmarks"])
    assert points.shape == (68, 2)
    assert np.abs(points * larger - further).mean() < 0.03 * 768


def test_stages_are_three_pictures(client):
    crop, inversion, drawn = client.predict(handle_file(SOURCE), api_name="/stages")
    assert _picture(crop).shape == _picture(inversion).shape
    assert not np.array_equal(_picture(crop), _picture(drawn))


def test_a_picture_without_a_face_is_explained(client, no_face):
    with pytest.raises(AppError, match="(?i)face"):
        client.predict(handle_file(no_face), handle_file(TARGET), "stylemask", 1, api_name="/reenact")


def test_another_face_of_a_photo_can_be_meant(client, group):
    first, second = (client.predict(handle_file(group), face=face, api_name="/parameters") for face in (0, 1))
    assert len(first["faces"]) == 2
    left, right = np.mean(first["landmarks"], 0)[0], np.mean(second["landmarks"], 0)[0]
    assert left < 300 < right
    with pytest.raises(AppError, match="(?i)face"):
        client.predict(handle_file(group), face=2, api_name="/parameters")


def test_a_result_goes_back_into_its_photo(client, group):
    photo = _picture(group)
    for face, its_side, other_side in ((0, np.s_[:, :300], np.s_[:, 322:]), (1, np.s_[:, 322:], np.s_[:, :300])):
        path = client.predict(handle_file(group), 25, 0, 0, into_photo=True, source_face=face, api_name="/edit")
        result = _picture(path)
        assert result.shape == photo.shape
        assert np.abs(result - photo)[its_side].max() > 30
        assert np.array_equal(result[other_side], photo[other_side])


def test_a_video_drives_the_source(client, clip):
    path = client.predict(handle_file(SOURCE), handle_file(clip), "stylemask", 1, api_name="/drive")
    made = list(read_frames(path))
    assert len(made) == FRAMES
    pixels = [np.asarray(frame, dtype=float) for frame in made]
    assert pixels[0].shape[0] == pixels[0].shape[1] >= 256
    assert max(np.abs(frame - pixels[0]).mean() for frame in pixels) > 0.5


def test_a_cancelled_program_leaves_no_work_behind(client, uploads, tmp_path):
    film = _write_clip(tmp_path / "film.mp4", _open(TARGET).resize((128, 128)), frames=300)
    before = set(uploads.glob("video-*"))
    jobs = [client.submit(handle_file(SOURCE), handle_file(film), "directions", 1, api_name="/drive") for _ in range(2)]
    begun = _until(lambda: [path for path in set(uploads.glob("video-*")) - before if any(path.iterdir())])
    assert begun
    for job in jobs:
        job.cancel()
    left = _until(lambda: set(uploads.glob("video-*")) == before, seconds=20)  # half the time that the work would take
    assert left, "it works on for nobody"


def test_a_cut_off_video_is_used_as_far_as_it_goes(client, tmp_path):
    whole = _write_clip(tmp_path / "whole.mp4", _open(TARGET), frames=16)
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size * 3 // 4])
    path = client.predict(handle_file(SOURCE), handle_file(cut), "stylemask", 1, api_name="/drive")
    assert 1 <= sum(1 for _ in read_frames(path)) < 16


def test_unusable_videos_are_explained_without_paths(client, tmp_path, no_face, uploads):
    _write_clip(tmp_path / "long.mp4", Image.new("RGB", (64, 64)), frames=70, fps=1)
    (tmp_path / "text.mp4").write_text("no video at all")
    _write_clip(tmp_path / "sunset.mp4", _open(no_face), frames=3)
    before = set(uploads.glob("video-*"))
    for name, message in (("long.mp4", "60 s"), ("text.mp4", "(?i)video"), ("sunset.mp4", "(?i)face")):
        with pytest.raises(AppError, match=message) as error:
            client.predict(handle_file(SOURCE), handle_file(tmp_path / name), "stylemask", 1, api_name="/drive")
        assert not re.search(r"/(tmp|home|work|var)/", str(error.value)), name
    assert set(uploads.glob("video-*")) == before, "parts of a video were left"


def test_other_weights_must_be_known_and_here(client):
    with pytest.raises(AppError, match="not here yet"):
        client.predict(handle_file(SOURCE), 0, 0, 0, pack="ffhq", api_name="/edit")
    with pytest.raises(AppError, match="There are no weights"):
        client.predict(handle_file(SOURCE), 0, 0, 0, pack="../../tests", api_name="/edit")


def test_missing_pictures_are_asked_for(client):
    with pytest.raises(AppError, match="source and a target"):
        client.predict(None, handle_file(TARGET), "stylemask", 1, api_name="/reenact")


def test_bad_files_are_explained_without_paths(client, tmp_path):
    Image.new("1", (10_000, 10_000)).save(tmp_path / "large.png")
    (tmp_path / "text.png").write_text("no picture at all")
    for name, message in (("large.png", "megapixels"), ("text.png", "PNG, JPEG")):
        with pytest.raises(AppError, match=message) as error:
            client.predict(handle_file(tmp_path / name), 0, 0, 0, api_name="/edit")
        assert "/" not in str(error.value), name


def test_more_than_50_megabytes_never_arrive(address, uploads):
    boundary = b"--x\r\n"
    head = boundary + b'Content-Disposition: form-data; name="files"; filename="a.png"\r\n\r\n'
    request = urllib.request.Request(
        f"{address}/gradio_api/upload",
        data=head + bytes(51_000_000) + b"\r\n--x--\r\n",
        headers={"Content-Type": "multipart/form-data; boundary=x"},
    )
    with pytest.raises((urllib.error.HTTPError, ConnectionError, urllib.error.URLError)):
        urllib.request.urlopen(request, timeout=60)
    assert not any(file.stat().st_size > 50_000_000 for file in uploads.rglob("*") if file.is_file())


@pytest.mark.parametrize("place", ["/etc/hostname", str(ROOT), str(EXAMPLES), str(ROOT / "app.py")])
def test_other_files_and_folders_are_not_served(address, place):
    with pytest.raises(urllib.error.HTTPError) as error:
        urllib.request.urlopen(f"{address}/gradio_api/file={place}", timeout=60)
    assert error.value.code in (403, 404)


# --- for people


def test_a_first_visit_shows_a_result_in_either_theme(tab):
    status = tab.page.inner_text("#status")
    assert re.search(r"synthetic, 256 px.*Device.*Face finder.*Last result.*\d+ m?s", status, re.S), status
    brightness = {}
    for scheme in ("dark", "light"):
        tab.page.emulate_media(color_scheme=scheme)
        tab.rest()
        tab.keep(scheme)
        with Image.open(SCREENSHOTS / f"{scheme}.png") as shown:
            brightness[scheme] = np.asarray(shown.convert("L"))[:, :8].mean()  # of the page's left edge
    assert brightness["dark"] < 100 < 200 < brightness["light"]


def test_two_dropped_files_give_their_result(tab):
    first = tab.wait_for_result()
    tab.drop("#source", SOURCE)
    second = tab.wait_for_result(other_than=first)
    tab.drop("#target", TARGET)
    tab.wait_for_result(other_than=second)


def test_examples_and_methods_give_results(tab):
    result = tab.wait_for_result()
    tab.choose("target", 4)
    result = tab.wait_for_result(other_than=result)
    tab.page.get_by_label("Finding Directions").first.click()
    tab.wait_for_result(other_than=result)


def test_every_method_of_the_pack_can_be_chosen_and_is_explained(tab):
    for place, name in (("video", "Follow a video"), ("result", "Follow a face")):
        tab.open(name)
        tab.page.locator(f"#{place}-method input").first.wait_for(state="attached", timeout=WAIT)
        buttons = tab.page.locator(f"#{place}-method input").all()
        assert [button.get_attribute("value") for button in buttons] == METHODS
        for button in reversed(buttons):
            button.check()
            tab.page.get_by_text(EXPLAINED[button.get_attribute("value")]).locator("visible=true").wait_for(timeout=WAIT)


def test_one_of_several_faces_is_chosen_by_a_click(tab, group, tmp_path):
    """Of a photo that is the second picture of an animation, as those that fade in have it."""
    people = _open(group)
    moving = tmp_path / "group.gif"
    Image.new("RGB", people.size).save(moving, save_all=True, append_images=[people], duration=100)
    first = tab.choose_and_wait("source", 3)
    assert not tab.page.locator("#source-chooser").is_visible()
    tab.page.get_by_role("button", name="How the two faces").click()
    before = tab.wait_for("#source-stage-1 img")
    tab.drop("#source", moving)
    clearest = tab.wait_for_result(other_than=first)
    faces = tab.page.locator("#source-chooser button")
    faces.nth(1).wait_for(timeout=WAIT)
    assert faces.count() == 2
    with urllib.request.urlopen(tab.wait_for("#source-chooser button img")) as shown:
        assert np.std(Image.open(io.BytesIO(shown.read())).convert("L")) > 20, "the small picture shows no face"
    stage = tab.wait_for("#source-stage-1 img", other_than=before)
    faces.nth(1).click()
    tab.wait_for("#source-stage-1 img", other_than=stage)
    second = tab.wait_for_result(other_than=clearest)
    tab.page.get_by_label("Into the photo").first.click()
    photo = tab.wait_for_result(other_than=second)
    wide = tab.page.evaluate("(p => p.naturalWidth / p.naturalHeight)(document.querySelector('#result img'))")
    assert abs(wide - 600 / 360) < 0.01
    tab.keep("group")
    tab.page.get_by_label("Into the photo").first.click()
    tab.wait_for_result(other_than=photo)
    tab.page.get_by_role("button", name="How the two faces").click()
    tab.choose("source", 3)
    tab.page.locator("#source-chooser").wait_for(state="hidden", timeout=WAIT)


def test_matching_can_be_cancelled_and_changes_the_results_until_the_source_changes(tab):
    result = tab.choose_and_wait("source", 3)
    tab.page.click("#match")
    tab.page.wait_for_function(  # and cancel at once, before a few steps are over
        """/Getting ready|step/.test(document.querySelector('#match-line .progress')?.textContent)
            && (document.querySelector('#match-cancel').click(), true)""",
        timeout=WAIT,
    )
    tab.page.locator("#match").wait_for(timeout=WAIT)
    tab.page.locator("#match-line .progress").wait_for(state="detached", timeout=WAIT)
    assert tab.wait_for_result() == result
    assert "matched" not in tab.page.inner_text("#status")

    tab.page.click("#match")  # what was cancelled has not ended this one, and its steps come after
    tab.page.get_by_text("Matched:").wait_for(timeout=3 * WAIT)
    tab.wait_for_result(other_than=result)
    tab.page.wait_for_function("document.querySelector('#status').innerText.includes('matched')", timeout=WAIT)
    tab.choose("source", 4)
    tab.page.wait_for_function("!document.querySelector('#status').innerText.includes('matched')", timeout=WAIT)
    assert tab.page.locator("#match-line .note").count() == 0


def test_making_the_example_video_can_be_cancelled(tab, uploads):
    tab.open("Follow a video")
    tab.page.click("#video-example")
    tab.page.locator("#video video").wait_for(timeout=WAIT)
    before = set(uploads.glob("video-*"))
    tab.page.click("#drive")
    tab.page.get_by_text("Making frame").wait_for(timeout=WAIT)
    tab.page.click("#drive-cancel")
    tab.page.locator("#drive").wait_for(timeout=WAIT)
    assert _until(lambda: set(uploads.glob("video-*")) == before), "parts of the video were left"
    assert tab.page.locator("#driven video").count() == 0


def test_a_dropped_video_drives_the_source(tab, clip, tmp_path):
    tab.open("Follow a video")
    tab.drop("#video", clip)
    tab.page.locator(f"#video video[src$='{clip.name}']").wait_for(timeout=WAIT)
    _drive(tab)
    assert tab.page.locator("#drive").is_visible()
    _rests_while_hidden(tab)
    tab.keep("video")
    with tab.page.expect_download(timeout=WAIT) as download:
        tab.page.locator("#driven a[download]").click()
    assert download.value.suggested_filename == "reenacted.mp4"
    download.value.save_as(tmp_path / "saved.mp4")
    assert sum(1 for _ in read_frames(tmp_path / "saved.mp4")) == FRAMES
    note = tab.page.get_by_text("This video was made of other pictures")
    assert not note.is_visible()
    tab.choose("source", 2)
    note.wait_for(timeout=WAIT)


def _rests_while_hidden(tab: Visit) -> None:
    """The video plays on and on, but not where nobody sees it."""
    tab.page.evaluate("document.querySelector('#driven video').play()")
    for hidden in (True, False):
        tab.page.evaluate(
            """hidden => {
                Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });
                document.dispatchEvent(new Event('visibilitychange'));
            }""",
            hidden,
        )
        tab.page.wait_for_function(
            "hidden => document.querySelector('#driven video').paused === hidden", arg=hidden, timeout=WAIT
        )
    tab.page.evaluate("document.querySelector('#driven video').pause()")


def _drive(tab: Visit) -> None:
    """Make a video, and wait until it can be played."""
    former = tab.page.evaluate("document.querySelector('#driven video')?.src")
    tab.page.click("#drive")
    tab.page.wait_for_function(
        """former => {
            const video = document.querySelector('#driven video');
            return video?.src !== former && video?.readyState >= 2;
        }""",
        arg=former,
        timeout=WAIT,
    )
    tab.page.evaluate("document.querySelectorAll('video').forEach(video => video.pause())")  # which costs time to draw


def test_videos_that_the_browser_does_not_play_are_shown_and_who_is_followed_is_chosen(tab, group, tmp_path):
    """The second video begins before it shows its two people."""
    face, people = _open(TARGET), _open(group)
    face.save(tmp_path / "driver.gif", save_all=True, append_images=[face.rotate(4)], duration=125)
    with av.open(str(tmp_path / "two.avi"), "w") as container:
        stream = container.add_stream("mpeg4", rate=8)
        stream.width, stream.height = people.size
        for frame in (Image.new("RGB", people.size), people, people):
            container.mux(stream.encode(av.VideoFrame.from_image(frame)))
        container.mux(stream.encode(None))
    tab.open("Follow a video")
    for name in ("driver.gif", "two.avi"):
        tab.page.click("#video [aria-label='Clear']")
        tab.page.locator("#video video").wait_for(state="detached", timeout=WAIT)
        tab.drop("#video", tmp_path / name)
        tab.page.wait_for_function("document.querySelector('#video video')?.readyState >= 2", timeout=WAIT)
    faces = tab.page.locator("#video-chooser button")
    faces.nth(1).wait_for(timeout=WAIT)
    assert faces.count() == 2
    faces.nth(1).click()
    _drive(tab)


def test_pictures_that_the_browser_does_not_show_are_shown(tab, tmp_path):
    _open(SOURCE).save(tmp_path / "source.tif")
    tab.open("Follow a face")
    before = tab.wait_for_result()
    tab.drop("#source", tmp_path / "source.tif")
    tab.page.wait_for_function("document.querySelector('#source img')?.src.endsWith('.png')", timeout=WAIT)
    tab.wait_for("#source img")
    tab.wait_for_result(other_than=before)


def test_weights_show_their_licence_before_they_are_downloaded(tab):
    tab.open("Follow a face")
    tab.page.get_by_role("button", name="Weights").click()
    tab.page.click("#pack input")
    tab.page.get_by_role("option", name=re.compile("FFHQ 1024")).click()
    tab.page.get_by_text("non-commercial").first.wait_for(timeout=WAIT)
    assert tab.page.locator("#download-pack").is_visible()
    assert "synthetic" in tab.page.inner_text("#status")
    tab.keep("weights")
    result = tab.wait_for_result()
    tab.choose("target", 3)  # meanwhile the page goes on with what is here
    tab.wait_for_result(other_than=result)


def test_the_picture_follows_the_slider(tab):
    tab.open("Move by hand")
    picture = tab.wait_for("#edited img")
    tab.note_pictures("#edited img")
    tab.page.evaluate(
        """() => {
            window.asked = [];
            document.querySelector('#yaw input[type=range]')
                .addEventListener('input', () => asked.push(performance.now()));
        }"""
    )
    slider = tab.page.locator("#yaw input[type=range]")
    slider.focus()
    for _ in range(STEPS):
        slider.press("ArrowRight")
        picture = tab.wait_for("#edited img", other_than=picture)
    seen, asked = tab.page.evaluate("seen"), tab.page.evaluate("asked")
    milliseconds = [picture["at"] - max(at for at in asked if at < picture["at"]) for picture in seen]
    print(f"slider to picture: {sorted(round(value) for value in milliseconds)} ms")
    assert len(seen) >= STEPS, "the picture was taken away instead of replaced"
    assert tab.page.input_value("#yaw input[type=number]") == str(STEPS)

    tab.page.click("#reset")
    tab.wait_for("#edited img", other_than=picture)
    assert tab.page.input_value("#yaw input[type=number]") == "0"


def test_a_fast_hand_ends_at_its_last_position(tab):
    tab.open("Move by hand")
    still = tab.wait_for("#edited img")
    slider = tab.page.locator("#yaw input[type=range]")
    slider.fill("20")
    tab.wait_for("#edited img", other_than=still)
    alone = tab.wait_for_rest()
    tab.note_pictures("#edited img")
    for yaw in range(-30, 21, 5):
        slider.fill(str(yaw))
    tab.page.wait_for_function("alone => seen.at(-1)?.picture === alone", arg=alone, timeout=WAIT)
    tab.wait_for_rest()  # nothing comes after it
    assert tab.page.get_attribute("#edited img", "src") == alone


def test_the_result_is_saved_as_png(tab, tmp_path):
    for name, button in (("Follow a face", "#save-result"), ("Move by hand", "#save-edited")):
        tab.open(name)
        with tab.page.expect_download(timeout=WAIT) as download:
            tab.page.click(button)
        assert download.value.suggested_filename.endswith(".png"), name
        download.value.save_as(tmp_path / "saved.png")
        with Image.open(tmp_path / "saved.png") as picture:
            assert picture.format == "PNG" and picture.width >= 256, name
