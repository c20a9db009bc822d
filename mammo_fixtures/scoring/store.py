"""The store: scores kept in SQLite, so that nothing already computed is computed again or lost."""

from __future__ import annotations

import hashlib
import sqlite3
import struct
import time
from collections.abc import Iterable, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from mammo_fixtures.errors import UnusableInput

if TYPE_CHECKING:
    from collections.abc import Iterator

SCHEMA_VERSION = 1
LEASE_SECONDS = 60.0
_BUSY_SECONDS = 60.0
_FORGET_PASSES_SECONDS = 7 * 24 * 3600.0
_LOOK_UP = 500
"""Keys a query: SQLite's oldest limit on bound values is 999."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS scores (key BLOB PRIMARY KEY, score REAL NOT NULL, guard INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS files (file BLOB PRIMARY KEY, pixels BLOB NOT NULL, guard INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS passes (pass TEXT PRIMARY KEY, started REAL NOT NULL, cells INTEGER NOT NULL,
    computed INTEGER NOT NULL DEFAULT 0, found INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS leases (pass TEXT NOT NULL, chunk INTEGER NOT NULL, owner TEXT NOT NULL DEFAULT '',
    expires REAL NOT NULL DEFAULT 0, done INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (pass, chunk)) WITHOUT ROWID;
"""


