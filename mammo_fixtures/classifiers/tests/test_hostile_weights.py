"""Files of tensors whose headers declare what is not there: one line, no memory on their word."""

import json
import re
import struct
import time

import pytest
import torch
from safetensors.torch import save_file

from mammo_fixtures import UnusableInput
from mammo_fixtures.classifiers import read_weights
from mammo_fixtures.exams import limits
from mammo_fixtures.perturbations.universal import GRID_MM, UniversalFields


def tensor(shape, end, start=0, kind="F32"):
    return {"dtype": kind, "shape": shape, "data_offsets": [start, end]}


def file_of(header, data=b"", length=None):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


TWICE = b'{"a": %s, "a": %s}' % (json.dumps(tensor([2], 8)).encode(), json.dumps(tensor([2], 16, 8)).encode())
# What safetensors says, and what safetensors 0.4 says.
UNCOVERED = "file not fully covered|MetadataIncompleteBuffer"
NO_DTYPE = "Dtype not understood|InvalidHeaderDeserialization"
HOSTILE = {
    "nothing": (b"", "its header must be JSON, reading it raised JSONDecodeError"),
    "a header without end": (file_of(b"{}", length=2**63), f"may have at most 16777216 bytes, got {2**63}; copy it"),
    "a header beyond the file": (file_of({}, length=100), "invalid ?header ?length"),
    "spaces": (file_of(b" " * (limits.MOST_HEADER_BYTES + 1)), "may have at most 16777216 bytes, got 16777217; copy"),
    "tables in tables": (file_of(b'{"a":' * 50_000), "its header must be JSON, reading it raised RecursionError"),
    "a list": (file_of(b"7"), "its header must name at most 65536 tensors, got more, or none; copy it again"),
    "tensors without end": (
        file_of({str(n): tensor([0], 0) for n in range(limits.MOST_TENSORS + 1)}),
        "its header must name at most 65536 tensors, got more",
    ),
    "one name twice": (file_of(TWICE, bytes(16)), "each tensor may stand once in it, got a name twice; write it again"),
    "a gigabyte that is not there": (file_of({"a": tensor([2**28], 2**30)}, bytes(8)), UNCOVERED),
    "a shape beyond its bytes": (file_of({"a": tensor([2**40], 8)}, bytes(8)), "invalid shape|TensorInvalidInfo"),
    "a shape beyond numbers": (file_of({"a": tensor([2**62, 2**62], 8)}, bytes(8)), "overflow"),
    "a shape that torch cannot have": (file_of({"a": tensor([0, 2**63], 0)}), "argument 'shape' failed to unpack"),
    "tensors that overlap": (file_of({"a": tensor([2], 8), "b": tensor([2], 8)}, bytes(8)), "invalid ?offset"),
    "bytes of no tensor": (file_of({"a": tensor([2], 8)}, bytes(99)), UNCOVERED),
    "numbers that torch has not": (file_of({"a": tensor([8], 6, kind="F6_E2M3")}, bytes(6)), NO_DTYPE),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_header_is_not_believed(name, tmp_path):
    content, said = HOSTILE[name]
    path = tmp_path / "weights.safetensors"
    path.write_bytes(content)
    begin = time.process_time()
    refusals = []
    for read in (read_weights, UniversalFields.read):
        with pytest.raises(UnusableInput) as caught:
            read(path)
        refusals.append(str(caught.value))
    assert "\n" not in "".join(refusals)
    assert refusals[0].startswith("weights weights.safetensors: ")
    assert re.search(said, refusals[0], re.IGNORECASE)
    assert refusals[1].startswith(f"universal fields {path}: ")
    assert time.process_time() - begin < 5


@pytest.mark.parametrize(
    "field",
    [
        torch.ones(4),
        torch.ones(0, 4),
        torch.full((4, 4), 1.5),
        torch.full((4, 4), torch.nan),
        torch.ones(4, 4, dtype=int),
    ],
    ids=["one row", "empty", "too large", "NaN", "whole numbers"],
)
def test_universal_fields_that_are_none(field, tmp_path):
    path = tmp_path / "universal.safetensors"
    notes = {"format": "mammo-robustness universal fields 1", "seed": "0", "grid_mm": str(GRID_MM)}
    save_file({"0.CC": torch.ones(4, 4)}, path, metadata=notes)
    assert UniversalFields.read(path).directions[0, "CC"].shape == (4, 4)
    save_file({"0.CC": field}, path, metadata=notes)
    with pytest.raises(
        UnusableInput, match=r"fields must be \(rows, columns\) in −1 … 1, got another in 0.CC; give the"
    ):
        UniversalFields.read(path)
    save_file({"0.CC": torch.ones(4, 4)}, path, metadata=notes | {"grid_mm": "0.2"})
    with pytest.raises(UnusableInput, match="must be fields that a run of this suite saved, got another safetensors"):
        UniversalFields.read(path)
