"""What a person names is a file: it is looked at before it is opened, and never taken for an address."""

import os
from pathlib import Path
from typing import NamedTuple

from stylemask_demo import messages
from stylemask_demo.errors import UnreadableMedia
from stylemask_demo.media.kinds import HEAD, kind_of

# How messages speak of a file that they do not name.
_SUBJECTS, _UNNAMED = ("The picture ", "The video ", "The file ", "This "), "of this name"


class Limit(NamedTuple):
    """How large files of a kind may be in bytes, and what is said of one that is larger, and of one without content."""

    bytes: int
    large: str
    empty: str

    def check(self, size: int) -> None:
        """Raise UnreadableMedia for a file of `size` bytes that is empty or larger than the limit."""
        if size == 0:
            raise UnreadableMedia(self.empty)
        if size > self.bytes:
            raise UnreadableMedia(self.large.format(limit=self.bytes // 1_000_000))


def check_file(path: str | os.PathLike, limit: Limit) -> None:
    """Raise UnreadableMedia unless there is a file that may be read, within the limit."""
    try:
        path = Path(os.fsdecode(path))
        if path.is_dir():
            raise UnreadableMedia(messages.FOLDER)
        limit.check(path.stat().st_size)
        with path.open("rb"):
            pass
    except FileNotFoundError:
        raise UnreadableMedia(messages.NO_FILE) from None
    except (OSError, ValueError) as error:  # ValueError: a null character in the name
        raise UnreadableMedia(messages.UNREADABLE_FILE, f"{messages.UNREADABLE_FILE} ({reason(error)})") from None


def kind_of_file(path: str | os.PathLike) -> str | None:
    """What a file that can be read is, as `kind_of` tells it."""
    with open(path, "rb") as file:
        return kind_of(file.read(HEAD))


def is_film(path: str | os.PathLike) -> bool:
    """Whether a file is a film by its first bytes; a GIF counts as a picture."""
    try:
        return (kind_of_file(path) or "").endswith("film")
    except (OSError, ValueError):  # ValueError: a null character in the name
        return False


def address(path: str | os.PathLike) -> str:
    """The address at which FFmpeg finds a file, whatever colons and slashes are in its name."""
    return f"file:{os.fsdecode(path)}"


def told_of(path: str | os.PathLike, said: object) -> str:
    """A message about a file as it is said to who named the file: with its name."""
    name, text = f"'{os.fsdecode(path)}'", str(said)
    if _UNNAMED in text:
        return text.replace(_UNNAMED, name)
    subject = next((subject for subject in _SUBJECTS if text.startswith(subject)), "")
    return f"{name} {text.removeprefix(subject)}" if subject else f"{name}: {text}"


def reason(error: BaseException) -> str:
    """Why something failed, in one line."""
    told = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return told.strip().splitlines()[0]
