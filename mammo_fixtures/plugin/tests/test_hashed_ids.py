"""`--mammo-hash-ids`: no id of an exam or a patient, and no name of a file, in anything that is written or shown."""

import csv
import io
import json
import shutil

import pytest

from mammo_fixtures import ScoreTable, UnusableInput
from mammo_fixtures.exams.pseudonyms import Pseudonyms, read_key, without_paths
from mammo_fixtures.plugin.tests.faulty_classifiers import FAULTY
from mammo_fixtures.plugin.tests.gate_folder import write_exams
from mammo_fixtures.plugin.tests.test_privacy import layers

EXAM, PATIENT = "ZQXV", "PTQJ"
KEY = "0123456789abcdef-of-the-site"


def seeded(gate, exams=36):
    """The gate's exams under ids that can be searched for, in columns, file names, a stratum, and a region."""
    manifest = write_exams(gate.path / "exams", exams)
    rows = list(csv.DictReader(io.StringIO(manifest.read_text())))
    (gate.path / "exams" / EXAM).mkdir()
    for row in rows:
        number = row["exam_id"]
        path = f"{EXAM}/{EXAM}-{number} {row['side']}.png"
        shutil.move(gate.path / "exams" / row["path"], gate.path / "exams" / path)
        row |= {"exam_id": f"{EXAM}-{number}", "path": path, "patient_id": f"{PATIENT}{number}"}
        row |= {"accession": f"{EXAM}-{number}"}
    rewrite(gate, rows)
    return rows


