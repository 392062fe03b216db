"""Reading published checkpoints, which are untrusted: no code in them ever runs, and their size is limited."""

import argparse
import os
import re
import shutil
import tarfile
import warnings
import zipfile
from collections.abc import Callable, Collection, Mapping
from contextlib import closing
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import IO, Any, cast
from zlib import error as ZlibError

import numpy as np
import torch
from numpy._core import multiarray
from torch import Tensor

from stylemask_demo import messages
from stylemask_demo.errors import PackCorrupt

PARALLEL = "module."  # before the names of weights that were trained on several devices
# What training scripts leave in a checkpoint beside tensors: their options and numpy numbers. None of these types does
# anything but hold values. Checkpoints name numpy's by the module of numpy 1.
PLAIN_TYPES: list[Callable[..., Any] | tuple[Callable[..., Any], str]] = [
    argparse.Namespace,
    np.ndarray,
    np.dtype,
    *(type(np.dtype(name)) for name in ("bool", "int32", "int64", "float32", "float64")),
    (multiarray.scalar, "numpy.core.multiarray.scalar"),
    (multiarray._reconstruct, "numpy.core.multiarray._reconstruct"),
    multiarray.scalar,
    multiarray._reconstruct,
]


def read_checkpoint(path: Path, largest: int) -> Mapping[str, Any]:
    """Read a file that was written by `torch.save` and holds a dictionary.

    `largest` is the limit of its size in bytes. Its tensors stay in the file where its format allows it, so keep the
    file as long as they are used. Raises PackCorrupt when the file is larger, is not such a file, or holds anything
    but tensors and plain values.
    """
    _check_size(path, largest)
    with path.open("rb") as file:
        packed = file.read(4) == b"PK\3\4"  # how PyTorch tells its newer format from the older one
    if packed:
        _check_not_compressed(path)
    elif tarfile.is_tarfile(path):
        raise _unreadable(path, "it is a tar archive")
    try:
        with torch.serialization.safe_globals(PLAIN_TYPES), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # advice for whoever wrote the file
            content = torch.load(path, map_location="cpu", weights_only=True, mmap=packed)
    except MemoryError:
        raise _refused(path, "asks for more memory than there is, and was not opened") from None
    # Bytes that make no sense can lead the reader into any error.
    except Exception as error:
        raise _unreadable(path, _reason(error)) from None
    if not isinstance(content, Mapping):
        raise _unreadable(path, f"it holds a {type(content).__name__} instead of a dictionary")
    return content


def find_state(
    checkpoint: Mapping,
    names: Collection[str],
    section: str,
    prefix: str = "",
    known: Mapping[str, Tensor] = MappingProxyType({}),
) -> dict[str, Tensor]:
    """Find the tensors ``names`` in a checkpoint where its authors' program looks for them.

    That is the dictionary ``checkpoint[section]``, or the checkpoint itself when it has no such section, with ``prefix``
    before each name; parallel training puts ``module.`` before all names. ``known`` are tensors that may be absent.
    Returns {name: tensor}, without the prefix, of both; what else the checkpoint holds is left out. Raises KeyError with
    the first name that is missing.
    """
    place = checkpoint.get(section, checkpoint) if section else checkpoint
    if not isinstance(place, Mapping):
        raise KeyError(section)
    if names and f"{PARALLEL}{prefix}{next(iter(names))}" in place:
        prefix = PARALLEL + prefix
    for name in names:
        if not isinstance(place.get(prefix + name), Tensor):
            raise KeyError(prefix + name)
    given = {name: place[prefix + name] for name in known if isinstance(place.get(prefix + name), Tensor)}
    return {**{name: place[prefix + name] for name in names}, **known, **given}


def unpack_member(path: Path, member: str, target: Path, largest: int) -> bool:
    """Write the file named `member` of a tar or zip archive to `target`, wherever in the archive it lies.

    Returns False when `path` is not an archive with such a file. `largest` is the limit of its size in bytes, and
    of the archive's. Raises PackCorrupt when one is larger, or the archive is damaged, and OSError when the file
    cannot be written.
    """
    _check_size(path, largest)
    try:
        if tarfile.is_tarfile(path):
            with tarfile.open(path) as archive:
                for entry in archive:
                    if entry.isfile() and PurePosixPath(entry.name).name == member:
                        return _copy(cast(IO[bytes], archive.extractfile(entry)), target, largest)
        elif zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as packed:
                for name in packed.namelist():
                    if PurePosixPath(name).name == member:
                        return _copy(packed.open(name), target, largest)
    except (tarfile.TarError, zipfile.BadZipFile, ZlibError, EOFError, NotImplementedError) as error:
        raise _unreadable(path, str(error)) from None
    return False


def _copy(source: IO[bytes], target: Path, largest: int) -> bool:
    temporary = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with closing(source), temporary.open("wb") as file:
            while block := source.read(1 << 20):
                file.write(block)
                # An archive can say anything about the size of what it holds: count what comes out.
                if file.tell() > largest:
                    raise _refused(target, f"is larger than {largest:,} bytes and was not unpacked")
        shutil.move(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)
    return True


def _check_size(path: Path, largest: int) -> None:
    size = path.stat().st_size
    if size > largest:
        raise _refused(path, f"has {size:,} bytes, more than the {largest:,} it may have, and was not opened")


def _check_not_compressed(path: Path) -> None:
    """Refuse a zip file of few bytes that unpacks to many; `torch.save` does not compress."""
    try:
        with zipfile.ZipFile(path) as archive:
            compressed = any(entry.compress_type != zipfile.ZIP_STORED for entry in archive.infolist())
    except zipfile.BadZipFile as error:
        raise _unreadable(path, str(error)) from None
    if compressed:
        raise _unreadable(path, "it is compressed")


def _reason(error: Exception) -> str:
    """What matters of PyTorch's long advice to read the file without protection."""
    text = " ".join(str(error).split())
    if forbidden := re.search(r"GLOBAL (\S+)", text):
        return f"it asks for {forbidden[1]}, which may run code"
    return text.partition("WeightsUnpickler error: ")[2].partition(". ")[0] or type(error).__name__


def _unreadable(path: Path, reason: str) -> PackCorrupt:
    said = f"is not a checkpoint of plain weights ({reason[:200]}), and nothing of it was used"
    return _refused(path, f"{said}. Delete it and get it again from its publisher")


def _refused(path: Path, said: str) -> PackCorrupt:
    return PackCorrupt(messages.DAMAGED_FILE.format(file=path.name), f"{path.name} {said}.")
