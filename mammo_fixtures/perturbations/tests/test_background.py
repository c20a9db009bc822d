"""The background's value where single pixels, padding or a marker are darker or brighter than it."""

import numpy as np
import pytest

from mammo_fixtures import View, perturb
from mammo_fixtures.perturbations import Shared
from mammo_fixtures.perturbations.breast_mask import background_value

SPACING = (0.3, 0.2)
ROW, COLUMN = np.mgrid[:200, :150]
BREAST = ((ROW - 100) / 90) ** 2 + ((149 - COLUMN) / 100) ** 2 < 1
TISSUE = np.random.default_rng(5).uniform(0.3, 0.7, BREAST.shape)


def pixels(background, odd=None, at=(slice(0), slice(0))):
    image = np.where(BREAST, TISSUE, background).astype(np.float32)
    image[at] = odd
    return image


@pytest.mark.parametrize(
    ("background", "odd", "at"),
    [
        (0.03, 0.0, (20, 20)),
        (0.03, 0.0, (0, 20)),
        (0.03, 0.0, (slice(0, 2), slice(None))),
        (0.03, 0.0, (slice(95, 105), slice(140, 150))),
        (0.9, 1.0, (20, 20)),
        (0.9, 1.0, (slice(None), slice(0, 2))),
    ],
    ids=["dark_pixel", "dark_pixel_on_border", "padding", "dark_tissue", "bright_pixel", "bright_edge"],
)
def test_a_background_within_the_range_is_known_by_its_border(background, odd, at):
    """One dead pixel made all of the image breast: contrast and noise then changed the air, about another mean."""
    image = pixels(background, odd, at)
    assert background_value(image) == np.float32(background)
    view = View(pixels=image, pixel_spacing_mm=SPACING, side="R", position="CC", exam_id="1", chest_wall="right")
    mask = Shared(view).mask_array
    outside = ~BREAST
    outside[at] = False
    assert not mask[outside].any()
    assert mask[BREAST].all()
    assert np.array_equal(perturb(view, "contrast", 0.5).numpy()[outside], image[outside])


def test_where_no_value_is_common_on_the_border_an_end_of_the_range_is_taken():
    noise = np.random.default_rng(3).uniform(0.1, 0.9, (60, 50)).astype(np.float32)
    assert background_value(noise) == noise.min()
    noise[:, :20] = 0.5
    noise[1:-1, 1:20] = 0.4
    assert background_value(noise) == np.float32(0.5), "more than a quarter of the border"
