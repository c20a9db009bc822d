"""What a manifest states of a DICOM file's view, where the file says what it cannot go with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.exams import View
from mammo_fixtures.exams.tests.dicom_writer import FOR_PROCESSING, phantom

VALUES = phantom(12)
Written = Callable[..., Path]
Read = Callable[..., View]


@pytest.mark.parametrize("inverse", ["MONOCHROME1", "INVERSE"])
def test_a_gain_of_inverted_pixels_is_refused(inverse: str, written: Written, read: Read) -> None:
    """Noise grows with the exposure, and with it the stored value, so it would fall as the inverted pixel rises."""
    raw = {"SOPClassUID": FOR_PROCESSING, "PresentationIntentType": "FOR PROCESSING"}
    path = written(VALUES, bits=12, inverse=inverse, **raw)
    assert read(path).noise_gain is None
    with pytest.raises(
        UnusableInput, match=r"noise_gain must be stated of pixels that are not inverted, .*, inverted;"
    ):
        read(path, noise_gain=1.5)
    assert read(written(VALUES, bits=12, **raw), noise_gain=1.5).noise_gain == 1.5


@pytest.mark.parametrize("position", ["CC2", "CC_2", "CC-2", "cc.2", "CC 2"])
def test_a_second_exposure_is_held_against_the_files_position_however_it_is_named(
    position: str, written: Written, read: Read
) -> None:
    assert read(written(VALUES, bits=12, ViewPosition="CC"), position=position).position == position
    with pytest.raises(UnusableInput, match=r"View Position .* must agree with the manifest, got MLO in the file"):
        read(written(VALUES, bits=12, ViewPosition="MLO"), position=position)
