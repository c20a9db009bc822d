"""What `package.module:callable` may name, and what is said of everything else."""

import pytest
import torch

from mammo_fixtures import Classifier, UnusableInput, load_classifier

RELEASE = """
import functools
import torch
from mammo_fixtures import Classifier

loads = []


class Net(torch.nn.Module):
    def forward(self, batch):
        return batch.mean(dim=(1, 2, 3))


class Sized(torch.nn.Module):
    def __init__(self, size):
        super().__init__()


class Loaders:
    @staticmethod
    def load():
        return Net()


def network(batch, scale=1.0):
    return scale * batch.mean(dim=(1, 2, 3))


def load(path="weights.pt"):
    loads.append(path)
    return Net()


def declared():
    return Classifier(Net(), score="logit")


def named():
    return Classifier(network, name="release 3")


def broken():
    raise FileNotFoundError("weights.pt\\nis not there")


def nothing():
    return None


def unusable():
    return Classifier(Net(), level="breast")


instance = Net()
ready = Classifier(Net(), channels=3)
bound = functools.partial(load, "other.pt")
scaled = functools.partial(network, scale=0.5)
number = 5
"""


@pytest.fixture(autouse=True)
def release(tmp_path, monkeypatch):
    """An importable module `release_of_a_test`."""
    (tmp_path / "release_of_a_test.py").write_text(RELEASE)
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    import sys

    sys.modules.pop("release_of_a_test", None)


def load(attribute):
    return load_classifier(f"release_of_a_test:{attribute}")


def refused(name):
    with pytest.raises(UnusableInput) as caught:
        load_classifier(name)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("attribute", ["Net", "instance", "load", "declared", "ready", "Loaders.load", "bound"])
def test_networks_and_what_makes_them(attribute):
    classifier = load(attribute)
    assert isinstance(classifier, Classifier)
    assert isinstance(classifier.network, torch.nn.Module)
    assert classifier.name == f"release_of_a_test:{attribute}"


def test_a_declaration_is_kept_and_none_means_probabilities_of_views_as_stored():
    assert load("declared").score == "logit"
    assert load("ready").channels == 3
    plain = load("load")
    assert (plain.score, plain.level, plain.input_size) == ("probability", "view", None)
    assert load("named").name == "release 3"


def test_a_function_that_needs_an_argument_is_the_network():
    batch = torch.full((2, 1, 3, 3), 0.5)
    assert load("network").network(batch).tolist() == [0.5, 0.5]
    assert load("scaled").network(batch).tolist() == [0.25, 0.25]


def test_a_loader_is_called_once():
    import importlib

    load("load")
    load("bound")
    assert importlib.import_module("release_of_a_test").loads == ["weights.pt", "other.pt"]


@pytest.mark.parametrize("name", ["", "release_of_a_test", "release_of_a_test:", ":load", "model.tflite"])
def test_a_name_of_another_form(name):
    assert refused(name) == (
        "classifier must be 'reference', 'package.module:callable', a .pt2, TorchScript or .onnx file, or an http:// "
        f"endpoint, got {name!r}; give one of these"
    )
    assert refused("Reference").endswith("got 'Reference'; did you mean reference?")


def test_a_module_that_does_not_import(release):
    remedy = "; install it, or run from the folder that holds it"
    assert refused("no_such_module_here:load") == (
        "classifier no_such_module_here:load: module 'no_such_module_here' could not be imported: "
        "ModuleNotFoundError: No module named 'no_such_module_here'" + remedy
    )
    for number, (source, said) in enumerate(
        (
            ("raise ValueError('first\\nsecond')", "ValueError: first second"),
            ("import sys; sys.exit(3)", "SystemExit: 3"),
            ("def", "SyntaxError: invalid syntax (broken_2.py, line 1)"),
        )
    ):
        (release / f"broken_{number}.py").write_text(source)
        assert refused(f"broken_{number}:load") == (
            f"classifier broken_{number}:load: module 'broken_{number}' could not be imported: {said}{remedy}"
        )
    assert "could not be imported: TypeError" in refused(".relative:load")


@pytest.mark.parametrize(
    ("attribute", "said"),
    [
        ("missing", "module 'release_of_a_test' has no 'missing'; check its spelling"),
        ("Loaders.missing", "module 'release_of_a_test' has no 'Loaders.missing'; check its spelling"),
        (
            "broken",
            "must load without arguments, it raised FileNotFoundError: weights.pt is not there; "
            "call it in Python to see where",
        ),
        ("nothing", "must give a Classifier, a torch.nn.Module or a callable, got NoneType"),
        ("number", "must give a Classifier, a torch.nn.Module or a callable, got int"),
        (
            "Sized",
            "a class must need no arguments, got Sized(size); name a function without arguments that makes it",
        ),
    ],
)
def test_what_gives_no_classifier(attribute, said):
    assert refused(f"release_of_a_test:{attribute}") == f"classifier release_of_a_test:{attribute}: {said}"


def test_an_unusable_declaration_says_itself():
    assert refused("release_of_a_test:unusable") == (
        "classifier release_of_a_test:unusable: level must be 'view' or 'exam', got 'breast'"
    )


def test_a_file_may_be_given_as_a_path(tmp_path):
    """As notebooks do; what is no name at all is one line."""
    with pytest.raises(UnusableInput, match=r"release\.onnx"):
        load_classifier(tmp_path / "release.onnx")
    with pytest.raises(UnusableInput, match=r"or an http:// endpoint, got Linear; give one of these"):
        load_classifier(torch.nn.Linear(1, 1))
