"""A classifier: a network and, declared once, what it reads and what its score means."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import Any

from mammo_fixtures.classifiers.source_files import remember
from mammo_fixtures.errors import UnusableInput

FOUR_VIEWS = ("L-CC", "R-CC", "L-MLO", "R-MLO")


@dataclass(frozen=True, slots=True, eq=False)
class Classifier:
    """A network and what it reads.

    The network is called with a float32 tensor (batch, channels, rows, columns) and gives (batch,) or (batch, 1)
    scores, larger meaning more suspicious. At exam level it is called with a dict of such tensors, keyed `L-CC`,
    `R-CC`, `L-MLO`, `R-MLO`, and gives a dict of (batch,) scores keyed `L` and `R`.
    """

    network: Callable[..., Any]
    _: KW_ONLY
    name: str = ""
    level: str = "view"
    """`view`: each view is scored and a breast's score is `aggregate` over its views. `exam`: all views at once."""
    score: str = "probability"
    """`probability` in [0, 1], checked, or `logit`, any finite number."""
    aggregate: str | Callable[[Mapping[str, float]], float] = "mean"
    """`mean` or `max` over the views of a breast, or a rule of one's own: a function from the scores by position,
    such as `{"CC": 0.2, "MLO": 0.4}`, to the breast's score."""
    input_size: tuple[int, int] | None = None
    """(rows, columns) the network needs; None where it takes any size."""
    fit: str = "resize"
    """How a view comes to `input_size`: `resize`, or `pad` (crop or pad, chest wall kept, vertically centred)."""
    pixel_spacing_mm: float | None = None
    """Pixel size the network was made for; views are resampled to it. None: as stored."""
    intensity: tuple[float, float] = (0.0, 1.0)
    """Values the network expects for the ends of a view's declared intensity range."""
    integers: bool = False
    """Whether values are clipped to the range and rounded, as for a network fed with integer pixels."""
    voi: bool = False
    """Whether the view's own VOI LUT is applied first."""
    chest_wall: str | None = None
    """Image side that the network expects the chest wall on, `left` or `right`. None: as stored."""
    channels: int = 1
    views: tuple[str, ...] = FOUR_VIEWS
    """Views an exam-level network needs."""
    missing_views: str = "refuse"
    """What an exam-level network gets where an exam lacks one of them: `refuse` stops with that exam's name, `blank`
    hands it an image of the darkest value, `leave_out` a dict without that view."""
    cancels: tuple[str, ...] = ()
    """Perturbations that the network undoes exactly, such as `contrast` where it standardises each image."""
    fingerprint: str = ""
    """A text that changes whenever scores may; needed only to keep the scores of what is no `torch.nn.Module`, or of
    one that cannot be looked into."""
    notes: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, holds, rule in _RULES:
            got = getattr(self, name)
            try:
                good = holds(got)
            except (TypeError, ValueError, AttributeError):  # a number where a pair belongs, and the like
                good = False
            if not good:
                raise UnusableInput(f"{called(self.name)}: {rule}, got {got!r}")
        if self.integers and abs(self.intensity[1] - self.intensity[0]) <= 1:
            raise UnusableInput(
                f"{called(self.name)}: integers need the intensity that they range over, such as (0, 4095), got "
                f"{self.intensity!r}"
            )
        # A function says so itself, an object by its class.
        remember(str(getattr(self.network, "__module__", None) or type(self.network).__module__))


def called(name: object, what: str = "classifier") -> str:
    """How messages begin: `classifier release`, or `classifier` where it has no name."""
    return f"{what} {name}" if name and isinstance(name, str) and name.isprintable() else what


_RULES: tuple[tuple[str, Callable[[Any], bool], str], ...] = (
    ("network", callable, "network must be callable"),
    ("network", lambda it: not isinstance(it, type), "network must be made already, not its class"),
    ("name", str.isprintable, "name must be printable text in one line"),
    ("level", lambda it: it in ("view", "exam"), "level must be 'view' or 'exam'"),
    ("score", lambda it: it in ("probability", "logit"), "score must be 'probability' or 'logit'"),
    (
        "aggregate",
        lambda it: callable(it) or it in ("mean", "max"),
        "aggregate must be 'mean', 'max' or a function of the scores by position",
    ),
    ("fit", lambda it: it in ("resize", "pad"), "fit must be 'resize' or 'pad'"),
    ("chest_wall", lambda it: it in (None, "left", "right"), "chest_wall must be 'left', 'right' or None"),
    ("channels", lambda it: it in (1, 3), "channels must be 1 or 3"),
    (
        "input_size",
        lambda it: it is None or (len(it) == 2 and all(operator.index(n) > 0 for n in it)),
        "input_size must be (rows, columns) or None",
    ),
    (
        "pixel_spacing_mm",
        lambda it: it is None or 0 < it < 100,
        "pixel_spacing_mm must be a positive length in mm or None",
    ),
    (
        "intensity",
        lambda it: len(it) == 2 and all(map(math.isfinite, it)) and it[0] != it[1],
        "intensity must be two different values",
    ),
    ("fingerprint", lambda it: isinstance(it, str), "fingerprint must be a text"),
    (
        "missing_views",
        lambda it: it in ("refuse", "blank", "leave_out"),
        "missing_views must be 'refuse', 'blank' or 'leave_out'",
    ),
    (
        "views",
        lambda it: bool(it) and all(view[:2] in ("L-", "R-") for view in it),
        "views must name at least one view, such as L-CC",
    ),
)
"""By field: what must hold of it."""
