"""Files named by URL, in any file system that fsspec knows: `s3://site/cohort.csv`, `zip://exams.csv::cohort.zip`."""

from __future__ import annotations

import io
import posixpath
import re
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

LOCAL = ("file://", "local://")
LOOKED_UP_AT_ONCE = 32
"""A store of objects answers one question in some 50 ms, whichever others are asked meanwhile."""
_MARKS = (
    "etag", "contentmd5", "md5", "md5hash", "digest", "checksum", "crc", "crc32c", "generation", "versionid",
    "lastmodified", "modified", "updated", "mtime", "created", "datetime",
)  # fmt: skip
"""What file systems call that which changes whenever a file's content does, in lower-case letters and digits."""


class Unreachable(OSError):
    """A remote file that cannot be read, for whatever reason its file system has."""


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file by its URL. Only the methods of `Path` that reading exams needs."""

    url: str
    mark: str = field(default="", compare=False)
    """Of the content as it lies there: size, and entity tag, checksum or time. Empty where nothing tells it."""

    def __str__(self) -> str:
        """The URL as messages may show it: without a password or a signed query."""
        shown = re.sub(r"(//[^/@:]*):[^/@]*@", r"\1:…@", self.url)
        return re.sub(r"(https?://[^?]*)\?.*", r"\1?…", shown)

    @property
    def name(self) -> str:
        return PurePosixPath(self._split()[1].partition("?")[0]).name

    @property
    def suffix(self) -> str:
        return PurePosixPath(self.name).suffix

    def beside(self, path: str) -> RemoteFile:
        """The file at a path relative to this one's folder."""
        before, own, after = self._split()
        root, slash, inside = own.partition("://")
        joined = posixpath.normpath(posixpath.join(posixpath.dirname(inside), path))
        return RemoteFile(before + root + slash + joined + after)

    def _split(self) -> tuple[str, str, str]:
        """What stands before and after the link of a chain of URLs that holds the path."""
        links = self.url.split("::")
        at = next((n for n, link in enumerate(links) if "://" in link), 0)
        return "".join(f"{link}::" for link in links[:at]), links[at], "".join(f"::{link}" for link in links[at + 1 :])

    def read_bytes(self) -> bytes:
        """All of the file. Raises FileNotFoundError, else Unreachable with the file system's own words."""
        try:
            system, path = self._found()
            content: bytes = system.cat_file(path)
        except FileNotFoundError:
            raise
        except Exception as error:  # file systems raise their libraries' own exceptions, ImportError among them
            raise Unreachable(f"{type(error).__name__}: {error}") from error
        return content

    def open(self, mode: str = "rb") -> BinaryIO:
        """All of the file as a stream in memory: decoders seek."""
        assert mode == "rb"
        return io.BytesIO(self.read_bytes())

    def looked_up(self) -> RemoteFile:
        """The same file with its mark. Raises as `read_bytes` does."""
        try:
            system, path = self._found()
            told = system.info(path)
            marks = {key: value for key, value in told.items() if re.sub("[^a-z0-9]", "", key.lower()) in _MARKS}
            if not marks or set(marks) == {"created"}:
                marks = _time(system, path)
        except FileNotFoundError:
            raise
        except Exception as error:
            raise Unreachable(f"{type(error).__name__}: {error}") from error
        if told.get("type") == "directory":
            raise FileNotFoundError(self.url)
        return replace(self, mark=f"{told.get('size')} {sorted(marks.items())!r}" if marks else "")

    def _found(self) -> tuple[Any, str]:
        from fsspec.core import url_to_fs

        system, path = url_to_fs(self.url)
        return system, path


FilePath = Path | RemoteFile


def file_at(text: str, *, beside: FilePath | None = None) -> FilePath:
    """The file that a text names: a URL, an absolute path of this machine, or a path relative to another file."""
    if text.startswith(LOCAL):
        return Path(text.partition("://")[2])
    if is_url(text):
        return RemoteFile(text)
    if isinstance(beside, RemoteFile):
        return Path(text) if Path(text).is_absolute() else beside.beside(text)
    return Path(text) if beside is None else beside.parent / text


def is_url(text: str) -> bool:
    """Whether a text names a file in a file system that may be another machine's."""
    return "://" in text and bool(re.match(r"([a-z0-9]+::)*[a-z][a-z0-9+.-]+://", text))


def look_up(files: Iterable[RemoteFile]) -> dict[RemoteFile, RemoteFile | OSError]:
    """Each file with its mark, or why it cannot be read; many are asked for at once."""

    def one(file: RemoteFile) -> RemoteFile | OSError:
        try:
            return file.looked_up()
        except OSError as error:
            return error

    asked = list(dict.fromkeys(files))
    if not asked:
        return {}
    with ThreadPoolExecutor(min(LOOKED_UP_AT_ONCE, len(asked))) as pool:
        return dict(zip(asked, pool.map(one, asked), strict=True))


def _time(system: Any, path: str) -> dict[str, Any]:
    try:
        return {"modified": system.modified(path)}
    except NotImplementedError:
        return {}
