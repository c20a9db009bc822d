"""The smallest network worth a file: stored, read again and held against itself."""

import pytest
import torch

from mammo_fixtures import UnusableInput, load_classifier
from mammo_fixtures.classifiers.inference import Inference
from mammo_fixtures.classifiers.tests.stored_networks import ANY, write_exported

DECLARED = 'score = "probability"\nintensity = [0, 1]\n'
VIEWS = torch.rand(2, 1, 6, 4)


class Tiny(torch.nn.Module):
    """A probability from the mean of a view; dropout tells whether it is in evaluation mode."""

    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(1, 1)
        self.drop = torch.nn.Dropout(0.5)

    def forward(self, views):
        return torch.sigmoid(self.drop(self.layer(views.mean(dim=(2, 3)))))


def exported(tiny, path, inside=DECLARED, shapes=None, example=VIEWS):
    return write_exported(tiny, path, example, inside, ({0: ANY, 2: ANY, 3: ANY},) if shapes is None else shapes)


def scores(classifier, count=2):
    inputs = [VIEWS[i % 2] for i in range(count)]
    return Inference(classifier, device="cpu").view_scores(inputs, [f"view {i}" for i in range(count)])


def expected(tiny, count=2):
    with torch.inference_mode():
        return [tiny(VIEWS)[i % 2].item() for i in range(count)]


def refused(path, **how):
    with pytest.raises(UnusableInput) as caught:
        load_classifier(str(path), **how)
    assert "\n" not in str(caught.value)
    return str(caught.value)
