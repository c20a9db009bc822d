"""The record of a perturbation: everything about it but the arithmetic."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mammo_fixtures.errors import UnusableInput

if TYPE_CHECKING:
    import torch

    from mammo_fixtures.exams import View
    from mammo_fixtures.perturbations.shared import Shared

SETS = ("core", "extended")
LADDERS = ("monotone", "profile", "set")
NEEDS = ("", "region", "exam", "gradient")


@dataclass(frozen=True, slots=True, kw_only=True)
class Perturbation:
    """What a perturbation is called, what its parameter means, and how severe it gets.

    `apply(pixels, *, <parameter>, <each name in shares>, out=None)` gives a new float32 tensor (rows, columns), or
    fills `out`, and leaves its arguments untouched.
    """

    name: str
    apply: Callable[..., torch.Tensor]
    parameter: str
    unit: str
    severities: tuple[float, ...]
    """Mild to strong."""
    valid: tuple[float, float]
    """Smallest and largest meaningful severity."""
    nothing: float
    """The severity that changes nothing."""
    source: str
    unit_label: str
    """The unit in a test id."""
    integer_digits: int = 1
    decimals: int = 2
    version: int = 1
    """Raised whenever the same severity and seed give other pixels."""
    set: str = "core"
    ladder: str = "monotone"
    """`monotone`: the distance to clean grows with severity. `profile` and `set` make no such promise."""
    may_cancel: bool = False
    """Whether a classifier may undo it exactly, so that identical scores are no fault."""
    may_cancel_from: float = -math.inf
    """Where it may, from which severity upwards."""
    shares: tuple[str, ...] = ()
    """Names in `Shared` that `apply` takes: computed once for all severities of a view."""
    keyed: bool = False
    """Whether it draws random numbers keyed on the exam, so that another exam id gives other pixels."""
    needs: str = ""
    """What it takes beside pixels: a lesion's `region`, all views of an `exam`, or the classifier's `gradient`.
    A breast that has none of it gets no score."""
    subset: int = 0
    """At most so many malignant breasts, and as many others, are judged: a seeded choice. 0 means all."""
    flag: Callable[[Shared, float], str] | None = None
    """Given a view's shared quantities and a severity, why that is out of the ordinary there, or an empty text."""
    notes: Mapping[str, Callable[[Shared, float], float | None]] = field(default_factory=dict, hash=False)
    """Numbers that a report tells beside the scores, by name: given a view's shared quantities and a severity."""
    averages: tuple[str, ...] = ()
    """Names of records over whose metrics this one is the mean; it has no scores of its own."""
    redeclare: Callable[[View, float], View] | None = None
    """Given a view and a severity, the view as it is declared to the classifier, where that is what is perturbed."""

    def __post_init__(self) -> None:
        if self.set not in SETS or self.ladder not in LADDERS:
            raise ValueError(f"{self.name}: set must be one of {SETS} and ladder one of {LADDERS}")
        if self.needs not in NEEDS:
            raise ValueError(f"{self.name}: needs must be one of {NEEDS}")
        for severity in self.severities:
            self.check(severity)

    def check(self, severity: float) -> float:
        """The severity as a float, refused outside the valid range."""
        low, high = self.valid
        if severity == self.nothing or low <= severity <= high:
            return float(severity)
        raise UnusableInput(
            f"{self.name}: {self.parameter} must lie in {low:g} … {high:g} {self.unit}, got {severity:g}; "
            f"the ladder is {', '.join(format(s, 'g') for s in self.severities)}"
        )

    def may_be_undone(self, severity: float) -> bool:
        """Whether scores identical to clean ones are no fault at that severity.

        >>> from mammo_fixtures import PERTURBATIONS
        >>> [PERTURBATIONS["bit_depth"].may_be_undone(bits) for bits in (10, 8, 7)]
        [True, True, False]
        """
        return self.may_cancel and severity >= self.may_cancel_from

    @property
    def falling(self) -> bool:
        """Whether the smallest number is the strongest severity."""
        return self.severities[0] > self.severities[-1]

    @property
    def severity_in_words(self) -> str:
        """What a severity says and its unit, once where they are the same words.

        >>> from mammo_fixtures import PERTURBATIONS
        >>> PERTURBATIONS["lowpass"].severity_in_words, PERTURBATIONS["rotation"].severity_in_words
        ('wavelength, mm', 'degrees')
        """
        in_unit = self.unit.rpartition("/")[2]
        for ending in (f"_per_{in_unit}", f"_{in_unit}"):
            if self.parameter.endswith(ending):
                return f"{self.parameter.removesuffix(ending).replace('_', ' ')}, {self.unit}"
        said = self.parameter.replace("_", " ")
        same = self.unit.replace(" ", "").startswith(said.replace(" ", "").removesuffix("s"))
        return self.unit if same else f"{said}, {self.unit}"

    def label(self, severity: float) -> str:
        """The severity in a test id: zero-padded to one width, then the unit.

        >>> from mammo_fixtures import PERTURBATIONS
        >>> PERTURBATIONS["lowpass"].label(0.5)
        '0.50mm'
        """
        if math.isinf(severity):
            return f"inf{self.unit_label}"
        decimals = self.decimals
        while float(f"{severity:.{decimals}f}") != severity and decimals < 17:
            decimals += 1
        width = self.integer_digits + (1 + decimals if decimals else 0)
        return f"{severity:0{width}.{decimals}f}{self.unit_label}"
