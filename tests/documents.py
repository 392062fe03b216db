"""README, the guides and what contributors read, as data: their code blocks, what stands in backquotes, links, headings."""

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
DOCUMENTS = [README, ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", *sorted((ROOT / "docs").glob("*.md"))]

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)
_INLINE = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.M)


@dataclass(frozen=True)
class Block:
    """A code block: `language` as its fence names it, `line` of its first line in `path`."""

    path: Path
    line: int
    language: str
    code: str

    def __str__(self) -> str:
        return f"{self.path.relative_to(ROOT)}:{self.line}"


def blocks(*languages: str) -> list[Block]:
    """The code blocks of all documents in these languages, or in any."""
    found = []
    for path in DOCUMENTS:
        text = path.read_text(encoding="utf-8")
        for match in _FENCE.finditer(text):
            line = text.count("\n", 0, match.start()) + 2
            found.append(Block(path, line, match[1], match[2]))
    return [block for block in found if not languages or block.language in languages]


def prose(path: Path) -> str:
    """The text of a document without the settings of a Space and without code blocks."""
    text = path.read_text(encoding="utf-8")
    if text.startswith("---\n"):
        text = text.split("---\n", 2)[2]
    return _FENCE.sub("", text)


def quoted(path: Path) -> list[str]:
    """What stands in backquotes in the text of a document."""
    return _INLINE.findall(prose(path))


def links(path: Path) -> list[str]:
    """Where links and pictures of a document point to."""
    return _LINK.findall(prose(path))


def anchors(path: Path) -> set[str]:
    """The names by which links reach the headings of a document, as GitHub makes them."""
    return {re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in _HEADING.findall(prose(path))}


def commands(code: str) -> list[list[str]]:
    """The commands of a shell block as words, without comments; lines that end with a backslash go on."""
    lines = [shlex.split(line, comments=True) for line in code.replace("\\\n", " ").splitlines()]
    return [words for words in lines if words]
