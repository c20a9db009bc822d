"""README is held against the code: its table of perturbations, its first commands, and its sample run."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from mammo_fixtures import PERTURBATIONS, read_tolerances
from mammo_fixtures.tests.pages.blocks import blocks

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def table():
    """The README's table, as the records have it."""
    lines = ["| name | parameter, unit | severities, mild to strong | set |", "|---|---|---|---|"]
    for p in PERTURBATIONS:
        severities = " ".join(f"{s:g}" for s in p.severities)
        lines.append(f"| `{p.name}` | {p.severity_in_words} | {severities} | {p.set} |")
    return "\n".join(lines)


def test_the_table_of_perturbations_is_the_catalogue():
    inside = re.search(r"<!-- perturbations -->\n(.*?)\n<!-- /perturbations -->", README, re.DOTALL)
    assert inside.group(1).strip() == table()


def test_opens_with_the_vocabulary_and_two_commands():
    first = README.split("\n## ")[0]
    words = "perturbation severity exams cohort classifier score metric subgroup curve verdict tolerance"
    for word in words.split():
        assert f"**{word}**" in first
    commands = [line for line in first.splitlines() if line.startswith("python3 -m venv")]
    assert [command.split()[-1] for command in commands] == [".venv/bin/pytest", "selftest"]


def test_ci_runs_the_command_that_readme_prints():
    pattern = re.search(r"sed -n '([^']+)'", (ROOT / ".ci" / "run").read_text()).group(1)
    assert pattern.startswith("s/^\\(python3 .*tox -e selftest\\)$")
    assert len([line for line in README.splitlines() if re.fullmatch(r"python3 .*tox -e selftest", line)]) == 1


SAMPLE = next(block.text for block in blocks(ROOT / "README.md") if block.language == "console")


def sample_claims():
    """Rows of the sample's table: kind, id, clean, perturbed, drop, low, high, margin, outcome."""
    number = r"(-?[\d.]+)"
    row = rf"^(\w+) (lowpass-\S+) +{number} +{number} +{number} \[{number}, {number}\] +{number} +\S+ +(\w+)$"
    return re.findall(row, SAMPLE, re.MULTILINE)


def stored_curve(subgroup):
    """Metric by severity in the snapshot of the reference classifier."""
    folder = ROOT / "robustness_tests" / "__snapshots__" / "test_curve"
    lines = (folder / f"test_curve[lowpass-{subgroup}-auc].txt").read_text().split("auc\n")[-1].splitlines()
    return {float(severity): float(value) for severity, value in (line.split() for line in lines)}


def test_the_sample_run_has_the_figures_that_are_stored():
    rows = sample_claims()
    assert len(rows) == int(re.search(r"claims: (\d+) held, 0 broken", SAMPLE)[1]) > 5
    for kind, claim, clean, perturbed, drop, low, high, margin, outcome in rows:
        _, severity, subgroup, _ = claim.split("-")
        stored = stored_curve(subgroup)
        assert float(clean) == pytest.approx(stored[0], abs=6e-4), claim
        assert float(perturbed) == pytest.approx(stored[float(severity.removesuffix("mm"))], abs=6e-4), claim
        assert float(drop) == pytest.approx(float(clean) - float(perturbed), abs=1.1e-3), claim
        held = float(high) <= float(margin) if kind == "holds" else float(low) >= float(margin)
        assert (outcome == "held") is held, claim


def test_the_sample_run_counts_what_is_collected():
    line = [sys.executable, "-m", "pytest", "--co", "-q", "-k", "lowpass", "-p", "no:cacheprovider"]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, timeout=120, check=True)
    selected, every, gone = re.search(r"(\d+)/(\d+) tests collected \((\d+) deselected\)", done.stdout).groups()
    assert f"collected {every} items / {gone} deselected / {selected} selected" in SAMPLE
    ids = set(re.findall(r"\[(lowpass-\S+)\]", done.stdout))
    assert {claim for _, claim, *_ in sample_claims()} <= ids


def test_the_tolerance_in_readme_is_read(tmp_path):
    block = next(block.text for block in blocks(ROOT / "README.md") if block.language == "toml")
    assert tomllib.loads(block)["tolerance"]
    path = tmp_path / "tolerances.toml"
    path.write_text(
        block.replace("# confidence", "confidence")
        .replace("# inconclusive", "inconclusive")
        .replace("# not_run", "not_run")
    )
    (tolerance,) = read_tolerances(path)
    assert (tolerance.claim, tolerance.severities, tolerance.margin) == ("holds", (0.22, 0.5), 0.05)


def test_the_new_perturbation_in_readme_works():
    torch = pytest.importorskip("torch")
    block = next(block.text for block in blocks(ROOT / "README.md") if "BRIGHTNESS = Perturbation" in block.text)
    made = {}
    exec(block, made)
    result = made["brightness"](torch.zeros(2, 2), offset=0.5, feathered_mask=torch.ones(2, 2))
    assert torch.equal(result, torch.full((2, 2), 0.5))
    assert made["BRIGHTNESS"].shares == ("feathered_mask",)
