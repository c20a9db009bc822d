"""What a GPU makes in a few calls is what a CPU makes tile by tile."""

import pytest

from mammo_fixtures.perturbations import Shared, resampling
from mammo_fixtures.perturbations.geometry_sources import SOURCES
from mammo_fixtures.perturbations.resampling import resample
from mammo_fixtures.perturbations.resampling_control import there_and_back
from mammo_fixtures.perturbations.tests.test_geometry import BY_NAME, breast


@pytest.mark.parametrize("wall", ["left", "right"])
@pytest.mark.parametrize("shape", [(293, 239), (256, 384), (300, 3), (1, 5), (5, 1)])
@pytest.mark.parametrize("background", [0.0, 1.0])
def test_all_tiles_at_once_as_on_a_gpu_give_the_pixels_of_one_after_another(monkeypatch, wall, shape, background):
    shared = Shared(breast(shape, wall, background))
    sources = [source(shared, s) for name, source in SOURCES.items() for s in BY_NAME[name].severities[::2]]
    frame = {"chest_wall": shared.chest_wall, "background": shared.background, "content": shared.content, "out": None}

    def images():
        moved = [resample(shared.pixels, source, **frame) for source in sources]
        return moved + [there_and_back(shared, source) for source in sources]

    one_after_another = images()
    at_once, made = resampling.all_tiles, []
    monkeypatch.setattr(resampling, "_by_tiles", lambda pixels: False)
    monkeypatch.setattr(resampling, "all_tiles", lambda *given: made.append(1) or at_once(*given))
    for ours, theirs in zip(images(), one_after_another, strict=True):
        assert (ours - theirs).abs().max() < 1e-6
    assert len(made) >= len(sources)
