"""What the self-tests of classifiers share."""

import pytest
import torch

from mammo_fixtures.classifiers.tests.tiny_network import Tiny


@pytest.fixture
def tiny():
    torch.manual_seed(3)
    return Tiny().eval()
