"""Laws that hold for every perturbation of the catalogue, each written once."""

import numpy as np
import pytest
import torch

from mammo_fixtures import PERTURBATIONS, UnusableInput, View, perturb
from mammo_fixtures.perturbations.fourier_map import FOURIER_CELLS

every_record = pytest.mark.parametrize("record", PERTURBATIONS.every, ids=lambda record: record.name)
OF_ONE_VIEW = [record for record in (*PERTURBATIONS, *FOURIER_CELLS) if record.needs in ("", "region")]
every_view_record = pytest.mark.parametrize("record", OF_ONE_VIEW, ids=lambda record: record.name)
"""Those that one view is enough for; what needs an exam or a classifier has tests of its own."""


def breast(shape=(160, 120), exam_id="17", spacing=(0.4, 0.4)):
    """A half disc of smooth tissue at the left edge, background exactly zero."""
    row, column = np.indices(shape) / np.array(shape)[:, None, None]
    inside = (row - 0.5) ** 2 / 0.16 + column**2 / 0.64 < 1
    tissue = 0.5 + 0.2 * np.sin(9 * row + 5 * column) + 0.1 * np.random.default_rng(5).random(shape)
    return View.from_array(
        np.where(inside, tissue, 0).astype(np.float32),
        pixel_spacing_mm=spacing, side="L", position="CC", exam_id=exam_id, intensity_range=(0, 1),
        region=(row - 0.5) ** 2 + (column - 0.3) ** 2 < 0.01,
    )  # fmt: skip


@every_record
def test_severity_nothing_is_identity_bit_for_bit(record):
    view = breast()
    assert perturb(view, record.name, record.nothing).numpy().tobytes() == view.pixels.tobytes()


@every_view_record
def test_input_untouched_and_result_in_fresh_memory(record):
    view = breast()
    before = view.pixels.copy()
    result = perturb(view, record.name, record.severities[-1])
    result.fill_(7)
    assert np.array_equal(view.pixels, before)


@every_view_record
@pytest.mark.parametrize("shape", [(160, 120), (161, 97), (33, 70)])
@pytest.mark.parametrize("spacing", [(0.4, 0.4), (0.3, 0.6)])
def test_shape_dtype_and_finite(record, shape, spacing):
    stack = perturb(breast(shape, spacing=spacing), record.name, record.severities)
    assert stack.shape == (len(record.severities), *shape)
    assert stack.dtype == torch.float32
    assert stack.isfinite().all()


@every_view_record
def test_one_severity_equals_its_place_in_the_ladder(record):
    view = breast()
    stack = perturb(view, record.name, record.severities)
    for image, severity in zip(stack, record.severities, strict=True):
        assert torch.equal(image, perturb(view, record.name, severity))


@every_view_record
def test_same_key_same_pixels_other_exam_other_pixels(record):
    severity = record.severities[-1]
    one = perturb(breast(), record.name, severity)
    torch.randn(3)  # neither reads nor disturbs the global generator
    assert torch.equal(one, perturb(breast(), record.name, severity))
    # Several others, because some perturbations draw one of two directions.
    exams = [perturb(breast(exam_id=str(other)), record.name, severity) for other in range(18, 24)]
    seeds = [perturb(breast(), record.name, severity, seed=other) for other in range(1, 7)]
    for others in (exams, seeds):
        assert all(torch.equal(one, other) for other in others) != record.keyed


@every_view_record
def test_changes_the_pixels_and_more_so_with_severity(record):
    # Large enough for one pixel in ten thousand to be more than one in a hundred thousand.
    view = breast((480, 360), spacing=(0.1, 0.1))
    distance = [
        float((image - torch.tensor(view.pixels)).norm()) for image in perturb(view, record.name, record.severities)
    ]
    if record.redeclare:
        assert max(distance) == 0
        spacings = [record.redeclare(view, severity).pixel_spacing_mm for severity in record.severities]
        assert len({view.pixel_spacing_mm, *spacings}) == 1 + len(record.severities)
        return
    assert min(distance) > 0
    if record.ladder == "monotone":
        assert distance == sorted(distance)
        assert len(set(distance)) == len(distance)


@pytest.mark.parametrize("image", ["phantom", "mammogram"])
@pytest.mark.parametrize(
    "record", [r for r in OF_ONE_VIEW if r.ladder == "monotone" and not r.redeclare], ids=lambda record: record.name
)
def test_a_breast_changes_more_with_severity(record, image, request):
    view = request.getfixturevalue(image)
    clean = torch.tensor(view.pixels)
    distance = [float((perturb(view, record.name, s) - clean).norm()) for s in record.severities]
    assert distance[0] > 0
    assert distance == sorted(distance)


@every_view_record
@pytest.mark.parametrize(
    "pixels", [np.zeros((1, 1)), np.ones((1, 1)), np.zeros((40, 30))], ids=["one-black", "one-white", "black"]
)
def test_images_without_a_breast(record, pixels):
    view = View.from_array(
        pixels.astype(np.float32), pixel_spacing_mm=(0.1, 0.1), side="R", position="MLO", intensity_range=(0, 1)
    )
    assert perturb(view, record.name, record.severities).isfinite().all()


@every_record
def test_refuses_severities_that_mean_nothing(record):
    for severity in (float("nan"), record.valid[0] - 1e3, record.valid[1] + 1e3):
        with pytest.raises(UnusableInput, match=f"^{record.name}: {record.parameter} must "):
            perturb(breast(), record.name, severity)


def test_pixels_with_nan_are_refused():
    pixels = np.zeros((8, 8), dtype=np.float32)
    pixels[3, 3] = np.nan
    with pytest.raises(UnusableInput, match="pixels must be finite, got NaN or infinity"):
        View.from_array(pixels, pixel_spacing_mm=(0.1, 0.1), side="L", position="CC", intensity_range=(0, 1))


def test_an_unknown_name_is_met_with_the_nearest():
    with pytest.raises(UnusableInput, match="got 'low_pass'; did you mean 'lowpass'"):
        perturb(breast(), "low_pass", 1.0)


@every_record
def test_labels_are_unique_sorted_and_fit_for_ids(record):
    labels = [record.label(severity) for severity in record.severities]
    assert len({len(label) for label in labels}) == 1
    assert len(set(labels)) == len(labels)
    for label in labels:
        assert set(label) <= set("abcdefghijklmnopqrstuvwxyz0123456789_.-")
    assert record.label(record.severities[0] * 1.0009765625) not in labels


@every_record
def test_records_say_where_they_come_from(record):
    assert record.source
    assert record.unit
    assert record.name.isidentifier()
    assert set(record.shares) >= set()
    assert len(record.severities) in (1, 3, 4, 5, 6, 8)
    assert record.severities == tuple(dict.fromkeys(record.severities))


@pytest.mark.parametrize(
    "record", [record for record in PERTURBATIONS if record not in OF_ONE_VIEW], ids=lambda record: record.name
)
def test_what_one_view_is_not_enough_for_says_so(record):
    with pytest.raises(UnusableInput, match=r"got (one view|a view alone); score a cohort with score\(...\)$"):
        perturb(breast(), record.name, record.severities[0])
