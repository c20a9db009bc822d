"""The fenced blocks of README and docs, and the commands in them."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
_FENCE = re.compile(r"^( *)```(\S*) *(.*)$")
_OPERATORS = set("|&;<>()$`")


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One fenced block: its language, the file it says it is (`title="release.py"`), and its text."""

    page: str
    line: int
    language: str
    title: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def pages() -> list[Path]:
    """README, CHANGELOG and every page of docs, as they are read on a hosting site."""
    return [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]


def shown(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path) -> list[Block]:
    """The blocks of a page in their order."""
    found: list[Block] = []
    opened: tuple[int, str, str, str] | None = None
    inside: list[str] = []
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), start=1):
        fence = _FENCE.match(line)
        if fence is None:
            inside.append(line)
        elif opened is None:
            indent, language, rest = fence.groups()
            title = re.fullmatch(r'title="([\w./-]+)"', rest)
            assert title or not rest, f'{shown(page)}:{number}: after the language comes title="…" or nothing'
            opened, inside = (number, indent, language, title[1] if title else ""), []
        else:
            first, indent, language, title = opened
            text = "\n".join(each.removeprefix(indent) for each in inside) + "\n"
            found.append(Block(page=shown(page), line=first, language=language, title=title, text=text))
            opened = None
    assert opened is None, f"{shown(page)}:{opened[0]}: a block that is not closed"
    return found


def commands(text: str) -> list[str]:
    """The lines of a shell block, continued ones joined, comments and empty ones left out."""
    lines = text.replace("\\\n", " ").splitlines()
    return [line for line in (re.sub(r"(^|\s{2,})#.*$", "", line).strip() for line in lines) if line]


def words(command: str) -> list[str]:
    """A simple command's words, without variables set before it; empty where it needs a shell to be understood."""
    lexer = shlex.shlex(command, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    parts = list(lexer)
    if any(set(part) <= _OPERATORS for part in parts) or "$" in command or "`" in command:
        return []
    return parts


def quoted_output(text: str) -> list[tuple[str, list[str]]]:
    """The commands of a console block, marked `$`, each with the lines that it is shown to print."""
    found: list[tuple[str, list[str]]] = []
    for line in text.splitlines():
        if line.startswith("$ "):
            found.append((line[2:], []))
        elif line.strip():
            found[-1][1].append(line)
    return found
