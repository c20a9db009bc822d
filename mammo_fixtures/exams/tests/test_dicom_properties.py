"""Drawn DICOM attributes: pixels are those of an independent computation in float64, or one line says what is wrong."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.exams.tests.dicom_writer import EXPLICIT, IMPLICIT, SYNTAXES, data_set, write
from mammo_fixtures.exams.view_file import ViewFile
from mammo_fixtures.exams.voi import apply_voi
from mammo_fixtures.tests.drawn import examples

LIKE = 1e-6
"""float32 fractions of float64 ones."""


@st.composite
def layouts(draw):
    """Rows, columns, bits and stored values that a file may have."""
    bits = draw(st.integers(2, 16))
    signed = draw(st.booleans())
    shape = draw(st.tuples(st.integers(1, 9), st.integers(1, 9)))
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    values = draw(st.lists(st.integers(low, high), min_size=shape[0] * shape[1], max_size=shape[0] * shape[1]))
    return bits, signed, np.array(values, np.int64).reshape(shape)


def file_of(stored, path, *, bits, signed, syntax=EXPLICIT, **attributes):
    """A file of these stored values. The bits above a value are those of its sign, or noise of an old overlay."""
    allocated = 8 if bits <= 8 else 16
    if attributes.pop("noise", False) and bits < allocated:
        mask, noise = 2**bits - 1, np.arange(stored.size).reshape(stored.shape) << bits & (2**allocated - 1)
        stored = stored & mask | noise
    attributes["PixelData"] = (stored & (2**allocated - 1)).astype(f"<u{allocated // 8}").tobytes()
    dataset = data_set(np.zeros(stored.shape, np.uint16), bits=bits, signed=signed, RescaleIntercept="0")
    for keyword, value in attributes.items():
        setattr(dataset, keyword, value)
    dataset["PixelData"].VR = "OB" if allocated == 8 else "OW"
    return write(dataset, path, syntax)


def view_of(path, **stated):
    return ViewFile(exam_id="17", side="L", position="CC", path=path, **stated).read()


def outcome(path):
    """The view, or what is said of it; any other exception is a fault."""
    try:
        return view_of(path), ""
    except UnusableInput as refusal:
        return None, str(refusal)


def in_one_line(path, **stated):
    with pytest.raises(UnusableInput) as caught:
        view_of(path, **stated)
    assert str(caught.value).isprintable()
    return str(caught.value)


@examples(300)
@given(
    layout=layouts(),
    syntax=st.sampled_from([EXPLICIT, IMPLICIT, SYNTAXES["rle"]]),
    slope=st.sampled_from([1, 1, 2, 0.5, 0.1, 1.0001]),
    intercept=st.one_of(st.just(None), st.just(0), st.integers(-40_000, 40_000), st.sampled_from([0.5, -0.25])),
    photometric=st.sampled_from(["MONOCHROME1", "MONOCHROME2"]),
    shape=st.sampled_from(["IDENTITY", "INVERSE"]),
    padding=st.one_of(st.none(), st.integers(0, 35)),
    stated=st.one_of(st.none(), st.tuples(st.integers(-140_000, -70_000), st.integers(170_000, 190_000))),
    noise=st.booleans(),
)
def test_pixels_are_those_of_arithmetic_in_float64(
    layout, syntax, slope, intercept, photometric, shape, padding, stated, noise, tmp_path
):
    bits, signed, stored = layout
    if intercept is None:  # as writers of signed pixels state it
        intercept = 2 ** (bits - 1) * slope if signed else 0
    more = {}
    filler = np.zeros(stored.shape, bool)
    if padding is not None:
        value = int(stored.flat[padding % stored.size])
        more["PixelPaddingValue"], filler = value, stored == value
    path = file_of(
        stored, tmp_path / "view.dcm", bits=bits, signed=signed, syntax=syntax, PhotometricInterpretation=photometric,
        PresentationLUTShape=shape, RescaleSlope=str(slope), RescaleIntercept=str(intercept), noise=noise, **more,
    )  # fmt: skip
    low, high = stated or (0, 2**bits - 1)
    values = stored.astype(np.float64) * slope + intercept
    inside = (values[~filler] >= low) & (values[~filler] <= high)
    about = {"intensity_low": float(low), "intensity_high": float(high)} if stated else {}
    if not inside.all():
        said = in_one_line(path, **about)
        assert "must lie within" in said or "intensity_" in said, said
        return
    if photometric == "MONOCHROME1" or shape == "INVERSE":
        values = low + high - values
    expected = np.where(filler, 0.0, (values - low) / (high - low))
    view = view_of(path, **about)
    assert view.pixels.dtype == np.float32
    assert view.intensity_range == (low, high)
    assert view.pixels.shape == stored.shape
    assert np.abs(view.pixels - expected).max() <= LIKE


@examples(150)
@given(layout=layouts(), place=st.integers(0, 10**6), flip=st.integers(0, 15))
def test_one_other_bit_of_a_value_is_another_pixel(layout, place, flip, tmp_path):
    """Where the reader dropped a bit of a value, two images would be one, and have one digest."""
    bits, signed, stored = layout
    intercept = str(2 ** (bits - 1) if signed else 0)
    about = {"bits": bits, "signed": signed, "RescaleIntercept": intercept}
    before = view_of(file_of(stored, tmp_path / "view.dcm", **about)).pixels
    place, changed = place % stored.size, stored.copy()
    changed.flat[place] ^= 1 << (flip % bits)
    if signed:
        changed = (changed + 2 ** (bits - 1)) % 2**bits - 2 ** (bits - 1)
    after = view_of(file_of(changed, tmp_path / "view.dcm", **about)).pixels
    assert np.flatnonzero(before != after).tolist() == [place]


@examples(150)
@given(
    layout=layouts(),
    centre=st.integers(-3000, 70_000),
    width=st.one_of(st.integers(0, 3), st.integers(4, 70_000)),
    function=st.sampled_from(["LINEAR", "LINEAR_EXACT", "SIGMOID"]),
    photometric=st.sampled_from(["MONOCHROME1", "MONOCHROME2"]),
)
def test_windows_are_the_equations_of_the_standard(layout, centre, width, function, photometric, tmp_path):
    """PS3.3 C.11.2.1.2 and .3 on values before inversion, then the inversion that MONOCHROME1 asks for."""
    bits, signed, stored = layout
    lowest = 2 ** (bits - 1) if signed else 0
    path = file_of(
        stored, tmp_path / "view.dcm", bits=bits, signed=signed, PhotometricInterpretation=photometric,
        PresentationLUTShape="INVERSE" if photometric == "MONOCHROME1" else "IDENTITY", RescaleIntercept=str(lowest),
        WindowCenter=str(centre), WindowWidth=str(width), VOILUTFunction=function,
    )  # fmt: skip
    if width < 1:
        said = in_one_line(path)
        assert f"Window Width (0028,1051) of a {function} window must be" in said
        return
    x = stored.astype(np.float64) + lowest
    if function == "LINEAR":
        c, w = centre - 0.5, width - 1.0
        display = np.where(x <= c - w / 2, 0.0, np.where(x > c + w / 2, 1.0, (x - c) / (w or 1) + 0.5))
    elif function == "LINEAR_EXACT":
        display = np.clip((x - centre) / width + 0.5, 0, 1)
    else:
        with np.errstate(over="ignore"):
            display = 1 / (1 + np.exp(-4 * (x - centre) / width))
    if photometric == "MONOCHROME1":
        display = 1 - display
    view = view_of(path)
    shown = apply_voi(view.pixels.astype(np.float64), view.voi[0], view.intensity_range)
    # A pixel is a float32 fraction: a window of a few values makes its rounding as much wider.
    most = LIKE * max(1.0, 2**bits / max(width - 1.0, 1.0))
    assert np.abs(shown - display).max() <= most


@examples(200)
@given(
    attributes=st.fixed_dictionaries(
        {},
        optional={
            "Rows": st.integers(0, 65535),
            "Columns": st.integers(0, 65535),
            "BitsAllocated": st.integers(0, 64),
            "BitsStored": st.integers(0, 64),
            "HighBit": st.integers(0, 64),
            "PixelRepresentation": st.integers(0, 2),
            "SamplesPerPixel": st.integers(0, 4),
            "NumberOfFrames": st.integers(0, 3).map(str),
            "PhotometricInterpretation": st.sampled_from(["MONOCHROME1", "MONOCHROME2", "RGB", "YBR_FULL", ""]),
            "PresentationLUTShape": st.sampled_from(["IDENTITY", "INVERSE", "LIN OD", ""]),
            "RescaleSlope": st.sampled_from(["1", "0", "-1", "1e300", "1e-300", ""]),
            "RescaleIntercept": st.sampled_from(["0", "-1", "1e300", "4096", ""]),
            "WindowCenter": st.lists(st.sampled_from(["0", "1e300", "2048"]), max_size=3),
            "WindowWidth": st.lists(st.sampled_from(["0", "1", "1e300", "4096"]), max_size=3),
            "ImagerPixelSpacing": st.lists(st.sampled_from(["0", "0.07", "-1", "1e9"]), max_size=3),
            "PixelPaddingValue": st.integers(0, 2**15 - 1),
        },
    )
)
def test_any_combination_of_attributes_is_read_as_it_says_or_refused(attributes, tmp_path):
    stored = np.arange(12, dtype=np.int64).reshape(4, 3)
    path = file_of(stored, tmp_path / "view.dcm", bits=12, signed=False, **attributes)
    view, said = outcome(path)
    if view is None:
        assert said.isprintable()
        return
    got = dict.fromkeys(("Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit", "SamplesPerPixel")) | attributes
    assert (got["Rows"] or 4) * (got["Columns"] or 3) in (12, 24), "as many pixels as there are bytes for"
    assert view.pixels.shape == (got["Rows"] or 4, got["Columns"] or 3)
    bits = got["BitsStored"] or 12
    assert (got["HighBit"] if got["HighBit"] is not None else 11) == bits - 1
    assert 0 <= view.pixels.min() <= view.pixels.max() <= 1
    assert all(0 < length < 100 for length in view.pixel_spacing_mm)
