"""Folders whose exams are mixed up: no label and no patient of one exam goes to another."""

from mammo_fixtures.exams.tests.test_intake import excluded, folder, four_views, labels, refused, run

__all__ = ["folder"]


def test_a_malignant_label_of_a_folder_of_two_exams_is_refused(folder, tmp_path, capsys):
    """A patient's folder with a prior: the cancer of one year would have been that of both."""
    four_views(folder, 1, "patient/2021")
    four_views(folder, 2, "patient/2023")
    assert refused(tmp_path, capsys, labels(tmp_path, "folder,side,malignant\npatient,L,1\n")) == (
        "labels.csv, row 2: the folder of a malignant breast must hold one exam, got several; name the exam's own "
        "folder, or say which exam by study_uid or accession"
    )
    rows = run(tmp_path, labels(tmp_path, "folder,side,malignant\npatient,,0\n"))
    assert {row["malignant"] for row in rows} == {"0"}
    rows = run(tmp_path, labels(tmp_path, "folder,side,malignant\npatient/2023,L,1\n"), "--force")
    assert {(row["path"][15:19], row["side"]) for row in rows if row["malignant"] == "1"} == {("2023", "L")}


def test_a_study_of_two_patients_is_left_out(folder, tmp_path, capsys):
    four_views(folder, 1)
    folder("exam_2/a.dcm", "L", "CC", 2, PatientID="SECRET-8")
    folder("exam_2/b.dcm", "L", "MLO", 2, PatientID="SECRET-9")
    folder("exam_3/a.dcm", "L", "CC", 3, PatientID="SECRET-8", IssuerOfPatientID="x")
    folder("exam_3/b.dcm", "L", "MLO", 3, PatientID="SECRET-8")
    assert {row["path"].split("/")[1] for row in run(tmp_path)} == {"exam_1", "exam_3"}
    reason = "contradictory patient: its study holds images of another Patient ID"
    assert excluded(tmp_path) == {"exam_2/a.dcm": reason, "exam_2/b.dcm": reason}
    out = capsys.readouterr().out
    assert "8 files: 6 views of" in out
    assert "left out: 2 contradictory patient" in out
