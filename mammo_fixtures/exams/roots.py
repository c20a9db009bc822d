"""Where a manifest may lead: its own folder, and the folders and URLs that its reader allows."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.exams.remote_file import FilePath, RemoteFile, file_at, is_url

OPTION = "--mammo-allow-outside"
_PACKED = ("zip", "tar", "libarchive", "simplecache", "filecache", "blockcache")
"""Links of a chain that lead nowhere but into the file named after them."""


@dataclass(slots=True, kw_only=True)
class Roots:
    """The places that files named in one manifest may lie in.

    A manifest may come from anyone, and what it names is opened with the rights of whoever runs the gate: an absolute
    path, `..`, or a link in the folder could show, in a picture, what was never sent along.
    """

    manifest: FilePath
    allowed: Sequence[FilePath] = ()
    _folders: list[Path] = field(init=False)
    _urls: list[str] = field(init=False)
    _resolved: dict[Path, Path] = field(default_factory=dict)
    """Folders, links followed: a cohort has many files in few folders."""

    def __post_init__(self) -> None:
        own = self.manifest.beside(".") if isinstance(self.manifest, RemoteFile) else self.manifest.parent
        places = [own, *self.allowed]
        self._folders = [place.resolve() for place in places if isinstance(place, Path)]
        self._urls = [place.url for place in places if isinstance(place, RemoteFile)]

    def check(self, file: FilePath, said: str, origin: str) -> FilePath:
        """The file, if it lies inside. Raises UnusableInput that names row, path, and how to allow it."""
        if self._holds(file):
            return file
        linked = isinstance(file, Path) and str(self._real(file)) != os.path.normpath(file.absolute())
        real = f", which leads to {str(self._real(file))!r}" if isinstance(file, Path) and linked else ""
        folder = file.beside(".") if isinstance(file, RemoteFile) else self._real(file).parent
        raise UnusableInput(
            f"{origin}: a path must stay in the folder of {self.manifest.name}, got {said!r}{real}; where that is "
            f"meant, allow its folder: {OPTION}={folder}"
        )

    def _holds(self, file: FilePath) -> bool:
        if isinstance(file, Path):
            return any(self._real(file).is_relative_to(folder) for folder in self._folders)
        if any(_inside(file.url, root) for root in self._urls):
            return True
        link, packed, rest = file.url.partition("::")
        return bool(packed) and link.partition("://")[0] in _PACKED and self._holds(file_at(rest))

    def _real(self, file: Path) -> Path:
        parent = file.parent
        try:
            if parent not in self._resolved:
                self._resolved[parent] = parent.resolve()
            real = self._resolved[parent] / file.name
            return real.resolve() if file.name == ".." or real.is_symlink() else real
        except (OSError, ValueError, RuntimeError):  # a NUL, links in a circle: nothing that could be opened
            return file.absolute()


def roots_of(texts: Sequence[str]) -> tuple[FilePath, ...]:
    """What is allowed, from its texts: folders, or URLs up to a slash."""
    return tuple(file_at(text) for text in texts)


def listed(text: str, base: Path) -> tuple[str, ...]:
    """The texts of a list with commas; folders made absolute against a base."""
    given = [part.strip() for part in text.split(",") if part.strip()]
    return tuple(part if is_url(part) else str((base / Path(part).expanduser()).resolve()) for part in given)


def outside_said(folder: Path, manifest: Path) -> list[str]:
    """What whoever writes a manifest of a folder elsewhere is told, if it is elsewhere."""
    if folder.resolve().is_relative_to(manifest.parent.resolve()):
        return []
    return [f"its images lie outside its folder: run the gate with {OPTION}={folder.resolve()}"]


def _inside(url: str, root: str) -> bool:
    """Whether a URL lies under another, in the same link of the same chain."""
    first, packed, rest = _plain(url).partition("::")
    own, own_packed, own_rest = _plain(root).partition("::")
    if (packed, rest) != (own_packed, own_rest) or "/../" in f"/{first.partition('://')[2]}/":
        return False
    return first == own or first.startswith(own if own.endswith("/") else f"{own}/")


def _plain(url: str) -> str:
    """A URL whose path goes up nowhere, also where a server would decode it first."""
    link, packed, rest = url.partition("::")
    scheme, slashes, inside = link.partition("://")
    path = posixpath.normpath(unquote(inside.partition("?")[0]))
    return f"{scheme}{slashes}{'' if path == '.' else path}{packed}{rest}"
