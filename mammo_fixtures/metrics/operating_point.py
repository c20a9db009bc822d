"""Operating points: which score calls a breast positive, set on the clean scores."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mammo_fixtures.errors import UnusableInput

if TYPE_CHECKING:
    from numpy.typing import NDArray

_FORM = re.compile(r"\s*(specificity\s*>=|sensitivity\s*>=|score\s*>)\s*([-+.\deE]+)\s*\Z")
_WANDERING = 2.0
"""Standard errors of the target within which the threshold of another sample would lie."""
_LEAST_STEP = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatingPoint:
    """`specificity>=0.90`, `sensitivity>=0.85` or `score>0.42`; a breast is called positive above the threshold.

    The first two set the threshold on the clean scores of the sample that is judged, reader by reader: the smallest
    clean score with that specificity, or the largest with that sensitivity.
    """

    kind: str
    level: float

    @classmethod
    def parse(cls, text: str, where: str = "curve") -> OperatingPoint:
        """From its text in a tolerance.

        >>> OperatingPoint.parse("specificity >= 0.9").text
        'specificity>=0.90'
        """
        form = _FORM.match(text)
        kind = form.group(1).split(">")[0].strip() if form else ""
        try:
            level = float(form.group(2)) if form else math.nan
        except ValueError:
            level = math.nan
        if not math.isfinite(level) or (kind != "score" and not 0.0 < level < 1.0):
            raise UnusableInput(
                f"{where}: operating_point must be like 'specificity>=0.90', 'sensitivity>=0.85' or 'score>0.42', the "
                f"first two between 0 and 1, got {text!r}; write one of these"
            )
        return cls(kind=kind, level=level)

    @property
    def text(self) -> str:
        sign = ">" if self.kind == "score" else ">="
        short = f"{self.level:.2f}" if self.level == round(self.level, 2) else repr(self.level)
        return f"{self.kind}{sign}{short}"

    @property
    def is_estimated(self) -> bool:
        """Whether another sample would give another threshold."""
        return self.kind != "score"

    def threshold(self, positives: NDArray[np.float64], negatives: NDArray[np.float64]) -> float:
        """The score above which a breast is called positive, from one reader's clean scores (breasts,).

        >>> NINETY.threshold(np.array([7.0]), np.arange(10.0))
        8.0
        """
        if self.kind == "score":
            return self.level
        return self._at(self._setting(positives, negatives), self.level)

    def neighbours(
        self, positives: NDArray[np.float64], negatives: NDArray[np.float64]
    ) -> tuple[tuple[float, float], float]:
        """Thresholds below and above, as far as other samples of this size would put it, and the change of the target.

        What a figure differs between the two tells how much of its scatter comes from the threshold.
        """
        setting = self._setting(positives, negatives)
        step = max(_WANDERING * math.sqrt(self.level * (1.0 - self.level) / len(setting)), _LEAST_STEP)
        step = min(step, self.level, 1.0 - self.level)
        # The higher a specificity, the higher its threshold; the higher a sensitivity, the lower.
        low, high = sorted(self._at(setting, level) for level in (self.level - step, self.level + step))
        return (low, high), float(np.mean(setting > low) - np.mean(setting > high))

    def against(self, positives: NDArray[np.float64], negatives: NDArray[np.float64]) -> tuple[float, float]:
        """By how many standard errors the scores contradict that the population's threshold is either neighbour.

        It is a neighbour where the level is reached there and not before; nothing contradicts the sample's own.
        """
        setting = self._setting(positives, negatives)
        (low, high), _ = self.neighbours(positives, negatives)
        error = math.sqrt(self.level * (1.0 - self.level) / len(setting))
        if self.kind == "specificity":
            at_low, at_high = self.level - np.mean(setting <= low), np.mean(setting < high) - self.level
        else:
            at_low = np.mean(setting > np.nextafter(low, np.inf)) - self.level
            at_high = self.level - np.mean(setting > high)
        return max(float(at_low) / error, 0.0), max(float(at_high) / error, 0.0)

    def is_tied(self, positives: NDArray[np.float64], negatives: NDArray[np.float64]) -> bool:
        """Whether so many of the scores that set the threshold are equal that it jumps instead of wandering."""
        setting = self._setting(positives, negatives)
        (low, high), _ = self.neighbours(positives, negatives)
        near = setting[(setting >= low) & (setting <= high)]
        most = np.unique(near, return_counts=True)[1].max(initial=0)
        return bool(most > math.sqrt(self.level * (1.0 - self.level) * len(setting)))

    def _setting(self, positives: NDArray[np.float64], negatives: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.sort(negatives if self.kind == "specificity" else positives)

    def _at(self, setting: NDArray[np.float64], level: float) -> float:
        """Threshold for a level, from the sorted scores that set it."""
        n = len(setting)
        # The product of two decimals must not turn exactly 9 into 10.
        count = math.ceil(level * n - 1e-9)
        if self.kind == "specificity":
            return float(setting[min(max(count, 1), n) - 1])
        # The largest threshold that leaves `count` of the sorted scores above it.
        return float(np.nextafter(setting[n - min(max(count, 1), n)], -np.inf))


NINETY = OperatingPoint(kind="specificity", level=0.9)
DEFAULT = NINETY
"""Where nothing is said."""
