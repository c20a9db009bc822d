"""The value type: columns that fit one another, clusters, and which cohort it is."""

import numpy as np
import pytest

from mammo_fixtures import ScoreTable, UnusableInput
from mammo_fixtures.scoring import CLEAN, Condition
from mammo_fixtures.scoring.identical import doubt_of, identical_to_clean

LOWPASS = Condition("lowpass", 0.5)


def table(**changed):
    columns = {
        "conditions": (CLEAN, LOWPASS),
        "readers": ("a",),
        "scores": np.arange(8.0).reshape(2, 4, 1),
        "exam_id": np.array(["1", "1", "2", "3"]),
        "side": np.array(["L", "R", "L", "L"]),
        "malignant": np.array([1, 0, 0, 0], dtype=np.int8),
        "subgroup": np.array(["masses", "", "", ""]),
        "patient_id": np.array(["", "", "p", "p"]),
    }
    return ScoreTable(**(columns | changed))


def order(given, places):
    names = ("exam_id", "side", "malignant", "subgroup", "patient_id")
    return table(scores=given.scores[:, places], **{name: getattr(given, name)[places] for name in names})


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (
            {"scores": np.zeros((2, 4))},
            "scores must be (conditions, breasts, readers) = (2, 4, 1), got (2, 4)",
        ),
        ({"side": np.array(["L"])}, "side must have one entry for each of 4 breasts, got 1"),
        ({"strata": {"density": np.array(["a"] * 5)}}, "density must have one entry for each of 4 breasts, got 5"),
        (
            {"strata": {"reader": np.array(["a"] * 4)}},
            "a stratum must not be called like a column of score tables, got 'reader'; rename that column",
        ),
        (
            {"conditions": (CLEAN, CLEAN)},
            "each condition may stand once, got Condition(perturbation='clean', severity=0.0) twice",
        ),
        (
            {"readers": ("a", "a"), "scores": np.zeros((2, 4, 2))},
            "each reader may stand once, got 'a' twice",
        ),
    ],
)
def test_columns_that_do_not_fit_are_refused(changed, said):
    with pytest.raises(UnusableInput) as caught:
        table(**changed)
    assert str(caught.value) == f"score table: {said}"
    with pytest.raises(UnusableInput) as caught:
        table(**changed, source="site.csv")
    assert str(caught.value) == f"site.csv: {said}"


def test_scores_of_a_condition():
    assert table().at(LOWPASS)[:, 0].tolist() == [4, 5, 6, 7]
    assert table().severities("lowpass") == (0.5,)
    assert table().severities("contrast") == ()
    with pytest.raises(UnusableInput) as caught:
        table().at(Condition("lowpass", 2.0))
    assert str(caught.value) == (
        "score table: has no scores for lowpass 2, only for clean 0, lowpass 0.5; add them, or select other tests"
    )


def test_breasts_of_a_patient_are_one_cluster_and_of_an_exam_where_no_patient_is_given():
    clusters = table().clusters
    assert clusters[0] == clusters[1]
    assert clusters[2] == clusters[3]
    assert len(set(clusters.tolist())) == 2
    # An exam called like a patient is another cluster.
    named_alike = table(patient_id=np.array(["", "", "1", "1"]), exam_id=np.array(["1", "1", "2", "3"]))
    assert len(set(named_alike.clusters.tolist())) == 2


def test_the_fingerprint_is_of_the_cohort_alone():
    given = table()
    assert order(given, [3, 1, 0, 2]).fingerprint == given.fingerprint
    assert table(scores=given.scores + 1).fingerprint == given.fingerprint
    assert table(readers=("b",)).fingerprint == given.fingerprint
    others = (
        {"malignant": np.array([1, 1, 0, 0], dtype=np.int8)},
        {"subgroup": np.array(["masses", "", "", "masses"])},
        {"exam_id": np.array(["1", "1", "2", "4"])},
        {"side": np.array(["L", "R", "L", "R"])},
        {"patient_id": np.array(["", "", "p", "q"])},
    )
    prints = {table(**changed).fingerprint for changed in others}
    assert len(prints | {given.fingerprint}) == 6


def test_scores_identical_to_clean_are_told_from_99_percent_on():
    count = 200
    clean = np.linspace(0, 1, count)[:, None]
    mostly = clean.copy()
    mostly[:2] += 0.1
    often = clean.copy()
    often[:3] += 0.1
    rows = {
        "exam_id": np.arange(count).astype(np.str_), "side": np.full(count, "L"), "subgroup": np.full(count, ""),
        "malignant": np.zeros(count, dtype=np.int8), "patient_id": np.full(count, ""),
    }  # fmt: skip
    conditions = (CLEAN, *(Condition("lowpass", severity) for severity in (1.0, 2.0, 4.0, 8.0)))
    none = np.full_like(clean, np.nan)
    given = table(conditions=conditions, scores=np.stack([clean, clean, mostly, often, none]), **rows)
    assert identical_to_clean(given) == {Condition("lowpass", 1.0): 1.0, Condition("lowpass", 2.0): 0.99}


def test_identical_means_for_every_reader():
    scores = np.zeros((2, 4, 2))
    scores[1, :, 1] = 1
    assert identical_to_clean(table(readers=("a", "b"), scores=scores)) == {}
    scores[:, :, 1] = np.nan
    assert identical_to_clean(table(readers=("a", "b"), scores=scores)) == {LOWPASS: 1.0}
    scores[0, :, 1] = 0.0
    assert identical_to_clean(table(readers=("a", "b"), scores=scores)) == {}, "missing under one of them alone"


def test_the_doubt_names_the_first_counts_the_others_and_gives_the_least_share():
    assert doubt_of({}) == ""
    one = doubt_of({LOWPASS: 1.0})
    assert one.startswith("scores under lowpass 0.5 are bit-identical to clean for 100.0% of breasts or more: ")
    three = doubt_of({LOWPASS: 1.0, Condition("contrast", 0.5): 0.9925, Condition("contrast", 0.9): 0.999})
    assert three.startswith("scores under lowpass 0.5 and 2 more are bit-identical to clean for 99.2% of breasts")
