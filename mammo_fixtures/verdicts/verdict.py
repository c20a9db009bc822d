"""A verdict: the outcome of one claim, with the figures it rests on."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

OUTCOMES = ("held", "broken", "inconclusive", "not_run")


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What came of one claim at one severity. Plain numbers and text, as in verdicts.json."""

    test: str = ""
    """Id of the test that asked, empty in a notebook."""
    claim: str
    """`holds`, `responds`, or `clean` for the classifier before any perturbation."""
    perturbation: str
    severity: float
    unit: str
    subgroup: str
    metric: str
    clean: float | None
    perturbed: float | None
    drop: float | None
    low: float | None
    """Bounds exactly as they were compared: of the drop, or of the clean metric for `clean`."""
    high: float | None
    margin: float | None
    """None for `clean`, which is held against chance."""
    confidence: float
    outcome: str
    positives: int
    negatives: int
    sentence: str
    """The verdict as a person reads it, with what to do next where the claim is not held."""

    def __repr__(self) -> str:
        return f"<verdict {self.outcome}>"  # the sentence says the rest, and stands beside it in a failed assertion

    @property
    def held(self) -> bool:
        return self.outcome == "held"

    def as_dict(self) -> dict[str, Any]:
        """Plain data as it stands in verdicts.json."""
        return asdict(self)
