"""Nothing of a patient, physician, institution or device leaves a run: exam ids only."""

import base64
import csv
import functools
import gzip
import io
import re
import shutil
import warnings
import zipfile
import zlib

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from pydicom import Dataset
from pydicom.datadict import DicomDictionary

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.exams.dicom import TAGS
from mammo_fixtures.exams.tests.dicom_writer import data_set, phantom, write
from mammo_fixtures.exams.view_file import ViewFile
from mammo_fixtures.plugin.tests.gate_folder import write_exams

NAME, DAY, NUMBER, TIME, SERIAL = "ZQXVNAME", "19430917", "2.25.7431977", "174351.194309", "743197743"
SEEDED = {"PN": f"{NAME}^JANE", "DA": DAY, "DT": f"{DAY}{TIME}", "UI": NUMBER, "TM": TIME, "IS": SERIAL, "DS": SERIAL}
SEEDED |= dict.fromkeys(("LO", "SH", "LT", "ST", "UT", "UC", "UR", "AE", "CS"), NAME)
"""By value representation; an age (AS) has four characters, too few to be recognised."""
READ = [
    "ImageLaterality",
    "Laterality",
    "ViewPosition",
    "PresentationLUTShape",
    "PhotometricInterpretation",
    "Modality",
    "SOPClassUID",
    "PresentationIntentType",
    "VOILUTFunction",
    "PatientOrientation",
    "SpecificCharacterSet",
]
"""Text that decides how a view is read; anything odd in it is refused."""


def speak_of_the_patient(dataset, item=None):
    """Every attribute of text, number, date, time and UID that the standard has or had, in sequences too."""
    for tag, (vr, _, _, _, keyword) in DicomDictionary.items():
        if not keyword or keyword in READ or tag >> 16 < 0x0008 or (vr not in SEEDED and vr != "SQ"):
            continue
        if keyword in TAGS and (vr in ("IS", "DS", "SQ") or keyword in dataset):
            continue  # what decides how the view is read
        if vr != "SQ":
            setattr(dataset, keyword, SEEDED[vr])
    block = dataset.private_block(0x0011, NAME, create=True)
    block.add_new(1, "LO", NAME)
    block.add_new(2, "OB", NAME.encode())
    block.add_new(3, "UN", NAME.encode())
    if item is not None:
        block.add_new(4, "SQ", [item])
        dataset.RequestAttributesSequence = dataset.AcquisitionContextSequence = [item]
    return dataset


@functools.cache
def nested():
    """An item of a sequence that speaks of the patient, and so does the item in it."""
    inner = Dataset()
    inner.PatientName, inner.InstitutionName, inner.StudyDate = NAME, NAME, DAY
    return speak_of_the_patient(Dataset(), inner)


def seeded(values, **attributes):
    """A mammogram that speaks of the patient wherever a text can stand, its file meta information among them."""
    dataset = speak_of_the_patient(data_set(values, bits=12, **attributes), nested())
    dataset.WindowCenter, dataset.WindowWidth, dataset.WindowCenterWidthExplanation = 2048, 4096, NAME
    dataset.file_meta.SourceApplicationEntityTitle = NAME
    dataset.file_meta.PrivateInformationCreatorUID, dataset.file_meta.PrivateInformation = NUMBER, NAME.encode()
    dataset.preamble = NAME.encode().ljust(128, b"\0")
    return dataset


def with_text(values, path):
    """A PNG whose text chunks and Exif speak of the patient."""
    text, exif = PngInfo(), Image.Exif()
    text.add_text("Comment", NAME)
    text.add_text("Description", f"{NAME} {DAY}", zip=True)
    text.add_itxt("Author", NAME, "en", NAME)
    exif[0x010E] = NAME
    Image.fromarray(values << 4).save(path, "PNG", pnginfo=text, exif=exif)


