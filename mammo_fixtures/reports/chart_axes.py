"""Axes of a chart: where a severity and a value lie on it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 360, 250
LEFT, RIGHT, TOP, BOTTOM = 42, 14, 26, 34
_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
_TICKS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Across:
    """Severities side by side at equal distances, mild to strong; units of a ladder are seldom linear."""

    severities: Sequence[float]

    def x(self, severity: float) -> float:
        """In the chart's units."""
        place = self.severities.index(severity)
        step = (WIDTH - LEFT - RIGHT) / max(len(self.severities) - 1, 1)
        return round(LEFT + step * place, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Up:
    """Values, with round numbers as ticks."""

    low: float
    high: float
    ticks: tuple[float, ...]
    decimals: int

    @classmethod
    def over(cls, values: Iterable[float], *, least: float = -math.inf, most: float = math.inf) -> Up:
        """The smallest round range that holds the values; nothing beyond what the metric can be."""
        known = [value for value in values if math.isfinite(value)] or [0.0, 1.0]
        low, high = min(known), max(known)
        if high - low < 1e-3:
            low, high = low - 0.05, high + 0.05
        step = _step(high - low)
        first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
        ticks = tuple(n * step for n in range(first, last + 1) if least - 1e-9 <= n * step <= most + 1e-9)
        decimals = max(0, -math.floor(math.log10(step) + 1e-9)) + (step / 10 ** math.floor(math.log10(step)) == 2.5)
        return cls(low=max(first * step, least), high=min(last * step, most), ticks=ticks, decimals=decimals)

    def y(self, value: float) -> float:
        """In the chart's units, downwards; a value beyond the range lies on its edge."""
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return round(TOP + (HEIGHT - TOP - BOTTOM) * (1 - share), 1)

    def label(self, value: float) -> str:
        """As it stands beside the axis."""
        text = f"{value:.{self.decimals}f}"
        return text.replace("-", "−") if float(text) else text.removeprefix("-")


def _step(span: float) -> float:
    rough = span / _TICKS
    power = 10.0 ** math.floor(math.log10(rough))
    return power * next(step for step in _STEPS if step * power >= rough * 0.999)
