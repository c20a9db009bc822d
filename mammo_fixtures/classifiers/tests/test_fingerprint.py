"""Fingerprints change whenever scores may, are the same in every process, and are empty where nobody can tell."""

import functools
import subprocess
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch

from mammo_fixtures import Classifier, load_classifier
from mammo_fixtures.classifiers import source_files as source_files_module
from mammo_fixtures.classifiers.fingerprint import fingerprint
from mammo_fixtures.classifiers.source_files import source_files


@dataclass
class Settings:
    window: float = 1.0


def halved(batch):
    return batch / 2


class Net(torch.nn.Module):
    def __init__(self, **attributes):
        super().__init__()
        self.layer = torch.nn.Linear(3, 1)
        torch.nn.init.constant_(self.layer.weight, 0.25)
        torch.nn.init.zeros_(self.layer.bias)
        self.register_buffer("centre", torch.zeros(2))
        self.register_buffer("unsaved", torch.zeros(2), persistent=False)
        for name, value in attributes.items():
            setattr(self, name, value)

    def forward(self, batch):
        return self.layer(batch)


def edited(path, source):
    """A file as another process that loads it now finds it."""
    path.write_text(source)
    source_files_module._SEEN.clear()


def of(network, **declared):
    return fingerprint(Classifier(network, **declared))


def changed(change):
    network = Net()
    change(network)
    return network


def test_the_same_network_has_the_same_fingerprint():
    assert of(Net()) == of(Net())
    assert len(of(Net())) == 32
    assert int(of(Net()), 16)
    assert of(Net().eval().requires_grad_(False)) == of(Net()), "as Inference leaves it"


