"""The reference classifier's network: a branch for fine grains and a branch for masses, joined to one logit."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

MASS_GRID = 8
"""The mass branch sees averages over so many pixels a side: 0.8 mm, blind to what a fine low-pass takes away."""
DETAIL_CHANNELS = (8, 12, 12, 16, 16, 16)
MASS_CHANNELS = (12, 24, 24, 24, 24)


class ReferenceNetwork(nn.Module):
    """Fully convolutional: views (batch, 1, rows, columns) of any size in, logits (batch,) out.

    Each branch draws a map of suspicion; the logit of a view is a smooth maximum over both maps, each first scaled to
    one measure by the four numbers of `joint`, fitted on breasts that neither branch was trained on.
    """

    def __init__(self) -> None:
        super().__init__()
        self.detail = _detail_branch()
        self.mass = _mass_branch()
        self.joint = nn.Parameter(torch.tensor([1.0, 0.0, 1.0, 0.0]))

    def forward(self, views: Tensor) -> Tensor:
        return self.join(*self.evidence(views))

    def evidence(self, views: Tensor) -> tuple[Tensor, Tensor]:
        """Smooth maxima (batch,) of the two maps."""
        views = at_least_one_cell(views)
        detail = self.detail(views).flatten(1)
        mass = self.mass(functional.avg_pool2d(views, MASS_GRID)).flatten(1)
        return torch.logsumexp(detail, 1), torch.logsumexp(mass, 1)

    def join(self, detail: Tensor, mass: Tensor) -> Tensor:
        """One logit (batch,) from the evidence of both branches."""
        detail_slope, detail_offset, mass_slope, mass_offset = self.joint
        return torch.logaddexp(detail_slope * detail + detail_offset, mass_slope * mass + mass_offset)


def at_least_one_cell(views: Tensor) -> Tensor:
    """Views padded with background where they are smaller than a cell of the coarsest map."""
    short = [max(0, 2 * MASS_GRID - length) for length in views.shape[2:]]
    return functional.pad(views, (0, short[1], 0, short[0])) if any(short) else views


def _detail_branch() -> nn.Sequential:
    a, b, c, d, e, f = DETAIL_CHANNELS
    return nn.Sequential(
        nn.Conv2d(1, a, 5, stride=2, padding=2),  # 0.2 mm
        nn.ReLU(inplace=True),
        nn.Conv2d(a, b, 3, stride=2, padding=1),  # 0.4 mm
        nn.ReLU(inplace=True),
        nn.Conv2d(b, c, 3, padding=1),
        nn.ReLU(inplace=True),
        nn.Conv2d(c, d, 3, stride=2, padding=1),  # 0.8 mm
        nn.ReLU(inplace=True),
        nn.Conv2d(d, e, 3, padding=2, dilation=2),
        nn.ReLU(inplace=True),
        nn.Conv2d(e, f, 3, padding=3, dilation=3),
        nn.ReLU(inplace=True),
        nn.Conv2d(f, 1, 1),
    )


def _mass_branch() -> nn.Sequential:
    a, b, c, d, e = MASS_CHANNELS
    return nn.Sequential(
        nn.Conv2d(1, a, 3, padding=1),  # 0.8 mm
        nn.ReLU(inplace=True),
        nn.Conv2d(a, b, 3, stride=2, padding=1),  # 1.6 mm
        nn.ReLU(inplace=True),
        nn.Conv2d(b, c, 3, padding=1),
        nn.ReLU(inplace=True),
        nn.Conv2d(c, d, 3, padding=2, dilation=2),
        nn.ReLU(inplace=True),
        nn.Conv2d(d, e, 3, padding=4, dilation=4),
        nn.ReLU(inplace=True),
        nn.Conv2d(e, e, 3, padding=1),
        nn.ReLU(inplace=True),
        nn.Conv2d(e, 1, 1),
    )
