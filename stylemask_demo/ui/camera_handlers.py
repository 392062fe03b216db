"""What happens while a camera moves the source: its frames in, one picture for each out.

A frame comes as text inside a request, is decoded in memory, and is gone with the answer. What stays of a visitor is one
`Follower`: the source, and where the face was seen last, as numbers.
"""

import base64
import binascii
import secrets
import threading
from dataclasses import dataclass, field
from functools import partial

import gradio as gr
from PIL import Image

from stylemask_demo import Portrait, caching, messages
from stylemask_demo.caching import VISITOR_SECONDS, Cache
from stylemask_demo.errors import StyleMaskError, UnreadableMedia
from stylemask_demo.live import LiveFace
from stylemask_demo.media.pictures import open_image
from stylemask_demo.reenactor import Driving, Motion, Region
from stylemask_demo.ui import texts
from stylemask_demo.ui.camera_compute import CameraCompute
from stylemask_demo.ui.components import Shown, Upload
from stylemask_demo.ui.error_messages import explained
from stylemask_demo.ui.handlers import Handlers
from stylemask_demo.ui.lines import AT_ONCE, SHARED_GPUS
from stylemask_demo.ui.pictures import data_url, load_picture
from stylemask_demo.ui.tuned_portraits import Match

MOST_FOLLOWERS = 8  # visitors with a camera at once: more would wait too long for each picture
IDLE_SECONDS = 60.0  # after the last frame a follower is forgotten
FRAMES = 2  # of one visitor at once: while one is drawn, the next is followed
LARGEST_FRAME = 400_000  # letters of a frame, as base64
FRAME_SIDE = 640  # pixels of the longer side; more shows no more of a face


@dataclass
class Follower:
    """What is known of one visitor: whom the camera moves, and the face before it."""

    pack: str
    source: Portrait
    face: LiveFace
    until: float  # seconds of `caching.now` at which the source is forgotten, as all that visitors add
    room: threading.Semaphore = field(default_factory=partial(threading.Semaphore, FRAMES))
    # On shared GPUs a face comes back from each frame's process, and goes into the next one's.
    work: threading.Semaphore = field(default_factory=partial(threading.Semaphore, 1 if SHARED_GPUS else FRAMES))


class CameraHandlers:
    """The functions behind the camera; see `camera_events` for where each is used."""

    def __init__(self, compute: CameraCompute, pictures: Handlers, closed: bool = False):
        """`closed` says that the host takes no pictures of visitors."""
        self._compute, self._pictures, self._closed = compute, pictures, closed
        self._followers: Cache[str, Follower] = Cache(MOST_FOLLOWERS, seconds=IDLE_SECONDS)
        self._turns = threading.BoundedSemaphore(max(AT_ONCE, FRAMES))

    def __len__(self) -> int:
        """Number of visitors who are followed."""
        return len(self._followers)

    @explained
    def begin(
        self,
        source: Upload,
        method: str,
        strength: float,
        region: Region,
        motion: Motion,
        smoothing: float,
        source_face: float,
        pack: str,
        match: Match | None,
        key: str | None,
        request: gr.Request,
    ) -> Shown:
        """Begin to follow a camera, or go on with other settings: (key, what the script is told, why it does not work).

        The script is told the key and the visitor's session, without which Gradio would make a new one for each frame.
        """
        try:
            if self._closed:
                raise StyleMaskError(messages.EXAMPLES_ONLY)
            if source is None:
                raise StyleMaskError(messages.SOURCE_NEEDED)
            how = Driving(method, float(strength), region, motion=motion, smoothing=float(smoothing))
            former = self._followers.get(key) if key else None
            if former is None and len(self) >= MOST_FOLLOWERS:
                raise StyleMaskError(messages.MANY_CAMERAS)
            who, _ = self._pictures.source(load_picture(source), source_face, pack, match)
            portrait = self._compute.portray(pack, who)
        except StyleMaskError as error:
            self.end(key)
            return None, "", texts.refusal(error.message)
        if key is None or former is None:
            key, face = secrets.token_urlsafe(16), LiveFace(how)
        else:
            face = former.face.led(how)
        self._followers.put(key, Follower(pack, portrait, face, caching.now() + VISITOR_SECONDS))
        return key, f"{key} {request.session_hash}", ""

    @explained
    def follow(self, key: str, frame: str) -> dict[str, str | bool]:
        """Give the picture for the latest frame: {"picture": its address}, empty where the frame shows no face.

        {"gone": true} where nobody is followed, {"busy": true} while two others of the visitor are at work.
        """
        follower = self._followers.get(key)
        if follower is None or follower.until < caching.now():
            return {"gone": True}
        if not follower.room.acquire(blocking=False):
            return {"busy": True}
        try:
            seen = _decoded(frame)
            with follower.work, self._turns:
                made, follower.face = self._compute.follow(follower.pack, follower.source, seen, follower.face)
        finally:
            follower.room.release()
        if self._followers.get(key) is follower:
            self._followers.put(key, follower)  # which begins its time anew
        return {"picture": "" if made is None else data_url(made)}

    def end(self, key: str | None) -> None:
        """Forget a visitor."""
        if key:
            self._followers.drop(key)


def _decoded(frame: str) -> Image.Image:
    """A frame that came as a data URL. Raises UnreadableMedia."""
    if len(frame) > LARGEST_FRAME:
        raise UnreadableMedia(messages.LARGE_FRAME)
    try:
        picture = open_image(base64.b64decode(frame.partition(",")[2]))
    except binascii.Error:
        raise UnreadableMedia(messages.DAMAGED_PICTURE) from None
    picture.thumbnail((FRAME_SIDE, FRAME_SIDE), Image.Resampling.BILINEAR)
    return picture
