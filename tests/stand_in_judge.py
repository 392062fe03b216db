"""Does what the judge's process does, without its environment: sees in a picture's colours what mesh_heads.py says.

Arguments and results are those of stylemask_demo/evaluation/judge/process.py. In pictures whose mean colour is named in
STAND_IN_BLIND_TO it sees no face; with STAND_IN_FAILS it stops with that message.
"""

import os
import sys
from pathlib import Path

import numpy as np
from mesh_heads import face_of, identity_of, mesh_of
from PIL import Image


def main(folder: Path) -> None:
    if message := os.environ.get("STAND_IN_FAILS"):
        sys.exit(message)
    blind_to = os.environ.get("STAND_IN_BLIND_TO", "").split()
    found, mesh, identity = [], [], []
    for path in sorted(folder.glob("*.png")):
        picture = np.asarray(Image.open(path))
        found.append(f"{picture.mean():.6f}" not in blind_to)
        mesh.append(mesh_of(**face_of(picture)))
        identity.append(identity_of(picture))
        print(path.name, flush=True)
    np.savez(folder / "seen.npz", found=found, mesh=mesh, identity=identity)


if __name__ == "__main__":
    main(Path(sys.argv[-1]))
