"""The gate as a user runs it: selection, snapshots, workers, reports, exit status."""

import csv
import gzip
import json
import os
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from mammo_fixtures.plugin.tests.gate_folder import TOLERANCES, run, verdicts

ROOT = Path(__file__).resolve().parents[3]


def curves(folder):
    return json.loads((folder / "curves.json").read_text())["curves"]


def loads(gate):
    path = gate.path / "loads.txt"
    return path.read_text().split() if path.exists() else []


def test_every_claim_is_held_and_the_report_is_written(gate):
    result = run(gate, "--mammo-report=out", "--junitxml=junit.xml", "-k", "not curve")
    assert result.ret == 0, result.stdout.str()
    assert verdicts(gate.path / "out").keys() == {
        "test_holds[lowpass-0.50mm-soft_tissue_lesions-auc]",
        "test_responds[lowpass-8.00mm-microcalcifications-auc]",
        "test_holds[contrast-0.90x-all-auc]",
        "test_clean[clean-all-auc]",
        "test_clean[clean-microcalcifications-auc]",
        "test_clean[clean-soft_tissue_lesions-auc]",
    }
    for verdict in verdicts(gate.path / "out").values():
        assert verdict["outcome"] == "held"
        assert verdict["sentence"]
    result.stdout.fnmatch_lines(
        [
            "claims: 3 held, 0 broken, 0 inconclusive, 0 not run; clean AUC: 3 held",
            "scored: 150 exams, 300 views × 4 conditions, 1,200 scores, in 0:?? min",
        ]
    )
    with gzip.open(gate.path / "out" / "scores.csv.gz", "rt") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 300 * 4
    # Every output counts the same claims, and the clean AUCs apart from them.
    out = gate.path / "out"
    assert sum(verdict["claim"] != "clean" for verdict in verdicts(out).values()) == 3
    assert "all 3 claims were held" in (out / "report.md").read_text("utf-8")
    assert '<li class="held"><b>3</b>' in (out / "report.html").read_text("utf-8")
    assert "passed, 3 of 3 held" in (out / "badge.svg").read_text("utf-8")
    judged = {
        case.get("name"): [p.get("value") for p in case.iter("property") if p.get("name") == "mammo_outcome"]
        for case in ElementTree.parse(gate.path / "junit.xml").iter("testcase")
    }
    assert [each for name, each in judged.items() if each and not name.startswith("test_clean")] == [["held"]] * 3
    properties = {
        p.get("name"): p.get("value")
        for case in ElementTree.parse(gate.path / "junit.xml").iter("testcase")
        if case.get("name", "").startswith("test_responds")
        for p in case.iter("property")
    }
    assert properties["mammo_outcome"] == "held"
    assert json.loads(properties["mammo_verdict"])["claim"] == "responds"


def test_two_workers_give_the_same_verdicts_and_curves_and_load_once_each(gate):
    arguments = ("--mammo-store=none", "-k", "lowpass or contract or clean")
    run(gate, *arguments, "--mammo-report=one")
    assert len(loads(gate)) == 1
    result = run(gate, *arguments, "--mammo-report=two", "-n", "2", "--junitxml=junit.xml")
    assert len(loads(gate)[1:]) == len(set(loads(gate)[1:])) == 2
    one, two = verdicts(gate.path / "one"), verdicts(gate.path / "two")
    assert {k: v["outcome"] for k, v in one.items()} == {k: v["outcome"] for k, v in two.items()}
    for first, second in zip(curves(gate.path / "one"), curves(gate.path / "two"), strict=True):
        for a, b in zip(first["points"], second["points"], strict=True):
            assert a["value"] == pytest.approx(b["value"], abs=1e-6)
    assert (gate.path / "two" / "scores.csv.gz").exists()
    assert "mammo_outcome" in (gate.path / "junit.xml").read_text()
    result.stdout.fnmatch_lines(
        ["*claims: 2 held*clean AUC: 3 held", "scored: 150 exams, 300 views × 10 conditions, 3,000 scores, in 0:?? min"]
    )


def test_a_second_run_decodes_nothing_and_a_subset_computes_only_what_it_needs(gate):
    run(gate, "-k", "contrast", "--mammo-report=first")
    with gzip.open(gate.path / "first" / "scores.csv.gz", "rt") as file:
        assert {row["perturbation"] for row in csv.DictReader(file)} == {"clean", "contrast"}
    for path in (gate.path / "exams").glob("*.png"):
        stat = path.stat()
        # Same size and time, so the store trusts its memory of the pixels; decoding it would fail.
        path.write_bytes(bytes(stat.st_size))
        os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    result = run(gate, "-k", "contrast", "--mammo-report=second")
    assert result.ret == 0, result.stdout.str()
    assert verdicts(gate.path / "first") == verdicts(gate.path / "second")
    result.stdout.fnmatch_lines(["scored: * 6 conditions, 1,800 scores, 1,800 of them from the store, in 0:?? min"])


