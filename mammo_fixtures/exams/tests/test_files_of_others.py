"""DICOM files that others wrote: all that ship inside pydicom are read, or refused in one sentence."""

import re
from collections import Counter
from pathlib import Path

import numpy as np
import pydicom
import pytest

from mammo_fixtures.exams import dicom
from mammo_fixtures.exams.tests.files_of_others import FILES, SENTENCES, sorted_files, what_happened
from mammo_fixtures.tests.fuzzing.dicom_oracle import UNLIKE, Undecided, fractions_again

ROOT = Path(__file__).resolve().parents[3]
pytestmark = pytest.mark.skipif(len(FILES) < 100, reason="this pydicom ships without its test files")


def test_every_file_is_read_or_refused_in_one_sentence():
    happened = sorted_files()
    assert not set(happened) - {*SENTENCES, "read"}
    assert sum(map(len, happened.values())) == len(FILES)
    # Tiny CR images: nothing in them says that they are no mammograms.
    assert {Path(name).name for name in happened["read"]} == {"6154", "6247", "6278"}
    table = (ROOT / "docs" / "trust.md").read_text(encoding="utf-8")
    if f"pydicom {pydicom.__version__}" in table:
        said = {kind: int(count) for kind, count in re.findall(r"^\| ([A-Za-z ]+) \| (\d+) \|", table, re.MULTILINE)}
        assert said == {kind: len(names) for kind, names in happened.items()}


def test_taken_for_mammograms_they_are_read_as_another_reader_reads_them(monkeypatch):
    """Files of every modality and maker, with their modality overlooked and a spacing stated: 16 transfer syntaxes."""
    monkeypatch.setattr(dicom, "OTHER_MODALITIES", ())
    outcomes, wrong = Counter(), {}
    for path in FILES:
        kind, pixels = what_happened(path, pixel_spacing_mm=(0.1, 0.1))
        outcomes[kind] += 1
        if kind not in (*SENTENCES, "read"):
            wrong[path.name] = kind
        if pixels is None:
            continue
        try:
            again = fractions_again(path)
        except Undecided:
            continue
        if again.shape != pixels.shape or np.abs(again - pixels).max() > UNLIKE:
            wrong[path.name] = "other pixels"
    assert not wrong
    assert outcomes["read"] > 20
