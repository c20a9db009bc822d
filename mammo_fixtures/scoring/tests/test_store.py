"""The store: what is kept is found again, what is damaged is not trusted, and chunks are leased to one at a time."""

import math
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from mammo_fixtures.scoring import store as store_module
from mammo_fixtures.scoring.store import LEASE_SECONDS, Store
from mammo_fixtures.scoring.tests.comparing import by_hand


def key(number):
    return number.to_bytes(20, "little")


@pytest.fixture
def clock(monkeypatch):
    """Seconds that pass when told to."""
    now = [1_000_000.0]
    monkeypatch.setattr(store_module.time, "time", lambda: now[0])
    return now


def test_scores_are_found_again_to_the_last_bit(path, store):
    values = {key(0): 1 / 3, key(1): -1e-17, key(2): 1e-300, key(3): 5.0, key(4): math.nextafter(1, 2)}
    store.keep(values.items())
    store.close()
    again = Store(path)
    found = again.scores([*values, key(9)])
    again.close()
    assert {k: v.hex() for k, v in found.items()} == {k: v.hex() for k, v in values.items()}


def test_the_default_folder_keeps_itself_out_of_git_and_others_are_left_alone(tmp_path):
    """`git add -A` after the first gate would have committed the scores."""
    for folder in (".mammo", "mine"):
        Store(tmp_path / folder / "scores.sqlite").close()
    assert (tmp_path / ".mammo" / ".gitignore").read_text().endswith("\n*\n")
    assert not (tmp_path / "mine" / ".gitignore").exists()
    (tmp_path / ".mammo" / ".gitignore").write_text("mine\n")
    Store(tmp_path / ".mammo" / "scores.sqlite").close()
    assert (tmp_path / ".mammo" / ".gitignore").read_text() == "mine\n"


def test_minus_zero_is_zero(store):
    store.keep([(key(1), -0.0)])
    assert str(store.scores([key(1)])[key(1)]) == "0.0"


def test_more_keys_than_sqlite_binds_at_once(store):
    store.keep((key(number), float(number)) for number in range(2500))
    assert store.scores([key(number) for number in range(3000)]) == {key(n): float(n) for n in range(2500)}
    store.remember_files((key(number), key(number + 1)) for number in range(1200))
    assert len(store.pixels_of([key(number) for number in range(2000)])) == 1200


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE scores SET score = 0.5000000000000001",
        "UPDATE scores SET guard = guard + 1",
        "UPDATE scores SET score = 'text'",
        "UPDATE scores SET score = CAST(x'ff80' AS TEXT)",
        "UPDATE scores SET score = x'00'",
        "UPDATE scores SET key = x'07'",
    ],
)
def test_a_damaged_row_is_as_good_as_absent_and_is_mended(path, store, damage):
    store.keep([(key(1), 0.5)])
    by_hand(path, damage)
    assert store.scores([key(1)]) == {}
    store.keep([(key(1), 0.5)])
    assert store.scores([key(1)]) == {key(1): 0.5}


def test_a_damaged_file_row_is_as_good_as_absent(path, store):
    store.remember_files([(key(1), key(2))])
    assert store.pixels_of([key(1), key(3)]) == {key(1): key(2)}
    by_hand(path, "UPDATE files SET pixels = x'0102'")
    assert store.pixels_of([key(1)]) == {}
    store.remember_files([(key(1), key(2))])
    assert store.pixels_of([key(1)]) == {key(1): key(2)}


def test_the_first_of_two_scores_stays(store):
    """So that two processes which computed a score with other rounding read the same one in the end."""
    store.keep([(key(1), 0.5)])
    store.keep([(key(1), 0.5000001), (key(2), 0.25)])
    assert store.scores([key(1), key(2)]) == {key(1): 0.5, key(2): 0.25}


def test_progress_counts_what_a_pass_computed_and_found(store):
    assert store.progress("pass") is None
    store.begin("pass", chunks=2, cells=10)
    store.begin("pass", chunks=2, cells=10)
    assert store.progress("pass") == (10, 0, 0)
    store.keep([(key(1), 0.5), (key(2), 0.5)], pass_name="pass", found=3)
    store.keep([(key(3), 0.5)], pass_name="pass")
    store.keep([(key(4), 0.5)])
    assert store.progress("pass") == (10, 3, 3)
    # The chunk of a worker that died is done, and counted, again.
    store.keep([], pass_name="pass", found=6)
    assert store.progress("pass") == (10, 3, 7)