@pytest.mark.parametrize(
    ("arguments", "ran"),
    [
        (("-k", "0.50mm"), {"test_holds[lowpass-0.50mm-soft_tissue_lesions-auc]"}),
        (
            ("-k", "lowpass and microcalcifications and responds"),
            {"test_responds[lowpass-8.00mm-microcalcifications-auc]"},
        ),
        (
            ("robustness_tests/test_holds.py::test_holds[contrast-0.90x-all-auc]",),
            {"test_holds[contrast-0.90x-all-auc]"},
        ),
        (("-m", "claims", "-k", "contrast and holds"), {"test_holds[contrast-0.90x-all-auc]"}),
    ],
)
def test_selections_run_what_they_say(gate, arguments, ran):
    result = run(gate, *arguments, "--mammo-report=out")
    assert result.ret == 0, result.stdout.str()
    assert set(verdicts(gate.path / "out")) == ran


def test_collecting_runs_nothing_and_imports_no_torch(gate):
    (gate.path / "torch.py").write_text("raise ImportError('torch was imported')")
    result = run(gate, "--co", "-q")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["*test_holds[[]lowpass-0.50mm-soft_tissue_lesions-auc[]]*"])
    assert not loads(gate)
    assert not (gate.path / ".mammo").exists()


def test_snapshots_live_in_the_users_folder_and_are_never_rewritten_within_tolerance(gate):
    arguments = ("-k", "curve and lowpass", "--mammo-snapshots=mine")
    shipped = {p: p.read_bytes() for p in (ROOT / "robustness_tests" / "__snapshots__").rglob("*") if p.is_file()}

    missing = run(gate, *arguments)
    assert missing.ret == 1
    missing.stdout.fnmatch_lines(["*no snapshot is stored for this curve; * the same command with --snapshot-update*"])
    assert run(gate, *arguments, "--snapshot-update").ret == 0
    stored = sorted((gate.path / "mine" / "test_curve").iterdir())
    assert [p.name for p in stored] == [
        f"test_curve[lowpass-{s}-auc].txt" for s in ("all", "microcalcifications", "soft_tissue_lesions")
    ]
    assert run(gate, *arguments).ret == 0

    near = stored[0].read_text()
    value = float(re.search(r"4\s+(\d\.\d{4})\n$", near).group(1))
    stored[0].write_text(near.replace(f"{value:.4f}\n", f"{value - 0.004:.4f}\n"))
    nudged = stored[0].read_bytes()
    assert run(gate, *arguments, "--snapshot-update").ret == 0
    assert stored[0].read_bytes() == nudged, "what is within tolerance must not be rewritten"

    stored[0].write_text(near.replace(f"{value:.4f}\n", f"{value - 0.02:.4f}\n"))
    moved = run(gate, *arguments, "--mammo-report=out")
    assert moved.ret == 1
    assert "most by +0.0200 at 4;" in (gate.path / "out" / "report.md").read_text("utf-8").replace("\\", "")
    moved.stdout.fnmatch_lines(
        ["*auc of all under lowpass, mm moved by more than 0.005*", "*severity*stored*now*difference*"]
    )
    workers = run(gate, "-k", "curve and lowpass and all", "--mammo-snapshots=mine", "--snapshot-update", "-n", "2")
    assert workers.ret == 0
    workers.stdout.fnmatch_lines(["scored: *", "note: 1 snapshot written to *mine"])
    assert sorted((gate.path / "mine" / "test_curve").iterdir()) == stored, (
        "snapshots of unselected curves are left alone"
    )
    assert run(gate, *arguments).ret == 0
    assert {p: p.read_bytes() for p in shipped} == shipped


@pytest.mark.parametrize(
    "selection",
    [
        ("-k", "contrast"),
        ("-m", "claims", "-k", "contrast and not lowpass"),
        ("robustness_tests/test_curve.py::test_curve[contrast-all-auc]",),
        ("--lf", "-o", "addopts=--import-mode=importlib"),
        ("--co",),
        ("-k", "holds", "-n", "2"),
    ],
)
def test_updating_a_selection_leaves_every_other_snapshot_alone(gate, selection):
    folder = gate.path / "mine" / "test_curve"
    folder.mkdir(parents=True)
    others = {folder / f"test_curve[lowpass-{s}-auc].txt": f"kept {s}" for s in ("all", "microcalcifications")}
    others[folder / "test_curve[gone-all-auc].txt"] = "kept too"
    for path, text in others.items():
        path.write_text(text)
    arguments = selection if "--lf" not in selection else (*selection, "-k", "contrast")
    result = run(gate, *arguments, "--mammo-snapshots=mine", "--snapshot-update")
    assert result.ret == 0, result.stdout.str()
    assert {path: path.read_text() for path in others} == others


def test_a_curve_of_another_classifier_is_not_compared(gate):
    arguments = ("-k", "curve and contrast and all", "--mammo-snapshots=mine")
    run(gate, *arguments, "--snapshot-update")
    source = gate.path / "release.py"
    source.write_text(source.read_text().replace('name="detail"', 'name="other"'))
    result = run(gate, *arguments)
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*not comparable: the stored curve has classifier 'detail', this one 'other'*"])


