"""A network of the size that screening classifiers have: 22 layers, 2.8 million weights, no training.

After the view network of Wu et al., "Deep neural networks improve radiologists' performance in breast cancer
screening", IEEE Transactions on Medical Imaging 39 (2020): five stages of two blocks, 16 to 256 channels, activation
before convolution (He et al., "Identity mappings in deep residual networks", 2016). Written anew for measuring.
"""

import torch
from torch import nn

from mammo_fixtures import Classifier

SIZE = (2944, 1920)
CHANNELS = (16, 32, 64, 128, 256)


class Block(nn.Module):
    """Two 3 × 3 convolutions beside the identity."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.norm1 = nn.BatchNorm2d(inputs)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        same = inputs == outputs and stride == 1
        self.beside = nn.Identity() if same else nn.Conv2d(inputs, outputs, 1, stride=stride, bias=False)

    def forward(self, maps):
        active = torch.relu(self.norm1(maps))
        return self.conv2(torch.relu(self.norm2(self.conv1(active)))) + self.beside(active)


class ResNet22(nn.Module):
    """Views (batch, 1, rows, columns) in, logits (batch,) out."""

    def __init__(self):
        super().__init__()
        stages = zip((CHANNELS[0], *CHANNELS), CHANNELS, (1, 2, 2, 2, 2), strict=False)
        self.first = nn.Conv2d(1, CHANNELS[0], 7, stride=2, bias=False)
        self.pool = nn.MaxPool2d(3, stride=2)
        self.blocks = nn.Sequential(
            *(block for i, o, stride in stages for block in (Block(i, o, stride), Block(o, o, 1)))
        )
        self.last = nn.BatchNorm2d(CHANNELS[-1])
        self.head = nn.Linear(CHANNELS[-1], 1)

    def forward(self, views):
        maps = torch.relu(self.last(self.blocks(self.pool(self.first(views)))))
        return self.head(maps.mean((2, 3))).squeeze(1)


def load():
    """A classifier of the usual size; its scores mean nothing."""
    generator = torch.Generator().manual_seed(0)
    network = ResNet22()
    for weights in network.parameters():
        if weights.ndim > 1:
            spread = (2 / weights[0].numel()) ** 0.5
            weights.data.copy_(spread * torch.randn(weights.shape, generator=generator))
    return Classifier(network, name="ResNet-22, untrained", score="logit", input_size=SIZE)
