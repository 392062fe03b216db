"""The embedded pack without its directions, as packs are that no direction matrix was published for."""

import json
import shutil
from pathlib import Path

from stylemask_demo.packs import CHECKPOINTS

# Python code that makes a calibration quick and useless.
QUICK = """
from stylemask_demo.calibration import measuring, trials
from stylemask_demo.ui import compute
measuring.SAMPLES = measuring.SAMPLES_ON_CPU = 100
measuring.PICTURE_SIDE = measuring.PICTURE_SIDE_ON_CPU = 64
trials.PEOPLE = 2
compute.MEASURING_SECONDS = 1
"""


def bare_pack(folder: Path) -> Path:
    """Make the pack in a folder, with the folder's name."""
    shutil.copytree(CHECKPOINTS / "synthetic", folder)
    document = json.loads((folder / "pack.json").read_text())
    del document["networks"]["directions"]
    (folder / "directions.safetensors").unlink()
    document.update(name=folder.name, title=folder.name.capitalize())
    (folder / "pack.json").write_text(json.dumps(document))
    return folder
