"""C2PA content credentials: results signed with the key of their host, who answers for what they say.

Coalition for Content Provenance and Authenticity, "Content Credentials: Technical Specification" (2024).
"""

import io
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

from stylemask_demo import __version__, messages
from stylemask_demo.errors import WrongSetting
from stylemask_demo.host_settings import CERTIFICATES, KEY, SigningKey

SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
SOFTWARE = "StyleMask Demo"
_AGENT = {"name": SOFTWARE, "version": __version__}
_MADE = {"action": "c2pa.created", "digitalSourceType": SOURCE_TYPE, "softwareAgent": _AGENT}


def sign(content: bytes, kind: str, signing: SigningKey | None) -> bytes:
    """A file as bytes, of MIME type `kind`, with content credentials; as it is without a key. Raises WrongSetting."""
    if signing is None:
        return content
    signed = io.BytesIO()
    _signed(io.BytesIO(content), signed, kind, signing)
    return signed.getvalue()


def sign_file(path: str | os.PathLike, kind: str, signing: SigningKey | None) -> None:
    """Add content credentials to a file of MIME type `kind`, in its place. Raises WrongSetting and OSError."""
    if signing is None:
        return
    signed = Path(f"{os.fspath(path)}.signed")
    try:
        with open(path, "rb") as source, open(signed, "w+b") as target:
            _signed(source, target, kind, signing)
        os.replace(signed, path)
    finally:
        signed.unlink(missing_ok=True)


def check_key(signing: SigningKey) -> None:
    """Raise WrongSetting where nothing can be signed with a key."""
    _with_signer(signing, lambda signer: None)


def _signed(source: BinaryIO, target: BinaryIO, kind: str, signing: SigningKey) -> None:
    import c2pa

    assertions = [{"label": "c2pa.actions.v2", "data": {"actions": [_MADE]}}]
    manifest = {"claim_generator_info": [_AGENT], "format": kind, "assertions": assertions}

    def write(signer: Any) -> None:
        with c2pa.Builder(json.dumps(manifest)) as builder:
            builder.sign(signer, kind, source, target)

    _with_signer(signing, write)


def _with_signer(signing: SigningKey, work: Callable[[Any], None]) -> None:
    try:
        import c2pa  # here: most hosts do without
    except ImportError as error:
        told = f"{KEY} needs c2pa-python ({error}). Install it: pip install 'stylemask-demo[provenance]'"
        raise WrongSetting(messages.NO_MARKS, told) from None
    try:
        certificates, key = signing.certificates.read_bytes(), signing.key.read_bytes()
        with c2pa.Signer.from_info(c2pa.C2paSignerInfo(b"es256", certificates, key, None)) as signer:
            work(signer)
    except (c2pa.C2paError, OSError, ValueError) as error:
        told = f"Nothing can be signed with the files that {CERTIFICATES} and {KEY} name ({error})."
        raise WrongSetting(messages.WRONG_SIGNING_KEY, told) from None
