"""From a folder of DICOM files to a manifest: what is taken, what is left out and why, labels, and no one's name."""

import csv

import pytest
from pydicom import Dataset
from pydicom.sequence import Sequence

from mammo_fixtures import read_cohort
from mammo_fixtures.exams.__main__ import main
from mammo_fixtures.exams.tests.dicom_writer import FOR_PROCESSING, data_set, phantom, write

VALUES = phantom(12, (8, 6))
SECRETS = ("SECRET", "A-77", "1.2.3.")
"""Patient's name and id, accession number, study UID: nothing of these is ever written."""


def code(value, **more):
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator = value, "SCT"
    for keyword, each in more.items():
        setattr(item, keyword, each)
    return item


def modified(modifier):
    return Sequence([code("399162004", ViewModifierCodeSequence=Sequence([code(modifier)]))])


@pytest.fixture
def folder(tmp_path):
    """A folder to fill, and a function that adds a file."""
    count = [0]

    def add(name, side="L", view="CC", study=1, **attributes):
        count[0] += 1
        path = tmp_path / "images" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        said = {
            "SOPInstanceUID": f"2.25.{count[0]}",
            "StudyInstanceUID": f"1.2.3.{study}",
            "PatientID": f"SECRET-{(study + 1) // 2}",
            "AccessionNumber": f"A-77{study}",
            "Manufacturer": "HOLOGIC, Inc.",
            "ImageLaterality": side,
            "ViewPosition": view,
        }
        return write(data_set(VALUES, bits=12, **(said | attributes)), path)

    (tmp_path / "images").mkdir()
    return add


def four_views(add, study, folder=None, **attributes):
    for side in "LR":
        for view in ("CC", "MLO"):
            add(f"{folder or f'exam_{study}'}/{side}_{view}.dcm", side, view, study, **attributes)


def run(tmp_path, *arguments, status=0):
    got = main([str(tmp_path / "images"), f"-o{tmp_path / 'site.csv'}", *map(str, arguments)])
    assert got == status
    return table(tmp_path / "site.csv") if status == 0 else None


def table(path):
    return list(csv.DictReader(path.read_text().splitlines()))


def excluded(tmp_path):
    return {row["path"]: row["reason"] for row in table(tmp_path / "site.excluded.csv")}


def refused(tmp_path, capsys, *arguments):
    run(tmp_path, *arguments, status=2)
    message = capsys.readouterr().err
    assert message.count("\n") == 1
    return message.removeprefix("error: ").strip()


def labels(tmp_path, text):
    (tmp_path / "labels.csv").write_text(text)
    return f"--labels={tmp_path / 'labels.csv'}"


def test_one_patient_id_in_all_studies_is_told(folder, tmp_path, capsys):
    for study in range(1, 6):
        four_views(folder, study, PatientID="ANON")
    run(tmp_path)
    said = capsys.readouterr().out
    assert "20 views of 10 breasts, 5 exams, 1 patient\n" in said
    assert "look at patients: one patient_id stands for 5 of 5 exams, as where ids were removed: " in said


def test_a_manifest_that_can_be_read_and_names_no_one(folder, tmp_path, capsys):
    for study in (1, 2, 3):
        four_views(folder, study)
    rows = run(tmp_path)
    cohort = read_cohort(tmp_path / "site.csv")
    assert (len(cohort), len(cohort.breasts), len(rows)) == (3, 6, 12)
    view = cohort.exams[0].views[0].read()
    assert (view.shape, view.pixel_spacing_mm) == ((8, 6), (0.07, 0.07))
    assert len({row["patient_id"] for row in rows}) == 2, "exams 1 and 2 are of one patient"
    assert {(row["manufacturer"], row["implant"], row["malignant"]) for row in rows} == {("hologic_inc", "0", "")}
    written = (tmp_path / "site.csv").read_text() + (tmp_path / "site.excluded.csv").read_text()
    said = capsys.readouterr().out
    assert not [secret for secret in SECRETS if secret in written + said]
    assert said.splitlines()[0] == "12 files: 12 views of 6 breasts, 3 exams, 2 patients"
    again = tmp_path / "again"
    again.mkdir()
    assert main([str(tmp_path / "images"), f"-o{again / 'site.csv'}"]) == 0
    assert [row["exam_id"] for row in table(again / "site.csv")] == [row["exam_id"] for row in rows]
    assert table(again / "site.csv")[0]["path"].startswith("../images/")
    said_again = capsys.readouterr().out
    option = f"--mammo-allow-outside={tmp_path / 'images'}"
    assert option in said_again
    assert option not in said, "beside its images a manifest needs nothing"
    assert len(read_cohort(again / "site.csv", allow_outside=[str(tmp_path / "images")])) == 3


