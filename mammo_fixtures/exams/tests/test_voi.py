"""VOI windows and tables give what PS3.3 C.11.2 and pydicom give, on NumPy arrays and torch tensors."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pydicom import Dataset, Sequence, dcmread
from pydicom.pixels.processing import apply_modality_lut, apply_voi_lut

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.exams import Table, View, Window, apply_voi
from mammo_fixtures.exams.tests.dicom_writer import BIG_ENDIAN, IMPLICIT, phantom

Read = Callable[..., View]
Written = Callable[..., Path]
RAMP = np.arange(4096, dtype=np.float32) / np.float32(4095)


def lut(first: int, bits: int, values: list[int], kind: str = "US") -> Dataset:
    item = Dataset()
    item.add_new("LUTDescriptor", "SS" if first < 0 else "US", [len(values), first, bits])
    if kind == "packed":
        item.add_new("LUTData", "OW", np.array(values, np.uint8).tobytes())
    else:
        item.add_new("LUTData", kind, np.array(values, "<u2").tobytes() if kind == "OW" else values)
    return item


@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT", "SIGMOID"])
@pytest.mark.parametrize(("centre", "width"), [(2047.5, 4096), (1800, 900), (300.25, 1.5), (4000, 2000), (-50, 600)])
@pytest.mark.parametrize("signed", [False, True])
def test_windows_equal_pydicom(
    signed: bool, centre: float, width: float, function: str, written: Written, read: Read
) -> None:
    path = written(phantom(12), bits=12, signed=signed, WindowCenter=centre, WindowWidth=width, VOILUTFunction=function)
    view = read(path)
    dataset = dcmread(path)
    with np.errstate(over="ignore"):
        theirs = apply_voi_lut(apply_modality_lut(dataset.pixel_array, dataset), dataset)
    ours = apply_voi(view.pixels, view.voi[0], view.intensity_range)
    assert np.abs(ours - theirs / 4095).max() < 2e-5


def test_linear_window_by_hand() -> None:
    """PS3.3 C.11.2.1.2.1's own example: c = 2048, w = 4096 maps 0 and below to the least, above 4095 to the most."""
    display = apply_voi(RAMP, Window(centre=2048, width=4096), (0, 4095))
    assert display[0] == 0
    assert display[-1] == 1
    assert abs(display[2048] - 2048 / 4095) < 1e-6
    narrow = apply_voi(RAMP, Window(centre=2048, width=1), (0, 4095))
    assert narrow[2047] == 0
    assert narrow[2048] == 1
    exact = apply_voi(RAMP, Window(centre=2048, width=1, function="LINEAR_EXACT"), (0, 4095))
    assert exact[2047] == 0
    assert abs(exact[2048] - 0.5) < 1e-3
    assert exact[2049] == 1


@pytest.mark.parametrize("voi", [
    Window(centre=1500, width=800), Window(centre=1500, width=1),
    Window(centre=1500, width=800, function="LINEAR_EXACT"), Window(centre=1500, width=300, function="SIGMOID"),
    Table(first=100, values=np.linspace(0, 1, 3000, dtype=np.float32) ** 2),
])  # fmt: skip
def test_inverted_view_displays_the_negative_of_its_window(voi: Window | Table) -> None:
    """Values are windowed as stored and then inverted: MONOCHROME1 is inverted after VOI (PS3.3 C.7.6.3.1.2)."""
    from dataclasses import replace

    stored_first = 1.0 - apply_voi(RAMP, voi, (0, 4095))
    inverted_first = apply_voi(np.float32(1) - RAMP, replace(voi, inverted=True), (0, 4095))
    assert np.abs(stored_first - inverted_first).max() < 1e-5


