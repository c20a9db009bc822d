"""The gate on classifiers in files and at exam level, with a view missing: judged as any other."""

import csv
import json
import sys
from pathlib import Path

import pytest

from mammo_fixtures.plugin.tests.gate_folder import run, verdicts

TWO_LEVELS = '''
import torch
from mammo_fixtures import Classifier
from release import Detail

class TwoViews(torch.nn.Module):
    """At exam level: each breast by the views there are of it."""

    def __init__(self):
        super().__init__()
        self.detail = Detail()

    def forward(self, views):
        scores = {name: self.detail(images) for name, images in views.items()}
        return {side: torch.stack([s for name, s in scores.items() if name[0] == side]).amax(0) for side in "LR"}

def at_view_level():
    return Classifier(Detail(), score="logit", aggregate="max")

def at_exam_level():
    return Classifier(TwoViews(), level="exam", score="logit", missing_views="leave_out")

def refusing():
    return Classifier(TwoViews(), level="exam", score="logit")
'''


def python(gate, code):
    """Run code beside the gate's own modules."""
    result = gate.run(sys.executable, "-W", "ignore", "-c", f"import torch, release\n{code}")
    assert result.ret == 0, result.stderr.str()


@pytest.fixture
def exams(gate):
    """Every breast gets a second view, but for the left one of exam 4."""
    (gate.path / "two_levels.py").write_text(TWO_LEVELS)
    path = gate.path / "exams" / "site.csv"
    rows = list(csv.DictReader(path.read_text().splitlines()))
    more = [row | {"view": "MLO"} for row in rows if (row["exam_id"], row["side"]) != ("4", "L")]
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows + more)
    return gate


def test_a_missing_view_at_both_levels(exams):
    found = {}
    for name in ("at_view_level", "at_exam_level"):
        result = run(
            exams, f"--mammo-classifier=two_levels:{name}", "-k", "lowpass and not curve", "--mammo-report=out"
        )
        assert result.ret == 0, result.stdout.str()
        found[name] = verdicts(exams.path / "out")
        assert {v["outcome"] for v in found[name].values()} == {"held"}
        assert len(found[name]) == 2
    # Both views of a breast are the same file here, so both levels must agree on every figure.
    for test, verdict in found["at_view_level"].items():
        assert verdict["positives"] == 50
        assert verdict["drop"] == pytest.approx(found["at_exam_level"][test]["drop"], abs=1e-9)


def test_a_missing_view_that_is_not_declared_ends_the_run(exams):
    result = run(exams, "--mammo-classifier=two_levels:refusing", "-k", "lowpass and holds")
    assert result.ret != 0
    result.stdout.fnmatch_lines(["*exam 4: the classifier needs the views L-CC, R-CC, L-MLO, R-MLO, got no L-MLO;*"])


def test_a_file_is_named_from_where_it_was_typed_or_from_the_ini_file(gate):
    (gate.path / "models").mkdir()
    python(gate, "torch.jit.trace(release.Detail(), torch.rand(1, 1, 64, 48)).save('models/release.pt')")
    (gate.path / "models" / "release.toml").write_text('score = "logit"\nintensity = [0, 1]')
    result = run(gate, "--mammo-classifier=models/release.pt", "-k", "contrast and holds", "--mammo-report=out")
    assert result.ret == 0, result.stdout.str()
    assert json.loads((gate.path / "out" / "verdicts.json").read_text())["header"]["classifier"] == "release.pt"
    ini = Path(gate.path / "tox.ini")
    ini.write_text(ini.read_text().replace("release:load", "models/release.pt"))
    (gate.path / "elsewhere").mkdir()
    again = run(gate, "-c", str(ini), "--rootdir", str(gate.path), "-k", "contrast and holds")
    assert again.ret == 0, again.stdout.str()


def test_a_pickled_network_needs_leave(gate):
    python(gate, "torch.save(release.Detail(), 'release.pt')")
    (gate.path / "release.toml").write_text('score = "logit"\nintensity = [0, 1]')
    arguments = ("--mammo-classifier=release.pt", "-k", "contrast and holds")
    refused = run(gate, *arguments)
    assert refused.ret != 0
    assert "release.pt holds Python objects (a pickle)" in refused.stdout.str()
    assert run(gate, *arguments, "--mammo-allow-pickle").ret == 0
    ini = gate.path / "tox.ini"
    ini.write_text(ini.read_text() + "\nmammo_allow_pickle = true\n")
    assert run(gate, *arguments).ret == 0
