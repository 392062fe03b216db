"""Which room of the package uses which: read from its import statements, nothing is imported."""

import ast
from functools import cache
from pathlib import Path

from stylemask_demo import HOMES

PACKAGE = Path(__file__).resolve().parents[1] / "stylemask_demo"
MODULES = (
    "pipeline",
    "reenactor",
    "commands",
    "batch",
    "cli",
)  # that stand between the rooms; other single modules serve them all
# What the package itself offers, and where that stands.
PUBLIC = {f"{PACKAGE.name}.{name}": home for name, home in HOMES.items()}

Arrow = tuple[str, str]


def rooms() -> set[str]:
    """The folders of the package, and the single modules that join them."""
    return {path.parent.name for path in PACKAGE.glob("*/__init__.py")} | set(MODULES)


def arrows() -> set[Arrow]:
    """Pairs of rooms (user, used)."""
    return {(user, used) for user, used in all_arrows() if {user, used} <= rooms()}


def all_arrows() -> set[Arrow]:
    """Pairs of a room and another that it uses, single modules that serve all of them among them."""
    pairs = {(room(name), room(used)) for name, uses in imports().items() if name != PACKAGE.name for used in uses}
    return {(user, used) for user, used in pairs if user != used}


def reachable(start: str, drawn: set[Arrow]) -> set[str]:
    """The rooms that arrows lead to from one, over any number of others."""
    found: set[str] = set()
    new = {start}
    while new:
        new = {used for user, used in drawn if user in new} - found
        found |= new
    return found


@cache
def imports() -> dict[str, set[str]]:
    """The modules of the package that each of them imports, wherever in it; a package's `__init__` goes by its name."""
    return {module(path): used_by(path) for path in PACKAGE.rglob("*.py")}


def module(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def used_by(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for_types = {
        node
        for branch in ast.walk(tree)
        if isinstance(branch, ast.If) and isinstance(branch.test, ast.Name) and branch.test.id == "TYPE_CHECKING"
        for node in ast.walk(branch)
    }
    used = set()
    for node in set(ast.walk(tree)) - for_types:
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are written in full"
            used |= {home(f"{node.module}.{alias.name}") for alias in node.names}
        elif isinstance(node, ast.Import):
            used |= {home(alias.name) for alias in node.names}
    return used - {"", PACKAGE.name, module(path)}


def home(name: str) -> str:
    """The module of the package that an imported name stands in; nothing for other names."""
    if name.partition(".")[0] != PACKAGE.name:
        return ""
    name = PUBLIC.get(name, name)
    path = PACKAGE.parent.joinpath(*name.split("."))
    return name if path.with_suffix(".py").is_file() or path.is_dir() else home(name.rpartition(".")[0])


def room(name: str) -> str:
    return name.split(".")[1]
