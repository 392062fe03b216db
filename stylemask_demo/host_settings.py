"""What who hosts the page decides, read from environment variables; docs/hosting.md has the table of them."""

import ipaddress
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from stylemask_demo import messages
from stylemask_demo.errors import WrongSetting

DOWNLOADS = "STYLEMASK_DOWNLOADS"
EXAMPLES_ONLY = "STYLEMASK_EXAMPLES_ONLY"
BADGE = "STYLEMASK_BADGE"
WATERMARK = "STYLEMASK_WATERMARK"
CERTIFICATES, KEY = "STYLEMASK_SIGNING_CERTIFICATES", "STYLEMASK_SIGNING_KEY"
FRAMED_BY = "STYLEMASK_FRAMED_BY"

_YES, _NO = ("on", "yes", "true", "1"), ("off", "no", "false", "0")
_SPACES = ("https://huggingface.co", "https://*.hf.space")  # which show a Space in a frame


class SigningKey(NamedTuple):
    """Files in PEM form with which a host signs: the certificates, its own first, and the private key (ES256)."""

    certificates: Path
    key: Path


@dataclass(frozen=True)
class HostSettings:
    """What who hosts the page decides.

    `downloads`: whether visitors may download weights; None where the host says nothing, see `visitors_may_download`.
    `examples_only`: whether only examples and random people are taken. `badge` and `watermark`: whether results are marked
    for the eye, and so that only a program sees it. `signing`: with what results are signed, if at all. `framed_by`: the
    pages that may show this one in a frame.
    """

    downloads: bool | None = None
    examples_only: bool = False
    badge: bool = False
    watermark: bool = False
    signing: SigningKey | None = None
    framed_by: tuple[str, ...] = ()

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "HostSettings":
        """The settings of this process. Raises WrongSetting for what means nothing."""
        return cls(
            downloads=_switch(environment, DOWNLOADS),
            examples_only=bool(_switch(environment, EXAMPLES_ONLY)),
            badge=bool(_switch(environment, BADGE)),
            watermark=bool(_switch(environment, WATERMARK)),
            signing=_signing(environment),
            framed_by=_framed_by(environment),
        )

    def visitors_may_download(self, address: str, shared: bool = False) -> bool:
        """Whether visitors may start downloads of gigabytes on a page that listens at `address`, a host's name or number.

        Without a word of the host only those who sit before the machine: the page listens on loopback, and is not `shared`.
        """
        return self.downloads if self.downloads is not None else not shared and is_loopback(address)


def is_loopback(address: str) -> bool:
    """Whether a host's name or number is reached from its own machine alone."""
    try:
        return ipaddress.ip_address(address.strip("[]")).is_loopback
    except ValueError:
        return address == "localhost"


def _switch(environment: Mapping[str, str], name: str) -> bool | None:
    value = environment.get(name, "").strip().lower()
    if value and value not in (*_YES, *_NO):
        raise WrongSetting(messages.WRONG_SWITCH, f"{name} is '{value}'. Set it to on or off.")
    return value in _YES if value else None


def _signing(environment: Mapping[str, str]) -> SigningKey | None:
    names = environment.get(CERTIFICATES), environment.get(KEY)
    if not any(names):
        return None
    files = [Path(name or "").expanduser() for name in names]
    for variable, file in zip((CERTIFICATES, KEY), files, strict=True):
        if not file.is_file():
            raise WrongSetting(messages.WRONG_SIGNING_KEY, f"{variable} names no file. Set it to a file in PEM form.")
    return SigningKey(*files)


def _framed_by(environment: Mapping[str, str]) -> tuple[str, ...]:
    own = tuple(environment.get(FRAMED_BY, "").split())
    return own or (_SPACES if "SPACE_ID" in environment else ())
