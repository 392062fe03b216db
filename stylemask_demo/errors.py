"""The errors a person can meet; every message says what happened and what to do next."""

from stylemask_demo import messages


class StyleMaskError(Exception):
    """Base of all errors that the demo explains to a person instead of showing a traceback.

    `message` is one of `stylemask_demo.messages`, which any visitor of a page may read. `detail` says the same to who runs
    the demo, with files, folders and reasons; where there is one, it is what the error prints as.
    """

    def __init__(self, message: str, detail: str = ""):
        super().__init__(message, detail)  # both, because errors travel between processes by what they are made of
        self.message, self.detail = message, detail

    def __str__(self) -> str:
        return self.detail or self.message


class NoFaceFound(StyleMaskError):
    """The picture can be read, but no face was found in it."""


class UnreadableMedia(StyleMaskError):
    """A picture or video cannot be read, or is outside of the limits."""


class PackMissing(StyleMaskError):
    """There is no pack of weights with this name."""


class PackCorrupt(StyleMaskError):
    """A file of a pack is missing, truncated, altered, or does not fit the networks."""


class UnwritableMedia(StyleMaskError):
    """A result cannot be written where it was asked for."""


class DownloadFailed(StyleMaskError):
    """Published weights could not be fetched, or may not be used."""


class FaceModelMissing(StyleMaskError):
    """The 3D face model that people are rendered from is not here and cannot be fetched."""


class JudgeMissing(StyleMaskError):
    """The environment of the outside eyes that judge results is not here, or does not work."""


class Cancelled(StyleMaskError):
    """Work was stopped by the one who asked for it; raise it in a progress callback to stop."""

    def __init__(self, message: str = messages.STOPPED, detail: str = ""):
        super().__init__(message, detail)


class OutOfMemory(StyleMaskError):
    """The accelerator's memory does not hold the work on even one picture."""


class WrongSetting(StyleMaskError):
    """An environment variable or a request says something that means nothing here."""


class UnknownMethod(StyleMaskError, ValueError):
    """A pack was asked for a reenactment method that it has no networks for."""


class UnknownRegion(StyleMaskError, ValueError):
    """A result was asked to follow a part of the face that has no name here, or that its pack cannot tell apart."""


class UnknownSlider(StyleMaskError, ValueError):
    """A face was to be moved in a way that has no name here, or that its pack cannot do."""


class LibraryMissing(StyleMaskError):
    """A package needs a library of the system that is not installed."""
