"""A store's SQLite file: its schema and version, its transactions, and its errors in one line."""

from __future__ import annotations

import sqlite3
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from mammo_fixtures.errors import UnusableInput

if TYPE_CHECKING:
    from collections.abc import Iterator

SCHEMA_VERSION = 2
BUSY_SECONDS = 60.0
DEFAULT_FOLDER = ".mammo"
_APPLICATION = 0x6D616D6D
"""Marks a SQLite file as a store (`PRAGMA application_id`), so that another program's database is left alone."""

ELSEWHERE = "give another file on a local disk with --mammo-store=, or none"
_OF_A_BROKEN_SCHEMA = ("no such", "table ", "near ")
"""How SQLite's errors begin where a flipped bit has changed the name of a table or column."""

_SCHEMA = """
CREATE TABLE scores (key BLOB PRIMARY KEY, score REAL NOT NULL, guard INTEGER NOT NULL,
    day INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
CREATE TABLE files (file BLOB PRIMARY KEY, pixels BLOB NOT NULL, guard INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE passes (pass TEXT PRIMARY KEY, started REAL NOT NULL, cells INTEGER NOT NULL,
    computed INTEGER NOT NULL DEFAULT 0, found INTEGER NOT NULL DEFAULT 0);
CREATE TABLE leases (pass TEXT NOT NULL, chunk INTEGER NOT NULL, owner TEXT NOT NULL DEFAULT '',
    expires REAL NOT NULL DEFAULT 0, done INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (pass, chunk)) WITHOUT ROWID
"""
_FROM_VERSION_1 = "ALTER TABLE scores ADD COLUMN day INTEGER NOT NULL DEFAULT 0"
"""Version 1 did not know when a score was last used."""


def _keep_out_of_git(folder: Path) -> None:
    """As pytest does with its cache; the default folder alone, since others may hold what is to be committed."""
    ignore = folder / ".gitignore"
    if folder.name == DEFAULT_FOLDER and not ignore.exists():
        ignore.write_text("# Made by mammo-robustness: scores are computed again where they are missing.\n*\n")


class StoreFile:
    """An open store. Safe with many processes, and with threads that share it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.RLock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            _keep_out_of_git(path.parent)
            self.db = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        except (OSError, sqlite3.OperationalError) as error:
            raise UnusableInput(
                f"store {path}: must be a file that can be written, got: {error}; {ELSEWHERE}"
            ) from error
        # A text with a flipped bit must not keep the rest from being read.
        self.db.text_factory = bytes
        try:
            with self.answering():
                self._prepare()
        except BaseException:
            self.db.close()
            raise

    def _prepare(self) -> None:
        if self._version() < SCHEMA_VERSION:
            self._write_ahead()
            with self.transaction():
                # Asked again: another process may have done it since.
                version = self._version()
                if version < SCHEMA_VERSION:
                    for statement in (_FROM_VERSION_1 if version else _SCHEMA).split(";"):
                        self.db.execute(statement)
                    self.db.execute(f"PRAGMA application_id={_APPLICATION}")
                    self.db.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
        # A power cut may cost the last scores, which are then computed again; it damages nothing.
        self.db.execute("PRAGMA synchronous=NORMAL")

    def _version(self) -> int:
        """Of the schema, 0 in an empty file; another program's database and a later version are refused."""
        (tables,) = self.db.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()
        (application,) = self.db.execute("PRAGMA application_id").fetchone()
        (version,) = self.db.execute("PRAGMA user_version").fetchone()
        if not tables:
            return 0
        if application != _APPLICATION:
            raise UnusableInput(f"store {self.path}: must be a score store, got another database; {ELSEWHERE}")
        if not 1 <= version <= SCHEMA_VERSION:
            raise UnusableInput(
                f"store {self.path}: must have schema version {SCHEMA_VERSION} or less, got {version}; "
                f"update mammo-robustness, or {ELSEWHERE}"
            )
        return int(version)

    def _write_ahead(self) -> None:
        """Readers and writers then do not block one another. Remembered in the file."""
        deadline = time.monotonic() + BUSY_SECONDS
        while True:
            try:
                self.db.execute("PRAGMA journal_mode=WAL")
                return
            except sqlite3.OperationalError as error:
                # SQLite does not wait here where another process does the same at the same moment.
                if "locked" not in str(error) or time.monotonic() > deadline:
                    raise
                time.sleep(0.01)

    @contextmanager
    def answering(self) -> Iterator[None]:
        """One thread at a time, and SQLite's errors as one line."""
        try:
            with self._lock:
                yield
        except UnusableInput:
            raise
        except sqlite3.OperationalError as error:
            if "locked" in str(error):
                # SQLite says the same where a file system knows no locks.
                what = f"must be free within {BUSY_SECONDS:g} s, but another process holds it, or its disk has no locks"
                raise UnusableInput(f"store {self.path}: {what}; end that process, or {ELSEWHERE}") from error
            if str(error).startswith(_OF_A_BROKEN_SCHEMA):
                raise self.damaged(str(error)) from error
            raise UnusableInput(
                f"store {self.path}: must be a file that can be written, got: {error}; free space, or {ELSEWHERE}"
            ) from error
        # The latter where something else lies in a column than was ever written there.
        except (sqlite3.DatabaseError, ValueError, TypeError, OverflowError) as error:
            raise self.damaged(str(error)) from error

    def damaged(self, what: str) -> UnusableInput:
        """The one line on a file that cannot be relied upon."""
        # Where nothing shows that it ever was a store, it may be a manifest or a module, given by mistake.
        sure = "" if "not a database" not in what else " if a run made it"
        return UnusableInput(
            f"store {self.path}: must be an undamaged score store, got: {what}; "
            f"delete it{sure} (its scores are computed again), or {ELSEWHERE}"
        )

    def close(self) -> None:
        self.db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of it or nothing."""
        self.db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self.db.execute("COMMIT")
        except BaseException:
            if self.db.in_transaction:  # a full disk has ended it already
                self.db.execute("ROLLBACK")
            raise
