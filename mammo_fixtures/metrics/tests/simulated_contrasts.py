"""How often the interval of a difference of two drops covers the truth, for these readers' patients and for any.

`python -m mammo_fixtures.metrics.tests.simulated_contrasts [replicates]` prints the table. What a perturbation takes
from the cancers of either kind differs from reader to reader; the truth is the mean over all readers there could be.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri

from mammo_fixtures.metrics import METRICS, Sample, Terms
from mammo_fixtures.metrics.contrast import Contrast, drop_contrast

_AUC = METRICS[0]
_ANEW = 0.2
"""Share of every score's variance that the perturbation draws anew."""
_ALIKE = 0.5
"""Correlation of two readers' scores of one breast."""


@dataclass(frozen=True, kw_only=True)
class Kinds:
    """Two kinds of cancers, of which a perturbation takes different amounts, in standard deviations of the scores."""

    clean: float = 0.87
    positives: int = 61
    negatives: int = 300
    readers: int = 5
    taken: tuple[float, float] = (1.2, 0.3)
    spread: float = 0.3
    """Standard deviation between readers of either amount."""

    @property
    def separation(self) -> float:
        return float(np.sqrt(2.0) * ndtri(self.clean))

    @property
    def truth(self) -> float:
        """Difference of the drops, averaged over all readers: Φ of a normal variable with a normal mean."""
        left = [ndtr((self.separation - taken) / np.sqrt(2.0 + self.spread**2)) for taken in self.taken]
        return float(left[1] - left[0])

    def contrast(self, rng: np.random.Generator, readers: str) -> Contrast:
        """Of one cohort with new readers."""
        kind = np.repeat([0, 1, 2], [self.positives, self.positives, self.negatives])
        shape = (len(kind), self.readers)
        own, anew = (
            np.sqrt(_ALIKE) * rng.standard_normal((len(kind), 1)) + np.sqrt(1.0 - _ALIKE) * rng.standard_normal(shape)
            for _ in range(2)
        )
        amounts = np.array(self.taken)[:, None] + self.spread * rng.standard_normal((2, self.readers))
        level = self.separation * (kind < 2)[:, None]
        taken = np.concatenate([amounts, np.zeros((1, self.readers))])[kind]
        scores = np.stack([own + level, np.sqrt(1.0 - _ANEW) * own + np.sqrt(_ANEW) * anew + level - taken])
        one, other = (
            Sample(
                scores=scores[:, (kind == place) | (kind == 2)],
                malignant=kind[(kind == place) | (kind == 2)] < 2,
                clusters=np.flatnonzero((kind == place) | (kind == 2)),
            )
            for place in (0, 1)
        )
        return drop_contrast(_AUC, one, other, Terms(readers=readers))[0]


def coverage(kinds: Kinds, replicates: int, *, readers: str, seed: int = 0) -> float:
    """Share of 95 % intervals that cover the truth."""
    rng = np.random.default_rng(seed)
    found = (kinds.contrast(rng, readers) for _ in range(replicates))
    return float(np.mean([contrast.low[1] <= kinds.truth <= contrast.high[1] for contrast in found]))


def main(replicates: int) -> None:
    print(
        f"| malignant of either kind | spread of readers | random readers | taken for fixed |, {replicates} replicates"
    )
    for positives in (22, 61, 500):
        for spread in (0.0, 0.3):
            kinds = Kinds(positives=positives, spread=spread)
            cells = [f"{coverage(kinds, replicates, readers=readers):.3f}" for readers in ("random", "fixed")]
            print(f"| {positives} | {spread} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2000)
