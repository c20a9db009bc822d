"""Universal fields through a whole gate: fitted once for all workers, saved with the report, given by an option."""

import csv
import gzip
import re

from mammo_fixtures.perturbations.universal import UniversalFields

CLAIM = """
[[tolerance]]
claim = "holds"
perturbation = "universal"
severities = [4, 64]
subgroup = "all"
metric = "auc"
margin = 0.3
reason = "one field for all views"
"""


def scores(folder):
    with gzip.open(folder / "scores.csv.gz", "rt", newline="") as file:
        return {
            (row["exam_id"], row["side"], row["perturbation"], float(row["severity"])): float(row["score"])
            for row in csv.DictReader(file)
        }


def test_fields_are_fitted_once_shared_saved_and_given_back(gate):
    (gate.path / "robustness_tests" / "tolerances.toml").write_text(CLAIM)

    def run(*options):
        return gate.runpytest_subprocess("-k", "universal and holds", "--mammo-pictures=none", *options, timeout=600)

    workers = run("-n", "2", "--mammo-report=workers", "--mammo-store=workers.sqlite")
    workers.stdout.fnmatch_lines(["*universal fields, fitted once for this classifier: *", "*claims: 2 held*"])
    alone = run("--mammo-report=alone", "--mammo-store=alone.sqlite")
    alone.stdout.fnmatch_lines(["*claims: 2 held*"])
    fitted = [UniversalFields.read(gate.path / name / "universal.safetensors") for name in ("workers", "alone")]
    assert fitted[0].digest == fitted[1].digest
    assert set(fitted[0].directions) == {(0, "CC"), (1, "CC")}
    expected = scores(gate.path / "alone")
    assert len(expected) == 300 * 3
    assert scores(gate.path / "workers").keys() == expected.keys()
    assert max(abs(value - expected[key]) for key, value in scores(gate.path / "workers").items()) < 1e-6
    # The field moves scores, or it was not added.
    moved = [abs(expected[*breast, "universal", 64.0] - expected[*breast, "clean", 0.0]) for *breast, _, _ in expected]
    assert sorted(moved)[len(moved) // 2] > 1e-2

    saved = "--mammo-universal=alone/universal.safetensors"
    given = run(saved, "--mammo-report=given", "--mammo-store=given.sqlite")
    given.stdout.fnmatch_lines(["*claims: 2 held*"])
    assert scores(gate.path / "given") == expected


INTERRUPTED = """
import os, signal
import torch
from mammo_fixtures import Classifier
from release import Detail

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell ignores it for what it starts behind

class Interrupted(Detail):
    followed = 0

    def forward(self, x):
        self.followed += x.requires_grad
        if self.followed == 200:
            os.kill(os.getpid(), signal.SIGINT)
        return super().forward(x)

def load():
    return Classifier(Interrupted(), score="logit")
"""


def test_ctrl_c_while_fields_are_fitted_says_what_is_lost_and_how_to_do_without(gate):
    (gate.path / "robustness_tests" / "tolerances.toml").write_text(CLAIM)
    gate.makefile(".py", interrupted=INTERRUPTED)
    result = gate.runpytest_subprocess(
        "-k", "universal and holds", "--mammo-classifier=interrupted:load", "--mammo-report=out", timeout=600
    )
    assert result.ret == 2
    result.stdout.fnmatch_lines(["[[]mammo] universal fields, fitted once for this classifier: 0 of 960 gradients"])
    ended = r"note: the fitting of universal fields ended with (\d+) of 960 gradients, and (.*)"
    said = re.search(ended, result.stdout.str())
    assert 0 < int(said[1]) < 200
    assert said[2] == 'the next run begins it anew; -k "not universal" leaves it out'
    assert said[2].split(";")[0] in (gate.path / "out" / "report.html").read_text("utf-8")


def test_a_file_that_holds_no_fields_is_refused(gate):
    (gate.path / "robustness_tests" / "tolerances.toml").write_text(CLAIM)
    (gate.path / "other.safetensors").write_bytes(b"no fields")
    result = gate.runpytest_subprocess("-k", "universal and holds", "--mammo-universal=other.safetensors", timeout=600)
    assert result.ret != 0
    assert "other.safetensors: must be a readable safetensors file" in result.stdout.str() + result.stderr.str()
