"""A store that cannot be used is one line, and never a wrong number."""

import os
import shutil
import sqlite3
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest

from mammo_fixtures import UnusableInput
from mammo_fixtures.scoring import store_file
from mammo_fixtures.scoring.store import Store
from mammo_fixtures.scoring.store_file import SCHEMA_VERSION
from mammo_fixtures.scoring.tests.comparing import by_hand

NOBODY = 65534
"""A user who owns nothing."""
ELSEWHERE = "give another file on a local disk with --mammo-store=, or none"


def key(number):
    return number.to_bytes(20, "little")


def refused(path):
    with pytest.raises(UnusableInput) as caught:
        Store(path).close()
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_what_is_no_database_is_refused(tmp_path):
    path = tmp_path / "scores.sqlite"
    path.write_text("exam_id,side\n" * 100)
    assert refused(path) == (
        f"store {path}: must be an undamaged score store, got: file is not a database; "
        f"delete it if a run made it (its scores are computed again), or {ELSEWHERE}"
    )


def test_a_file_cut_short_is_refused_or_recomputed_but_never_trusted(path, store):
    store.keep((key(number), number / 7) for number in range(5000))
    store.close()
    whole = path.read_bytes()
    outcomes = set()
    for share in (0.999, 0.7, 0.3, 0.01):
        path.write_bytes(whole[: int(share * len(whole))])
        try:
            cut = Store(path)
        except UnusableInput as error:
            outcomes.add(str(error))
            continue
        try:
            found = cut.scores([key(number) for number in range(5000)])
            assert all(found[key(number)] == number / 7 for number in range(5000) if key(number) in found)
            cut.keep((key(number), number / 7) for number in range(5000))
        except UnusableInput as error:
            outcomes.add(str(error))
        finally:
            cut.close()
    assert outcomes
    for message in outcomes:
        assert message.startswith(f"store {path}: must be an undamaged score store, got: ")
        assert message.endswith(f"; delete it (its scores are computed again), or {ELSEWHERE}")


def test_another_programs_database_is_left_alone(tmp_path):
    path = tmp_path / "theirs.sqlite"
    by_hand(path, "CREATE TABLE scores (player TEXT, points INTEGER)")
    by_hand(path, f"PRAGMA user_version={SCHEMA_VERSION}")
    before = path.read_bytes()
    assert refused(path) == f"store {path}: must be a score store, got another database; {ELSEWHERE}"
    assert path.read_bytes() == before


def test_a_newer_schema_is_refused(path, store):
    store.close()
    by_hand(path, f"PRAGMA user_version={SCHEMA_VERSION + 1}")
    assert refused(path) == (
        f"store {path}: must have schema version {SCHEMA_VERSION} or less, got {SCHEMA_VERSION + 1}; "
        f"update mammo-robustness, or {ELSEWHERE}"
    )


def test_a_store_of_the_first_schema_is_brought_up_to_date(path, store):
    store.keep([(key(1), 0.5)])
    store.close()
    by_hand(path, "ALTER TABLE scores DROP COLUMN day")
    by_hand(path, "PRAGMA user_version=1")
    for _ in range(2):
        opened = Store(path)
        opened.keep([(key(2), 0.25)])
        assert opened.scores([key(1), key(2)]) == {key(1): 0.5, key(2): 0.25}
        opened.close()
    assert by_hand(path, "PRAGMA user_version") == [(SCHEMA_VERSION,)]


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    path = tmp_path / "file" / "scores.sqlite"
    message = refused(path)
    assert message.startswith(f"store {path}: must be a file that can be written, got: ")
    assert message.endswith(f"; {ELSEWHERE}")
    assert refused(tmp_path).startswith(f"store {tmp_path}: must be a file that can be written, got: ")


@contextmanager
def as_root():
    mine = os.geteuid()
    os.seteuid(os.getuid())
    yield
    os.seteuid(mine)


@pytest.fixture
def read_only():
    """A folder with a store, neither of which can be written by this user, who is not root."""
    if os.name != "posix":
        pytest.skip("folders cannot be made read-only")
    folder = Path(tempfile.mkdtemp())
    store = Store(folder / "filled.sqlite")
    store.keep([(key(1), 0.5)])
    store.close()
    (folder / "filled.sqlite").chmod(0o444)
    folder.chmod(0o555)
    root = os.getuid() == 0
    if root:
        os.seteuid(NOBODY)
    yield folder
    if root:
        os.seteuid(0)
    folder.chmod(0o755)
    shutil.rmtree(folder)


def test_a_read_only_folder(read_only):
    new, filled = read_only / "new.sqlite", read_only / "filled.sqlite"
    for path in (new, filled):
        assert refused(path).startswith(f"store {path}: must be a file that can be written, got: ")
    assert sorted(path.name for path in read_only.iterdir()) == ["filled.sqlite"]


def test_a_read_only_file_is_one_line(read_only):
    path = read_only / "filled.sqlite"
    with as_root():
        read_only.chmod(0o777)
    store = Store(path)
    with pytest.raises(UnusableInput, match=f"store {path}: must be a file that can be written, got: attempt to write"):
        store.keep([(key(2), 0.5)])
    store.close()


def test_a_full_disk_is_one_line_and_harms_nothing(path, store):
    store.keep([(key(1), 0.5)])
    (pages,) = store.file.db.execute("PRAGMA page_count").fetchone()
    store.file.db.execute(f"PRAGMA max_page_count={pages}")
    with pytest.raises(UnusableInput) as caught:
        store.keep((key(number), 0.25) for number in range(2, 5000))
    assert str(caught.value) == (
        f"store {path}: must be a file that can be written, got: database or disk is full; free space, or {ELSEWHERE}"
    )
    assert store.scores([key(1), key(2)]) == {key(1): 0.5}, "all of a transaction or nothing"


def test_a_store_held_by_another_process_is_one_line(path, store, monkeypatch):
    monkeypatch.setattr(store_file, "BUSY_SECONDS", 0.1)
    holder = sqlite3.connect(path)
    holder.execute("BEGIN EXCLUSIVE")
    impatient = Store(path)
    with pytest.raises(UnusableInput) as caught:
        impatient.keep([(key(1), 0.5)])
    assert impatient.scores([key(1)]) == {}, "readers do not wait for writers"
    impatient.close()
    holder.close()
    assert str(caught.value) == (
        f"store {path}: must be free within 0.1 s, but another process holds it, or its disk has no locks; "
        f"end that process, or {ELSEWHERE}"
    )


def test_an_unusable_store_is_closed_again(tmp_path, monkeypatch):
    """An open connection would be a warning, which is an error in these tests, and a lock on some systems."""
    connect, opened = sqlite3.connect, []
    monkeypatch.setattr(
        sqlite3, "connect", lambda *args, **kwargs: opened.append(connect(*args, **kwargs)) or opened[0]
    )
    path = tmp_path / "scores.sqlite"
    path.write_bytes(b"no database" * 100)
    refused(path)
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        opened[0].execute("SELECT 1")
