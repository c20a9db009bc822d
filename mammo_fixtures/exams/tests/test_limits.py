"""Files that would unpack to more than memory holds are refused before they do."""

import gzip
import io
import zlib

import numpy as np
import pytest

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.exams import limits, read_cohort
from mammo_fixtures.exams.dicom_pixels import PixelLayout
from mammo_fixtures.exams.limits import MOST_PIXELS, check_deflated, check_pixels, unpacked
from mammo_fixtures.exams.png_chunks import MAGIC, checked_header
from mammo_fixtures.given import given


def chunk(kind, content):
    return len(content).to_bytes(4, "big") + kind + content + zlib.crc32(kind + content).to_bytes(4, "big")


def png(rows, columns):
    header = columns.to_bytes(4, "big") + rows.to_bytes(4, "big") + bytes([16, 0, 0, 0, 0])
    return MAGIC + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(100))) + chunk(b"IEND", b"")


def test_an_image_may_be_as_large_as_a_digitised_film_and_no_larger():
    check_pixels(9600, 12000)
    assert checked_header(png(9600, 12000)).rows == 9600
    for refuse in (
        lambda: check_pixels(65535, 65535),
        lambda: checked_header(png(65535, 65535)),
        lambda: PixelLayout(rows=65535, columns=65535, bits_allocated=16, bits_stored=12, high_bit=11, signed=False),
    ):
        with pytest.raises(UnusableInput, match=f"at most {MOST_PIXELS} pixels, got 65535 × 65535; its header is dam"):
            refuse()


def test_a_small_file_that_unpacks_to_a_large_one(tmp_path, monkeypatch):
    packed = gzip.compress(bytes(10**6))
    assert len(unpacked(packed, 10**6)) == 10**6
    with pytest.raises(UnusableInput, match="may hold at most 999999 bytes, got more; it is damaged, or another"):
        unpacked(packed, 10**6 - 1)
    monkeypatch.setattr(limits, "MOST_BYTES", 10**5)
    (tmp_path / "site.csv.gz").write_bytes(packed)
    monkeypatch.setattr(limits.unpacked, "__defaults__", (10**5,))
    with pytest.raises(UnusableInput, match="at most 100000 bytes"):
        read_cohort(tmp_path / "site.csv.gz")


@pytest.mark.parametrize(
    "spoil", [lambda c: c[:30], lambda c: c[8:], lambda c: c[:-12], lambda c: c[:40] + b"x" + c[41:]]
)
def test_a_damaged_png_has_no_header(spoil):
    with pytest.raises(ValueError, match=r"breaks off|signature|checksum|are missing"):
        checked_header(spoil(png(8, 8)))


def test_every_flipped_bit_of_a_png_is_noticed():
    content = png(8, 8)
    random = np.random.default_rng(0)
    for place, bit in zip(random.integers(8, len(content), 200), random.integers(8, size=200), strict=True):
        flipped = bytearray(content)
        flipped[place] ^= 1 << bit
        with pytest.raises(ValueError, match=r"breaks off|checksum|are missing"):
            checked_header(bytes(flipped))


def test_a_deflated_data_set_that_unpacks_to_a_huge_one():
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    packed = packer.compress(bytes(10**7)) + packer.flush()
    check_deflated(io.BytesIO(packed + b"\0"), 10**7)
    with pytest.raises(UnusableInput, match="may unpack to at most 9999999 bytes, got more; it is damaged"):
        check_deflated(io.BytesIO(packed), 10**7 - 1)


def test_a_deflated_dicom_file_is_checked_before_it_is_unpacked(tmp_path, monkeypatch, read):
    monkeypatch.setattr(limits.check_deflated, "__defaults__", (1000,))
    with pytest.raises(UnusableInput, match="exam 17, L-CC: a deflated data set may unpack to at most 1000 bytes"):
        read(given("dicom/deflated.dcm"))
