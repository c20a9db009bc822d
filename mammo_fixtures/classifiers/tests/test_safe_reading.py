"""No code of a file runs while it is read: pickles, and what an exported program would have evaluated, are refused."""

import io
import json
import os
import zipfile

import pytest
import torch

from mammo_fixtures import UnusableInput, load_classifier
from mammo_fixtures.classifiers import read_weights
from mammo_fixtures.classifiers.tests.stored_networks import write_torchscript
from mammo_fixtures.classifiers.tests.tiny_network import DECLARED, VIEWS, expected, exported, refused, scores


class Runs:
    """A Python object whose unpickling leaves a folder behind."""

    def __init__(self, folder):
        self.folder = str(folder)

    def __reduce__(self):
        return (os.mkdir, (self.folder,))


@pytest.fixture
def trace(tmp_path):
    """What code of a file leaves behind where it runs."""
    return tmp_path / "ran"


def test_a_pickled_network_is_refused_until_it_is_allowed(tiny, tmp_path, trace):
    path = tmp_path / "release.pt"
    tiny.trap = Runs(trace)
    torch.save(tiny, path)
    del tiny.trap
    (tmp_path / "release.toml").write_text(DECLARED)
    assert refused(path) == (
        "classifier release.pt holds Python objects (a pickle), which may run any code when they are read, so it is "
        "refused; export the network with torch.export.save, or save its state_dict and name a function that makes the "
        "network, package.module:load; or allow it with --mammo-allow-pickle where you trust its maker"
    )
    assert not trace.exists()
    assert scores(load_classifier(str(path), allow_pickle=True)) == pytest.approx(expected(tiny))
    assert trace.exists()


@pytest.mark.parametrize("suffix", [".pt", ".safetensors"])
def test_weights_alone_are_no_classifier(tiny, tmp_path, suffix):
    from safetensors.torch import save_file

    path = tmp_path / f"release{suffix}"
    (torch.save if suffix == ".pt" else save_file)(dict(tiny.state_dict()), path)
    assert "it holds weights and no network" in refused(path)
    assert "name a function that makes the network and loads them, package.module:load" in refused(path)
    assert torch.equal(read_weights(path)["layer.weight"], tiny.layer.weight)


def test_weights_within_a_checkpoint_and_none(tiny, tmp_path, trace):
    path = tmp_path / "checkpoint.pth"
    torch.save({"epoch": 3, "state_dict": tiny.state_dict()}, path)
    assert set(read_weights(path)) == {"layer.weight", "layer.bias"}
    torch.save({"epoch": 3}, path)
    with pytest.raises(
        UnusableInput, match=r"weights checkpoint.pth: must hold tensors by name, as network.state_dict"
    ):
        read_weights(path)
    torch.save({"state_dict": tiny.state_dict(), "args": Runs(trace)}, path)
    with pytest.raises(UnusableInput, match=r"checkpoint.pth holds Python objects \(a pickle\)"):
        read_weights(path)
    assert not trace.exists()
    assert set(read_weights(path, allow_pickle=True)) == {"layer.weight", "layer.bias"}
    path.write_bytes(b"no archive")
    with pytest.raises(UnusableInput, match=r"checkpoint.pth"):
        read_weights(path)


PROGRAM = ("models/model.json", "serialized_exported_program.json")
INPUTS = ("sample_inputs/model.pt", "serialized_example_inputs.pt")
"""What torch of today and torch 2.6 call a member."""


def changed(path, name_ends, change):
    """The archive with one member changed."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    (name,) = (name for name in members if name.endswith(name_ends))
    members[name] = change(members[name])
    with zipfile.ZipFile(path, "w") as archive:
        for each, content in members.items():
            archive.writestr(each, content)
    return name


def in_program(change):
    def changed_json(content):
        program = json.loads(content)
        change(program)
        return json.dumps(program).encode()

    return changed_json


def test_a_pickle_in_an_exported_program_is_refused(tiny, tmp_path, trace):
    path = exported(tiny, tmp_path / "release.pt2")
    buffer = io.BytesIO()
    torch.save((Runs(trace),), buffer)
    name = changed(path, INPUTS, lambda content: buffer.getvalue())
    assert refused(path).startswith(
        f"classifier release.pt2: {name} holds Python objects (a pickle), which may run any"
    )
    assert not trace.exists()


def test_a_pickle_by_the_name_of_a_table_is_refused(tiny, tmp_path, trace):
    """torch 2.6 unpickles what has this name, whatever the rest of the archive is."""
    path = exported(tiny, tmp_path / "release.pt2")
    buffer = io.BytesIO()
    torch.save(Runs(trace), buffer)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("serialized_state_dict.json", buffer.getvalue())
    assert "serialized_state_dict.json must be JSON" in refused(path)
    assert not trace.exists()


CODE = '__import__("os").mkdir("ran")'


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("guard", lambda p: p.update(guards_code=[CODE])),
        ("length", lambda p: p["range_constraints"].update({CODE: {"min_val": 1, "max_val": 2}})),
        ("operator", lambda p: p["graph_module"]["graph"]["nodes"][0].update(target="torch.os.system")),
        ("operator", lambda p: p["graph_module"]["graph"]["nodes"][0].update(target="torch.ops.load_library")),
    ],
)
def test_python_in_an_exported_program_is_refused(tiny, tmp_path, trace, monkeypatch, kind, change):
    monkeypatch.chdir(tmp_path)
    path = exported(tiny, tmp_path / "release.pt2")
    changed(path, PROGRAM, in_program(change))
    assert f"has the {kind} '" in refused(path)
    assert "which is none of a network's and would run as Python" in refused(path)
    assert not trace.exists()


@pytest.mark.parametrize(
    "text",
    [
        "Eq(Symbol('s0'), Symbol('os.system(1)'))",
        "s0.__class__",
        "exit()",
        "open('x')",
        "s0; s1",
        "torch.os",
        "math.inf.hex",
        "[s0]",
    ],
)
def test_what_is_no_arithmetic(text):
    from mammo_fixtures.classifiers.exported_archive import _is_arithmetic

    assert not _is_arithmetic(text)
    assert _is_arithmetic(
        "Max(1, FloorDiv(s0, 2)) + Mod(Symbol('s1', positive=True), 8) <= torch.sym_max(1, 2) + L['views'].size()[2]"
    )


def test_a_flipped_bit_in_a_torchscript_program_does_not_keep_torch_busy_for_ever(tiny, tmp_path):
    """Found by fuzzing: torch looks at no checksum, and its unpickler went round in circles."""
    path = write_torchscript(tiny, tmp_path / "release.ts", VIEWS, DECLARED)
    content = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        (member,) = (entry for entry in archive.infolist() if entry.filename.endswith("/data.pkl"))
    start = member.header_offset + 30
    length = int.from_bytes(content[start - 4 : start - 2], "little") + int.from_bytes(
        content[start - 2 : start], "little"
    )
    content[start + length + 40] ^= 4
    path.write_bytes(content)
    assert "TorchScript must be a whole archive, got Bad CRC-32 for file" in refused(path)
