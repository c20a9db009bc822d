"""Networks that change or leave the process that calls them: one line, or nothing to see."""

import os
import sys
import warnings

import pytest
import torch

from mammo_fixtures import Classifier, UnusableInput, load_classifier
from mammo_fixtures.classifiers.inference import Inference
from mammo_fixtures.errors import ClassifierRaised


@pytest.mark.parametrize(
    ("change", "back", "said"),
    [
        (lambda: torch.set_default_dtype(torch.float64), lambda: torch.set_default_dtype(torch.float32),
         "dtype must stay float32, got torch.float64"),
        (lambda: torch.set_default_device("meta"), lambda: torch.set_default_device(None),
         "device must stay cpu, got meta"),
    ],
)  # fmt: skip
def test_a_network_that_changes_torchs_defaults_is_told_so_when_it_is_called_and_when_it_was_loaded(change, back, said):
    def changing(batch):
        change()
        return batch.mean((1, 2, 3))

    inference = Inference(Classifier(changing, name="other"), device="cpu")
    try:
        with pytest.raises(UnusableInput, match=rf"^classifier other: torch's default {said}; give "):
            inference.view_scores([torch.rand(1, 8, 8)], ["exam 1"])
        with pytest.raises(UnusableInput, match=rf"^classifier other: torch's default {said}; give "):
            Inference(Classifier(changing, name="other"), device="cpu")
    finally:
        back()


def test_a_network_that_exits_is_one_that_raised():
    inference = Inference(Classifier(lambda batch: sys.exit(3), name="leaves"), device="cpu")
    with pytest.raises(ClassifierRaised, match=r"^classifier leaves: .*exam 1, it raised SystemExit: 3; look at"):
        inference.view_scores([torch.rand(1, 8, 8)], ["exam 1"])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_copy_that_a_network_forked_and_that_comes_back_ends():
    """It would run all other tests a second time, beside the first one."""

    def forking(batch):
        child = os.fork()
        if not child:
            return []  # without torch, whose threads are not in the copy
        ended.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        return batch.mean((1, 2, 3))

    ended = []
    inference = Inference(Classifier(forking, name="forks"), device="cpu")
    with warnings.catch_warnings(action="ignore"):  # of Python, on forking beside threads
        assert len(inference.view_scores([torch.rand(1, 8, 8)], ["exam 1"])) == 1
    assert ended == [1]


def test_a_loader_that_exits_is_one_that_raised(tmp_path, monkeypatch):
    (tmp_path / "leaving_loader.py").write_text("import sys\n\ndef load():\n    sys.exit('no licence')\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ClassifierRaised, match="must load without arguments, it raised SystemExit: no licence; "):
        load_classifier("leaving_loader:load")
