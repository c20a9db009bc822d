"""The control of geometric perturbations: everything in its place, interpolated twice."""

import numpy as np
import pytest

from mammo_fixtures import perturb
from mammo_fixtures.perturbations.tests.drawn_views import view

SPACING = (0.4, 0.4)


def smooth(shape=(300, 250)):
    """Tissue without fine detail that fades before it reaches the image's edges but the chest wall."""
    row, column = np.indices(shape) / np.array(shape)[:, None, None]
    fade = np.cos(np.pi / 2 * np.clip(column / 0.8, 0, 1)) ** 2 * np.sin(np.pi * row) ** 2
    return fade * (0.5 + 0.2 * np.sin(9 * row + 5 * column))


MOVEMENTS = [("rotation", 15), ("translation", 20), ("posterior_cut", 20), ("magnification", 20), ("elastic", 8)]


@pytest.mark.parametrize("wall", ["left", "right"])
@pytest.mark.parametrize(("name", "severity"), MOVEMENTS)
def test_smooth_tissue_comes_back_to_its_place_up_to_the_edges(name, severity, wall):
    pixels = smooth() if wall == "left" else smooth()[:, ::-1]
    given = view(pixels, SPACING, chest_wall=wall)
    control, moved = (perturb(given, each, severity).numpy() for each in (f"{name}_control", name))
    # Rotation and elastic reveal chest-wall pixels that repeat the edge, so that the canvas is bent there.
    inner = np.s_[:, 25:-25] if name in ("rotation", "elastic") else np.s_[:, 1:-1]
    assert np.abs(moved - pixels).max() > 0.05
    assert np.abs(control - pixels)[inner].max() < 0.01


@pytest.mark.parametrize(("name", "severity"), MOVEMENTS)
def test_fine_texture_is_low_passed(name, severity):
    noise = np.random.default_rng(1).random((300, 250))
    given = view(noise, (0.41, 0.41))
    control = perturb(given, f"{name}_control", severity).numpy()
    inner = np.s_[60:-60, 60:-60]
    assert control[inner].std() < 0.9 * noise[inner].std()


def test_movements_by_whole_pixels_are_the_clean_image_bit_for_bit():
    given = view(np.random.default_rng(2).random((60, 50)), (0.5, 0.5))
    for name, severity in (("translation", 5), ("posterior_cut", 10), ("rotation", 0)):
        assert perturb(given, f"{name}_control", severity).numpy().tobytes() == given.pixels.tobytes(), name
