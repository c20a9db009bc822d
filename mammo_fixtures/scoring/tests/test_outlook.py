"""A pass told beforehand: what it will do, exactly; how long it takes, from a few views; and nothing touched."""

import hashlib
import time
from dataclasses import replace

import pytest

from mammo_fixtures import read_cohort
from mammo_fixtures.classifiers.inference import Inference
from mammo_fixtures.exams import ViewFile
from mammo_fixtures.scoring import Condition, calibration
from mammo_fixtures.scoring.calibration import MOST_VIEWS, REAL_CALLS, calibrate
from mammo_fixtures.scoring.cost_model import Amount, Rates, store_bytes
from mammo_fixtures.scoring.one_pass import Pass
from mammo_fixtures.scoring.outlook import outlook
from mammo_fixtures.scoring.store import Store
from mammo_fixtures.scoring.sweep import Sweep
from mammo_fixtures.scoring.tests import tiny_cohort
from mammo_fixtures.scoring.tests.tiny_cohort import (
    CONDITIONS,
    PLAN,
    FourViews,
    Pattern,
    in_memory,
    on_disk,
    view_level,
)

ADVERSARIAL = {"pgd_linf": (1.0, 2.0), "contrast": (0.5,)}


@pytest.fixture
def planned(store):
    def planned(cohort, plan=PLAN, classifier=None, *, into=store):
        conditions = [Condition(name, severity) for name, severities in plan.items() for severity in severities]
        sweep = Sweep(inference=Inference(classifier or view_level(), device="cpu"))
        return Pass(cohort=cohort, sweep=sweep, conditions=conditions, store=into)

    return planned


@pytest.fixture
def reads(monkeypatch):
    """Views decoded from files."""
    read, names = ViewFile.read, []
    monkeypatch.setattr(ViewFile, "read", lambda source: names.append(source.path.name) or read(source))
    return names


def rows(store):
    return [store.file.db.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0] for table in ("scores", "files")]


def test_a_cold_pass_is_all_to_do_and_nothing_is_decoded(tmp_path, planned, store, reads):
    ahead = outlook(planned(read_cohort(on_disk(tmp_path, 3))))
    assert (ahead.scores, ahead.stored, ahead.unread) == (6 * CONDITIONS, 0, 6)
    assert ahead.amount == Amount(views=6, images=6 * CONDITIONS)
    assert reads == []
    assert rows(store) == [0, 0]


def test_what_is_told_is_what_the_pass_then_does(tmp_path, planned, reads):
    """Warm, with one more condition, and with one more exam."""
    planned(read_cohort(on_disk(tmp_path, 3))).run()
    reads.clear()
    assert outlook(planned(read_cohort(on_disk(tmp_path, 3)))).left == ()
    more = outlook(planned(read_cohort(on_disk(tmp_path, 3)), PLAN | {"gamma_lighter": (0.8,)}))
    assert (more.missing, more.unread, more.amount) == (6, 0, Amount(views=6, images=6))
    assert reads == []
    grown = planned(read_cohort(on_disk(tmp_path, 4)))
    ahead = outlook(grown)
    assert (ahead.missing, ahead.unread, [exam.exam_id for exam, _ in ahead.left]) == (2 * CONDITIONS, 2, ["3"])
    tiny_cohort.scored.clear()
    grown.run()
    assert sum(tiny_cohort.scored) == ahead.amount.images
    assert grown.decoded == ahead.amount.views == len(reads)


@pytest.mark.parametrize("classifier", [view_level(), view_level(FourViews(), level="exam")])
def test_gradients_and_images_are_those_of_the_pass(planned, store, classifier):
    """The network counts its calls: one for every image, one for every gradient."""
    counted = planned(in_memory(2), ADVERSARIAL, classifier)
    ahead = outlook(counted)
    tiny_cohort.scored.clear()
    counted.run()
    calls = 4 if classifier.level == "exam" else 1  # of the counting part, for the views that are scored together
    assert sum(tiny_cohort.scored) == calls * (ahead.amount.images + ahead.amount.gradients)
    assert (
        outlook(planned(in_memory(2), ADVERSARIAL, classifier)).amount.gradients > 0
    )  # views in memory: no file known


def test_a_rehearsal_calls_the_network_a_few_times_and_keeps_nothing(monkeypatch, tmp_path, planned, store):
    monkeypatch.setattr(calibration, "QUICK_SECONDS", 0.0)
    one_pass = planned(read_cohort(on_disk(tmp_path, 20)), PLAN | ADVERSARIAL)
    ahead = outlook(one_pass)
    tiny_cohort.scored.clear()
    measured = calibrate(one_pass.sweep, ahead)
    assert measured.views == MOST_VIEWS
    assert len(tiny_cohort.scored) == 2 * REAL_CALLS, "of the images, and of the gradients"
    assert rows(store) == [0, 0]
    assert not one_pass.sweep.flags
    assert not one_pass.sweep.noted
    assert measured.batch == 1
    rates = measured.rates
    assert min(rates.decode, rates.perturb, rates.classify, rates.gradient) > 0


@pytest.mark.parametrize("batch", [1, 3])
def test_a_network_of_known_pace_is_found_to_have_it(monkeypatch, planned, batch):
    monkeypatch.setattr(tiny_cohort, "pace_seconds", [0.03])
    one_pass = planned(in_memory(2))
    measured = calibrate(replace(one_pass.sweep, batch_size=batch), outlook(one_pass))
    assert measured.batch == batch
    rates = measured.rates
    assert 0.03 / batch <= rates.classify < 0.3 / batch, "a sleep may last longer than asked for"


def test_a_few_slow_calls_at_first_do_not_count(monkeypatch, planned):
    class Disturbed(Pattern):
        def forward(self, batch):
            time.sleep(0.15 if len(tiny_cohort.scored) < 4 else 0)
            return super().forward(batch)

    tiny_cohort.scored.clear()
    one_pass = planned(in_memory(20), PLAN, view_level(Disturbed()))
    assert calibrate(one_pass.sweep, outlook(one_pass)).rates.classify < 0.05


def test_at_exam_level_views_are_rehearsed_together(planned):
    classifier = view_level(FourViews(), level="exam")
    one_pass = planned(in_memory(3), PLAN | ADVERSARIAL, classifier)
    measured = calibrate(one_pass.sweep, outlook(one_pass))
    assert measured.views == 8
    assert measured.rates.gradient > 0


def test_one_process_decodes_before_it_perturbs_a_gpu_meanwhile():
    amount = Amount(views=10, images=100, gradients=5)
    rates = {"decode": 1.0, "perturb": 0.1, "classify": 0.3, "gradient": 2.0}
    assert Rates(**rates).seconds(amount) == pytest.approx(10 + 40 + 10)
    assert Rates(**rates, decoders=4).seconds(amount, processes=2) == pytest.approx((40 + 10) / 2)
    assert Rates(**rates | {"decode": 100.0}, decoders=4).seconds(amount) == pytest.approx(1000 / 4)


def test_a_store_is_as_large_as_foretold(tmp_path):
    scores, views = 20_000, 1_000
    store = Store(tmp_path / "scores.sqlite")
    keys = [hashlib.sha256(str(number).encode()).digest()[:20] for number in range(scores)]
    for start in range(0, scores, 100):  # as a pass writes: keys in no order, an exam at a time
        store.keep([(key, number / 7) for number, key in enumerate(keys[start : start + 100])])
    store.remember_files([(key, key[::-1]) for key in keys[:views]])
    store.close()
    size = (tmp_path / "scores.sqlite").stat().st_size
    assert store_bytes(scores=scores, views=views) == pytest.approx(size, rel=0.3)
