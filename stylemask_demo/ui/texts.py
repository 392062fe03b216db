"""The page's own words as HTML: header, headings, status line, footer."""

from collections.abc import Mapping, Sequence
from html import escape
from itertools import groupby
from pathlib import Path

from stylemask_demo.comparisons import METHOD_NAMES
from stylemask_demo.packs import PackInfo, licence_text
from stylemask_demo.reenactor import SLIDERS
from stylemask_demo.ui.compute import Facts
from stylemask_demo.ui.progress import Progress

TITLE = "StyleMask Demo"
DESCRIPTION = "Give one face the pose and expression of another, or move it by hand."

FOOTER = """
<footer class="colophon">
  <p>Pictures that you add stay on the machine that runs this page and are deleted within the hour.
  Use only faces of people who agreed to it.</p>
  <p>Methods: <cite>StyleMask: Disentangling the Style Space of StyleGAN2 for Neural Face Reenactment</cite>
  (Bounareli et al., 2023), <cite>Finding Directions in GAN's Latent Space for Neural Face Reenactment</cite>
  (Bounareli et al., 2022), <cite>Pose and Facial Expression Transfer by using StyleGAN</cite>
  (Jahoda and Čech, 2024), on <cite>StyleGAN2</cite> (Karras et al., 2020) and
  <cite>Encoder4Editing</cite> (Tov et al., 2021), with the photo's detail after
  <cite>High-Fidelity GAN Inversion for Image Attribute Editing</cite> (Wang et al., 2022).
  Rendered people: <cite>ICT-FaceKit</cite> (Li et al., 2020).</p>
  <p>Code under the MIT licence.</p>
</footer>
"""

CONSENT = {
    "title": "Before you begin",
    "text": "Use only faces of people who agreed to it, and say of every result that it was made by a model: it shows what "
    "nobody did. Each result says so itself, in its file. Your pictures stay on the machine that runs this page and are "
    "deleted within the hour.",
    "button": "I agree",
}

TIPS = {
    "source": '<p class="tip">One sharp, well-lit face works best. Looks and hair are kept.</p>',
    "target": '<p class="tip">Only its head pose and expression are followed, not its looks.</p>',
    "camera": '<p class="tip">Each picture is forgotten as soon as it is answered. Nothing of the camera is kept.</p>',
    "video": '<p class="tip">One face, up to 60 seconds and 50 MB. Only its movement is followed.</p>',
}

METHOD_HINTS = {
    "stylemask": "Try it first: it follows the expression most closely. Learned masks choose what the target may change.",
    "directions": "Keeps the person best, but strong expressions come out weaker. The measured difference of the two faces "
    "moves the source.",
    "motion": "Between the other two in both. An encoder reads only the movement from the target, and not who it is.",
}

MATCHED = '<p class="note done" role="status">Matched: results now use a generator tuned to this face.</p>'
MATCH_GONE = '<p class="note" role="status">This match has expired, and results are without it. Match the person again.</p>'
CAMERA_VIEW = '<div class="camera-view"><video muted playsinline aria-label="What your camera sees"></video></div>'
LIVE_VIEW = (
    '<figure class="live-view"><img alt="The source, moving as you do" hidden>'
    '<figcaption class="tip"></figcaption></figure>'
)
OTHER_FILM = '<p class="note" role="status" hidden>This video was made of other pictures than those on the page now.</p>'
STAGES_HINT = (
    '<p class="tip">What is cut out of each picture, how the generator alone would draw that face (a photo looks like a '
    "relative there; its own detail is added to the result), and the points and angles that were measured.</p>"
)
UNPREPARED = (
    '<p class="tip">These weights came without directions for the sliders. They can be fitted to random faces once: '
    "minutes on a graphics card, a quarter of an hour and more without one.</p>"
)
PREPARING = '<p class="tip">The sliders are being prepared. Everything else on the page works meanwhile.</p>'


def header(moving: Path, still: Path) -> str:
    """Return the page's head: what it does, and an example in motion that leads to making one; files of it, and of one in
    which nothing moves, for those who want that."""
    addresses = [f"gradio_api/file={escape(str(file))}" for file in (moving, still)]
    return f"""
<header class="masthead">
  <svg class="mark" viewBox="0 0 48 48" aria-hidden="true">
    <circle cx="19" cy="24" r="15" class="mark-who"/><circle cx="29" cy="24" r="15" class="mark-how"/>
  </svg>
  <div>
    <h1>{TITLE}</h1>
    <p>{DESCRIPTION}</p>
  </div>
  <button type="button" class="opening">
    <picture>
      <source media="(prefers-reduced-motion: reduce)" srcset="{addresses[1]}">
      <img src="{addresses[0]}" width="64" height="64" alt="A face that turns from side to side.">
    </picture>
    <span>Make one of your own</span>
  </button>
  <p id="announcer" class="unseen" role="status"></p>
</header>
"""


def heading(title: str, hint: str = "") -> str:
    """Return a card's heading: what it holds, and in a quieter voice what that is for."""
    quiet = f" <span>{escape(hint)}</span>" if hint else ""
    return f'<h2 class="heading">{escape(title)}{quiet}</h2>'


def tip(text: str) -> str:
    """Return a sentence of advice in a quiet voice."""
    return f'<p class="tip">{escape(text)}</p>'


REGION_CHOICES = [
    ("Everything", "all"),
    ("Head pose", "pose"),
    ("Expression", "expression"),
    ("Lips", "lips"),
    ("Eyes", "eyes"),
]

