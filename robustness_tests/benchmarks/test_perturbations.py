"""Every perturbation's ladder on one full-size view, what its severities share included, into a reused buffer."""

import pytest

from mammo_fixtures import PERTURBATIONS, UnusableInput
from mammo_fixtures.perturbations import Shared, apply


@pytest.mark.parametrize("record", PERTURBATIONS, ids=lambda record: record.name)
def test_ladder(record, timed, full_size_view):
    import torch

    buffer = torch.empty(full_size_view.shape, device=timed.device)

    def ladder():
        shared = Shared(full_size_view, device=timed.device)
        for severity in record.severities:
            apply(record, shared, severity, buffer)

    try:
        ladder()
    except UnusableInput as reason:
        pytest.skip(str(reason))
    timed(ladder, rounds=3, severities=len(record.severities))
    assert buffer.isfinite().all(), "what was timed must be an image"
