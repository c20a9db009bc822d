"""Releases, selectivity, other metrics and incomplete tables, as a user's gate judges them."""

import csv
import json

import numpy as np
import pytest

from mammo_fixtures.plugin.tests.gate_folder import verdicts

CONFTEST = 'pytest_plugins = ("mammo_fixtures.plugin.hooks", "mammo_fixtures.plugin.fixtures")\n'
CLAIMS = ("clean", "holds", "responds_more", "not_worse", "curve")
TEST = """
import pytest

@pytest.mark.claims("{kind}")
def test_{kind}(claim, judged):
    verdict = judged(claim)
    assert verdict.outcome in claim.accepted, verdict.sentence
"""
TOLERANCES = """
[[tolerance]]
claim = "holds"
perturbation = "lowpass"
severities = [0.5]
subgroup = "masses"
metric = "sensitivity"
operating_point = "specificity>=0.80"
margin = 0.3
reason = "masses are large"

[[tolerance]]
claim = "holds"
perturbation = "lowpass"
up_to = 0.22
subgroup = "grains"
margin = 0.16
reason = "grains survive this"

[[tolerance]]
claim = "responds_more"
perturbation = "lowpass"
severities = [2.0]
subgroup = "grains"
than = "masses"
margin = 0.1
reason = "only grains need fine detail"
"""
SEVERITIES = (0.17, 0.22, 0.5, 2.0)


def write_table(path, *, struck=0.0, worse=0.0, missing=(), seed=60):
    """180 malignant breasts of two kinds among 900; grains lose their separation at 2 mm, `struck` of it at 0.22 mm.

    `worse` is what grains lose everywhere, clean included.
    """
    rng = np.random.default_rng(seed)
    malignant = np.arange(900) < 180
    grains = np.arange(900) % 3 == 0
    base = rng.standard_normal(900) + 2.2 * malignant
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        columns = "exam_id,side,malignant,subgroup,perturbation,severity,reader,score,density"
        writer.writerow(columns.split(","))
        for severity in (0.0, *SEVERITIES):
            fall = (worse + {0.22: struck, 2.0: 2.0}.get(severity, 0.0)) * (malignant & grains)
            for i in range(900):
                if (i, severity) in missing:
                    continue
                score = 1 / (1 + np.exp(-(base[i] - fall[i] + 0.05 * (severity > 0) * rng.standard_normal())))
                kind = ("grains" if grains[i] else "masses") if malignant[i] else "normal"
                name = "lowpass" if severity else "clean"
                writer.writerow([i, "L", int(malignant[i]), kind, name, severity, "one", score, "abcd"[i % 4]])


@pytest.fixture
def gate(pytester):
    pytester.makeconftest(CONFTEST)
    pytester.makeini("[pytest]\ntestpaths = robustness_tests\naddopts = --import-mode=importlib -p no:cacheprovider\n")
    claims = pytester.mkdir("robustness_tests")
    for kind in CLAIMS:
        text = TEST.format(kind=kind)
        if kind == "curve":
            text = text.replace("judged):", "drawn):").replace("    verdict = judged(claim)\n", "    drawn(claim)\n")
            text = text.split("    assert")[0]
        (claims / f"test_{kind}.py").write_text(text)
    (claims / "tolerances.toml").write_text(TOLERANCES)
    write_table(pytester.path / "candidate.csv", struck=1.5)
    return pytester


def run(gate, *args):
    result = gate.runpytest_subprocess("--mammo-scores=candidate.csv", "--mammo-report=out", *args, timeout=300)
    return result, verdicts(gate.path / "out")


def test_other_metrics_crossings_and_selectivity_are_claims_with_their_own_ids(gate):
    write_table(gate.path / "candidate.csv")
    crossed = TOLERANCES.replace('subgroup = "grains"\nmargin', 'subgroup = "grains & density=d"\nmargin')
    crossed = crossed.replace("margin = 0.16", "margin = 0.6")
    (gate.path / "robustness_tests" / "tolerances.toml").write_text(crossed)
    _, verdicts = run(gate)
    assert {name for name in verdicts if "clean" not in name} == {
        "test_holds[lowpass-0.50mm-masses-sensitivity-specificity_0.80]",
        "test_holds[lowpass-0.17mm-grains___density_d-auc]",
        "test_holds[lowpass-0.22mm-grains___density_d-auc]",
        "test_responds_more[lowpass-2.00mm-grains-than-masses-auc]",
    }
    assert {v["outcome"] for name, v in verdicts.items() if "responds_more" in name or "sensitivity" in name} == {
        "held"
    }
    curves = json.loads((gate.path / "out" / "curves.json").read_text())["curves"]
    sensitivity = [c for c in curves if c["metric"] == "sensitivity"]
    assert [c["operating_point"] for c in sensitivity] == ["specificity>=0.80"]


