"""One pass in one process: each view is decoded once, and only what is missing is computed."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch

from mammo_fixtures import ScoreTable, UnusableInput, View, read_cohort, score
from mammo_fixtures.classifiers.inference import Inference
from mammo_fixtures.exams import Breast, Cohort, Exam
from mammo_fixtures.scoring import CLEAN, Condition, one_pass
from mammo_fixtures.scoring.engines import engine
from mammo_fixtures.scoring.store import Store
from mammo_fixtures.scoring.sweep import Sweep
from mammo_fixtures.scoring.tests import tiny_cohort
from mammo_fixtures.scoring.tests.comparing import same
from mammo_fixtures.scoring.tests.tiny_cohort import (
    CONDITIONS,
    PLAN,
    FourViews,
    Pattern,
    in_memory,
    on_disk,
    view_level,
)


@dataclass(frozen=True, eq=False)
class Counted:
    """A view that counts how often it is decoded."""

    view: View
    reads: list

    @property
    def exam_id(self):
        return self.view.exam_id

    @property
    def side(self):
        return self.view.side

    @property
    def position(self):
        return self.view.position

    def read(self):
        self.reads.append(self.view.name)
        return self.view


def test_a_table_in_the_order_of_cohort_and_plan():
    cohort = in_memory(3)
    table = score(cohort, view_level(), PLAN, device="cpu")
    assert isinstance(table, ScoreTable)
    assert table.conditions == (CLEAN, *(Condition(name, s) for name, several in PLAN.items() for s in several))
    assert table.readers == ("pattern",)
    assert table.exam_id.tolist() == ["0", "0", "1", "1", "2", "2"]
    assert table.side.tolist() == ["L", "R"] * 3
    assert table.malignant.tolist() == [1, 0, 0, 0, 1, 0]
    assert table.subgroup.tolist() == ["masses", "", "", "", "masses", ""]
    assert table.source == "tiny"
    sweep = Sweep(inference=Inference(view_level(), device="cpu"))
    for row, breast in enumerate(cohort.breasts):
        exam = cohort.exams[row // 2]
        expected = sweep.exam(exam, {breast.side: table.conditions})
        assert table.scores[:, row, 0].tolist() == [expected[breast.side, c] for c in table.conditions]


@pytest.mark.parametrize("batch_size", [1, 3, 8])
def test_the_same_table_with_any_batch_size_and_chunk(monkeypatch, batch_size):
    expected = score(in_memory(3), view_level(), PLAN, device="cpu")
    monkeypatch.setattr(engine, "CHUNK_EXAMS", batch_size)
    assert same(score(in_memory(3), view_level(), PLAN, device="cpu", batch_size=batch_size), expected)


@pytest.mark.parametrize(
    ("exams", "sizes"), [(0, set()), (1, {1}), (127, {1}), (128, {2}), (200, {2, 3}), (999, {3, 4})]
)
def test_a_small_cohort_is_cut_into_small_chunks_and_none_is_lost(exams, sizes):
    (exam,) = in_memory(1, positions=("CC",)).exams
    cohort = Cohort(name="", exams=tuple(replace(exam, exam_id=str(number)) for number in range(exams)))
    work = engine.Work(name="", owner="", cohort=cohort, pipeline=None, store=None, cells=0)
    assert {len(chunk) for chunk in work.chunks} == sizes
    assert [exam for chunk in work.chunks for exam in chunk] == list(cohort.exams)


def test_unknown_labels_patients_and_strata_reach_the_table(tmp_path, run):
    cells = {"patient_id": "p", "density": "c"}
    cohort = read_cohort(on_disk(tmp_path, 2, labels={"0": "", "1": "1"}, **cells))
    table, _, _ = run(cohort)
    assert table.malignant.tolist() == [-1, -1, 1, 1]
    assert table.patient_id.tolist() == ["p"] * 4
    assert {name: column.tolist() for name, column in table.strata.items()} == {"density": ["c"] * 4}
    assert table.source == str(tmp_path / "site.csv")


def test_a_stratum_that_a_table_could_not_hold_is_refused_before_anything_is_scored(tmp_path, run):
    cohort = read_cohort(on_disk(tmp_path, 1, reader="first"))
    with pytest.raises(UnusableInput, match="a stratum must not be called like a column of score tables, got 'reader'"):
        run(cohort)
    assert not tiny_cohort.scored


def test_each_view_is_decoded_once(run):
    reads = []
    exams = []
    for exam in in_memory(5):
        breasts = []
        for breast in exam.breasts:
            views = tuple(Counted(view, reads) for view in breast.views)
            breasts.append(Breast(exam_id=exam.exam_id, side=breast.side, views=views))
        exams.append(Exam(exam_id=exam.exam_id, breasts=tuple(breasts)))
    _, images, decoded = run(Cohort(name="counted", exams=tuple(exams)))
    assert sorted(reads) == sorted(
        f"exam {exam}, {side}-{p}" for exam in range(5) for side in "LR" for p in ("CC", "MLO")
    )
    assert decoded == 20
    assert images == 20 * CONDITIONS


def test_a_classifier_that_raises_leaves_what_was_computed(tmp_path, run, monkeypatch):
    monkeypatch.setattr(engine, "CHUNK_EXAMS", 1)
    manifest = on_disk(tmp_path)
    expected = score(read_cohort(manifest), view_level(), PLAN, device="cpu")
    forward = Pattern.forward

    def failing(self, batch):
        if sum(tiny_cohort.scored) == 3 * CONDITIONS:  # in the second exam's second breast
            raise RuntimeError("out of order")
        return forward(self, batch)

    monkeypatch.setattr(Pattern, "forward", failing)
    with pytest.raises(UnusableInput, match="it raised RuntimeError: out of order"):
        run(read_cohort(manifest), name="shared")
    store = Store(run.store)
    assert store.progress("shared") == (6 * CONDITIONS, 2 * CONDITIONS, 0)
    assert store.claim("shared", "another") == 1, "its chunk need not be waited for"
    store.release("another")
    store.close()
    monkeypatch.setattr(Pattern, "forward", forward)
    table, images, _ = run(read_cohort(manifest), name="shared")
    assert images == 4 * CONDITIONS, "a whole exam is kept or none of it"
    assert same(table, expected)


def test_progress_is_told_and_ends_with_all_cells(tmp_path, run, monkeypatch):
    monkeypatch.setattr(engine, "CHUNK_EXAMS", 1)
    told = []
    run(read_cohort(on_disk(tmp_path, 2)), progress=lambda *counts: told.append(counts))
    assert told == [(6 * 0 + 4 * CONDITIONS, 2 * CONDITIONS, 0), (4 * CONDITIONS, 4 * CONDITIONS, 0)]
    told.clear()
    run(read_cohort(on_disk(tmp_path, 3)), progress=lambda *counts: told.append(counts))
    assert told[-1] == (6 * CONDITIONS, 2 * CONDITIONS, 4 * CONDITIONS)


def test_an_empty_cohort_is_an_empty_table(run):
    table, images, _ = run(Cohort(name="none", exams=()))
    assert images == 0
    assert table.scores.shape == (CONDITIONS, 0, 1)


def test_a_file_gone_since_the_manifest_was_read_is_named(tmp_path, run):
    cohort = read_cohort(on_disk(tmp_path))
    (tmp_path / "1_R.png").unlink()
    with pytest.raises(UnusableInput) as caught:
        run(cohort)
    assert str(caught.value).startswith("exam 1, R-CC: the image must be a readable file, got ")
    assert str(caught.value).endswith("(site.csv, row 5)")


def test_score_in_a_notebook(tmp_path):
    cohort, kept = in_memory(2), tmp_path / "kept.sqlite"
    tiny_cohort.scored.clear()
    table = score(cohort, view_level(), {"lowpass": (1.0, 1.0), "contrast": 0.5}, seed=2, device="cpu", store=kept)
    assert table.conditions == (CLEAN, Condition("lowpass", 1.0), Condition("contrast", 0.5))
    assert sum(tiny_cohort.scored) == 8 * 3
    assert same(score(cohort, view_level(), {"lowpass": [1], "contrast": [0.5]}, device="cpu", store=kept), table)
    assert sum(tiny_cohort.scored) == 8 * 3
    assert score(cohort, view_level(), {}, device="cpu").conditions == (CLEAN,)
    for plan, said in (
        (
            {"low_pass": (1.0,)},
            r"perturbation must be one of the catalogue's, got 'low_pass'; did you mean 'lowpass'\?",
        ),
        ({"contrast": (9.0,)}, r"contrast: factor must lie in 0 … 4 of the contrast, got 9"),
    ):
        with pytest.raises(UnusableInput, match=said):
            score(cohort, view_level(), plan)
    table.write(tmp_path / "scores.csv")
    assert same(ScoreTable.read(tmp_path / "scores.csv"), table)


def test_scoring_reads_and_disturbs_no_global_generator():
    torch.manual_seed(1)
    before = torch.get_rng_state()
    score(in_memory(1), view_level(), PLAN, device="cpu")
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("classifier", [view_level(), view_level(FourViews(), level="exam")])
def test_progress_is_told_within_an_exam_too(monkeypatch, run, classifier):
    """With a slow classifier one exam takes many minutes; what is told only grows, and ends with all of it."""
    monkeypatch.setattr(one_pass, "_BEAT_SECONDS", 0.0)
    told = []
    run(in_memory(2), classifier=classifier, progress=lambda cells, computed, found: told.append((computed, cells)))
    done = [computed for computed, _ in told]
    assert done == sorted(done)
    assert len({*done}) > CONDITIONS
    assert told[-1] == (4 * CONDITIONS, 4 * CONDITIONS)


def test_severities_may_be_of_any_kind_of_number_and_sequence():
    """As a notebook has them: of NumPy, from a generator."""
    expected = score(in_memory(1), view_level(), {"lowpass": (0.5, 2.0)}).conditions
    for severities in (np.array([0.5, 2.0]), (each for each in (0.5, 2.0)), [np.float32(0.5), np.int64(2)]):
        assert score(in_memory(1), view_level(), {"lowpass": severities}).conditions == expected
    assert score(in_memory(1), view_level(), {"lowpass": np.int64(2)}).conditions == (CLEAN, Condition("lowpass", 2.0))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("site.csv", None, {}), "score: cohort must be a Cohort, got str; read_cohort('site.csv') gives one"),
        ((in_memory(1), "release:load", {}), "score: classifier must be a Classifier, got str; Classifier(network, …)"),
        (
            (in_memory(1), view_level(), ["lowpass"]),
            "score: plan must be perturbations with their severities, got list",
        ),
        ((in_memory(1), view_level(), {"lowpass": "0.5"}), "score: severities of lowpass must be numbers, got '0.5'"),
        (
            (in_memory(1), view_level(), {"lowpass": [0.5, None]}),
            "score: severities of lowpass must be numbers, got None",
        ),
    ],
)
def test_what_is_no_cohort_classifier_or_plan_is_one_line(given, said):
    with pytest.raises(UnusableInput) as caught:
        score(*given)
    assert str(caught.value).startswith(said)
