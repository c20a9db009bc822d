"""A classifier: a network and, declared once, what it reads and what its score means."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import Any

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
        rules = (
            (callable(self.network), "network must be callable", self.network),
            (not isinstance(self.network, type), "network must be made already, not its class", self.network),
            (self.name.isprintable(), "name must be printable text in one line", self.name),
            (self.level in ("view", "exam"), "level must be 'view' or 'exam'", self.level),
            (self.score in ("probability", "logit"), "score must be 'probability' or 'logit'", self.score),
            (
                callable(self.aggregate) or self.aggregate in ("mean", "max"),
                "aggregate must be 'mean', 'max' or a function of the scores by position",
                self.aggregate,
            ),
            (self.fit in ("resize", "pad"), "fit must be 'resize' or 'pad'", self.fit),
            (self.chest_wall in (None, "left", "right"), "chest_wall must be 'left', 'right' or None", self.chest_wall),
            (self.channels in (1, 3), "channels must be 1 or 3", self.channels),
            (
                self.input_size is None or (len(self.input_size) == 2 and min(self.input_size) > 0),
                "input_size must be (rows, columns) or None",
                self.input_size,
            ),
            (
                self.pixel_spacing_mm is None or 0 < self.pixel_spacing_mm < 100,
                "pixel_spacing_mm must be a positive length in mm or None",
                self.pixel_spacing_mm,
            ),
            (
                len(self.intensity) == 2
                and all(map(math.isfinite, self.intensity))
                and self.intensity[0] != self.intensity[1],
                "intensity must be two different values",
                self.intensity,
            ),
            (
                not self.integers or abs(self.intensity[1] - self.intensity[0]) > 1,
                "integers need the intensity that they range over, such as (0, 4095)",
                self.intensity,
            ),
            (
                self.missing_views in ("refuse", "blank", "leave_out"),
                "missing_views must be 'refuse', 'blank' or 'leave_out'",
                self.missing_views,
            ),
            (
                bool(self.views) and all(view[:2] in ("L-", "R-") for view in self.views),
                "views must name at least one view, such as L-CC",
                self.views,
            ),
        )
        for holds, rule, got in rules:
            if not holds:
                raise UnusableInput(f"classifier {self.name or '?'}: {rule}, got {got!r}")
