"""What leaves the image, and what interpolation alone does."""

import numpy as np
import pytest
from scipy import ndimage

from mammo_fixtures import View
from mammo_fixtures.perturbations import Shared
from mammo_fixtures.perturbations.geometry import CROP, ELASTIC, POSTERIOR_CUT, ROTATION, TRANSLATION
from mammo_fixtures.perturbations.geometry_sources import SOURCES
from mammo_fixtures.perturbations.share_kept import share_kept


def block(rows=(100, 300), columns=(0, 100), shape=(400, 300), region=None, spacing=(0.5, 0.5)):
    pixels = np.zeros(shape, dtype=np.float32)
    pixels[slice(*rows), slice(*columns)] = 0.5
    marked = None
    if region:
        marked = np.zeros(shape, dtype=bool)
        marked[slice(*region[0]), slice(*region[1])] = True
    return Shared(
        View.from_array(
            pixels, pixel_spacing_mm=spacing, side="L", position="CC", intensity_range=(0, 1), exam_id="1",
            chest_wall="left", region=marked,
        )
    )  # fmt: skip


@pytest.mark.parametrize("depth_mm", [2, 5, 10, 15, 20])
def test_posterior_cut_loses_its_depth(depth_mm):
    shared = block(region=((180, 200), (0, 40)))
    breast, region = share_kept(shared, "posterior_cut", depth_mm)
    assert breast == pytest.approx(1 - depth_mm / 50, abs=0.011)
    assert region == pytest.approx(1 - depth_mm / 20, abs=0.026)


def test_a_breast_at_the_edge_is_shifted_out():
    shares = [share_kept(block(rows=rows), "translation", 20)[0] for rows in ((0, 200), (200, 400))]
    assert sorted(shares) == pytest.approx([0.8, 1.0], abs=0.006)


@pytest.mark.parametrize("share", CROP.severities)
def test_crop_keeps_its_share_of_a_rectangular_breast(share):
    assert share_kept(block(), "crop", share)[0] == pytest.approx(share, abs=0.02)


@pytest.mark.parametrize("name", ["rotation", "magnification", "elastic"])
def test_what_follows_pixels_agrees_with_the_image_made(name):
    # Marks every clean pixel that some new pixel comes from.
    shared = block(rows=(40, 360), columns=(0, 280))
    severity = {"rotation": 15, "magnification": 20, "elastic": 8}[name]
    source = SOURCES[name](shared, severity)
    rows, columns = shared.view.shape
    places = np.einsum("ij,jrc->irc", np.array(source.matrix), np.indices((rows, columns)))
    places += np.array(source.offset)[:, None, None]
    if source.displacement is not None:
        places += source.amount * np.moveaxis(source.displacement.numpy(), 2, 0)[::-1]
    seen = np.zeros((rows, columns), dtype=bool)
    at = np.rint(places).astype(int)
    inside = ((at >= 0) & (at < np.array([rows, columns])[:, None, None])).all(axis=0)
    seen[at[0][inside], at[1][inside]] = True
    seen = ndimage.binary_closing(np.pad(seen, 3, mode="edge"), iterations=2)[3:-3, 3:-3]
    expected = seen[shared.mask_array].mean()
    assert share_kept(shared, name, severity)[0] == pytest.approx(expected, abs=0.02)


def test_mirror_loses_nothing():
    assert share_kept(block(), "mirror", 1) == (1.0, None)


def test_under_95_per_cent_is_flagged_for_breast_and_region():
    shared = block(region=((180, 200), (0, 40)))
    assert POSTERIOR_CUT.flag(shared, 2) == "under 95% of the lesion's region stays in the image"
    assert POSTERIOR_CUT.flag(shared, 10) == ("under 95% of the breast and of the lesion's region stays in the image")
    assert POSTERIOR_CUT.flag(block(), 2) == ""
    assert CROP.flag(block(), 0.5) == "under 95% of the breast stays in the image"
    for record in (ROTATION, TRANSLATION, ELASTIC):
        assert record.flag(block(), record.severities[0]) == ""


def test_no_breast_loses_nothing():
    black = Shared(
        View.from_array(
            np.zeros((40, 30), np.float32), pixel_spacing_mm=(0.1, 0.1), side="L", position="CC", intensity_range=(0, 1)
        )
    )
    for record in (ROTATION, TRANSLATION, POSTERIOR_CUT, CROP, ELASTIC):
        assert record.flag(black, record.severities[-1]) == ""