LEFT_OUT = {
    "tomosynthesis": {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.13.1.3"},
    "generated from tomosynthesis": {"ImageType": ["DERIVED", "PRIMARY", "TOMOSYNTHESIS", "GENERATED_2D"]},
    "magnification": {"ViewCodeSequence": modified("399163009")},
    "magnification ": {"EstimatedRadiographicMagnificationFactor": "1.8"},
    "spot compression": {"ViewCodeSequence": modified("399055006")},
    "spot compression ": {"PaddleDescription": "10CM SPOT"},
    "implant displaced": {"ViewCodeSequence": modified("R-102D5")},
    "rolled": {"ViewCodeSequence": modified("399226006")},
    "specimen": {"SpecimenAccessionNumber": "S1"},
    "secondary capture": {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7"},
    "secondary capture ": {"ImageType": ["DERIVED", "SECONDARY"]},
    "other modality: US": {"Modality": "US"},
    "other modality: none stated": {"Modality": None},
    "for processing": {"SOPClassUID": FOR_PROCESSING, "PresentationIntentType": "FOR PROCESSING"},
    "quality control": {"QualityControlImage": "YES"},
    "colour": {"SamplesPerPixel": 3, "PhotometricInterpretation": "RGB"},
    "no side: both": {"ImageLaterality": "B"},
    "no side: none stated": {"ImageLaterality": None},
    "other view: ML": {"ViewPosition": "ML"},
    "no view stated": {"ViewPosition": None},
    "contradictory view: CC and MLO": {"ViewCodeSequence": Sequence([code("399368009")])},
    "no pixel spacing": {"ImagerPixelSpacing": None},
    "no Study Instance UID": {"StudyInstanceUID": ""},
}


def test_what_is_no_screening_mammogram_is_listed_with_its_reason(folder, tmp_path, capsys):
    four_views(folder, 1)
    for number, attributes in enumerate(LEFT_OUT.values()):
        folder(f"others/{number:02}.dcm", **attributes)
    (tmp_path / "images" / "notes.txt").write_text("no image")
    damaged = folder("others/damaged.dcm")
    damaged.write_bytes(damaged.read_bytes()[:140])
    folder("others/view.mg")
    folder("others/same.dcm", SOPInstanceUID="2.25.1")
    folder("profile.dcm", "L", "CC", 2, ViewCodeSequence=modified("442581004"))
    assert len(run(tmp_path)) == 5, "nipple in profile is no other view"
    found = excluded(tmp_path)
    assert [found.pop(f"others/{n:02}.dcm") for n in range(len(LEFT_OUT))] == [reason.strip() for reason in LEFT_OUT]
    assert found.pop("others/damaged.dcm").startswith(("a damaged header", "no ", "other modality"))
    assert found == {
        "notes.txt": "no DICOM file",
        "others/view.mg": "file name: ends in .mg, rename it to .dcm",
        "others/same.dcm": "duplicate: exam_1/L_CC.dcm",
    }
    out = capsys.readouterr().out
    assert "left out: 3 other modality, 2 magnification, 2 spot compression, 2 secondary capture" in out
    assert "exams without four views: 1 (" in out


def test_a_site_may_keep_some_of_them(folder, tmp_path):
    folder("2d.dcm", ImageType=["DERIVED", "PRIMARY", "TOMOSYNTHESIS", "GENERATED_2D"])
    folder("ml.dcm", "R", "ML")
    rows = run(tmp_path, "--keep=generated from tomosynthesis", "--keep=other view")
    assert [(row["side"], row["view"]) for row in rows] == [("L", "CC"), ("R", "ML")]


def test_raw_images_beside_presentation_images_and_repeated_views(folder, tmp_path, capsys):
    raw = {"SOPClassUID": FOR_PROCESSING, "PresentationIntentType": "FOR PROCESSING"}
    folder("a.dcm", InstanceNumber="2")
    folder("b.dcm", InstanceNumber="1")
    folder("raw.dcm", **raw)
    folder("only_raw.dcm", "R", **raw)
    rows = run(tmp_path, "--keep=for processing")
    assert [(row["side"], row["view"], row["path"]) for row in rows] == [
        ("L", "CC", "images/b.dcm"),
        ("L", "CC.2", "images/a.dcm"),
        ("R", "CC", "images/only_raw.dcm"),
    ]
    assert excluded(tmp_path) == {"raw.dcm": "for processing: beside the image for presentation"}
    assert "views taken more than once, all kept: 1 (" in capsys.readouterr().out
    assert len(read_cohort(tmp_path / "site.csv").breasts) == 2


def test_breast_composition_of_a_report_is_the_density(folder, tmp_path):
    content = code("x", ConceptNameCodeSequence=Sequence([code("F-01710")]))
    content.ConceptCodeSequence = Sequence([code("F-01713")])
    report = {"Modality": "SR", "ContentSequence": Sequence([code("y", ContentSequence=Sequence([content]))])}
    folder("report.dcm", **report)
    four_views(folder, 1)
    four_views(folder, 2)
    densities = {row["path"].split("/")[1]: row["density"] for row in run(tmp_path)}
    assert densities == {"exam_1": "C", "exam_2": ""}
    assert excluded(tmp_path) == {"report.dcm": "structured report: its breast composition is taken"}


@pytest.mark.parametrize(
    ("key", "first", "second"),
    [("folder", "exam_1", "exam_2/"), ("accession", "A-771", "A-772"), ("study_uid", "1.2.3.1", "1.2.3.2")],
)
def test_labels_by_any_key(folder, tmp_path, capsys, key, first, second):
    for study in (1, 2, 3):
        four_views(folder, study)
    text = f"{key},side,malignant,subgroup,age\n{first},L,1,masses,61\n{first},R,0,,61\n{second},,0,,50\nother,L,1,,\n"
    rows = run(tmp_path, labels(tmp_path, text))
    found = {(row["path"].split("/")[1], row["side"]): (row["malignant"], row["subgroup"], row["age"]) for row in rows}
    assert found == {
        ("exam_1", "L"): ("1", "masses", "61"),
        ("exam_1", "R"): ("0", "", "61"),
        ("exam_2", "L"): ("0", "", "50"),
        ("exam_2", "R"): ("0", "", "50"),
        ("exam_3", "L"): ("", "", ""),
        ("exam_3", "R"): ("", "", ""),
    }
    out = capsys.readouterr().out
    assert "labels: 1 malignant, 3 not" in out
    assert "rows of labels.csv that no exam was found for: 1 (5)" in out
    assert "breasts without a label: 2 (" in out
    assert not [secret for secret in SECRETS if secret in (tmp_path / "site.csv").read_text() + out]


def test_labels_by_the_names_of_a_first_run(folder, tmp_path):
    four_views(folder, 1)
    exam_id = run(tmp_path)[0]["exam_id"]
    rows = run(tmp_path, labels(tmp_path, f"exam_id,side,malignant\n{exam_id},R,1\n"), "--force")
    assert {(row["side"], row["malignant"]) for row in rows} == {("L", ""), ("R", "1")}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "malignant\n1",
            "one column must say which exam a row is about, exam_id, folder, study_uid, accession; got none",
        ),
        ("folder,accession,malignant\na,b,1", "got folder and accession; keep one"),
        ("folder,side\na,L", "it needs the column malignant, got folder, side; add it"),
        ("folder,side,malignant,patient_id\na,L,1,7", "so none may identify a patient, got 'patient_id'; remove it"),
        ("folder,side,malignant\na,L,yes", "row 2: malignant must be 1, 0 or empty, got 'yes'"),
        ("folder,side,malignant\na,B,1", "row 2: side must be L, R or empty for both, got 'B'"),
        ("folder,side,malignant\na,,1", "row 2: a malignant breast needs its side, got none; add L or R"),
        ("folder,side,malignant\n,L,1", "row 2: folder must not be empty; fill it in"),
        (
            "folder,side,malignant\na,L,1\na/,L,0",
            "row 3: rows of one breast must agree in malignant, got '0' here and '1' in row 2; correct one of them",
        ),
        (
            "folder,side,malignant\na,,0\na,L,1",
            "row 3: rows of one breast must agree in malignant, got '1' here and '0' in row 2; correct one of them",
        ),
    ],
)
def test_wrong_labels(folder, tmp_path, capsys, text, said):
    four_views(folder, 1)
    message = refused(tmp_path, capsys, labels(tmp_path, text))
    assert message.startswith("labels.csv")
    assert said in message
    assert not (tmp_path / "site.csv").exists()