def make_cohort(folder):
    """The gate's exams as DICOM and PNG files named after the patient."""
    manifest = write_exams(folder, exams=48)
    rows = list(csv.DictReader(io.StringIO(manifest.read_text())))
    for row in rows:
        with Image.open(folder / row["path"]) as picture:
            values = np.asarray(picture) >> 4
        (folder / row["path"]).unlink()
        ending = "png" if int(row["exam_id"]) % 4 == 0 else "dcm"
        row["path"] = f"{NAME}_{DAY}_{row['exam_id']}{row['side']}.{ending}"
        if ending == "png":
            with_text(values, folder / row["path"])
        else:
            write(seeded(values, ImageLaterality=row["side"], PatientOrientation=None), folder / row["path"])
    with manifest.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    """Made once: a thousand attributes in each of a hundred files take a while."""
    folder = tmp_path_factory.mktemp("seeded") / "exams"
    make_cohort(folder)
    return folder


def layers(content):
    """The bytes themselves, and all that is packed in them: archives, gzip, pictures in pages, text of pictures."""
    yield content
    if content[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for entry in archive.infolist():
                yield entry.filename.encode() + entry.comment
                yield from layers(archive.read(entry))
    if content[:2] == b"\x1f\x8b":
        yield from layers(gzip.decompress(content))
    for packed in re.findall(rb"base64,([A-Za-z0-9+/=]+)", content):
        yield from layers(base64.b64decode(packed))
    if content[:4] in (b"RIFF", b"\x89PNG"):
        with Image.open(io.BytesIO(content)) as picture:
            picture.load()
            yield repr(picture.info).encode() + repr(dict(picture.getexif())).encode()


def told(content):
    """Which of the seeds the bytes hold, in any case, in UTF-8 or UTF-16."""
    found = set()
    for layer in layers(content):
        for text in (NAME, DAY, NUMBER, TIME, SERIAL):
            if any(text.encode(code).lower() in layer.lower() for code in ("utf-8", "utf-16-le")):
                found.add(text)
    return found


@pytest.mark.parametrize(
    "pack", [bytes, gzip.compress, lambda text: b"base64," + base64.b64encode(gzip.compress(text))]
)
def test_the_search_finds_what_is_there(pack):
    assert told(pack(f"x {NAME.lower()} {DAY}".encode())) == {NAME, DAY}


def test_the_search_finds_what_is_in_archives_and_pictures():
    text, archive = PngInfo(), io.BytesIO()
    text.add_text("Comment", NAME, zip=True)
    picture = io.BytesIO()
    Image.new("L", (4, 4)).save(picture, "PNG", pnginfo=text)
    assert NAME.encode() not in picture.getvalue()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("one.png", picture.getvalue())
    assert told(archive.getvalue()) == {NAME}
    assert not told(zlib.compress(b"nothing"))


def test_nothing_that_a_run_writes_names_a_patient(gate, cohort):
    shutil.copytree(cohort, gate.path / "exams", dirs_exist_ok=True)
    written = ("--mammo-report=out", "--junitxml=junit.xml", "--mammo-snapshots=curves", "--mammo-store=s.sqlite")
    result = gate.runpytest_subprocess(
        "-k", "lowpass", *written, "--snapshot-update", "--log-file=run.log", "--log-level=DEBUG", "-rA", "-vv", "-l",
        timeout=300,
    )  # fmt: skip
    result.stdout.fnmatch_lines(["note: report written to *report.html"])
    files = [path for path in gate.path.rglob("*") if path.is_file() and gate.path / "exams" not in path.parents]
    names = {path.name for path in files}
    assert {"report.html", "evidence.zip", "scores.csv.gz", "junit.xml", "run.log", "s.sqlite"} <= names
    assert (gate.path / "out" / "report.html").read_text().count("data:image/webp") >= 4
    assert "may show who the patient is" in (gate.path / "out" / "report.html").read_text()
    assert not leaks(gate, result)


EVERYTHING = (
    *("--mammo-report=out", "--junitxml=junit.xml", "-o", "junit_logging=all", "--mammo-snapshots=curves"),
    *("--mammo-store=s.sqlite", "--log-file=run.log", "--log-level=DEBUG"),
    *("-rA", "-vv", "-l", "--tb=long", "--full-trace", "--durations=3"),
)


def with_cache(gate):
    """The gate as a user has it: pytest keeps what failed in .pytest_cache."""
    ini = gate.path / "tox.ini"
    ini.write_text(ini.read_text().replace("-p no:cacheprovider ", ""))


def leaks(gate, result):
    """Names of written files, and `said`, with what of the patient they hold."""
    files = [path for path in gate.path.rglob("*") if path.is_file() and gate.path / "exams" not in path.parents]
    found = {path.name: told(path.read_bytes()) | told(path.name.encode()) for path in files}
    found["said"] = told((result.stdout.str() + result.stderr.str()).encode())
    return {name: texts for name, texts in found.items() if texts}


@pytest.mark.parametrize("damage", ["raises", "missing", "other content", "no DICOM", "not readable"])
def test_nothing_is_told_of_a_patient_where_a_run_goes_wrong(gate, cohort, damage):
    shutil.copytree(cohort, gate.path / "exams", dirs_exist_ok=True)
    with_cache(gate)
    image = gate.path / "exams" / f"{NAME}_{DAY}_7L.dcm"
    if damage == "raises":
        release = gate.path / "release.py"
        release.write_text(
            release.read_text().replace("        blurred =", "        raise RuntimeError(len(x))\n        blurred =")
        )
    elif damage == "missing":
        image.unlink()
    elif damage == "not readable":
        image.unlink()
        image.mkdir()
    else:
        content = image.read_bytes()
        image.write_bytes(content[:200] + content[150:] if damage == "other content" else NAME.encode() * 99)
    result = gate.runpytest_subprocess("-k", "contrast", *EVERYTHING, timeout=300)
    told_of = {"raises": "RuntimeError", "missing": "site.csv, row", "not readable": "site.csv, row"}.get(
        damage, "exam 7, L-CC"
    )
    assert told_of in result.stdout.str() + result.stderr.str()
    assert result.ret not in (0, None)
    assert list(gate.path.rglob("lastfailed")) or damage != "raises", "pytest's cache is searched too"
    assert not leaks(gate, result)


@pytest.mark.parametrize("option", ["--mammo-plan", "--mammo-power"])
@pytest.mark.parametrize("damaged", [False, True])
def test_nothing_is_told_of_a_patient_by_what_only_looks_ahead(gate, cohort, option, damaged):
    shutil.copytree(cohort, gate.path / "exams", dirs_exist_ok=True)
    with_cache(gate)
    if damaged:
        for image in (gate.path / "exams").glob("*.dcm"):
            image.write_bytes(image.read_bytes()[:-4000])
    result = gate.runpytest_subprocess("-k", "contrast", option, *EVERYTHING, timeout=300)
    said = result.stdout.str() + result.stderr.str()
    told = {"--mammo-power": "power", "--mammo-plan": "copy the file again" if damaged else "plan: "}[option]
    assert told in said, said[-2000:]
    assert not leaks(gate, result)


def test_the_line_about_a_damaged_file_names_the_exam_alone(gate, cohort):
    shutil.copytree(cohort, gate.path / "exams", dirs_exist_ok=True)
    damaged = next((gate.path / "exams").glob("*_7L.dcm"))
    damaged.write_bytes(damaged.read_bytes()[:-4000])
    result = gate.runpytest_subprocess(
        "-k", "contrast", "--mammo-report=out", "--junitxml=junit.xml", "-vv", "-l", "--tb=long", timeout=300
    )
    result.stderr.no_fnmatch_line("*Traceback*")
    said = result.stdout.str() + result.stderr.str()
    assert "exam 7, L-CC" in said
    assert result.ret not in (0, None)
    assert not leaks(gate, result)


@pytest.mark.parametrize("keyword", READ)
def test_odd_text_in_what_is_read_is_repeated_by_nobody(keyword, tmp_path, caplog, recwarn):
    value = SEEDED["UI"] if keyword == "SOPClassUID" else NAME
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset = data_set(phantom(12), bits=12, **{keyword: value})
        path = write(dataset, tmp_path / f"{NAME}.dcm")
    recwarn.clear()
    caplog.clear()
    said = ""
    try:
        notes = ViewFile(exam_id="17", side="L", position="CC", path=path, origin="site.csv, row 3").read().notes
    except UnusableInput as refusal:
        said = str(refusal)
        assert "exam 17, L-CC" in said
    else:
        said = repr(notes)
    assert not told((said + caplog.text + "".join(str(one.message) for one in recwarn)).encode())
