"""Workers that loaded other classifiers than one another end red: their scores would be mixed in one table."""

import pytest

OWN_WEIGHTS = """
import os
from release import Detail
from mammo_fixtures import Classifier

def own():
    network = Detail()
    network.weight.data *= 1 + int(os.environ["PYTEST_XDIST_WORKER"][2:])
    return network

def load():
    return Classifier(own(), name="own", score="logit")

def bare():
    network = own()
    return Classifier(lambda batch: network(batch), name="own", score="logit")
"""


@pytest.mark.parametrize(("loader", "got"), [("load", "other weights or code"), ("bare", "for exam 0, L, clean")])
def test_workers_with_other_weights_are_told_and_the_run_is_red(gate, loader, got):
    gate.makefile(".py", own=OWN_WEIGHTS)
    result = gate.runpytest_subprocess("-n", "2", "-k", "clean", f"--mammo-classifier=own:{loader}")
    assert result.ret == 1
    result.stdout.fnmatch_lines([f"classifier own: every worker must load the same one, two of them have*{got}; look*"])
