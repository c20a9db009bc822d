"""A pass shared by processes: each score is computed once, and a worker that dies is replaced."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mammo_fixtures import ScoreTable, read_cohort, score
from mammo_fixtures.scoring import leases
from mammo_fixtures.scoring import store as store_module
from mammo_fixtures.scoring.engines import engine
from mammo_fixtures.scoring.store import Store
from mammo_fixtures.scoring.tests.comparing import by_hand, same
from mammo_fixtures.scoring.tests.tiny_cohort import CONDITIONS, PLAN, on_disk, view_level

EXAMS = 12
CELLS = 2 * EXAMS * CONDITIONS
ROOT = Path(__file__).parents[3]
"""Where workers find the package, in a checkout that is not installed too."""
WORKER = """
import sys, time
from pathlib import Path
import torch
from mammo_fixtures import read_cohort
from mammo_fixtures.classifiers.inference import Inference
from mammo_fixtures.scoring import Condition, leases, one_pass, store
from mammo_fixtures.scoring.engines import engine
from mammo_fixtures.scoring.sweep import Sweep
from mammo_fixtures.scoring.tests import tiny_cohort

folder, table, lease, pace, workers = Path(sys.argv[1]), sys.argv[2], *map(float, sys.argv[3:])
torch.set_num_threads(1)
store.LEASE_SECONDS = leases.LEASE_SECONDS = lease
engine.CHUNK_EXAMS = 1
tiny_cohort.pace_seconds[0] = pace
conditions = [Condition(name, severity) for name, several in tiny_cohort.PLAN.items() for severity in several]
kept = store.Store(folder / "scores.sqlite")
one = one_pass.Pass(
    cohort=read_cohort(folder / "site.csv"),
    sweep=Sweep(inference=Inference(tiny_cohort.view_level(), device="cpu")),
    conditions=conditions,
    store=kept,
    name="shared",
)
(folder / table).with_suffix(".ready").touch()
while len(list(folder.glob("*.ready"))) < workers:
    time.sleep(0.01)
one.run().write(folder / table)
kept.close()
print(sum(tiny_cohort.scored))
"""


@pytest.fixture
def exams(tmp_path):
    on_disk(tmp_path, EXAMS)
    return tmp_path


def begin(folder, table, *, lease=60.0, pace=0.0, together=1):
    command = [sys.executable, "-c", WORKER, str(folder), table, str(lease), str(pace), str(together)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def ended(worker):
    out, err = worker.communicate(timeout=60)
    assert worker.returncode == 0, err
    return int(out)


def undisturbed(folder):
    return score(read_cohort(folder / "site.csv"), view_level(), PLAN, device="cpu")


def test_two_processes_compute_each_score_once_and_read_the_same_table(exams):
    workers = [begin(exams, f"{number}.csv", pace=0.005, together=2) for number in range(2)]
    computed = [ended(worker) for worker in workers]
    assert sum(computed) == CELLS
    assert min(computed) > 0, "both took part"
    assert (exams / "0.csv").read_bytes() == (exams / "1.csv").read_bytes()
    assert same(ScoreTable.read(exams / "0.csv"), undisturbed(exams))
    store = Store(exams / "scores.sqlite")
    assert store.progress("shared") == (CELLS, CELLS, 0)
    store.close()


COMPUTED = "SELECT COALESCE(SUM(computed), 0) FROM passes"
"""The table of scores also holds what is noted of views."""


def test_a_killed_worker_is_replaced_when_its_lease_ends(exams, run, monkeypatch):
    lease = 1.5
    for module in (store_module, leases):
        monkeypatch.setattr(module, "LEASE_SECONDS", lease)
    monkeypatch.setattr(engine, "CHUNK_EXAMS", 1)
    worker = begin(exams, "never.csv", lease=lease, pace=0.02)
    wait_for(worker, run.store, COMPUTED)
    os.kill(worker.pid, signal.SIGKILL)
    killed = time.monotonic()
    worker.communicate()
    ((kept,),) = by_hand(run.store, COMPUTED)
    assert 0 < kept < CELLS
    table, computed, _ = run(read_cohort(exams / "site.csv"), name="shared")
    assert time.monotonic() - killed > lease / 2, "the lease was waited for"
    assert computed == CELLS - kept
    assert same(table, undisturbed(exams))
    assert not (exams / "never.csv").exists()


def wait_for(worker, path, count):
    """Until the worker's store counts something."""
    deadline = time.monotonic() + 60
    while True:
        try:
            if path.exists() and by_hand(path, count) != [(0,)]:
                return
        except sqlite3.OperationalError:
            pass  # not made yet
        assert time.monotonic() < deadline
        assert worker.poll() is None, worker.communicate()
        time.sleep(0.02)


def test_a_slow_worker_keeps_its_lease(exams, run, monkeypatch):
    """A chunk takes longer than a lease; its owner's thread renews it, so that nobody else begins it."""
    lease = 2.0
    for module in (store_module, leases):
        monkeypatch.setattr(module, "LEASE_SECONDS", lease)
    on_disk(exams, 1)
    slow = begin(exams, "slow.csv", lease=lease, pace=1.4 * lease / (2 * CONDITIONS))
    wait_for(slow, run.store, "SELECT COUNT(*) FROM leases WHERE owner != ''")
    table, computed, _ = run(read_cohort(exams / "site.csv"), name="shared")
    assert computed == 0
    assert ended(slow) == 2 * CONDITIONS
    assert same(ScoreTable.read(exams / "slow.csv"), table)


def test_a_lease_that_cannot_be_renewed_does_not_end_the_pass(exams, monkeypatch):
    from mammo_fixtures import UnusableInput

    renewals = []

    def refuse(self, pass_name, owner):
        renewals.append(owner)
        raise UnusableInput("store: held by another process")

    monkeypatch.setattr(Store, "renew", refuse)
    for module in (store_module, leases):
        monkeypatch.setattr(module, "LEASE_SECONDS", 0.02)
    on_disk(exams, 2)
    assert undisturbed(exams).scores.shape == (CONDITIONS, 4, 1)
    assert renewals
