"""A store whose bytes were changed gives right scores, fewer scores or one line; never a wrong score, and it ends."""

import random
import shutil

import pytest

from mammo_fixtures import UnusableInput
from mammo_fixtures.scoring.store import LEASE_SECONDS, Store
from mammo_fixtures.scoring.store_care import contents, prune, rows, verify
from mammo_fixtures.scoring.tests.comparing import by_hand

ROWS = 400
PAGE = 4096
HEADER_AND_SCHEMA = PAGE
CASES = 60


def key(number):
    return (7919 * number + 1).to_bytes(20, "little")


KEYS = [key(number) for number in range(ROWS)]
TRUE = {key(number): number / 7 for number in range(ROWS)}


def fill(store):
    store.keep(TRUE.items())
    store.remember_files((key(number), key(number + 1)) for number in range(50))
    store.begin("before", chunks=20, cells=10)


def one_bit(content, draw):
    content[draw.randrange(len(content))] ^= 1 << draw.randrange(8)


def many_bits(content, draw):
    for _ in range(50):
        one_bit(content, draw)


def a_bit_of_the_header(content, draw):
    content[draw.randrange(HEADER_AND_SCHEMA)] ^= 1 << draw.randrange(8)


def a_page_of_noise(content, draw):
    at = PAGE * draw.randrange(len(content) // PAGE)
    content[at : at + PAGE] = draw.randbytes(PAGE)


def a_page_of_zeros(content, draw):
    at = PAGE * draw.randrange(len(content) // PAGE)
    content[at : at + PAGE] = bytes(PAGE)


def cut_short(content, draw):
    del content[draw.randrange(len(content)) :]


def use(path):
    """Everything a run and the command do with a store; an UnusableInput is one line, anything else is a fault."""
    try:
        store = Store(path)
    except UnusableInput as error:
        return str(error)
    try:
        check(store)
        store.touch(KEYS[:10])
        store.begin("now", chunks=2, cells=5)
        store.claim("now", "me")
        store.keep(TRUE.items(), pass_name="now")
        store.finish("now", 0)
        store.unfinished("before")
        store.progress("before")
        check(store)
        verify(store)
        contents(store)
        assert all(TRUE.get(each, score) == score for each, score in rows(store))
        prune(store, before=0)
    except UnusableInput as error:
        return str(error)
    finally:
        store.close()
    return ""


def check(store):
    found = store.scores(KEYS)
    assert found == {each: TRUE[each] for each in found}
    files = store.pixels_of(KEYS[:50])
    assert files == {key(number): key(number + 1) for number in range(50) if key(number) in files}


@pytest.mark.parametrize(
    "damage", [one_bit, many_bits, a_bit_of_the_header, a_page_of_noise, a_page_of_zeros, cut_short]
)
def test_whatever_bytes_are_changed_no_score_is_wrong(path, store, damage, request):
    fill(store)
    store.close()
    whole = path.read_bytes()
    draw = random.Random(request.node.name)
    said = set()
    for _ in range(CASES // 6):
        content = bytearray(whole)
        damage(content, draw)
        path.write_bytes(content)
        said.add(use(path))
        for beside in path.parent.glob("*-*"):
            beside.unlink()
    for line in said - {""}:
        assert "\n" not in line
        assert line.startswith(f"store {path}: must ")
        assert "or give another file on a local disk with --mammo-store=, or none" in line


@pytest.fixture
def torn(path, store):
    """Copies of a store and of what lies beside it, as a process leaves them that is killed."""
    store.close()
    kept = Store(path)
    fill(kept)

    def copy(name):
        folder = path.parent / name
        folder.mkdir()
        for each in path.parent.glob("scores.sqlite*"):
            shutil.copy(each, folder)
        return folder / path.name

    yield copy
    kept.close()


def found_in(path):
    store = Store(path)
    try:
        check(store)
        return len(store.scores(KEYS))
    finally:
        store.close()


def test_what_a_killed_process_leaves_beside_its_store_is_taken_over(torn):
    path = torn("copy")
    assert path.with_name("scores.sqlite-wal").stat().st_size > 0
    assert found_in(path) == ROWS


@pytest.mark.parametrize("left", ["-wal", "-shm", "-journal"])
@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_noise_in_what_lies_beside_a_store_costs_scores_at_most(torn, left, share):
    """From some byte on; a log whose checksums do not fit ends there."""
    path = torn("copy")
    beside = path.with_name(path.name + left)
    content = bytearray(beside.read_bytes() if beside.exists() else bytes(PAGE))
    start = int(share * (len(content) - 1))
    content[start:] = random.Random(left).randbytes(len(content) - start)
    beside.write_bytes(content)
    found = found_in(path)
    assert found == ROWS or left == "-wal"


def test_the_log_of_another_store_is_no_danger(torn, path):
    copy = torn("copy")
    other = Store(path.parent / "other.sqlite")
    other.keep((each, 0.25) for each in (b"other 1", b"other 2"))
    shutil.copy(path.parent / "other.sqlite-wal", copy.with_name("scores.sqlite-wal"))
    other.close()
    assert use(copy) == "" or use(copy).startswith(f"store {copy}: must be an undamaged score store")


def test_a_lease_given_before_the_clock_was_set_back_does_not_outlive_its_owner(store, monkeypatch):
    from mammo_fixtures.scoring import store as store_module

    now = [1_000_000.0]
    monkeypatch.setattr(store_module.time, "time", lambda: now[0])
    store.begin("pass", chunks=2, cells=0)
    assert [store.claim("pass", "dead"), store.claim("pass", "alive")] == [0, 1]
    now[0] -= 3600
    store.renew("pass", "alive")
    assert store.claim("pass", "third") == 0
    assert store.claim("pass", "third") is None, "the renewed lease holds"
    now[0] += LEASE_SECONDS / 2
    assert store.claim("pass", "third") is None


def test_a_column_that_a_later_version_adds_meanwhile_ends_no_run(path, store):
    store.keep([(key(1), 1 / 7)])
    by_hand(path, "ALTER TABLE scores ADD COLUMN later TEXT NOT NULL DEFAULT ''")
    by_hand(path, "ALTER TABLE files ADD COLUMN later TEXT NOT NULL DEFAULT ''")
    store.keep([(key(2), 2 / 7)])
    store.remember_files([(key(3), key(4))])
    assert store.scores(KEYS) == {key(1): 1 / 7, key(2): 2 / 7}
    assert store.pixels_of([key(3)]) == {key(3): key(4)}


def test_a_store_that_forgets_what_is_written_ends_the_pass_with_one_line(run, monkeypatch):
    from mammo_fixtures.scoring.tests.tiny_cohort import in_memory

    monkeypatch.setattr(Store, "keep", lambda self, rows, **counts: None)
    with pytest.raises(UnusableInput) as caught:
        run(in_memory(1))
    assert str(caught.value) == (
        f"store {run.store}: must be an undamaged score store, got: it does not give back what was just written into "
        "it; delete it (its scores are computed again), or give another file on a local disk with --mammo-store=, or "
        "none"
    )
