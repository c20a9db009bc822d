"""The files beside the page: checksums, schemas, Markdown, badge."""

import errno
import hashlib
import io
import json
import re
import xml.etree.ElementTree as ElementTree
import zipfile
from pathlib import Path

import pytest

from mammo_fixtures.reports.badge import badge
from mammo_fixtures.reports.evidence import evidence
from mammo_fixtures.reports.folder import write_report
from mammo_fixtures.reports.headline import headline
from mammo_fixtures.reports.json_files import schemas
from mammo_fixtures.reports.markdown import MOST_ROWS, markdown, text
from mammo_fixtures.reports.tests.example_findings import findings, gallery, hostile
from mammo_fixtures.whole_file import write_whole


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "scores.csv.gz").write_bytes(b"scores")
    write_report(tmp_path / "out", findings(seen=gallery()), more={"scores.csv.gz": tmp_path / "scores.csv.gz"})
    return tmp_path / "out"


def test_evidence_holds_every_file_with_its_checksum(folder):
    with zipfile.ZipFile(folder / "evidence.zip") as archive:
        names = archive.namelist()
        listed = dict(reversed(line.split("  ")) for line in archive.read("SHA256SUMS").decode().splitlines())
        assert names == sorted(names)
        assert set(listed) == set(names) - {"SHA256SUMS"}
        for name, digest in listed.items():
            assert hashlib.sha256(archive.read(name)).hexdigest() == digest
        beside = {path.name for path in folder.iterdir()} - {"evidence.zip"}
        assert set(names) == beside | {
        "SHA256SUMS", "bom.cdx.json", "tolerances.toml", "curves.schema.json", "verdicts.schema.json",
    }  # fmt: skip
        assert all(archive.read(name) == (folder / name).read_bytes() for name in beside)


def test_evidence_has_the_same_bytes_whenever_and_in_whatever_order():
    one = evidence({"a.txt": b"a" * 999, "b.txt": b"b"})
    assert one == evidence({"b.txt": b"b", "a.txt": b"a" * 999})
    assert one != evidence({"b.txt": b"c", "a.txt": b"a" * 999})
    dates = {entry.date_time for entry in zipfile.ZipFile(io.BytesIO(one)).infolist()}
    assert dates == {(1980, 1, 1, 0, 0, 0)}


@pytest.mark.parametrize("name", ["verdicts", "curves"])
def test_files_keep_to_their_schemas_and_schemas_refuse_others(folder, name):
    jsonschema = pytest.importorskip("jsonschema", reason="jsonschema is not installed")
    schema = json.loads(schemas()[f"{name}.schema.json"])
    validator = jsonschema.Draft202012Validator
    validator.check_schema(schema)
    content = json.loads((folder / f"{name}.json").read_text())
    validator(schema).validate(content)
    for spoil in (
        lambda: content[name][0].update(surplus=1),
        lambda: content[name][0].pop("surplus") and content[name][0].pop("metric"),
    ):
        spoil()
        assert list(validator(schema).iter_errors(content))


def test_markdown_leads_with_the_verdict_and_what_was_not_held():
    found = findings()
    lines = markdown(found).splitlines()
    assert lines[2] == f"**{text(headline(found).sentence)}**"
    assert lines.index("## Not held") < lines.index("## Claims")
    rows = [line for line in lines[: lines.index("## Curves")] if line.startswith("| ")][1:]
    assert len(rows) == len(found.verdicts)
    assert rows[0].startswith("| ✕ broken |")


def test_markdown_tells_each_curve_in_one_number():
    found = findings(perturbations=1, subgroups=("all", "masses"))
    told = markdown(found).replace("\\", "").splitlines()
    rows = told[told.index("## Curves") + 4 :][:2]
    means = "0.720 [0.680, 0.750], drop 0.180 [0.160, 0.200]", "0.810 [0.770, 0.840], drop 0.090 [0.070, 0.110]"
    assert rows == [
        f"| lowpass, all, AUC | {means[0]} | margin 0.05 first broken at 0.22 mm |",
        f"| lowpass, masses, AUC | {means[1]} | margin 0.05 first broken at 0.50 mm |",
    ]
    assert "## Curves" not in markdown(findings(curves=[])).splitlines()
    many = findings(perturbations=30, subgroups=[f"kind {number}" for number in range(20)])
    assert f"{len(many.curves) - MOST_ROWS} more stand in curves.json and report.html." in markdown(many)


def test_markdown_takes_no_text_for_markup():
    nasty = "<script>alert(1)</script> | [x](http://y) `code` **bold** # head\n- item"
    told = markdown(hostile(nasty))
    assert "<script" not in told
    assert "](http" not in told
    assert not re.search(r"(?<!\\)\*\*bold", told)
    assert "- item" not in [line.strip() for line in told.splitlines()]
    claims, _, curves = told.partition("## Curves")
    for part, strokes in ((claims, 8), (curves, 4)):
        for row in (line for line in part.splitlines() if line.startswith("| ")):
            assert len(re.findall(r"(?<!\\)\|", row)) == strokes, "a stroke in a text would make a column"


def test_a_long_summary_says_what_it_leaves_out():
    found = findings(perturbations=30)
    assert len(found.verdicts) > MOST_ROWS
    told = markdown(found)
    assert f"{len(found.verdicts) - MOST_ROWS} more stand in verdicts.json and report.html." in told
    assert len(told.encode()) < 1_000_000


def test_the_badge_says_what_the_headline_says():
    root = ElementTree.fromstring(badge(findings(outcomes=("held",))))
    assert root.get("aria-label") == "robustness: passed, 76 of 76 held"
    root = ElementTree.fromstring(badge(findings()))
    assert root.get("aria-label") == "robustness: failed, 31 of 76 held"
    clean = findings(outcomes=("held",)).verdicts[0] | {"claim": "clean"}
    text = badge(findings(verdicts=[clean], ends={clean["test"]: {"outcome": "passed", "message": ""}}, selected=0))
    assert "robustness: no claim judged" in text
    allowed = findings(outcomes=("not_run",))
    ends = {test: {"outcome": "skipped", "message": ""} for test in allowed.ends}
    text += badge(findings(outcomes=("not_run",), ends=ends))
    assert "robustness: passed, 0 of 76 held" in text
    assert "#1b6e5a" not in text, "green"


def test_a_file_that_cannot_be_written_leaves_the_one_before_and_no_part(tmp_path, monkeypatch):
    write_whole(tmp_path / "verdicts.json", b"before")

    def full(path, content):
        with path.open("wb") as file:
            file.write(content[:3])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space left"):
        write_whole(tmp_path / "verdicts.json", b"after")
    assert [path.name for path in tmp_path.iterdir()] == ["verdicts.json"]
    assert (tmp_path / "verdicts.json").read_bytes() == b"before"
