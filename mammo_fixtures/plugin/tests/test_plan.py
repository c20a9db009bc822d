"""`--mammo-plan`: what a run would do, told without running it."""

import re
import sqlite3
from contextlib import closing
from types import SimpleNamespace

import pytest

from mammo_fixtures.plugin import pass_plan
from mammo_fixtures.plugin.pass_plan import NOTHING_SELECTED

ALL = "plan: 150 exams, 300 breasts, 300 views × 15 conditions: 4,500 scores"
LAST = "plan: no test was run and no score kept; leave --mammo-plan out to run"


@pytest.fixture
def plan(gate, monkeypatch):
    """Runs the gate with --mammo-plan in a process of its own, and gives the status and the plan's lines."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")

    def plan(*arguments):
        result = gate.runpytest_subprocess("--mammo-plan", *arguments, timeout=300)
        assert "robustness of the classifier" not in result.stdout.str()
        return result.ret, [
            line for line in (*result.outlines, *result.errlines) if line.startswith(("plan:", "ERROR"))
        ]

    return plan


def test_a_cold_gate(gate, plan):
    status, lines = plan()
    assert status == 0
    assert lines[0] == ALL
    assert lines[1] == "plan: 0 in the store, 4,500 to do: 300 views to decode, 4,500 images"
    assert re.fullmatch(r"plan: about \d+:\d\d min by 1 process with 1 thread", lines[2])
    assert re.fullmatch(
        r"plan: measured in \d+ s on 8 views: decode \S+ ms a view; an image \S+ ms to perturb and prepare and "
        r"\S+ ms in the classifier, batch 1",
        lines[3],
    )
    assert re.match(r"plan: memory about \d+\.\d GB, as measured here", lines[4])
    assert re.match(r"plan: disk about 0\.3 MB more in \S+\.mammo/scores\.sqlite; [\d.]+ GB free", lines[5])
    assert lines[6:] == [LAST]
    assert not (gate.path / ".mammo").exists(), "no store is made"


def test_selections_workers_and_a_classifier_that_cannot_be_known(gate, plan):
    gate.path.joinpath("unknown.py").write_text(
        "import release\nfrom mammo_fixtures import Classifier\n"
        "def load():\n    network = release.Detail()\n"
        "    return Classifier(lambda batch: network(batch), score='logit')\n"
    )
    status, lines = plan("-k", "contrast", "-n", "2", "--mammo-classifier=unknown:load", "--mammo-report=report")
    assert status == 0
    assert lines[0] == "plan: 150 exams, 300 breasts, 300 views × 6 conditions: 1,800 scores"
    assert "plan: the classifier has no fingerprint: its scores are kept for one run only" in lines
    assert any(line.endswith("min by 2 processes with 1 thread each") for line in lines)
    assert any("a file that the run removes" in line for line in lines)
    assert not (gate.path / "report").exists()


def test_a_warm_gate_has_nothing_to_do_and_its_store_is_left_as_it_is(gate, plan):
    assert gate.runpytest_subprocess("-k", "contrast", timeout=300).ret in (0, 1)
    store = gate.path / ".mammo" / "scores.sqlite"
    with closing(sqlite3.connect(store)) as db:
        before = db.execute("SELECT * FROM scores").fetchall(), db.execute("SELECT * FROM passes").fetchall()
    status, lines = plan("-k", "contrast")
    assert status == 0
    assert lines[1:] == [
        "plan: 1,800 in the store, 0 to do: 0 views to decode, 0 images",
        "plan: nothing is left to do; a run only reads the store and judges",
        LAST,
    ]
    _, more = plan()
    assert more[1] == "plan: 1,800 in the store, 2,700 to do: 300 views to decode, 2,700 images"
    with closing(sqlite3.connect(store)) as db:
        assert before == (db.execute("SELECT * FROM scores").fetchall(), db.execute("SELECT * FROM passes").fetchall())


def test_nothing_selected_is_said(plan):
    status, lines = plan("-k", "no_such_claim")
    assert (status, lines) == (5, [NOTHING_SELECTED])


def test_the_contract_and_tests_of_ones_own_score_the_clean_views(gate, plan):
    clean = "plan: 150 exams, 300 breasts, 300 views × 1 conditions: 300 scores"
    status, lines = plan("-k", "contract")
    assert (status, lines[0]) == (0, clean)
    gate.path.joinpath("test_mine.py").write_text("def test_mine(scores):\n    assert len(scores.exam_id) == 300\n")
    status, lines = plan("test_mine.py")
    assert (status, lines[0]) == (0, clean)


def test_scores_that_are_there_need_no_plan(gate, plan):
    gate.path.joinpath("scores.csv").write_text("exam_id\n")
    status, lines = plan("--mammo-scores=scores.csv")
    assert status == 4
    assert lines == [
        "ERROR: --mammo-plan tells what a classifier has to score, got "
        f"--mammo-scores={gate.path / 'scores.csv'}, where none runs; leave out one"
    ]


def test_exams_that_cannot_be_read_end_it_in_one_line(gate, plan):
    gate.path.joinpath("bad.csv").write_text("exam_id,side\n1,L\n")
    status, lines = plan("--mammo-exams=bad.csv")
    assert status == 4
    assert len(lines) == 1
    assert lines[0].startswith("ERROR: ")


@pytest.mark.parametrize(
    ("workers", "threads", "cores", "at_once"), [(1, 1, 8, 1), (4, 1, 8, 4), (16, 1, 8, 8), (4, 8, 8, 4), (4, 1, 2, 2)]
)
def test_workers_of_one_thread_each_work_at_once_as_far_as_there_are_cores(
    monkeypatch, workers, threads, cores, at_once
):
    """A plan under OMP_NUM_THREADS=1 said that they would take turns, and so many times as long."""
    import torch

    monkeypatch.setattr(torch, "get_num_threads", lambda: threads)
    monkeypatch.setattr(pass_plan, "usable_cores", lambda: cores)
    settings = SimpleNamespace(device="cpu", engine="local")
    assert pass_plan._crew(SimpleNamespace(planned_workers=workers, settings=settings)).at_once == at_once
