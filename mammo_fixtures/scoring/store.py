"""The store: scores kept in SQLite, so that nothing already computed is computed again or lost."""

from __future__ import annotations

import hashlib
import sqlite3
import struct
import threading
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
BUSY_SECONDS = 60.0
_APPLICATION = 0x6D616D6D
"""Marks a SQLite file as a store (`PRAGMA application_id`), so that another program's database is left alone."""
_FORGET_PASSES_SECONDS = 7 * 24 * 3600.0
_LOOK_UP = 500
"""Keys a query: SQLite's oldest limit on bound values is 999."""

_ELSEWHERE = "give another file with --mammo-store=, or none"

_SCHEMA = """
CREATE TABLE scores (key BLOB PRIMARY KEY, score REAL NOT NULL, guard INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE files (file BLOB PRIMARY KEY, pixels BLOB NOT NULL, guard INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE passes (pass TEXT PRIMARY KEY, started REAL NOT NULL, cells INTEGER NOT NULL,
    computed INTEGER NOT NULL DEFAULT 0, found INTEGER NOT NULL DEFAULT 0);
CREATE TABLE leases (pass TEXT NOT NULL, chunk INTEGER NOT NULL, owner TEXT NOT NULL DEFAULT '',
    expires REAL NOT NULL DEFAULT 0, done INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (pass, chunk)) WITHOUT ROWID
"""


