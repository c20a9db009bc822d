"""The reference classifier as a module, TorchScript, `.pt2`, `.onnx` and behind HTTP: the same table of scores."""

import numpy as np
import pytest

from mammo_fixtures import load_classifier, read_cohort, score
from mammo_fixtures.classifiers import ensemble
from mammo_fixtures.classifiers.fingerprint import fingerprint
from mammo_fixtures.classifiers.tests.stored_networks import (
    DECLARED,
    ForOnnx,
    scoring,
    served,
    toml,
    write_exported,
    write_onnx,
    write_torchscript,
)
from mammo_fixtures.exams.phantoms import phantom_cohort

PLAN = {"lowpass": (1.0,)}
TOLERANCE = 1e-5
"""Of a probability and of a logit alike: a view's float32 logit is itself 2e-5 from that in double precision."""


@pytest.fixture(scope="module")
def reference():
    return load_classifier("reference")


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    """The first two phantom exams: eight views."""
    return read_cohort(phantom_cohort(folder=tmp_path_factory.mktemp("phantoms"), exams=2))


@pytest.fixture(scope="module")
def expected(reference, cohort):
    return score(cohort, reference, PLAN, device="cpu").scores


@pytest.fixture(scope="module")
def exported(reference, tmp_path_factory):
    """Exporting takes seconds."""
    return write_exported(reference.network, tmp_path_factory.mktemp("exported") / "release.pt2", inside=toml(DECLARED))


def largest_difference(classifier, cohort, expected):
    """Of scores that differ between breasts and conditions: between logits, which no probabilities exceed."""
    found = score(cohort, classifier, PLAN, device="cpu").scores
    assert found.shape == expected.shape == (2, 4, 1)
    assert np.ptp(expected) > 1
    return np.abs(found - expected).max()


def test_torchscript(reference, cohort, expected, tmp_path):
    path = write_torchscript(reference.network, tmp_path / "release.pt", inside=toml(DECLARED))
    classifier = load_classifier(str(path))
    assert largest_difference(classifier, cohort, expected) <= TOLERANCE
    assert classifier.name == "release.pt"
    assert fingerprint(classifier)


def test_exported_program(exported, cohort, expected):
    assert largest_difference(load_classifier(str(exported)), cohort, expected) <= TOLERANCE


def test_onnx(reference, cohort, expected, tmp_path):
    network = ForOnnx()
    network.load_state_dict(reference.network.state_dict())
    path = write_onnx(network, tmp_path / "release.onnx", inside=toml(DECLARED))
    assert largest_difference(load_classifier(str(path)), cohort, expected) <= TOLERANCE


def test_http(reference, cohort, expected):
    with served(scoring(reference.network, DECLARED)) as address:
        classifier = load_classifier(address)
        assert fingerprint(classifier), "it states a version"
        assert largest_difference(classifier, cohort, expected) <= TOLERANCE


def test_an_ensemble_of_one_network_in_three_forms(reference, exported, cohort, expected, tmp_path):
    script = write_torchscript(reference.network, tmp_path / "release.pt", inside=toml(DECLARED))
    with served(scoring(reference.network, DECLARED)) as address:
        members = [load_classifier(str(place)) for place in (script, exported, address)]
        assert largest_difference(ensemble(*members), cohort, expected) <= TOLERANCE
