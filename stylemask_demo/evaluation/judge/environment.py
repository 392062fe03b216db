"""The judge's environment: a Python of its own, in which a process looks at pictures for us."""

import os
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

from stylemask_demo.errors import JudgeMissing
from stylemask_demo.evaluation.judge.measures import JudgedFace
from stylemask_demo.media.pictures import content_hash
from stylemask_demo.resources import PACKAGE

PLACE = "STYLEMASK_JUDGE"  # names the environment's folder, if it is not .judge in the repository
PROCESS = Path(__file__).with_name("process.py")


def find_judge() -> list[str]:
    """The command that looks at the pictures of a folder, which it wants as its last argument; see process.py.

    Raises JudgeMissing, which says how to make the environment, where there is none.
    """
    folder = Path(os.environ.get(PLACE) or PACKAGE.parent / ".judge")
    python = folder / "bin" / "python"
    if not python.is_file():
        raise JudgeMissing(
            f"The judge has an environment of its own, and there is none in {folder}. Make it in the repository with "
            f"'make judge', or set {PLACE} to the folder of an environment that has the packages of requirements-judge.txt."
        )
    # Isolated, so that neither the modules beside process.py nor this environment's settings get in the way.
    return [str(python), "-I", str(PROCESS)]


def look(judge: Sequence[str], pictures: Sequence[Image.Image]) -> dict[str, JudgedFace | None]:
    """What the judge, a command as of `find_judge`, sees in RGB pictures, by `content_hash`; None where it sees no face.

    The pictures lie in a temporary folder meanwhile. Raises JudgeMissing when the judge fails.
    """
    unique = {content_hash(picture): picture for picture in pictures}
    with tempfile.TemporaryDirectory(prefix="stylemask-judge-") as place:
        folder = Path(place)
        for number, picture in enumerate(unique.values()):
            picture.save(folder / f"{number:06d}.png", compress_level=1)
        _run(judge, folder, len(unique))
        with np.load(folder / "seen.npz") as seen:
            found, meshes, identities = (seen[name] for name in ("found", "mesh", "identity"))
    rows = zip(unique.items(), found, meshes, identities, strict=True)
    return {key: JudgedFace.from_mesh(mesh, who, picture) if there else None for (key, picture), there, mesh, who in rows}


def _run(judge: Sequence[str], folder: Path, count: int) -> None:
    log = folder / "log"  # a file, because a pipe that nobody empties would stop the process
    with log.open("wb") as errors, tqdm(total=count, desc="judged") as progress:
        with subprocess.Popen([*judge, str(folder)], stdout=subprocess.PIPE, stderr=errors, text=True) as process:
            try:
                for _ in process.stdout or ():
                    progress.update()
            except BaseException:
                process.kill()
                raise
    if process.returncode or not (folder / "seen.npz").is_file():
        said = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        reason = said[-1] if said else f"exit status {process.returncode}"
        raise JudgeMissing(f"The judge failed ({reason}). Remove its environment and make it again with 'make judge'.")