@pytest.mark.parametrize(
    "change",
    [
        lambda net: net.layer.weight.data[0, 1].add_(1e-7),
        lambda net: net.layer.to(torch.float64),
        lambda net: net.centre.add_(1),
        lambda net: net.unsaved.add_(1),
        lambda net: setattr(net, "layer", torch.nn.Sequential(net.layer)),
        lambda net: net.layer.register_forward_hook(lambda module, given, result: result + 1),
        lambda net: net.register_forward_pre_hook(halved),
        lambda net: setattr(net.layer, "in_features", 4),
        lambda net: setattr(net, "_flip", True),
        lambda net: setattr(net, "training_set", "b"),
    ],
)
def test_weights_buffers_layers_and_hooks_count(change):
    assert of(changed(change)) not in (of(Net()), "")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, 2),
        (1, 1.0),
        (False, True),
        ("a", "b"),
        (None, 0),
        ((1, (2, 3)), (1, (2, 4))),
        ([1, 2], [1, 3]),
        ([[1], 2], [[1, 2]]),
        ({"scale": 1}, {"scale": 2}),
        ({"scale": [1]}, {"scales": [1]}),
        ({1, 2}, {1, 3}),
        (np.zeros(2000), np.eye(2000)[1000]),
        (np.float32(1), np.float64(1)),
        (torch.zeros(2000), torch.eye(2000)[1000]),
        (torch.float32, torch.float16),
        (Path("a"), Path("b")),
        (Settings(1.0), Settings(2.0)),
        (torch.relu, torch.sigmoid),
        (torch.nn.functional.relu, torch.nn.functional.gelu),
        (halved, torch.nn.functional.relu),
        (torch.nn.ReLU, torch.nn.GELU),
        (functools.partial(halved, 1), functools.partial(halved, 2)),
        (Settings(1.0).__init__, Settings(2.0).__init__),
        ((lambda scale: lambda x: scale * x)(1), (lambda scale: lambda x: scale * x)(2)),
        ([lambda x: x], [lambda x: 2 * x]),
        ([torch.nn.Linear(2, 2, bias=False)], [torch.nn.Linear(2, 2, bias=False)]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_attributes_of_any_readable_kind_count(one, other):
    prints = {of(Net()), of(Net(extra=one)), of(Net(extra=other))}
    assert len(prints) == 3
    assert "" not in prints
    assert of(Net(extra=one)) in prints


class Opaque:
    """Holds what nobody can see into."""

    __slots__ = ("state",)


@pytest.mark.parametrize(
    "attribute",
    [Opaque(), [Opaque()], {"deep": (1, Opaque())}, open, iter([]), [].append, np.array([Opaque()]), {Opaque()}],
    ids=lambda value: type(value).__name__,
)
def test_what_cannot_be_looked_into_has_no_fingerprint(attribute):
    if attribute is open:
        assert of(Net(extra=attribute)), "a function of Python's own is known by its name"
        return
    assert of(Net(extra=attribute)) == ""
    assert of(Net(extra=attribute), fingerprint="mine 1") != ""


def test_networks_without_source_have_no_fingerprint():
    """TorchScript and traced graphs carry code of their own, which a version of torch does not tell."""
    with warnings.catch_warnings(action="ignore"):  # newer versions of torch advise against it
        traced = torch.jit.trace(torch.nn.Linear(3, 1), torch.zeros(1, 3))
    assert of(traced) == ""
    assert of(torch.fx.symbolic_trace(torch.nn.Sequential(torch.nn.Linear(3, 1)))) == ""
    names = {"torch": torch, "__name__": "nowhere"}
    exec("class Typed(torch.nn.Module):\n    pass", names)
    assert of(names["Typed"]()) == ""


def test_a_list_that_holds_itself_ends():
    loop = [1]
    loop.append(loop)
    assert of(Net(extra=loop)) == of(Net(extra=loop)) != ""


@pytest.mark.parametrize(
    "declared",
    [
        {"level": "exam"},
        {"score": "logit"},
        {"aggregate": "max"},
        {"input_size": (8, 8)},
        {"fit": "pad"},
        {"pixel_spacing_mm": 0.1},
        {"intensity": (0, 255)},
        {"intensity": (0, 255), "integers": True},
        {"missing_views": "blank"},
        {"voi": True},
        {"chest_wall": "left"},
        {"channels": 3},
        {"views": ("L-CC",)},
        {"fingerprint": "mine 2"},
    ],
)
def test_the_declaration_counts(declared):
    def bare(batch):
        return batch

    assert of(Net(), **declared) != of(Net())
    assert of(bare, **({"fingerprint": "mine"} | declared)) != of(bare, fingerprint="mine")


@pytest.mark.parametrize("declared", [{"name": "other"}, {"notes": {"a": "b"}}, {"cancels": ("contrast",)}])
def test_what_decides_no_score_does_not_count(declared):
    assert of(Net(), **declared) == of(Net())


def test_a_bare_callable_is_known_only_where_it_declares_a_fingerprint():
    assert of(halved) == ""
    assert of(halved, fingerprint="mine 1") == of(torch.relu, fingerprint="mine 1") != ""
    assert of(halved, fingerprint="mine 1", name="a") != of(halved, fingerprint="mine 1", name="b")


def test_a_declared_fingerprint_does_not_hide_other_weights():
    lighter = changed(lambda net: net.layer.weight.data.mul_(0.5))
    assert of(lighter, fingerprint="mine 1") != of(Net(), fingerprint="mine 1")


def test_a_compiled_network_is_the_network():
    assert of(torch.compile(Net(), backend="eager")) == of(Net())


PACKAGE = {
    "__init__.py": "import torch\n",
    "release.py": (
        "import torch\nfrom . import blocks\nfrom my_release_package.sub.scale import scaled\n\n\n"
        "class Net(torch.nn.Module):\n    def forward(self, batch):\n"
        "        from .late import finish\n        return finish(scaled(blocks.mean(batch)))\n\n\n"
        "def load():\n    return Net()\n"
    ),
    "blocks.py": "def mean(batch):\n    return batch.mean(dim=(1, 2, 3))\n",
    "late.py": "def finish(scores):\n    return scores\n",
    "sub/__init__.py": "",
    "sub/scale.py": "from ..deep import FACTOR\n\n\ndef scaled(scores):\n    return FACTOR * scores\n",
    "deep.py": "FACTOR = 0.5\n",
    "aside.py": "UNUSED = 1\n",
}
PRINT = """
import sys
from mammo_fixtures import load_classifier
from mammo_fixtures.classifiers import source_files as source_files_module
from mammo_fixtures.classifiers.fingerprint import fingerprint
sys.path.insert(0, sys.argv[1])
print(fingerprint(load_classifier(sys.argv[2])))
"""


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package with a network that rests on several of its files."""
    for name, source in PACKAGE.items():
        path = tmp_path / "my_release_package" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path / "my_release_package"
    for name in [name for name in sys.modules if name.partition(".")[0] == "my_release_package"]:
        del sys.modules[name]


def test_every_file_that_the_network_imports_from_its_package_counts(package):
    classifier = load_classifier("my_release_package.release:load")
    before = fingerprint(classifier)
    assert before
    for name in ("release.py", "blocks.py", "late.py", "sub/scale.py", "deep.py"):
        source = (package / name).read_text()
        edited(package / name, source + "CHANGED = 1\n")
        assert fingerprint(classifier) != before, name
        edited(package / name, f'"""What it is for."""\n\n{source}# a comment\n')
        assert fingerprint(classifier) == before, name
        edited(package / name, source)
    edited(package / "aside.py", "UNUSED = 2\n")
    assert fingerprint(classifier) == before
    assert "my_release_package.late" not in sys.modules, "nothing is imported to find out"


def test_a_lone_file_counts_with_what_it_imports_from_its_folder(tmp_path, monkeypatch):
    (tmp_path / "lone_release.py").write_text(
        "import json\nimport torch\nimport lone_layers\n\n\nclass Net(torch.nn.Module):\n    pass\n"
    )
    (tmp_path / "lone_layers.py").write_text("SIZE = 1\n")
    (tmp_path / "lone_other.py").write_text("SIZE = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    import importlib

    module = importlib.import_module("lone_release")
    assert set(source_files("lone_release")) == {"lone_release", "lone_layers"}
    before = of(module.Net())
    edited(tmp_path / "lone_layers.py", "SIZE = 2\n")
    assert of(module.Net()) != before
    for name in ("lone_release", "lone_layers"):
        del sys.modules[name]


def test_sources_of_what_has_none():
    assert source_files("math") is None
    assert source_files("no_such_module_here") is None
    assert set(source_files("random")) == {"random"}, "not the whole standard library"


def test_the_same_in_every_process(package):
    """Python's own hashes, addresses and the order of sets differ from process to process."""
    root = Path(__file__).parents[3]
    prints = {
        subprocess.run(
            [sys.executable, "-c", PRINT, str(package.parent), name],
            cwd=root, env={"PYTHONHASHSEED": seed, "PATH": ""}, capture_output=True, text=True, check=True,
        ).stdout.strip()
        for seed, name in (("1", "my_release_package.release:load"), ("2", "my_release_package.release:Net"))
    }  # fmt: skip
    assert prints == {fingerprint(load_classifier("my_release_package.release:load"))}