def test_window_as_fractions() -> None:
    assert Window(centre=2048, width=4096).as_fractions((0, 4095)) == pytest.approx((0.5, 1.0))
    assert Window(centre=1000, width=400, function="SIGMOID").as_fractions((0, 4000)) == pytest.approx((0.25, 0.1))
    assert Window(centre=1500.5, width=501).as_fractions((1000, 2000)) == pytest.approx((0.5, 0.5))
    inverted = Window(centre=1000, width=400, function="SIGMOID", inverted=True)
    assert inverted.as_fractions((0, 4000)) == pytest.approx((0.75, 0.1))


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2.1", IMPLICIT, BIG_ENDIAN])
@pytest.mark.parametrize(("bits", "kind"), [(8, "US"), (12, "US"), (16, "US"), (16, "OW"), (8, "packed")])
@pytest.mark.parametrize("signed", [False, True])
def test_tables_equal_pydicom(signed: bool, bits: int, kind: str, syntax: str, written: Written, read: Read) -> None:
    if kind in ("OW", "packed") and syntax == BIG_ENDIAN:
        syntax = IMPLICIT  # pydicom writes OW as it is given, so not in this byte order
    first = -1000 if signed else 50
    values = (np.linspace(0, 1, 2000) ** 2 * (2**bits - 1)).astype(int).tolist()
    path = written(
        phantom(12), bits=12, signed=signed, syntax=syntax, VOILUTSequence=Sequence([lut(first, bits, values, kind)]),
        RescaleIntercept="0", **({"PixelData": (phantom(12).astype("<i2") // 2).tobytes()} if signed else {}),
    )  # fmt: skip
    view = read(path)
    stored = phantom(12).astype(int) // 2 if signed else phantom(12).astype(int)
    theirs = np.array(values)[np.clip(stored - first, 0, len(values) - 1)] / (2**bits - 1)
    ours = apply_voi(view.pixels, view.voi[0], view.intensity_range)
    assert isinstance(view.voi[0], Table)
    assert np.abs(ours - theirs).max() < 2e-6
    if syntax != BIG_ENDIAN and bits > 8:  # pydicom reads 8-bit entries neither packed nor in words
        dataset = dcmread(path)
        assert np.abs(ours - apply_voi_lut(dataset.pixel_array, dataset) / (2**bits - 1)).max() < 2e-6


def test_tables_come_before_windows_and_all_are_kept(written: Written, read: Read) -> None:
    table = lut(0, 12, list(range(4096)))
    table.LUTExplanation = "HARDER"
    view = read(
        written(
            phantom(12),
            bits=12,
            inverse="MONOCHROME1",
            VOILUTSequence=Sequence([table]),
            WindowCenter=[2000, 1000],
            WindowWidth=[900, 800],
            WindowCenterWidthExplanation=["NORMAL", "SOFTER"],
        )
    )
    harder, normal, softer = view.voi
    assert isinstance(harder, Table)
    assert harder.explanation == "HARDER"
    assert harder.inverted
    assert normal == Window(centre=2000, width=900, explanation="NORMAL", inverted=True)
    assert softer == Window(centre=1000, width=800, explanation="SOFTER", inverted=True)


@pytest.mark.parametrize("voi", [
    Window(centre=1500, width=800), Window(centre=1500, width=1), Window(centre=1500, width=1, inverted=True),
    Window(centre=1500, width=800, function="LINEAR_EXACT"), Window(centre=1500, width=3, function="SIGMOID"),
    Table(first=100, values=np.linspace(0, 1, 3000, dtype=np.float32) ** 2, inverted=True),
])  # fmt: skip
def test_tensors_and_arrays_alike_and_the_argument_untouched(voi: Window | Table) -> None:
    torch = pytest.importorskip("torch")
    pixels = np.linspace(-0.2, 1.2, 5000, dtype=np.float32)
    before = pixels.copy()
    array = apply_voi(pixels, voi, (0, 4095))
    tensor = apply_voi(torch.from_numpy(pixels), voi, (0, 4095))
    assert array.dtype == np.float32
    assert tensor.dtype == torch.float32
    assert np.abs(array - tensor.numpy()).max() < 1e-6
    assert np.array_equal(pixels, before)
    assert np.isfinite(array).all()
    assert 0 <= array.min() <= array.max() <= 1


def test_values_that_are_no_window_or_table() -> None:
    with pytest.raises(UnusableInput) as refusal:
        Window(centre=0, width=0, function="SIGMOID")
    assert str(refusal.value) == ("Window Width (0028,1051) of a SIGMOID window must be above 0, got centre 0, width 0")
    with pytest.raises(UnusableInput, match=r"VOI LUT Function \(0028,1056\) must be one of LINEAR, .* got 'CUBIC'"):
        Window(centre=0, width=5, function="CUBIC")
    with pytest.raises(UnusableInput, match=r"VOI LUT Data \(0028,3006\) must hold at least 2 entries, got 1"):
        Table(first=0, values=np.zeros(1, np.float32))