class Store:
    """Scores by key, pixel digests by file, and who computes which chunk of a pass. Safe with many processes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
            with self._readable():
                self._prepare()
        except (OSError, sqlite3.OperationalError) as error:
            raise UnusableInput(
                f"store {path}: cannot be opened for writing: {error}; give another file with --mammo-store=, or none"
            ) from error

    def _prepare(self) -> None:
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        (version,) = self._db.execute("PRAGMA user_version").fetchone()
        if version not in (0, SCHEMA_VERSION):
            raise UnusableInput(
                f"store {self.path}: has schema version {version}, this suite writes {SCHEMA_VERSION}; "
                "give another file with --mammo-store="
            )
        self._db.executescript(_SCHEMA)
        self._db.execute(f"PRAGMA user_version={SCHEMA_VERSION}")

    @contextmanager
    def _readable(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            if "disk" not in str(error) and "readonly" not in str(error):
                raise
            raise UnusableInput(f"store {self.path}: cannot be written: {error}; free space, or give another file") from error
        except sqlite3.DatabaseError as error:
            raise UnusableInput(
                f"store {self.path}: is damaged or no score store: {error}; delete it (its scores are recomputed)"
            ) from error

    def close(self) -> None:
        self._db.close()

    # Scores

    def scores(self, keys: Sequence[bytes]) -> dict[bytes, float]:
        """The scores known for these keys; rows whose guard does not fit are as good as absent."""
        found: dict[bytes, float] = {}
        with self._readable():
            for start in range(0, len(keys), _LOOK_UP):
                some = keys[start : start + _LOOK_UP]
                marks = ",".join("?" * len(some))
                for key, score, guard in self._db.execute(f"SELECT * FROM scores WHERE key IN ({marks})", some):
                    if isinstance(score, float) and guard == _guard(key, struct.pack("<d", score)):
                        found[key] = score
        return found

    def keep(self, rows: Iterable[tuple[bytes, float]], *, pass_name: str = "", found: int = 0) -> None:
        """Write scores, replacing only what is damaged; counts them for the progress of a pass."""
        guarded = [(key, score, _guard(key, struct.pack("<d", score))) for key, score in rows]
        with self._readable(), self._transaction():
            # The guard tells a damaged row from one that another process has just written: the same key and score.
            self._db.executemany(
                "INSERT INTO scores VALUES (?, ?, ?) ON CONFLICT (key) DO UPDATE SET score = excluded.score, "
                "guard = excluded.guard WHERE guard IS NOT excluded.guard OR score IS NOT excluded.score",
                guarded,
            )
            if pass_name:
                self._db.execute(
                    "UPDATE passes SET computed = computed + ?, found = found + ? WHERE pass = ?",
                    (len(guarded), found, pass_name),
                )

    # Files

    def pixels_of(self, files: Sequence[bytes]) -> dict[bytes, bytes]:
        """Pixel digests known for files."""
        known: dict[bytes, bytes] = {}
        with self._readable():
            for start in range(0, len(files), _LOOK_UP):
                some = files[start : start + _LOOK_UP]
                marks = ",".join("?" * len(some))
                for file, pixels, guard in self._db.execute(f"SELECT * FROM files WHERE file IN ({marks})", some):
                    if isinstance(pixels, bytes) and guard == _guard(file, pixels):
                        known[file] = pixels
        return known

    def remember_files(self, rows: Iterable[tuple[bytes, bytes]]) -> None:
        with self._readable(), self._transaction():
            self._db.executemany(
                "INSERT OR REPLACE INTO files VALUES (?, ?, ?)", [(f, pixels, _guard(f, pixels)) for f, pixels in rows]
            )

    # Passes: chunks of exams are leased, because the pid of a killed worker proves nothing.

    def begin(self, pass_name: str, *, chunks: int, cells: int) -> None:
        """Announce a pass; the first of its workers to come does it."""
        now = time.time()
        with self._readable(), self._transaction():
            self._db.execute("DELETE FROM leases WHERE pass IN (SELECT pass FROM passes WHERE started < ?)", (now - _FORGET_PASSES_SECONDS,))
            self._db.execute("DELETE FROM passes WHERE started < ?", (now - _FORGET_PASSES_SECONDS,))
            self._db.execute("INSERT OR IGNORE INTO passes (pass, started, cells) VALUES (?, ?, ?)", (pass_name, now, cells))
            self._db.executemany(
                "INSERT OR IGNORE INTO leases (pass, chunk) VALUES (?, ?)", [(pass_name, chunk) for chunk in range(chunks)]
            )

    def claim(self, pass_name: str, owner: str) -> int | None:
        """A chunk nobody works on, now leased to the owner; None where there is none."""
        now = time.time()
        with self._readable():
            row = self._db.execute(
                "UPDATE leases SET owner = ?, expires = ? WHERE pass = ? AND chunk = (SELECT chunk FROM leases "
                "WHERE pass = ? AND done = 0 AND expires < ? ORDER BY chunk LIMIT 1) RETURNING chunk",
                (owner, now + LEASE_SECONDS, pass_name, pass_name, now),
            ).fetchone()
        return None if row is None else int(row[0])

    def renew(self, pass_name: str, owner: str) -> None:
        with self._readable():
            self._db.execute(
                "UPDATE leases SET expires = ? WHERE pass = ? AND owner = ? AND done = 0",
                (time.time() + LEASE_SECONDS, pass_name, owner),
            )

    def finish(self, pass_name: str, chunk: int) -> None:
        with self._readable():
            self._db.execute("UPDATE leases SET done = 1 WHERE pass = ? AND chunk = ?", (pass_name, chunk))

    def release(self, pass_name: str, owner: str) -> None:
        """Give back what the owner holds unfinished, so that others need not wait for its lease to end."""
        with self._readable():
            self._db.execute(
                "UPDATE leases SET expires = 0 WHERE pass = ? AND owner = ? AND done = 0", (pass_name, owner)
            )

    def unfinished(self, pass_name: str) -> int:
        with self._readable():
            (count,) = self._db.execute("SELECT COUNT(*) FROM leases WHERE pass = ? AND done = 0", (pass_name,)).fetchone()
        return int(count)

    def progress(self, pass_name: str) -> tuple[int, int, int] | None:
        """(cells in all, computed, found) of a pass; None before it has begun."""
        with self._readable():
            row = self._db.execute("SELECT cells, computed, found FROM passes WHERE pass = ?", (pass_name,)).fetchone()
        return None if row is None else (int(row[0]), int(row[1]), int(row[2]))

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")


def _guard(key: bytes, value: bytes) -> int:
    """48 bits over a row, so that a flipped bit is seen."""
    return int.from_bytes(hashlib.blake2b(key + value, digest_size=6).digest(), "little")