def test_exams_by_folder_or_by_number_only_when_asked(folder, tmp_path, capsys):
    four_views(folder, 1)
    four_views(folder, 2)
    assert {row["exam_id"] for row in run(tmp_path, "--exam-id=folder")} == {"exam_1", "exam_2"}
    assert "exams are called by their folder: look whether that names a patient" in capsys.readouterr().out
    assert {r["exam_id"] for r in run(tmp_path, "--exam-id=accession", "--force")} == {"A-771", "A-772"}
    folder("exam_1/more.dcm", "L", "MLO", 5)
    assert "each exam needs a name of its own, but one folder 'exam_1' holds two studies" in refused(
        tmp_path, capsys, "--exam-id=folder", "--force"
    )


def test_what_cannot_be(folder, tmp_path, capsys):
    (tmp_path / "images" / "a.txt").write_text("")
    assert refused(tmp_path, capsys) == (
        "the folder must hold screening mammograms, got none in 1 files; site.excluded.csv says why"
    )
    four_views(folder, 1)
    run(tmp_path)
    capsys.readouterr()
    assert refused(tmp_path, capsys) == (
        "site.csv is there already and may have been edited; remove it, or give --force"
    )
    assert main([str(tmp_path / "nowhere"), f"-o{tmp_path / 'b.csv'}"]) == 2
    assert "the folder must exist, got" in capsys.readouterr().err
