"""The Fourier sensitivity map as numbers, of classifiers whose sensitivity is known."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.stats import mannwhitneyu

from mammo_fixtures import UnusableInput, View, curve, judge, score
from mammo_fixtures.classifiers import Classifier
from mammo_fixtures.exams import Breast, Cohort, Exam
from mammo_fixtures.scoring import CLEAN, Condition, ScoreTable
from mammo_fixtures.verdicts import Tolerance
from mammo_fixtures.verdicts.averaging import averaged
from mammo_fixtures.verdicts.fourier_map import cell_conditions, fourier_map

SPACING_MM = 0.2
SHAPE = (100, 80)
FREQUENCIES = (0.25, 0.5, 1.0, 2.0)
PEAK = (1.0, 45)
SIGNAL = 0.004


def wave(frequency, degrees, phase=0.0):
    row, column = np.indices(SHAPE)
    up, away = ((SHAPE[0] - 1) / 2 - row) * SPACING_MM, column * SPACING_MM
    angle = math.radians(degrees)
    return np.cos(2 * math.pi * frequency * (math.cos(angle) * away + math.sin(angle) * up) + phase)


class OneFrequency(torch.nn.Module):
    """Scores by how much there is of one frequency in one direction: it can be moved by that wave and by no other."""

    def __init__(self):
        super().__init__()
        self.wave = torch.nn.Parameter(torch.tensor(wave(*PEAK, -math.pi / 4), dtype=torch.float32))

    def forward(self, batch):
        return (batch[:, 0] * self.wave).mean((1, 2)) * 1000


def cohort(exams=60):
    """Malignant breasts have a little more of the classifier's wave; no breast differs in anything else."""
    made = []
    for number in range(exams):
        malignant = number % 2 == 0
        amount = 2 * SIGNAL * malignant + SIGNAL * np.random.default_rng(number).standard_normal()
        pixels = (0.5 + amount * wave(*PEAK, -math.pi / 4)).astype(np.float32)
        view = View.from_array(
            pixels, pixel_spacing_mm=(SPACING_MM, SPACING_MM), side="L", position="CC", intensity_range=(0, 1),
            exam_id=str(number), chest_wall="left",
        )  # fmt: skip
        kind = "masses" if malignant and number % 4 else "grains" if malignant else ""
        made.append(Breast(exam_id=str(number), side="L", views=(view,), malignant=malignant, subgroup=kind))
    return Cohort(name="waves", exams=tuple(Exam(exam_id=b.exam_id, breasts=(b,)) for b in made))


@pytest.fixture(scope="module")
def table():
    declared = {"score": "logit", "name": "one frequency", "pixel_spacing_mm": SPACING_MM}
    return score(cohort(), Classifier(OneFrequency(), **declared), {"fourier_map": FREQUENCIES}, device="cpu")


def cell(drawn, frequency, degrees, subgroup="all"):
    of = drawn.profile if degrees is None else drawn.cells
    wanted = (frequency, degrees, subgroup)
    (found,) = [c for c in of if (c.frequency_per_mm, c.orientation_degrees, c.subgroup) == wanted]
    return found


def test_the_map_has_its_peak_where_the_classifier_is_sensitive(table):
    drawn = fourier_map(table)
    assert len(drawn.cells) == 3 * 4 * 4
    for subgroup in ("all", "grains", "masses"):
        peak = cell(drawn, *PEAK, subgroup)
        others = [c for c in drawn.cells if c.subgroup == subgroup and c is not peak]
        assert peak.drop > 0.15
        assert peak.drop > 4 * max(abs(c.drop) for c in others)
        assert peak.mean_absolute_change > 10 * max(c.mean_absolute_change for c in others)
    # The wave moves a score by the product of two amplitudes, rms 0.01 and 1/√2.
    assert cell(drawn, *PEAK).mean_absolute_change == pytest.approx(1000 * 0.01 / math.sqrt(2), rel=0.02)