FOLLOWED_CHOICES = [("A video", "video"), ("Your camera", "camera")]
LAYOUT_CHOICES = [("The result", "plain"), ("Beside the video", "beside"), ("In the source's photo", "photo")]
FORMAT_CHOICES = [("MP4", "mp4"), ("WebM", "webm"), ("GIF, silent", "gif")]
MOTION_CHOICES = [("As in the video", "absolute"), ("What changes in it", "relative")]
CROP_CHOICES = [("Follows the face", "follows"), ("Stays", "stays")]
FILM_SOURCE = '<p class="tip">A video of the person may take the place of the source:</p>'


def method_choices(methods: tuple[str, ...]) -> list[tuple[str, str]]:
    """Return the methods as (what the page calls it, name)."""
    return [(METHOD_NAMES.get(name, name), name) for name in methods]


def method_hint(method: str) -> str:
    """Return one sentence on how a method works."""
    return tip(METHOD_HINTS.get(method, ""))


def refusal(message: str) -> str:
    """Return a message that stays in a card until it is acted on."""
    return f'<p class="note refusal" role="alert">{escape(message)}</p>'


def note(message: str) -> str:
    """Return what should be known of a result, or nothing."""
    return f'<p class="note" role="status">{escape(message)}</p>' if message else ""


def progress(what: str, done: int = 0, total: int = 0, left: float | None = None) -> str:
    """Return a line that shows how far some work is; with `total` 0 it only shows that it goes on.

    `left` is how many seconds it will take, where that is known.
    """
    if total <= 0:
        return _progress_line(f"{what} {done}" if done else what, None)
    until = "" if left is None else f", about {_time_left(left)} left"
    return _progress_line(f"{what} {done} of {total}{until}", done / total)


def _time_left(seconds: float) -> str:
    """Return a time in steps in which it is worth to be read."""
    if seconds < 55:
        return f"{max(5 * round(seconds / 5), 1)} s"
    return f"{max(round(seconds / 60), 1)} min"


def preparation(state: Progress | None, error: str) -> str:
    """Return what stands in the place of sliders that are not there yet: how far they are, or how to get them."""
    if state is None:
        failed = f'<p class="note" role="status">The sliders could not be prepared: {escape(error)}</p>' if error else ""
        return f"{failed}{UNPREPARED}"
    return PREPARING + progress(state.what, state.done, state.total)


def download_progress(what: str, done: int, total: int) -> str:
    """Return a progress line for `done` of `total` bytes."""
    amount = f"{done / 1e6:.0f} of {total / 1e6:.0f} MB" if total > 0 else f"{done / 1e6:.0f} MB"
    return _progress_line(f"{what}: {amount}" if done else what, done / total if total > 0 else None)


def _progress_line(text: str, part: float | None) -> str:
    if part is None:
        value, bar = "", "<i></i>"
    else:
        percent = min(100, max(0, round(100 * part)))
        value, bar = f' aria-valuenow="{percent}"', f'<i style="width: {percent}%"></i>'
    return (
        f'<div class="progress{"" if value else " unknown"}"><span>{escape(text)}</span>'
        f'<div role="progressbar" aria-label="{escape(text)}" aria-valuemin="0" aria-valuemax="100"{value}>'
        f"{bar}</div></div>"
    )


def pack_choices(packs: list[PackInfo]) -> list[tuple[str, str]]:
    """Return the packs as (what the page calls it, name)."""
    return [(info.title, info.name) for info in packs]


def pack_details(info: PackInfo) -> str:
    """Return what a pack is, where it comes from, and what one may do with it."""
    terms = licence_text(info.name) or f"{info.licence}. {info.origin}"
    here = "Ready to use." if info.installed else "Not downloaded yet."
    return f'<div class="pack">{_paragraphs(terms)}<p>{here}</p></div>'


def _paragraphs(text: str) -> str:
    """Return lines of text as paragraphs, and those that begin with a dash as lists."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    html = ""
    for dashed, group in groupby(lines, key=lambda line: line.startswith("- ")):
        if dashed:
            html += "<ul>" + "".join(f"<li>{escape(line[2:])}</li>" for line in group) + "</ul>"
        else:
            html += "".join(f"<p>{escape(line)}</p>" for line in group)
    return html


def held(turns: Mapping[str, float]) -> list[tuple[str, str]]:
    """Return what the status line tells of turns that stopped where a head can be turned no further, in degrees."""
    return [
        (SLIDERS[name].title, f"stops at {turn:+.0f}°, this head is turned far already") for name, turn in turns.items()
    ]


def status(
    facts: Facts, milliseconds: float | None = None, matched: bool = False, more: Sequence[tuple[str, str]] = ()
) -> str:
    """Return the status line: pack, device, face finder, the last computation's milliseconds, and `more` facts by name."""
    items = [
        ("Pack", f"{facts.pack}, {facts.resolution} px"),
        ("Device", facts.device),
        ("Face finder", facts.face_finder),
    ]
    if matched:
        items.append(("Source", "matched"))
    if milliseconds is not None:
        items.append(("Last result", _duration(milliseconds)))
    items += more
    lines = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(fact)}</dd></div>" for name, fact in items)
    return f'<dl class="status">{lines}</dl>'


def _duration(milliseconds: float) -> str:
    return f"{milliseconds:.0f} ms" if milliseconds < 10_000 else f"{milliseconds / 1000:.0f} s"