def test_a_candidate_worse_in_one_subgroup_is_caught_there_and_the_report_tells_what_pooling_hides(gate):
    write_table(gate.path / "baseline.csv", seed=60)
    tolerances = gate.path / "robustness_tests" / "tolerances.toml"
    for subgroup in ("all", "masses", "grains"):
        tolerances.write_text(
            tolerances.read_text() + '\n[[tolerance]]\nclaim = "not_worse"\nperturbation = "lowpass"\n'
            f'severities = [0.22]\nsubgroup = "{subgroup}"\nmargin = 0.16\nreason = "releases"\n'
        )
    result, verdicts = run(gate, "--mammo-baseline=baseline.csv", "-k", "not_worse")
    outcomes = {name.split("-")[2]: v["outcome"] for name, v in verdicts.items()}
    assert outcomes == {"all": "held", "masses": "held", "grains": "broken"}
    result.stdout.fnmatch_lines(["*Pooled over all breasts it would have passed: drop 0.*"])
    assert result.ret == 1


def test_of_all_claims_only_those_of_the_worse_subgroup_against_the_baseline_are_broken(gate):
    """Worse from clean on, so that the candidate keeps its own level and only the comparison of releases sees it."""
    write_table(gate.path / "baseline.csv")
    write_table(gate.path / "candidate.csv", worse=1.3)
    tolerances = TOLERANCES.replace("margin = 0.1\n", "margin = 0.05\n")
    for subgroup in ("all", "masses", "grains"):
        tolerances += '\n[[tolerance]]\nclaim = "not_worse"\nperturbation = "lowpass"\nseverities = [0.22]\n'
        tolerances += f'subgroup = "{subgroup}"\nmargin = 0.13\nreason = "what a reader would notice"\n'
    (gate.path / "robustness_tests" / "tolerances.toml").write_text(tolerances)
    result, verdicts = run(gate, "--mammo-baseline=baseline.csv")
    kinds = {v["claim"] for v in verdicts.values()}
    assert kinds == {"clean", "holds", "responds_more", "not_worse"}
    not_held = {name: v["outcome"] for name, v in verdicts.items() if v["outcome"] != "held"}
    assert set(not_held) == {"test_not_worse[lowpass-0.22mm-grains-auc]"}
    assert result.parseoutcomes()["failed"] == 1
    pooled = verdicts["test_not_worse[lowpass-0.22mm-all-auc]"]
    assert pooled["high"] <= pooled["margin"] < verdicts["test_not_worse[lowpass-0.22mm-grains-auc]"]["low"]
    told = f"Pooled over all breasts it would have passed: drop {pooled['drop']:.3f}"
    assert told in verdicts["test_not_worse[lowpass-0.22mm-grains-auc]"]["sentence"]
    assert told in (gate.path / "out" / "report.html").read_text()
    assert told in (gate.path / "out" / "report.md").read_text().replace("\\", "")


def test_a_curve_is_told_in_one_number_on_the_terminal_and_in_every_file_of_the_report(gate):
    result, _ = run(gate, "-k", "curve or holds")
    curves = json.loads((gate.path / "out" / "curves.json").read_text())["curves"]
    (grains,) = (c for c in curves if (c["subgroup"], c["metric"]) == ("grains", "auc"))
    perturbed = grains["points"][1:]
    assert grains["ladder_mean"]["value"] == pytest.approx(np.mean([p["value"] for p in perturbed]))
    assert grains["ladder_mean"]["drop"] == pytest.approx(np.mean([p["drop"] for p in perturbed]))
    assert grains["first_broken"] == [{"margin": 0.16, "confidence": 0.95, "severity": 0.22}]
    (masses,) = (c for c in curves if c["metric"] == "sensitivity")
    assert masses["first_broken"] == [{"margin": 0.3, "confidence": 0.95, "severity": None}]
    result.stdout.fnmatch_lines(["curve: lowpass, grains, AUC: margin 0.16 first broken at 0.22 mm"])
    assert "broken nowhere" not in result.stdout.str()
    told = f"mean over the ladder {grains['ladder_mean']['value']:.3f} ["
    assert told in (gate.path / "out" / "report.html").read_text()
    assert "margin 0.16 first broken at 0.22 mm" in (gate.path / "out" / "report.html").read_text()
    markdown = (gate.path / "out" / "report.md").read_text().replace("\\", "")
    assert "| lowpass, grains, AUC | 0." in markdown
    assert "margin 0.16 first broken at 0.22 mm |" in markdown
    assert "margin 0.3 broken nowhere |" in markdown