def test_last_failed_runs_the_failed_claim_again(gate):
    tolerances = gate.path / "robustness_tests" / "tolerances.toml"
    tolerances.write_text(TOLERANCES.replace("margin = 0.03", "margin = 0.3"))
    gate.makefile(".ini", pytest="[pytest]\ntestpaths = robustness_tests\naddopts = --import-mode=importlib\n")
    arguments = ("--mammo-classifier=release:load", "--mammo-exams=exams/site.csv", "-k", "not curve")
    assert run(gate, *arguments).ret == 1
    again = run(gate, *arguments, "--lf")
    again.assert_outcomes(failed=1, deselected=again.parseoutcomes().get("deselected", 0))
    again.stdout.fnmatch_lines(["*test_responds[[]lowpass-8.00mm-microcalcifications-auc[]]*"])


def test_a_broken_claim_fails_in_one_sentence(gate):
    (gate.path / "robustness_tests" / "tolerances.toml").write_text(
        TOLERANCES.replace('subgroup = "soft_tissue_lesions"', 'subgroup = "microcalcifications"')
        .replace("[0.5]", "[8.0]")
        .replace("margin = 0.03", "margin = 0.02")
        .replace("margin = 0.2", "margin = 0.03", 1)
    )
    result = run(gate, "-k", "lowpass and holds", "--mammo-report=out")
    assert result.ret == 1
    (verdict,) = verdicts(gate.path / "out").values()
    assert verdict["outcome"] == "broken"
    assert re.match(
        r"AUC of microcalcifications fell \d\.\d{3} → \d\.\d{3} at lowpass 8(\.00)? mm: drop \d\.\d{3} "
        r"\[\d\.\d{3}, \d\.\d{3}\] against a margin of 0\.030 \(n = 50 malignant, 200 not\)",
        verdict["sentence"],
    )
    assert verdict["sentence"] in re.sub(r"\s+", " ", result.stdout.str().replace("\nE ", " "))


def test_what_cannot_be_judged_fails_unless_allowed_and_strict_overrules_that(gate):
    path = gate.path / "robustness_tests" / "tolerances.toml"
    nobody = TOLERANCES.replace('"soft_tissue_lesions"', '"mixed"')
    path.write_text(nobody)
    result = run(gate, "-k", "mixed and holds")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*0 held, 0 broken, 0 inconclusive, 1 not run*"])
    path.write_text(nobody.replace('reason = "masses are large"', 'reason = "masses are large"\nnot_run = "allow"'))
    allowed = run(gate, "-k", "mixed and holds")
    assert allowed.ret == 0
    allowed.assert_outcomes(skipped=1, deselected=allowed.parseoutcomes().get("deselected", 0))
    assert run(gate, "-k", "mixed and holds", "--mammo-strict").ret == 1


def test_inconclusive_can_warn(gate):
    path = gate.path / "robustness_tests" / "tolerances.toml"
    narrow = TOLERANCES.replace('margin = 0.2\nreason = "masses', 'margin = 0.02\nreason = "masses')
    path.write_text(narrow)
    assert run(gate, "-k", "soft_tissue_lesions and holds").ret == 1
    path.write_text(narrow.replace('reason = "masses are large"', 'reason = "masses are large"\ninconclusive = "warn"'))
    warned = run(gate, "-k", "soft_tissue_lesions and holds")
    assert warned.ret == 0
    warned.stdout.fnmatch_lines(["note: accepted though inconclusive*"])
    assert run(gate, "-k", "soft_tissue_lesions and holds", "--mammo-strict").ret == 1


def test_a_classifier_that_sees_clean_images_only_is_found_out(gate):
    source = gate.path / "release.py"
    source.write_text(
        source.read_text() + "\nclass Blind:\n    def __call__(self, batch):\n"
        "        return (batch[:, 0, 30, 20] > 0.55).double().clip(0.1, 0.9)\n"
        "\ndef coarse():\n    return Classifier(Blind())\n"
    )
    result = run(gate, "--mammo-classifier=release:coarse", "-k", "(contrast and holds) or perturbed_scores")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*perturbed scores must differ from clean ones*"])


def test_a_score_table_is_judged_without_torch(gate):
    run(gate, "-k", "lowpass", "--mammo-report=out")
    (gate.path / "torch.py").write_text("raise ImportError('torch was imported')")
    result = run(gate, "-k", "lowpass", "--mammo-scores=out/scores.csv.gz", "--mammo-report=again")
    assert result.ret == 0, result.stdout.str()
    first, again = (
        {k: (v["outcome"], v["drop"]) for k, v in verdicts(gate.path / folder).items()} for folder in ("out", "again")
    )
    assert first == again
    result.assert_outcomes(passed=2, skipped=3, deselected=result.parseoutcomes().get("deselected", 0))
