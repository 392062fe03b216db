"""Where the files lie that come with the code: inside the package when it is installed, beside it in the repository."""

from pathlib import Path

PACKAGE = Path(__file__).resolve().parent


def resource(name: str) -> Path:
    """Return the folder of files that come with the code, such as "checkpoints" or "assets/examples"."""
    inside = PACKAGE / name
    return inside if inside.is_dir() else PACKAGE.parent / name


def installed() -> bool:
    """Tell whether the package was installed from a wheel, which carries its resources inside, or runs from a checkout."""
    return resource("checkpoints").is_relative_to(PACKAGE)