class Store:
    """Scores by key, pixel digests by file, and who computes which chunk of a pass. Safe with many processes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.RLock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        except (OSError, sqlite3.OperationalError) as error:
            raise UnusableInput(
                f"store {path}: must be a file that can be written, got: {error}; {_ELSEWHERE}"
            ) from error
        # A text with a flipped bit must not keep the rest from being read.
        self._db.text_factory = bytes
        try:
            with self._answering():
                self._prepare()
        except BaseException:
            self._db.close()
            raise

    def _prepare(self) -> None:
        if not self._has_schema():
            self._write_ahead()
            with self._transaction():
                # Asked again: another process may have made it since.
                if not self._has_schema():
                    for statement in _SCHEMA.split(";"):
                        self._db.execute(statement)
                    self._db.execute(f"PRAGMA application_id={_APPLICATION}")
                    self._db.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
        # A power cut may cost the last scores, which are then computed again; it damages nothing.
        self._db.execute("PRAGMA synchronous=NORMAL")

    def _has_schema(self) -> bool:
        """Whether this file is a store already; another program's database and another schema are refused."""
        (tables,) = self._db.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()
        (application,) = self._db.execute("PRAGMA application_id").fetchone()
        (version,) = self._db.execute("PRAGMA user_version").fetchone()
        if tables and application != _APPLICATION:
            raise UnusableInput(f"store {self.path}: must be a score store, got another database; {_ELSEWHERE}")
        if tables and version != SCHEMA_VERSION:
            raise UnusableInput(
                f"store {self.path}: must have schema version {SCHEMA_VERSION}, got {version}; {_ELSEWHERE}"
            )
        return bool(tables)

    def _write_ahead(self) -> None:
        """Readers and writers then do not block one another. Remembered in the file."""
        deadline = time.monotonic() + BUSY_SECONDS
        while True:
            try:
                self._db.execute("PRAGMA journal_mode=WAL")
                return
            except sqlite3.OperationalError as error:
                # SQLite does not wait here where another process does the same at the same moment.
                if "locked" not in str(error) or time.monotonic() > deadline:
                    raise
                time.sleep(0.01)

    @contextmanager
    def _answering(self) -> Iterator[None]:
        """One thread at a time, and SQLite's errors as one line."""
        try:
            with self._lock:
                yield
        except sqlite3.OperationalError as error:
            if "locked" in str(error):
                what = f"must be free within {BUSY_SECONDS:g} s, but another process holds it"
                raise UnusableInput(f"store {self.path}: {what}; end that process, or {_ELSEWHERE}") from error
            raise UnusableInput(
                f"store {self.path}: must be a file that can be written, got: {error}; free space, or {_ELSEWHERE}"
            ) from error
        except sqlite3.DatabaseError as error:
            raise UnusableInput(
                f"store {self.path}: must be an undamaged score store, got: {error}; "
                f"delete it (its scores are computed again), or {_ELSEWHERE}"
            ) from error

    def close(self) -> None:
        self._db.close()

    # Scores

    def scores(self, keys: Sequence[bytes]) -> dict[bytes, float]:
        """The scores known for these keys; rows whose guard does not fit are as good as absent."""
        found: dict[bytes, float] = {}
        with self._answering():
            for start in range(0, len(keys), _LOOK_UP):
                some = keys[start : start + _LOOK_UP]
                marks = ",".join("?" * len(some))
                for key, score, guard in self._db.execute(f"SELECT * FROM scores WHERE key IN ({marks})", some):
                    if isinstance(score, float) and guard == _guard(key, struct.pack("<d", score)):
                        found[key] = score
        return found

    def keep(self, rows: Iterable[tuple[bytes, float]], *, pass_name: str = "", found: int = 0) -> None:
        """Write the scores that are not there yet, or damaged; counts them for the progress of a pass.

        What is there stays: two processes that computed the same score then both read the first one's.
        """
        # SQLite keeps −0 as 0, which would then not fit its guard; adding 0 makes it 0 before.
        guarded = [(key, score + 0.0, _guard(key, struct.pack("<d", score + 0.0))) for key, score in rows]
        with self._answering(), self._transaction():
            known = self.scores([key for key, _, _ in guarded])
            self._db.executemany(
                "INSERT OR REPLACE INTO scores VALUES (?, ?, ?)", [row for row in guarded if row[0] not in known]
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
        with self._answering():
            for start in range(0, len(files), _LOOK_UP):
                some = files[start : start + _LOOK_UP]
                marks = ",".join("?" * len(some))
                for file, pixels, guard in self._db.execute(f"SELECT * FROM files WHERE file IN ({marks})", some):
                    if isinstance(pixels, bytes) and guard == _guard(file, pixels):
                        known[file] = pixels
        return known

    def remember_files(self, rows: Iterable[tuple[bytes, bytes]]) -> None:
        with self._answering(), self._transaction():
            self._db.executemany(
                "INSERT OR REPLACE INTO files VALUES (?, ?, ?)", [(f, pixels, _guard(f, pixels)) for f, pixels in rows]
            )

    # Passes: chunks of exams are leased, because the pid of a killed worker proves nothing.

    def begin(self, pass_name: str, *, chunks: int, cells: int) -> None:
        """Announce a pass; the first of its workers to come does it."""
        now = time.time()
        with self._answering(), self._transaction():
            self._db.execute(
                "DELETE FROM leases WHERE pass IN (SELECT pass FROM passes WHERE started < ?)",
                (now - _FORGET_PASSES_SECONDS,),
            )
            self._db.execute("DELETE FROM passes WHERE started < ?", (now - _FORGET_PASSES_SECONDS,))
            self._db.execute(
                "INSERT OR IGNORE INTO passes (pass, started, cells) VALUES (?, ?, ?)", (pass_name, now, cells)
            )
            self._db.executemany(
                "INSERT OR IGNORE INTO leases (pass, chunk) VALUES (?, ?)",
                [(pass_name, chunk) for chunk in range(chunks)],
            )

    def claim(self, pass_name: str, owner: str) -> int | None:
        """A chunk nobody works on, now leased to the owner; None where there is none."""
        now = time.time()
        with self._answering(), self._transaction():
            row = self._db.execute(
                "SELECT chunk FROM leases WHERE pass = ? AND done = 0 AND expires < ? ORDER BY chunk LIMIT 1",
                (pass_name, now),
            ).fetchone()
            if row is None:
                return None
            self._db.execute(
                "UPDATE leases SET owner = ?, expires = ? WHERE pass = ? AND chunk = ?",
                (owner, now + LEASE_SECONDS, pass_name, row[0]),
            )
        return int(row[0])

    def renew(self, pass_name: str, owner: str) -> None:
        with self._answering():
            self._db.execute(
                "UPDATE leases SET expires = ? WHERE pass = ? AND owner = ? AND done = 0",
                (time.time() + LEASE_SECONDS, pass_name, owner),
            )

    def finish(self, pass_name: str, chunk: int) -> None:
        with self._answering():
            self._db.execute("UPDATE leases SET done = 1 WHERE pass = ? AND chunk = ?", (pass_name, chunk))

    def release(self, owner: str) -> None:
        """Give back what the owner holds unfinished in any pass, so that others need not wait for its leases to end."""
        with self._answering():
            self._db.execute("UPDATE leases SET expires = 0 WHERE owner = ? AND done = 0", (owner,))

    def unfinished(self, pass_name: str) -> int:
        with self._answering():
            (count,) = self._db.execute(
                "SELECT COUNT(*) FROM leases WHERE pass = ? AND done = 0", (pass_name,)
            ).fetchone()
        return int(count)

    def progress(self, pass_name: str) -> tuple[int, int, int] | None:
        """(cells in all, computed, found) of a pass; None before it has begun.

        Never more than there are, though a chunk that is done again after its worker died is counted again.
        """
        with self._answering():
            row = self._db.execute("SELECT cells, computed, found FROM passes WHERE pass = ?", (pass_name,)).fetchone()
        if row is None:
            return None
        cells, computed = int(row[0]), min(int(row[1]), int(row[0]))
        return cells, computed, min(int(row[2]), cells - computed)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:  # a full disk has ended it already
                self._db.execute("ROLLBACK")
            raise


def _guard(key: bytes, value: bytes) -> int:
    """48 bits over a row, so that a flipped bit is seen."""
    return int.from_bytes(hashlib.blake2b(key + value, digest_size=6).digest(), "little")
