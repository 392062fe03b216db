"""The weights in memory: one reenactor per pack, shared by all visitors; every request names its pack."""

import os
import threading
from collections.abc import Callable

from stylemask_demo import Reenactor, messages
from stylemask_demo.caching import Cache
from stylemask_demo.errors import DownloadFailed, PackMissing
from stylemask_demo.packs import PackInfo, available_packs, download_pack, find_pack, read_info

PACK_VARIABLE = "STYLEMASK_PACK"  # environment: name or folder of the pack that the page opens with
EMBEDDED = "synthetic"
MOST = 3  # packs in memory at once; the one not used for longest goes first


class PackRegistry:
    """Reenactors by the name of their pack, loaded at first use; `default` is the pack that the page opens with."""

    def __init__(self, default: str = EMBEDDED, device: str = "auto"):
        """`default`: name or folder of a pack that is here. Raises PackMissing or PackCorrupt."""
        self._default_info = read_info(find_pack(default))
        self._device = device
        self._kept: Cache[str, Reenactor] = Cache(MOST)  # requests that use one keep it alive until they end
        # One pack is loaded at a time, and requests for the packs that are there already do not wait for it.
        self._loading = threading.Lock()
        self.get(self.default)

    @classmethod
    def from_environment(cls, name: str | None = None) -> "PackRegistry":
        """Opens the registry with a pack, or else the one STYLEMASK_PACK names, downloaded first when it is not here yet.

        How far the download is goes to the standard output, which a Space shows while it starts. Where it fails,
        the page opens with the embedded pack. Raises PackMissing or PackCorrupt.
        """
        name = name or os.environ.get(PACK_VARIABLE) or EMBEDDED
        if any(info.name == name and not info.installed for info in available_packs()):
            try:
                download_pack(name, progress=_printer())
            except DownloadFailed as error:
                print(f"{error} Starting with the pack '{EMBEDDED}' instead.", flush=True)
                name = EMBEDDED
        return cls(name)

    @property
    def default(self) -> str:
        """Name of the pack that the page opens with."""
        return self._default_info.name

    def packs(self) -> list[PackInfo]:
        """What packs there are: the default, then the others, downloaded or not."""
        default = read_info(self._default_info.folder)  # it may have got directions since
        return [default, *(info for info in available_packs() if info.name != self.default)]

    def info(self, name: str) -> PackInfo:
        """What is known of a pack. Raises PackMissing for a name that is none of `packs`."""
        # By name only: who uses the page must not make it read other folders.
        for info in self.packs():
            if info.name == name:
                return info
        names = ", ".join(info.name for info in self.packs())
        raise PackMissing(messages.NO_SUCH_WEIGHTS.format(name=name, names=names))

    def loaded(self, name: str) -> bool:
        """Whether the pack is in memory."""
        return name in self._kept

    def get(self, name: str) -> Reenactor:
        """The reenactor of a pack, loaded when it is not in memory. Raises PackMissing or PackCorrupt."""
        found = self._kept.find(name, lambda: self._loaded(name))
        if Reenactor.calibration_of(found.info).missing:
            found.renew()  # it may have been calibrated meanwhile, by whatever process
        return found

    def _loaded(self, name: str) -> Reenactor:
        with self._loading:
            info = self.info(name)
            if not info.installed:
                raise PackMissing(messages.WEIGHTS_NOT_HERE.format(name=info.title))
            return Reenactor.from_pack(info.folder, device=self._device)


def _printer() -> Callable[[int, int, str], None]:
    """Return a function for `download_pack` to report to, which prints a line at each tenth of a file."""
    last: list[str] = []

    def report(done: int, total: int, what: str) -> None:
        line = f"{what}: {done * 10 // total * 10} %" if total > 0 else what
        if last != [line]:
            last[:] = [line]
            print(line, flush=True)

    return report