def rewrite(gate, rows):
    with (gate.path / "exams" / "site.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def leaks(gate, result):
    """Everything written outside the exams' folder, and everything shown, that holds a seed."""
    files = [path for path in gate.path.rglob("*") if path.is_file() and gate.path / "exams" not in path.parents]
    found = {path.name for path in files if EXAM in path.name or PATIENT in path.name}
    contents = {path.name: path.read_bytes() for path in files if path.suffix != ".py"}
    contents |= {"shown": (result.stdout.str() + result.stderr.str()).encode()}
    for name, content in contents.items():
        if any(seed.encode() in layer for layer in layers(content) for seed in (EXAM, PATIENT, KEY)):
            found.add(name)
    return found


def run(gate, *args):
    return gate.runpytest_subprocess("--mammo-hash-ids", *args, timeout=300)


LOUD = ("--junitxml=junit.xml", "--log-file=run.log", "--log-level=DEBUG", "-rA", "-vv", "-l", "--mammo-report=out")


@pytest.fixture
def keyed(gate, monkeypatch):
    monkeypatch.setenv("MAMMO_ID_KEY", KEY)
    return gate


def test_nothing_that_a_run_writes_or_shows_holds_an_id(keyed):
    seeded(keyed)
    result = run(keyed, *LOUD, "-k", "lowpass or contract", "--mammo-snapshots=curves", "--snapshot-update")
    result.stdout.fnmatch_lines(["mammo: ids are pseudonyms by key ????????", "note: report written to *report.html"])
    assert not leaks(keyed, result)
    names = Pseudonyms(KEY.encode())
    table = ScoreTable.read(keyed.path / "out" / "scores.csv.gz")
    assert set(table.exam_id) == {names.exam(f"{EXAM}-{number}") for number in range(36)}
    assert set(table.patient_id) == {names.patient(f"{PATIENT}{number}") for number in range(36)}
    assert set(table.strata["accession"]) == set(table.exam_id), "an id in another column is one too"
    assert json.loads((keyed.path / "out" / "verdicts.json").read_text())["header"]["ids"] == names.told
    again = run(keyed, "-k", "lowpass and holds", "--mammo-baseline=out/scores.csv.gz", "--mammo-report=two")
    header = json.loads((keyed.path / "two" / "verdicts.json").read_text())["header"]
    assert header["differences"] == [], "a run's own table is its baseline: what is a pseudonym stays one"
    assert "of them from the store" in again.stdout.str()


def test_a_table_of_raw_ids_is_judged_under_pseudonyms(keyed):
    rows = seeded(keyed)
    lines = ["exam_id,side,malignant,subgroup,perturbation,severity,reader,score,patient_id"]
    for perturbation, severity in (("clean", 0), ("contrast", 0.9)):
        lines += [
            f"{r['exam_id']},{r['side']},{r['malignant']},{r['subgroup']},{perturbation},{severity},a,"
            f"{int(r['malignant']) + n % 7},{r['patient_id']}"
            for n, r in enumerate(rows)
        ]
    shutil.rmtree(keyed.path / "exams" / EXAM)
    (keyed.path / "exams" / "scores.csv").write_text("\n".join(lines))
    result = run(keyed, *LOUD, "-k", "contrast and holds", "--mammo-scores=exams/scores.csv")
    assert "out" in {path.name for path in keyed.path.iterdir()}
    assert not leaks(keyed, result)
    (keyed.path / "exams" / "scores.csv").write_text("\n".join([*lines, lines[-1]]))
    refused = run(keyed, *LOUD, "-k", "contrast and holds", "--mammo-scores=exams/scores.csv")
    assert "has a second one for contrast 0.9" in refused.stdout.str()
    assert not leaks(keyed, refused)


def damaged(gate, rows):
    path = gate.path / "exams" / rows[0]["path"]
    path.write_bytes(path.read_bytes()[:-60])


def gone(gate, rows):
    (gate.path / "exams" / rows[0]["path"]).unlink()


def twice(gate, rows):
    rewrite(gate, [rows[0], *rows])


def outside(gate, rows):
    rewrite(gate, [rows[0] | {"path": f"../{EXAM}.png"}, *rows[1:]])


def other_type(gate, rows):
    rewrite(gate, [rows[0] | {"path": f"{EXAM}.tif"}, *rows[1:]])


def another_patient(gate, rows):
    rewrite(gate, [rows[0] | {"patient_id": f"{PATIENT}other"}, *rows[1:]])


def no_region(gate, rows):
    (gate.path / "exams" / f"{EXAM}.json").write_text("[[[1")
    rewrite(gate, [row | {"roi_path": f"{EXAM}.json"} for row in rows])


def out_of_reach(gate, rows):
    rewrite(gate, [rows[0] | {"path": f"nowhere://{EXAM}/1.png"}, *rows[1:]])


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (damaged, ", L-CC: "),
        (gone, "site.csv, row 2: the file that path names must exist, but does not"),
        (twice, "already stands in row 2"),
        (outside, "a path must stay in the folder of site.csv, got '…"),
        (other_type, "an image must be DICOM (.dcm) or PNG, got another ending"),
        (another_patient, "patient_id differs from row"),
        (no_region, "(site.csv, row 2)"),
        (out_of_reach, "site.csv, row 2: the file must be within reach, got '…': Unreachable"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_no_line_about_an_input_tells_an_id_or_a_path(keyed, fault, said):
    fault(keyed, seeded(keyed, exams=3))
    allowed = () if fault is outside else (f"--mammo-allow-outside=nowhere://{EXAM}",)
    result = run(keyed, "-k", "contrast and holds", "-vv", "-l", "--mammo-report=out", *allowed)
    assert result.ret == 1
    assert said in result.stdout.str()
    assert not leaks(keyed, result)


def test_no_line_about_a_classifier_tells_an_id(keyed, monkeypatch):
    seeded(keyed)
    keyed.makepyfile(faulty=FAULTY)
    for fault in ("inner_step", "nan", "sleep_forever"):
        monkeypatch.setenv("FAULT", fault)
        result = run(
            keyed, *LOUD, "-k", "contrast and holds", "--mammo-classifier=faulty:load", "--mammo-timeout=2",
            "--mammo-batch-size=1", "--mammo-store=none",
        )  # fmt: skip
        assert result.ret == 1
        assert Pseudonyms(KEY.encode()).exam(f"{EXAM}-10") in result.stdout.str()
        assert not leaks(keyed, result)


def test_without_a_secret_it_is_refused(gate, monkeypatch):
    monkeypatch.delenv("MAMMO_ID_KEY", raising=False)
    for argument, got in (("--co", "0 in MAMMO_ID_KEY"), ("--mammo-id-key=short", "5 in --mammo-id-key=")):
        (gate.path / "short").write_text("short\n")
        result = run(gate, "--co", argument)
        assert result.ret == pytest.ExitCode.USAGE_ERROR
        assert f"--mammo-hash-ids needs the site's secret of at least 16 bytes, got {got}" in result.stderr.str()
        assert "without it, whoever guesses how ids look could find each one" in result.stderr.str()


def test_the_secret_may_lie_in_a_file_that_the_ini_file_names(gate, monkeypatch):
    monkeypatch.delenv("MAMMO_ID_KEY", raising=False)
    (gate.path / "secret").write_text(KEY + "\n")
    with (gate.path / "tox.ini").open("a") as file:
        file.write("\nmammo_hash_ids = true\nmammo_id_key = secret\n")
    assert f"mammo: ids are {Pseudonyms(KEY.encode()).told}" in gate.runpytest_subprocess("--co").stdout.str()


def test_pseudonyms_are_stable_keyed_and_apart():
    names, others = Pseudonyms(KEY.encode()), Pseudonyms(b"another key of the site")
    assert names.exam("17") == Pseudonyms(KEY.encode()).exam("17")
    assert len({names.exam("17"), names.exam("18"), names.patient("17"), others.exam("17")}) == 4
    assert names.exam("") == names.patient("") == ""
    assert names.exam(" 17") == f" {names.exam('17')}", "a table's rule about spaces still finds it"
    assert names.exam(names.exam("17")) == names.exam("17")
    assert others.exam(names.exam("17")) != names.exam("17"), "another key's pseudonym is an id like any"
    assert KEY not in repr(names)
    assert len({names.exam(str(n)) for n in range(20000)}) == 20000


def test_a_secret_that_cannot_be_read_is_one_line(tmp_path):
    with pytest.raises(UnusableInput, match=r"the secret must be a readable file, got No such file"):
        read_key(tmp_path / "none", "")


def test_paths_are_taken_out_whole_and_in_parts():
    text = "exam x1, L-CC: got 'a b/Zq 17.png' in 'Zq 17.png' of /site/a b, 'Zq 17.png'"
    assert without_paths(text, ["/site/a b/Zq 17.png"]) == "exam x1, L-CC: got '…/…' in '…' of /…/…, '…'"
