"""Files that would unpack to more than memory holds are refused before they do."""

import gzip
import io
import time
import zlib

import numpy as np
import pytest

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.exams import dicom_meta, limits, read_cohort
from mammo_fixtures.exams.dicom_pixels import PixelLayout
from mammo_fixtures.exams.limits import MOST_PIXELS, check_pixels, inflated, unpacked
from mammo_fixtures.exams.png_chunks import MAGIC, checked_header
from mammo_fixtures.given import given


def chunk(kind, content):
    return len(content).to_bytes(4, "big") + kind + content + zlib.crc32(kind + content).to_bytes(4, "big")


def png(rows, columns, data=b"\0" * 100):
    header = columns.to_bytes(4, "big") + rows.to_bytes(4, "big") + bytes([16, 0, 0, 0, 0])
    return MAGIC + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(data, 9)) + chunk(b"IEND", b"")


def png_of(rows, columns):
    """A whole 16-bit image of zeros."""
    return png(rows, columns, bytes(rows * (2 * columns + 1)))


def test_an_image_may_be_as_large_as_a_film_at_35_micrometres_and_no_larger():
    check_pixels(6857, 8571)
    assert checked_header(png(6857, 8571)).rows == 6857
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


def packed(content):
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return packer.compress(content) + packer.flush()


def test_a_deflated_data_set_that_unpacks_to_a_huge_one():
    small = packed(bytes(10**7))
    assert len(inflated(io.BytesIO(small + b"\0"), 10**7)) == 10**7
    with pytest.raises(UnusableInput, match="may unpack to at most 9999999 bytes, got more; it is damaged"):
        inflated(io.BytesIO(small), 10**7 - 1)
    with pytest.raises(zlib.error, match="it breaks off"):
        inflated(io.BytesIO(small[:-3]), 10**7)


def test_a_deflated_dicom_file_is_unpacked_within_limits(tmp_path, monkeypatch, read):
    monkeypatch.setattr(limits.inflated, "__defaults__", (1000,))
    with pytest.raises(UnusableInput, match="exam 17, L-CC: a deflated data set may unpack to at most 1000 bytes"):
        read(given("dicom/deflated.dcm"))


@pytest.mark.parametrize("deflated", [False, True])
def test_a_sequence_of_millions_of_empty_items_is_refused_at_once(tmp_path, read, deflated):
    """Found by fuzzing: pydicom makes an object of each, which takes a minute for 30 MB; packed, it is 30 kB."""
    whole = given("dicom/explicit.dcm").read_bytes()
    place = whole.index(b"\xe0\x7f\x10\x00OW")
    sequence = b"\xe0\x7f\x10\x00SQ\0\0\xff\xff\xff\xff" + (b"\xfe\xff\x00\xe0" + bytes(4)) * 4_000_000
    end = dicom_meta.START + whole[dicom_meta.START :].index(b"\x08\x00")
    content = whole[:place] + sequence
    if deflated:
        explicit, length = dicom_meta.EXPLICIT.encode() + b"\0", bytes([0x14, 0])
        head = whole[:end].replace(b"UI" + length + explicit, b"UI\x16\0" + dicom_meta.DEFLATED.encode())
        content = head + packed(content[end:])
        assert len(content) < 10**5
    (tmp_path / "view.dcm").write_bytes(content)
    begin = time.process_time()
    with pytest.raises(UnusableInput, match="exam 17, L-CC: a DICOM header may have at most some 25000 elements, got"):
        read(tmp_path / "view.dcm")
    assert time.process_time() - begin < 20, "the whole sequence takes minutes"
