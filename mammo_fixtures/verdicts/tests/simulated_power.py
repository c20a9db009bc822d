"""Whether `--mammo-power` predicts how often an unchanged classifier is held.

`python -m mammo_fixtures.verdicts.tests.simulated_power [replicates]` prints the full table, in minutes. The scatter is
read off one large table; what happens is judged on smaller ones that are drawn like it, by other code than the power's.
"""

from __future__ import annotations

import sys

import numpy as np

from mammo_fixtures.metrics.tests.simulated_scores import Population
from mammo_fixtures.scoring.score_table import CLEAN, Condition, ScoreTable
from mammo_fixtures.verdicts import Tolerance, curve, judge
from mammo_fixtures.verdicts.expectation import from_scores
from mammo_fixtures.verdicts.power import power

AUC, OTHERS = 0.88, 300
CASES: tuple[tuple[dict[str, object], int, int, float], ...] = (
    ({"margin": 0.03}, 61, 1, 0.0),
    ({"margin": 0.03}, 61, 5, 0.0),
    ({"margin": 0.035, "readers": "random"}, 61, 5, 0.0),
    ({"margin": 0.15, "claim": "responds"}, 61, 1, 0.22),
    ({"margin": 0.06, "metric": "partial_auc"}, 61, 1, 0.0),
    ({"margin": 0.09, "metric": "sensitivity"}, 150, 1, 0.0),
    ({"margin": 0.09, "metric": "sensitivity"}, 61, 5, 0.0),
    ({"margin": 0.025, "metric": "specificity"}, 61, 1, 0.0),
    ({"margin": 0.12, "metric": "ks"}, 61, 1, 0.0),
    ({"margin": 0.1, "metric": "flip_rate"}, 61, 1, 0.0),
    ({"margin": 0.13, "metric": "rank_correlation"}, 61, 1, 0.0),
)
"""What is asked, malignant breasts, readers, and the true fall of the AUC."""


def cohort(
    rng: np.random.Generator,
    positives: int,
    readers: int,
    *,
    fall: float = 0.0,
    negatives: int = OTHERS,
    jitter: float = 0.2,
    alike: float = 0.6,
    anew_alike: float = 0.3,
) -> ScoreTable:
    """Scores whose readers agree more on breasts than on what the perturbation draws anew."""
    breasts = positives + negatives
    malignant = np.arange(breasts) < positives

    def noise(correlation: float) -> np.ndarray:
        root = np.linalg.cholesky(np.full((readers, readers), correlation) + (1.0 - correlation) * np.eye(readers))
        return np.asarray(rng.standard_normal((breasts, readers)) @ root.T)

    own, anew = noise(alike), noise(anew_alike)
    before, after = (
        Population(auc=auc, positives=1, negatives=1).separation * malignant[:, None] for auc in (AUC, AUC - fall)
    )
    scores = np.stack([own + before, np.sqrt(1.0 - jitter) * own + np.sqrt(jitter) * anew + after])
    return ScoreTable(
        conditions=(CLEAN, Condition("lowpass", 0.5)),
        readers=tuple(f"seed{r}" for r in range(readers)),
        scores=1.0 / (1.0 + np.exp(3.0 - 1.5 * scores)),
        exam_id=np.arange(breasts).astype(str),
        side=np.full(breasts, "L"),
        malignant=malignant.astype(np.int8),
        subgroup=np.where(np.arange(breasts) % 2, "masses", "grains"),
        patient_id=np.full(breasts, ""),
    )


def predicted_and_seen(
    asked: dict[str, object], positives: int, readers: int, fall: float, replicates: int
) -> tuple[float, float]:
    """The chance that power predicts, and the share of cohorts on which the claim was held."""
    rng = np.random.default_rng(72)
    tolerance = Tolerance(
        **({"claim": "holds", "perturbation": "lowpass", "severities": (0.5,), "reason": "-"} | asked)  # type: ignore[arg-type]
    )
    (expected,) = from_scores([tolerance], cohort(rng, 4000, readers, fall=fall, negatives=4000))
    predicted = power([expected.grown_to(positives)], negatives=OTHERS, replicates=replicates).chances[0]
    held = 0
    for _ in range(replicates):
        drawn = curve(
            cohort(rng, positives, readers, fall=fall), "lowpass", metric=tolerance.metric, readers=tolerance.readers
        )
        held += judge(drawn, tolerance)[0].held
    return predicted, held / replicates


def main(replicates: int) -> None:
    print(f"chance that a claim is held: predicted, seen; {replicates} replicates each")
    for asked, positives, readers, fall in CASES:
        predicted, seen = predicted_and_seen(asked, positives, readers, fall, replicates)
        what = " ".join(map(str, asked.values()))
        print(f"| {what} | {positives} | {readers} | {predicted:.2f} | {seen:.2f} |", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