def test_a_chunk_is_leased_to_one_owner_until_done(store):
    store.begin("pass", chunks=3, cells=0)
    store.begin("other", chunks=1, cells=0)
    assert [store.claim("pass", who) for who in ("a", "b", "a", "b")] == [0, 1, 2, None]
    assert store.unfinished("pass") == 3
    store.finish("pass", 1)
    assert store.unfinished("pass") == 2
    assert store.claim("pass", "b") is None
    assert store.claim("other", "b") == 0, "passes do not know one another"


def test_a_lease_that_is_not_renewed_is_anyones(store, clock):
    store.begin("pass", chunks=2, cells=0)
    assert store.claim("pass", "dead") == 0
    assert store.claim("pass", "alive") == 1
    clock[0] += LEASE_SECONDS * 0.75
    store.renew("pass", "alive")
    clock[0] += LEASE_SECONDS * 0.5
    assert store.claim("pass", "third") == 0
    assert store.claim("pass", "third") is None, "the renewed lease holds"
    clock[0] += LEASE_SECONDS
    store.finish("pass", 0)
    assert store.claim("pass", "third") == 1, "and ends in its turn"


def test_what_is_released_need_not_be_waited_for(store):
    store.begin("pass", chunks=3, cells=0)
    assert [store.claim("pass", "a") for _ in range(2)] == [0, 1]
    assert store.claim("pass", "b") == 2
    store.finish("pass", 0)
    store.release("a")
    assert store.claim("pass", "c") == 1
    assert store.claim("pass", "c") is None, "neither what is done nor what another holds"


def test_passes_of_last_week_are_forgotten(path, store, clock):
    store.begin("old", chunks=2, cells=1)
    clock[0] += 8 * 24 * 3600
    store.begin("new", chunks=1, cells=1)
    assert store.progress("old") is None
    assert by_hand(path, "SELECT DISTINCT pass FROM leases") == [("new",)]


def test_threads_may_share_a_store_or_have_one_each(path, store):
    store.begin("pass", chunks=40, cells=0)
    faults, claimed = [], []

    def work(own, number):
        opened = Store(path) if own else store
        try:
            for step in range(15):
                opened.keep([(key(1000 * number + step), 0.5), (key(7), 0.125)], pass_name="pass")
                opened.renew("pass", str(number))
                chunk = opened.claim("pass", str(number))
                if chunk is not None:
                    claimed.append(chunk)
                    opened.finish("pass", chunk)
                assert opened.scores([key(7)]) == {key(7): 0.125}
        except Exception as error:
            faults.append(error)
        finally:
            if own:
                opened.close()

    threads = [threading.Thread(target=work, args=(number % 2 == 0, number)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults
    assert sorted(claimed) == list(range(40)), "each chunk once"
    assert len(store.scores([key(1000 * number + step) for number in range(8) for step in range(15)])) == 120


ROOT = Path(__file__).parents[3]
"""Where workers find the package, in a checkout that is not installed too."""
WORKER = """
import sys, time
from pathlib import Path
from mammo_fixtures.scoring import store as store_module
from mammo_fixtures.scoring.store import Store
path, number, start = Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
time.sleep(max(0, start - time.time()))
store = Store(path)
store.begin("pass", chunks=60, cells=0)
claimed = []
while (chunk := store.claim("pass", str(number))) is not None:
    store.keep([((1000 * chunk + i).to_bytes(20, "little"), chunk + i / 7) for i in range(20)], pass_name="pass")
    store.finish("pass", chunk)
    claimed.append(chunk)
store.close()
print(*claimed)
"""


def test_processes_open_and_write_one_store_at_once(path):
    """All make the file at the same moment; none meets a locked database, and no chunk is done twice."""
    import time

    start = time.time() + 2
    command = [sys.executable, "-c", WORKER, str(path)]
    workers = [
        subprocess.Popen(
            [*command, str(n), str(start)], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for n in range(4)
    ]
    outputs = [worker.communicate(timeout=60) for worker in workers]
    assert [worker.returncode for worker in workers] == [0] * 4, outputs
    assert sorted(int(chunk) for out, _ in outputs for chunk in out.split()) == list(range(60))
    store = Store(path)
    keys = [(1000 * chunk + i).to_bytes(20, "little") for chunk in range(60) for i in range(20)]
    assert len(store.scores(keys)) == 1200
    assert store.progress("pass") == (0, 0, 0)
    assert store.unfinished("pass") == 0
    store.close()
