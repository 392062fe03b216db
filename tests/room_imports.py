"""Which room of the package uses which: read from its import statements, nothing is imported."""

import ast
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1] / "stylemask_demo"
MODULES = ("reenactor", "cli")  # that stand between the rooms; the other single modules serve them all

Arrow = tuple[str, str]


def rooms() -> set[str]:
    """The folders of the package, and the single modules that join them."""
    return {path.parent.name for path in PACKAGE.glob("*/__init__.py")} | set(MODULES)


def arrows() -> set[Arrow]:
    """Pairs of rooms (user, used)."""
    known = rooms()
    found = set()
    for path in PACKAGE.rglob("*.py"):
        user = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        for name in _imported(ast.parse(path.read_text(encoding="utf-8"))):
            used = name.split(".")[1:2] or [""]
            if {user, *used} <= known and used != [user]:
                found.add((user, *used))
    return found


def reachable(start: str, drawn: set[Arrow]) -> set[str]:
    """The rooms that arrows lead to from one, over any number of others."""
    found: set[str] = set()
    new = {start}
    while new:
        new = {used for user, used in drawn if user in new} - found
        found |= new
    return found


def _imported(tree: ast.AST) -> Iterator[str]:
    """Yield the full names of what a module imports of this package."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            # `from stylemask_demo import Reenactor` is the reenactor's, whatever lends the name.
            whole = {
                "Reenactor": "reenactor",
                "Portrait": "portraits",
                "FaceParameters": "faces",
                "available_packs": "packs",
            }
            names = [node.module]
            if node.module == PACKAGE.name:
                names = [f"{PACKAGE.name}.{whole.get(alias.name, alias.name)}" for alias in node.names]
        else:
            continue
        yield from (name for name in names if name.partition(".")[0] == PACKAGE.name)
