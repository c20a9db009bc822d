"""Cohorts drawn by lot, and what the judge makes of an unchanged classifier on them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from mammo_fixtures.metrics import OperatingPoint, Sample, Terms, measure
from mammo_fixtures.metrics.contrast import drop_contrast
from mammo_fixtures.verdicts.curve import Curve, point_of
from mammo_fixtures.verdicts.judge import judge_severity
from mammo_fixtures.verdicts.sampling import metric_named
from mammo_fixtures.verdicts.selectivity import Selectivity, judge_more, with_difference
from mammo_fixtures.verdicts.tolerance import Tolerance

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mammo_fixtures.verdicts.verdict import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """A claim at one severity, and what is expected of an unchanged classifier there."""

    tolerance: Tolerance
    severity: float
    kind: str
    """Malignant breasts that share scores: claims on one kind are judged on the same draws."""
    positives: int
    clean: float
    """True clean AUC of the kind, mean over readers."""
    fall: float = 0.0
    """True drop of that AUC: none where the claim is to hold, what was seen where it is to respond."""
    jitter: float = 0.05
    """Share of a score's variance that the perturbation draws anew."""
    readers: int = 1
    alike: float = 0.0
    """Correlation of two readers' clean scores, among breasts of one class."""
    anew_alike: float = 0.0
    """Correlation of what the perturbation draws anew for two readers."""
    than: Expected | None = None
    """Of `responds_more`: the same for the other subgroup."""

    def grown_to(self, positives: int) -> Expected:
        """The same with so many malignant breasts; the other subgroup grows alongside."""
        than = self.than
        if than is not None:
            than = than.grown_to(max(round(than.positives * positives / max(self.positives, 1)), 1))
        return replace(self, positives=positives, than=than)


@dataclass(slots=True, kw_only=True, eq=False)
class DrawnCohort:
    """Standard normal scores (breasts, readers), drawn when a claim first asks for them and then kept."""

    rng: np.random.Generator
    negatives: int
    _kept: dict[tuple[object, ...], NDArray[np.float64]] = field(default_factory=dict)

    def sample(self, claim: Expected) -> Sample:
        """The claim's malignant breasts before all others, clean and perturbed, as calibrated probabilities."""
        condition = (claim.tolerance.perturbation, claim.severity)
        jitter = 0.0 if claim.severity == 0.0 else claim.jitter
        levels = []
        for name, count, level in (
            (claim.kind, claim.positives, separation(claim.clean)),
            ("", self.negatives, 0.0),
        ):
            own = self._normal(("clean", name, claim.readers), count, claim.readers, claim.alike)
            anew = self._normal((condition, name, claim.readers), count, claim.readers, claim.anew_alike)
            fallen = separation(claim.clean - claim.fall) if name else level
            levels.append((own + level, np.sqrt(1.0 - jitter) * own + np.sqrt(jitter) * anew + fallen))
        scores = np.stack([np.concatenate([malignant, other]) for malignant, other in zip(*levels, strict=True)])
        breasts = claim.positives + self.negatives
        share = claim.tolerance.prevalence or claim.positives / breasts
        distance = separation(claim.clean)
        # The logarithm of the likelihood ratio of two normal distributions of unit variance, and the prior odds.
        logit = distance * scores - 0.5 * distance**2 + np.log(share / (1.0 - share))
        return Sample(
            scores=0.5 * (1.0 + np.tanh(0.5 * logit)),
            malignant=np.arange(breasts) < claim.positives,
            clusters=np.arange(breasts),
        )

    def _normal(self, key: tuple[object, ...], breasts: int, readers: int, alike: float) -> NDArray[np.float64]:
        if key not in self._kept:
            shared = self.rng.standard_normal((breasts, 1))
            own = self.rng.standard_normal((breasts, readers)) if readers > 1 else shared
            alike = alike if readers > 1 else 0.0
            self._kept[key] = np.sqrt(alike) * shared + np.sqrt(1.0 - alike) * own
        return self._kept[key]


def judged_on(cohort: DrawnCohort, claim: Expected) -> Verdict:
    """The judge's own verdict on one drawn cohort."""
    own = cohort.sample(claim)
    if claim.than is None:
        return judge_severity(_curve(claim, own), claim.tolerance, claim.severity)
    other = cohort.sample(claim.than)
    metric = metric_named(claim.tolerance.metric)
    difference, _, _ = drop_contrast(metric, own, other, _terms(claim.tolerance))
    one, than = _curve(claim, own), _curve(claim.than, other)
    pair = Selectivity(more=with_difference(one, than, difference), one=one, than=than)
    return judge_more(pair, claim.tolerance, claim.severity)


def separation(auc: float) -> float:
    """Distance of two normal distributions of unit variance."""
    from scipy.special import ndtri

    return float(np.sqrt(2.0) * ndtri(min(max(auc, 1e-3), 1.0 - 1e-3)))


def _terms(tolerance: Tolerance) -> Terms:
    return Terms(
        confidence=tolerance.confidence,
        operating_point=OperatingPoint.parse(tolerance.operating_point),
        prevalence=tolerance.prevalence,
        readers=tolerance.readers,
    )


def _curve(claim: Expected, sample: Sample) -> Curve:
    tolerance = claim.tolerance
    estimates = measure(metric_named(tolerance.metric), sample, _terms(tolerance))
    return Curve(
        perturbation=tolerance.perturbation,
        metric=tolerance.metric,
        subgroup=claim.kind,
        points=(point_of(estimates, 0, 0.0), point_of(estimates, 1, claim.severity)),
        confidence=tolerance.confidence,
        operating_point=tolerance.operating_point,
        prevalence=tolerance.prevalence,
        readers=tolerance.readers,
    )
