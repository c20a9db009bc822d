"""The report as a user gets it: complete, partial, from scores alone, and the same from workers."""

import hashlib
import json
import re
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
import zipfile

from mammo_fixtures.plugin.tests.gate_folder import CONFTEST, run

FILES = {"report.html", "report.md", "badge.svg", "curves.json", "verdicts.json", "scores.csv.gz", "evidence.zip"}


def page(folder):
    return (folder / "report.html").read_text("utf-8")


def test_workers_leave_one_report_with_pictures_and_figures_in_every_junit_case(gate):
    result = run(gate, "-k", "lowpass", "--mammo-report=out", "--junitxml=junit.xml", "-n", "2")
    result.stdout.fnmatch_lines(["note: report written to *report.html"])
    out = gate.path / "out"
    assert {path.name for path in out.iterdir()} == FILES
    told = json.loads((out / "verdicts.json").read_text())
    assert re.search(r"The gate (passed|failed): ", page(out))
    assert page(out).count("data:image/webp") >= 8
    assert "lowpass: exam 0, L-CC, soft_tissue_lesions, malignant" in page(out)
    assert told["header"]["versions"]["torch"]
    assert told["header"]["tolerances"]["file"] == "tolerances.toml"
    text = (gate.path / "robustness_tests" / "tolerances.toml").read_bytes()
    assert told["header"]["tolerances"]["sha256"] == hashlib.sha256(text).hexdigest()
    cases = {
        case.get("name"): {p.get("name"): p.get("value") for p in case.iter("property")}
        for case in ElementTree.parse(gate.path / "junit.xml").iter("testcase")
    }
    for verdict in told["verdicts"]:
        properties = cases[verdict["test"]]
        assert json.loads(properties["mammo_verdict"]) == verdict
        for name in ("outcome", "clean", "perturbed", "drop", "low", "high", "margin", "positives", "negatives"):
            assert properties[f"mammo_{name}"] == str(verdict[name])


def test_the_same_scores_give_the_same_evidence_and_need_no_torch(gate):
    run(gate, "-k", "lowpass", "--mammo-report=first", "--mammo-pictures=none")
    assert "No pictures: --mammo-pictures=none." in page(gate.path / "first")
    scores = gate.path / "first" / "scores.csv.gz"
    (gate.path / "torch.py").write_text("raise ImportError('torch was imported')")
    for name in ("one", "two"):
        run(gate, "-k", "lowpass", f"--mammo-scores={scores}", f"--mammo-people={scores}", f"--mammo-report={name}")
        time.sleep(1.1)  # so that a time of the run would show
    one, two = (gate.path / name / "evidence.zip" for name in ("one", "two"))
    assert one.read_bytes() == two.read_bytes()
    with zipfile.ZipFile(one) as archive:
        assert archive.testzip() is None
        for line in archive.read("SHA256SUMS").decode().splitlines():
            digest, name = line.split("  ")
            assert hashlib.sha256(archive.read(name)).hexdigest() == digest
    told = page(gate.path / "one")
    assert "No pictures: a score table was judged (--mammo-scores), which has no images." in told
    assert "human readers: " in told


def test_other_failures_and_remarks_stand_in_the_report(gate):
    (gate.path / "robustness_tests" / "test_more.py").write_text(
        "def test_more(scores):\n    assert not len(scores.exam_id), '<b>no exam may be there</b>'\n"
    )
    run(gate, "-k", "more or contrast-0.90x", "--mammo-report=out", "--mammo-pictures=none")
    told = page(gate.path / "out")
    assert "other test failed" in told
    assert "&lt;b&gt;no exam may be there&lt;/b&gt;" in told
    assert "test_more" in (gate.path / "out" / "report.md").read_text("utf-8").replace("\\", "")


STOPPING = """
import time

import pytest


@pytest.fixture
def told():
    with open("reached.txt", "w"):
        pass


def test_zzz(told, scores):
    time.sleep(120)
"""


def test_ctrl_c_leaves_a_report_that_says_so(gate):
    (gate.path / "robustness_tests" / "test_zzz.py").write_text(STOPPING)
    gate.makeconftest(CONFTEST)
    command = [sys.executable, "-m", "pytest", "-k", "contrast-0.90x or zzz", "--mammo-report=out"]
    process = subprocess.Popen(
        command,
        cwd=gate.path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a shell ignores it for what it starts behind
    )
    for _ in range(1200):
        if (gate.path / "reached.txt").exists() or process.poll() is not None:
            break
        time.sleep(0.1)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 2, output
    told = page(gate.path / "out")
    assert "The gate was stopped: it was interrupted; of " in told
    assert "so this report is part of one." in told
    assert "No pictures: the run ended before they were drawn." in told
    verdicts = json.loads((gate.path / "out" / "verdicts.json").read_text())
    assert verdicts["header"]["stopped"] == "it was interrupted"
    assert [v["test"] for v in verdicts["verdicts"]] == ["test_holds[contrast-0.90x-all-auc]"]
