"""What would be read as something else without a word: columns that are nearly called as they should be."""

from __future__ import annotations

from pathlib import Path

import pytest

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.exams import read_cohort
from mammo_fixtures.exams.intake.labels import read_labels
from mammo_fixtures.scoring.table_files import read_score_table


def site(folder: Path, content: str) -> Path:
    (folder / "1.dcm").touch()
    (folder / "site.csv").write_text(content)
    return folder / "site.csv"


@pytest.mark.parametrize(
    ("column", "meant"),
    [("Malignant", "malignant"), ("subgroups", "subgroup"), ("PatientID", "patient_id"), ("ROI path", "roi_path"),
     ("Intensity-High", "intensity_high")],
)  # fmt: skip
def test_a_column_that_is_nearly_a_known_one_is_refused(column: str, meant: str, tmp_path: Path) -> None:
    """It would have become a stratum: no label, no cluster, no region, and not a word."""
    path = site(tmp_path, f"exam_id,side,view,path,{column}\n1,L,CC,1.dcm,1\n")
    with pytest.raises(UnusableInput) as refusal:
        read_cohort(path)
    assert str(refusal.value) == (
        f"site.csv: columns must be called as they are read, got {column!r}; call it {meant!r}, or rename it if it "
        "is something else"
    )


@pytest.mark.parametrize("value", ["nan", "None", "NULL", "<NA>"])
def test_a_patient_called_by_a_programs_word_for_nothing_is_refused(value: str, tmp_path: Path) -> None:
    """All exams without a patient would have been one cluster."""
    path = site(tmp_path, f"exam_id,side,view,path,patient_id\n1,L,CC,1.dcm,{value}\n")
    with pytest.raises(UnusableInput) as refusal:
        read_cohort(path)
    assert str(refusal.value) == (
        f"site.csv, row 2: patient_id must be empty where it is not known, got {value!r}; clear it"
    )


def test_labels_and_score_tables_have_the_same_rule(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("folder,side,malignant,Subgroup\na,L,1,masses\n")
    with pytest.raises(UnusableInput, match=r"^labels.csv: .*, got 'Subgroup'; call it 'subgroup', or rename it"):
        read_labels(tmp_path / "labels.csv")
    (tmp_path / "scores.csv").write_text(
        "exam_id,side,malignant,subgroup,perturbation,severity,reader,score,Patient\n1,L,1,,clean,0,a,.5,x\n"
    )
    assert "Patient" in read_score_table(tmp_path / "scores.csv").strata, "another word is a stratum"
    path = tmp_path / "scores.csv"
    path.write_text(path.read_text().replace("Patient", "PatientID"))
    with pytest.raises(UnusableInput, match=r"^score table scores.csv: .*, got 'PatientID'; call it 'patient_id'"):
        read_score_table(path)


@pytest.mark.parametrize("view", ["L-CC", "r-cc"])
def test_a_view_named_with_its_side_is_refused(view: str, tmp_path: Path) -> None:
    """Its position would not have been held against the file's."""
    with pytest.raises(UnusableInput) as refusal:
        read_cohort(site(tmp_path, f"exam_id,side,view,path\n1,L,{view},1.dcm\n"))
    assert str(refusal.value) == (
        f"site.csv, row 2: view must be the position alone, got {view!r}; side has its own column"
    )