def test_a_baseline_adds_claims_and_lists_what_differs(gate):
    rows = (gate.path / "candidate.csv").read_text().splitlines()
    (gate.path / "baseline.csv").write_text("\n".join(row for row in rows if not row.startswith("7,")) + "\n")
    result, verdicts = run(gate, "--mammo-baseline=baseline.csv", "-k", "not_worse")
    assert {v["outcome"] for v in verdicts.values()} == {"held"}
    assert any("clean" in name for name in verdicts)
    result.stdout.fnmatch_lines(["note: only the candidate has a score for 1 breasts: exam 7 L"])
    _, without = run(gate)
    assert not any("not_worse" in name for name in without)


def test_breasts_without_a_score_are_told_not_refused(gate):
    write_table(gate.path / "candidate.csv", missing={(i, 0.5) for i in range(30)})
    _, verdicts = run(gate, "-k", "sensitivity and holds")
    (verdict,) = verdicts.values()
    assert verdict["positives"] == 100
    assert "on the 100 of 120 malignant and 720 of 720 other breasts that have a score" in verdict["sentence"]


def test_a_metric_that_cannot_be_had_is_one_line(gate):
    tolerances = gate.path / "robustness_tests" / "tolerances.toml"
    tolerances.write_text(
        TOLERANCES.replace("grains & ", "").replace('subgroup = "grains"\nmargin', 'subgroup = "dens=d"\nmargin')
    )
    result = gate.runpytest_subprocess("--mammo-scores=candidate.csv", "-k", "holds and 0.17")
    result.stdout.fnmatch_lines(["*a stratum must be a column of the table, got 'dens'*did you mean 'density'?*"])
    assert "Traceback" not in result.stdout.str()


def test_power_for_counts_is_printed_without_running_anything(gate):
    result = gate.runpytest_subprocess("--co", "-q", "--mammo-power=61:600:0.93", timeout=300)
    assert result.ret == 0
    result.stdout.fnmatch_lines(
        [
            "power: chance that an unchanged classifier is held (61 malignant breasts of each subgroup, 600 not, *",
            "  holds lowpass 0.50 masses sensitivity, margin 0.3: 1.00 with 61; * malignant breasts for 0.80",
            "  holds lowpass 0.17 grains, margin 0.16: 1.00 with 61; * malignant breasts for 0.80",
            "  responds_more lowpass 2 grains than masses, margin 0.1: 1.00 with 61; * malignant breasts for 0.80",
            "power: 1.00 joint chance that all 4 are held",
        ]
    )


@pytest.mark.parametrize("value", ["61", "61:0", "a:b", "61:600:1.2", "1:2:0.8:4"])
def test_other_counts_are_usage_errors(gate, value):
    result = gate.runpytest_subprocess("--co", f"--mammo-power={value}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        [
            "ERROR: --mammo-power must stand alone or give malignant and other breasts and, if you like, the clean "
            f"AUC, as in --mammo-power=61:1379:0.90, up to 1000000 each, got '{value}'"
        ]
    )


def test_an_inconclusive_verdict_cites_its_chance(gate):
    tolerances = gate.path / "robustness_tests" / "tolerances.toml"
    tolerances.write_text(TOLERANCES.replace("margin = 0.16", "margin = 0.031"))
    write_table(gate.path / "candidate.csv", struck=0.2)
    result, verdicts = run(gate, "-k", "holds and 0.22", "--mammo-power")
    (verdict,) = verdicts.values()
    assert verdict["outcome"] == "inconclusive"
    assert "With these counts and this scatter an unchanged classifier is held with a chance of " in verdict["sentence"]
    result.stdout.fnmatch_lines(["power: * joint chance that all 4 are held"])


def test_a_table_with_missing_cells_keeps_the_contract(gate):
    (gate.path / "robustness_tests" / "test_contract.py").write_text(
        "from mammo_fixtures.plugin.contract import every_breast_has_a_finite_score\n\n"
        "def test_finite(scores, mammo_run):\n    every_breast_has_a_finite_score(scores, mammo_run)\n"
    )
    write_table(gate.path / "candidate.csv", missing={(3, 0.5), (700, 0.0)})
    assert gate.runpytest_subprocess("--mammo-scores=candidate.csv", "-k", "finite").parseoutcomes()["passed"] == 1
