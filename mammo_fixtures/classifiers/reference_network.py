"""The reference classifier's network: a branch for fine grains and a branch for masses, joined to one logit."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

MASS_GRID = 8
"""The mass branch sees averages over so many pixels a side: 0.8 mm, blind to what a fine low-pass takes away."""
SURROUNDINGS = 21
"""Cells a side of the surroundings, 17 mm, that a cell of the mass branch is compared with."""
BACKGROUND = 0.02
"""Averages below this fraction of full scale are background."""
DETAIL_CHANNELS = (8, 12, 12, 16, 16, 16)
MASS_CHANNELS = (16, 16, 16, 16, 16)
# typical deviations of a grain and of a mass are brought to about 1
DETAIL_GAIN = 25.0
MASS_GAIN = 8.0


class ReferenceNetwork(nn.Module):
    """Fully convolutional: views (batch, 1, rows, columns) of any size in, logits (batch,) out.

    Each branch draws a map of suspicion; the logit of a view is a smooth maximum over both maps, each first scaled to
    one measure by the four numbers of `joint`, fitted on breasts that neither branch was trained on.
    """

    def __init__(self, *, normalised: bool = False) -> None:
        """`normalised` puts the batch normalisation in that training needs and `folded` takes out."""
        super().__init__()
        self.detail = DetailBranch(normalised=normalised)
        self.mass = MassBranch(normalised=normalised)
        self.joint = nn.Parameter(torch.tensor([1.0, 0.0, 1.0, 0.0]))

    def forward(self, views: Tensor) -> Tensor:
        return self.join(*self.evidence(views))

    def evidence(self, views: Tensor) -> tuple[Tensor, Tensor]:
        """Smooth maxima (batch,) of the two maps."""
        short = [max(0, 2 * MASS_GRID - length) for length in views.shape[2:]]
        if any(short):
            views = functional.pad(views, (0, short[1], 0, short[0]))
        detail = self.detail(views).flatten(1)
        mass = self.mass(functional.avg_pool2d(views, MASS_GRID)).flatten(1)
        return torch.logsumexp(detail, 1), torch.logsumexp(mass, 1)

    def join(self, detail: Tensor, mass: Tensor) -> Tensor:
        """One logit (batch,) from the evidence of both branches."""
        detail_slope, detail_offset, mass_slope, mass_offset = self.joint
        return torch.logaddexp(detail_slope * detail + detail_offset, mass_slope * mass + mass_offset)


class DetailBranch(nn.Module):
    """Map of clusters, a cell 0.8 mm, from the pixels; its first filters are blind to brightness."""

    def __init__(self, *, normalised: bool) -> None:
        super().__init__()
        a, b, c, d, e, f = DETAIL_CHANNELS
        self.first = nn.Conv2d(1, a, 5, stride=2, padding=2)  # 0.2 mm
        self.rest = nn.Sequential(
            nn.ReLU(inplace=True),
            *_layer(a, b, normalised, stride=2),  # 0.4 mm
            *_layer(b, c, normalised),
            *_layer(c, d, normalised, stride=2),  # 0.8 mm
            *_layer(d, e, normalised, dilation=2),
            *_layer(e, f, normalised, dilation=3),
            _last(f),
        )

    def forward(self, views: Tensor) -> Tensor:
        weight = self.first.weight
        weight = DETAIL_GAIN * (weight - weight.mean((2, 3), keepdim=True))
        result: Tensor = self.rest(functional.conv2d(views, weight, self.first.bias, stride=2, padding=2))
        return result


class MassBranch(nn.Module):
    """Map of masses, a cell 1.6 mm, from averages over 0.8 mm and what they differ from their surroundings."""

    def __init__(self, *, normalised: bool) -> None:
        super().__init__()
        a, b, c, d, e = MASS_CHANNELS
        self.rest = nn.Sequential(
            *_layer(1, a, normalised, width=5, stride=2),  # 1.6 mm
            *_layer(a, b, normalised),
            *_layer(b, c, normalised, dilation=2),
            *_layer(c, d, normalised, dilation=4),
            *_layer(d, e, normalised),
            _last(e),
        )

    def forward(self, averages: Tensor) -> Tensor:
        breast = (averages > BACKGROUND).to(averages.dtype)
        surroundings = _mean_around(averages * breast) / _mean_around(breast).clamp(min=1e-3)
        result: Tensor = self.rest((averages - surroundings) * breast * MASS_GAIN)
        return result


def folded(trained: ReferenceNetwork) -> ReferenceNetwork:
    """The same function without batch normalisation."""
    trained.eval()
    network = ReferenceNetwork()
    network.detail.first.load_state_dict(trained.detail.first.state_dict())
    for source, target in ((trained.detail, network.detail), (trained.mass, network.mass)):
        layers = list(source.rest)
        convolutions = iter(layer for layer in target.rest if isinstance(layer, nn.Conv2d))
        for layer, following in zip(layers, [*layers[1:], None], strict=True):
            if isinstance(layer, nn.Conv2d):
                fused = nn.utils.fuse_conv_bn_eval(layer, following) if isinstance(following, nn.BatchNorm2d) else layer
                next(convolutions).load_state_dict(fused.state_dict())
    network.joint.data.copy_(trained.joint.data)
    return network.eval()


def _layer(
    inputs: int, outputs: int, normalised: bool, *, width: int = 3, stride: int = 1, dilation: int = 1
) -> list[nn.Module]:
    padding = width // 2 * dilation
    convolution = nn.Conv2d(inputs, outputs, width, stride=stride, padding=padding, dilation=dilation)
    return [convolution, *([nn.BatchNorm2d(outputs)] if normalised else []), nn.ReLU(inplace=True)]


def _last(inputs: int) -> nn.Conv2d:
    convolution = nn.Conv2d(inputs, 1, 1)
    # a cell is far more often healthy than not
    nn.init.constant_(convolution.bias, -6.0)  # type: ignore[arg-type]
    return convolution


def _mean_around(cells: Tensor) -> Tensor:
    half = SURROUNDINGS // 2
    along = functional.avg_pool2d(cells, (SURROUNDINGS, 1), stride=1, padding=(half, 0))
    return functional.avg_pool2d(along, (1, SURROUNDINGS), stride=1, padding=(0, half))