def test_cells_are_the_aucs_themselves_and_the_profile_their_mean(table):
    drawn = fourier_map(table)
    malignant = table.malignant == 1

    def of(condition):
        scores = table.at(condition)[:, 0]
        return mannwhitneyu(scores[malignant], scores[~malignant]).statistic / (30 * 30)

    for frequency in FREQUENCIES:
        drops = [of(CLEAN) - of(Condition(f"fourier_map_{d:03d}", frequency)) for d in (0, 45, 90, 135)]
        found = [cell(drawn, frequency, degrees) for degrees in (0, 45, 90, 135)]
        assert [c.drop for c in found] == pytest.approx(drops, abs=1e-12)
        assert all(c.drop_low <= c.drop <= c.drop_high for c in found)
        profile = cell(drawn, frequency, None)
        assert profile.drop == pytest.approx(np.mean(drops), abs=1e-12)
        assert profile.drop_low <= profile.drop <= profile.drop_high
        assert profile.mean_absolute_change == pytest.approx(np.mean([c.mean_absolute_change for c in found]))


def test_what_pixels_cannot_hold_is_counted(table):
    drawn = fourier_map(table)
    assert {(c.views, c.beyond_grid, c.beyond_classifier) for c in drawn.cells} == {(60, 0, 0)}
    coarse = Classifier(OneFrequency(), score="logit", input_size=SHAPE, pixel_spacing_mm=2 * SPACING_MM)
    few = Cohort(name="few", exams=cohort().exams[:4])
    noted = fourier_map(score(few, coarse, {"fourier_map": (1.0, 2.0, 3.0)}, device="cpu"))
    beyond = {(c.frequency_per_mm, c.orientation_degrees): (c.beyond_grid, c.beyond_classifier) for c in noted.cells}
    assert beyond[1.0, 0] == (0, 0)
    assert beyond[2.0, 0] == (0, 4)
    assert beyond[3.0, 0] == (4, 4)
    assert beyond[3.0, 45] == (0, 4)


def test_the_profile_is_judged_like_any_curve(table):
    drawn = curve(table, "fourier_map")
    tolerance = Tolerance(
        claim="holds", perturbation="fourier_map", severities=FREQUENCIES, margin=0.06, reason="a test"
    )
    outcomes = {verdict.severity: verdict.outcome for verdict in judge(drawn, tolerance)}
    assert outcomes[0.25] == outcomes[2.0] == "held"
    assert outcomes[1.0] != "held"


def test_averaging_leaves_other_perturbations_alone(table):
    assert averaged(table, "lowpass") is table
    assert averaged(table, "fourier_map_045") is table
    whole = averaged(table, "fourier_map")
    assert whole.scores.shape == (5, 60, 4)
    assert whole.readers[0] == "one frequency, fourier_map_000"


def test_the_mean_over_orientations_is_of_frequencies_that_all_of_them_have(table):
    lost = Condition("fourier_map_090", FREQUENCIES[1])
    kept = [place for place, condition in enumerate(table.conditions) if condition != lost]
    less = replace(table, conditions=tuple(table.conditions[k] for k in kept), scores=table.scores[kept])
    assert averaged(less, "fourier_map").severities("fourier_map") == (FREQUENCIES[0], *FREQUENCIES[2:])


def test_a_table_without_the_map_says_how_to_get_one(table):
    bare = ScoreTable(
        conditions=table.conditions[:1], readers=table.readers, scores=table.scores[:1], exam_id=table.exam_id,
        side=table.side, malignant=table.malignant, subgroup=table.subgroup, patient_id=table.patient_id,
        source="s.csv",
    )  # fmt: skip
    with pytest.raises(UnusableInput) as refused:
        fourier_map(bare)
    assert str(refused.value) == (
        "s.csv: a Fourier map needs scores under fourier_map_000, fourier_map_045, fourier_map_090, fourier_map_135 at "
        "the same frequencies, got none; score them with --mammo-fourier-map="
    )


def test_at_most_sixty_malignant_and_other_breasts_are_judged():
    conditions = cell_conditions((1.0,))
    assert [c.perturbation for c in conditions] == [f"fourier_map_{d:03d}" for d in (0, 45, 90, 135)]
    declared = {"score": "logit", "name": "one frequency"}
    many = score(cohort(130), Classifier(OneFrequency(), **declared), {"fourier_map": 1.0}, device="cpu")
    drawn = fourier_map(many)
    assert {(c.positives, c.negatives) for c in drawn.cells if c.subgroup == "all"} == {(60, 60)}
    assert drawn.said == "judges a seeded choice of 60 of 65 malignant breasts and 60 of 65 others"
