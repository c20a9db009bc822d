"""The displacement that undoes another one: held against plain repetition in double precision."""

import pytest
import torch

from mammo_fixtures import View, perturb
from mammo_fixtures.perturbations import Shared, resampling_control
from mammo_fixtures.perturbations.inverse_field import inverse_field
from mammo_fixtures.perturbations.tests.drawn_views import view
from mammo_fixtures.perturbations.tests.test_resampling_control import SPACING, smooth


def by_repetition(field, amount):
    """What `inverse_field` computes, step by step until nothing moves any more."""
    planes = field.double().permute(2, 0, 1)[None]
    rows, columns = field.shape[:2]
    down, right = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")
    places, last = torch.stack([right, down], dim=-1), torch.tensor([columns - 1, rows - 1]).double()
    inverse = torch.zeros_like(field, dtype=torch.float64)
    for _ in range(400):
        grid = (places + inverse * amount) / last * 2 - 1
        sampled = torch.nn.functional.grid_sample(planes, grid[None], padding_mode="border", align_corners=True)[0]
        moved = (inverse + sampled.permute(1, 2, 0)).abs().max()
        inverse = -sampled.permute(1, 2, 0)
        if moved * amount < 1e-8:
            return inverse.float()
    raise AssertionError("repetition does not come to an end")


@pytest.mark.parametrize("severity_mm", [0.5, 2, 8, 10])
@pytest.mark.parametrize("exam_id", ["1", "2", "3"])
def test_it_is_what_repetition_comes_to(exam_id, severity_mm):
    pixels = torch.full((393, 257), 0.5).numpy()  # a last row and a last column that are tiles of their own
    given = View.from_array(
        pixels, pixel_spacing_mm=(0.2, 0.2), side="L", position="CC", intensity_range=(0, 1), exam_id=exam_id
    )
    field, amount = Shared(given).elastic_field, severity_mm / 0.2
    expected = by_repetition(field, amount)
    assert (inverse_field(field, amount) - expected).abs().max() * amount < 1e-4, "pixels"


@pytest.mark.parametrize("severity_mm", [0.5, 2, 8])
def test_the_control_is_that_of_repetition_to_3e_6_of_full_scale(monkeypatch, severity_mm):
    given = view(smooth(), SPACING)
    found = perturb(given, "elastic_control", severity_mm)
    monkeypatch.setattr(resampling_control, "inverse_field", by_repetition)
    expected = perturb(given, "elastic_control", severity_mm)
    assert (found - expected).abs().max() < 3e-6
