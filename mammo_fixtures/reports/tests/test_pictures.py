"""Pictures show the very pixels that the classifier gets, at the place and on the scale that they say."""

import dataclasses

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw, ImageFont

from mammo_fixtures import PERTURBATIONS, UnusableInput, View, perturb
from mammo_fixtures.perturbations import Shared
from mammo_fixtures.perturbations.universal import UniversalFields
from mammo_fixtures.reports import pictures
from mammo_fixtures.reports.montage_sheet import (
    FULL_MOST,
    GAP,
    INK,
    LETTERS,
    LINE,
    PAPER,
    Detail,
    Greys,
    Panel,
    grey,
    legible,
    places,
)
from mammo_fixtures.reports.pictures import detail_of, main, montage, write_montages

LESION = (slice(200, 221), slice(60, 81))


def breast(spacing=(0.1, 0.1), region=True, shape=(480, 360)):
    """A half disc of tissue at the left edge with a bright lesion."""
    row, column = np.indices(shape) / np.array(shape)[:, None, None]
    inside = (row - 0.5) ** 2 / 0.16 + column**2 / 0.64 < 1
    pixels = np.where(inside, 0.5 + 0.1 * np.random.default_rng(5).random(shape), 0).astype(np.float32)
    pixels[LESION] += 0.2
    mask = np.zeros(shape, dtype=bool)
    mask[LESION] = True
    return View.from_array(
        pixels, pixel_spacing_mm=spacing, side="L", position="CC", exam_id="17", intensity_range=(0, 1),
        region=mask if region else None,
    )  # fmt: skip


def found(part, picture):
    """Whether a panel stands in a picture, pixel by pixel, in the column its place says."""
    return any(
        np.array_equal(picture[top : top + part.shape[0], : part.shape[1]], part)
        for top in range(picture.shape[0] - part.shape[0] + 1)
    )


def test_each_detail_is_what_perturb_gives_pixel_by_pixel():
    view = breast()
    detail = detail_of(Shared(view))
    greys = Greys.of(view.pixels, detail)
    picture = np.asarray(montage(view, "gaussian_noise", severities=(0.02, 0.08), seed=3))
    panels = [Panel.of("clean", view.pixels, view, detail, greys)]
    panels += [
        Panel.of("x", perturb(view, "gaussian_noise", severity, seed=3).numpy(), view, detail, greys)
        for severity in (0.02, 0.08)
    ]
    other_seed = Panel.of("x", perturb(view, "gaussian_noise", 0.08, seed=4).numpy(), view, detail, greys)
    left = places(panels)
    assert all(found(panel.detail, picture[:, x:]) for x, panel in zip(left, panels, strict=True))
    assert all(found(panel.full, picture[:, x:]) for x, panel in zip(left[1:], panels[1:], strict=True))
    assert not found(other_seed.detail, picture[:, left[2] :])


def test_a_pixel_is_drawn_as_whole_square():
    view = breast()
    detail = detail_of(Shared(view))
    assert (detail.rows, detail.columns, detail.size) == (200, 200, 400)
    panel = Panel.of("clean", view.pixels, view, detail, Greys.of(view.pixels, detail))
    assert np.array_equal(panel.detail, np.kron(panel.detail[::2, ::2], np.ones((2, 2), dtype=np.uint8)))


@pytest.mark.parametrize("spacing", [(0.1, 0.1), (0.08, 0.16)])
def test_detail_is_20_mm_round_the_lesion(spacing):
    detail = detail_of(Shared(breast(spacing)))
    assert abs(detail.rows * spacing[0] - 20) <= spacing[0]
    assert abs(detail.columns * spacing[1] - 20) <= spacing[1]
    assert abs(detail.top + detail.rows / 2 - 210.5) <= 0.5
    assert abs(detail.left + detail.columns / 2 - 70.5) <= 0.5 or detail.left == 0


def test_of_lesions_further_apart_than_the_detail_it_shows_the_largest_and_not_what_lies_between():
    view = breast()
    far, near = view.region.copy(), view.region.copy()
    far[420:425, 20:25] = True
    assert detail_of(Shared(dataclasses.replace(view, region=far))) == detail_of(Shared(view))
    near[300:303, 70:73] = True
    both = detail_of(Shared(dataclasses.replace(view, region=near)))
    assert both.of(near).sum() == near.sum(), "a cluster is shown whole"
    assert abs(both.top + both.rows / 2 - 251.5) <= 0.5


def test_detail_without_a_region_is_the_middle_of_the_breast_and_the_picture_says_so():
    view = breast(region=False)
    shared = Shared(view)
    detail = detail_of(shared)
    rows, columns = np.nonzero(shared.mask_array)
    assert abs(detail.top + 100 - rows.mean()) <= 1
    assert abs(detail.left + 100 - columns.mean()) <= 1
    assert montage(view, "lowpass").height > montage(breast(), "lowpass").height


@pytest.mark.parametrize("shape", [(1, 1), (3, 500), (40, 30)])
def test_images_smaller_than_the_detail_are_drawn(shape):
    view = View.from_array(
        np.zeros(shape, dtype=np.float32), pixel_spacing_mm=(0.1, 0.1), side="R", position="MLO", intensity_range=(0, 1)
    )
    picture = montage(view, "gaussian_noise", severities=(0.02,))
    assert 200 < picture.height < 1400
    assert 200 < picture.width < 1200


def test_greys_keep_brightness_in_the_full_view_and_contrast_in_the_detail():
    view = breast()
    detail = detail_of(Shared(view))
    greys = Greys.of(view.pixels, detail)
    clean, brighter = (Panel.of("", view.pixels + offset, view, detail, greys) for offset in (0.0, np.float32(0.05)))
    assert brighter.full.mean() > clean.full.mean() + 10
    assert abs(brighter.detail.astype(int) - clean.detail).max() <= 1
    assert grey(np.array([-1, 0, 0.25, 0.5, 9], dtype=np.float32), 0.0, 0.5).tolist() == [0, 0, 128, 255, 255]


def test_the_frame_is_drawn_into_the_picture_only_and_round_the_detail():
    view = breast()
    detail = Detail(top=100, left=50, rows=200, columns=200)
    greys = Greys.of(view.pixels, detail)
    plain = Panel.of("", view.pixels, view, detail, greys)
    framed = Panel.of("", view.pixels, view, detail, greys, framed=True)
    rows, columns = np.nonzero(framed.full != plain.full)
    scale = FULL_MOST / 480
    assert (rows.min(), rows.max()) == (round(100 * scale), round(300 * scale))
    assert (columns.min(), columns.max()) == (round(50 * scale), round(250 * scale))
    assert np.array_equal(framed.detail, plain.detail)


@pytest.mark.parametrize("name", ["detector_lines", "impulse_noise"])
def test_what_is_a_pixel_wide_is_seen_in_the_change(name):
    view = breast(shape=(1600, 1200))
    detail = detail_of(Shared(view))
    greys = Greys.of(view.pixels, detail)
    record = PERTURBATIONS[name]
    changed = perturb(view, name, record.severities[0]).numpy()
    panel = Panel.of("", changed, view, detail, greys, clean=view.pixels)
    assert panel.most == np.abs(changed - view.pixels).max()
    assert panel.change.shape == panel.full.shape
    assert panel.change.min() == 0 or panel.change.max() == 255
    same = Panel.of("", view.pixels, view, detail, greys, clean=view.pixels)
    assert (same.change == 128).all()
    assert same.most == 0


def test_changes_of_both_signs_are_drawn_as_often_as_they_are():
    view = breast(shape=(1600, 1200))
    detail = detail_of(Shared(view))
    sign = np.random.default_rng(3).choice(np.array([-1, 1], dtype=np.float32), size=view.shape)
    greys = Greys.of(view.pixels, detail)
    panel = Panel.of("", view.pixels + sign * np.float32(0.001), view, detail, greys, clean=view.pixels)
    assert 0.35 < (panel.change > 128).mean() < 0.65


def test_flags_and_what_is_declared_wrongly_are_written():
    record = dataclasses.replace(
        PERTURBATIONS["lowpass"],
        flag=lambda shared, severity: "out of the ordinary" if severity == 4.0 else "",
        redeclare=lambda view, severity: view,
    )
    bare = montage(breast(), dataclasses.replace(record, flag=None, redeclare=None)).height
    assert montage(breast(), dataclasses.replace(record, redeclare=None)).height == bare + 20
    assert montage(breast(), record).height == bare + 20 * (1 + len(record.severities))


def test_ids_that_the_font_cannot_draw_are_told_apart():
    plain, first, second = (
        np.asarray(montage(dataclasses.replace(breast(), exam_id=exam_id), "mirror"))[: GAP + LINE]
        for exam_id in ("17 ± 1", "患者", "患儿")
    )
    assert not np.array_equal(first, second)
    font = ImageFont.load_default(LETTERS)
    assert legible("exam 患é 17 ± 1", font) == r"exam \u60a3\xe9 17 ± 1"
    alone = Image.new("L", plain.shape[::-1], PAPER)
    ImageDraw.Draw(alone).text((GAP, GAP), "mirror, exam 17 ± 1, L-CC", fill=INK, font=font)
    assert np.array_equal(plain, np.asarray(alone))


@pytest.mark.parametrize(
    ("spacing", "shape", "said"),
    [((0.1, 0.1), (480, 360), "20.0 x 20.0 mm"), ((0.08, 0.16), (480, 360), "20.0 x 20.0 mm"),
     ((0.1, 0.05), (480, 300), "20.0 x 15.0 mm")],
)  # fmt: skip
def test_a_picture_says_how_much_of_the_breast_its_detail_is(monkeypatch, spacing, shape, said):
    notes = []
    monkeypatch.setattr(pictures, "sheet", lambda title, panels, told: notes.extend(told))
    montage(breast(spacing, shape=shape), "lowpass", severities=(0.5,))
    assert f"detail: {said}, each panel's median ± " in notes[0]


def test_what_cannot_be_drawn_is_named_and_the_rest_drawn(tmp_path, monkeypatch):
    def unusable(pixels, **given):
        raise UnusableInput("no lesion region")

    records = {name: PERTURBATIONS[name] for name in ("lowpass", "contrast")}
    records["contrast"] = dataclasses.replace(records["contrast"], apply=unusable)
    monkeypatch.setattr(pictures, "PERTURBATIONS", records)
    assert write_montages(breast(), tmp_path, perturbations=["contrast", "lowpass"]) == {"contrast": "no lesion region"}
    assert [path.name for path in tmp_path.iterdir()] == ["lowpass.png"]


@pytest.fixture
def manifest(tmp_path):
    pixels = np.round(breast().pixels * 65535).astype(np.uint16)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    path = tmp_path / "site.csv"
    path.write_text("exam_id,side,view,path,pixel_spacing_mm\n17,L,CC,a.png,0.1\n")
    return path


def test_command_writes_one_picture_a_perturbation(manifest, tmp_path):
    wanted = ["--perturbation=lowpass", "--perturbation=contrast"]
    assert main([f"--exams={manifest}", "--exam=17", "--side=L", "--view=CC", *wanted, "-o", str(tmp_path / "p")]) == 0
    assert sorted(path.name for path in (tmp_path / "p").iterdir()) == ["contrast.png", "lowpass.png"]
    with Image.open(tmp_path / "p" / "lowpass.png") as picture:
        assert picture.width == GAP + (1 + len(PERTURBATIONS["lowpass"].severities)) * (400 + GAP)


def test_command_draws_what_needs_a_gradient_or_other_views(tmp_path):
    pixels = np.round(breast().pixels * 65535).astype(np.uint16)
    rows = []
    for side in "LR":
        for position in ("CC", "MLO"):
            Image.fromarray(pixels).save(tmp_path / f"{side}{position}.png")
            rows.append(f"17,{side},{position},{side}{position}.png,1,masses,0.1\n")
    path = tmp_path / "site.csv"
    path.write_text("exam_id,side,view,path,malignant,subgroup,pixel_spacing_mm\n" + "".join(rows))
    fields = {(fold, "CC"): torch.ones((9, 9), dtype=torch.float16) for fold in (0, 1)}
    UniversalFields(directions=fields, seed=0).write(tmp_path / "universal.safetensors")
    names = ("fgsm", "universal", "view_swap", "missing_view")
    wanted = [f"--perturbation={name}" for name in names]
    given = [f"--exams={path}", "--exam=17", "--side=L", "--view=CC", *wanted, "-o", str(tmp_path / "p")]
    assert main([*given, "--classifier=reference", f"--universal={tmp_path / 'universal.safetensors'}"]) == 0
    assert sorted(each.stem for each in (tmp_path / "p").iterdir()) == sorted(names)


def test_command_says_what_it_lacks_to_draw_a_picture_and_fails_where_that_one_was_asked_for(
    manifest, tmp_path, capsys
):
    asked = {
        "fgsm": "it follows a classifier's gradient; give --classifier=",
        "universal": "its fields are fitted to a classifier; give --universal=universal.safetensors of a report",
        "lowpass_inside": "exam 17, L-CC: needs a lesion region, and this view has none; give it a roi_path",
    }
    wanted = [f"--perturbation={name}" for name in (*asked, "contrast")]
    assert main([f"--exams={manifest}", "--exam=17", "--side=L", "--view=CC", *wanted, "-o", str(tmp_path / "p")]) == 1
    assert capsys.readouterr().err == "".join(f"{name} not drawn: {reason}\n" for name, reason in asked.items())
    assert [path.name for path in (tmp_path / "p").iterdir()] == ["contrast.png"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["--exam=18", "--side=L", "--view=CC"], "site: --exam must be an exam of the cohort, got '18'; it has 17 …\n"),
        (
            ["--exam=17", "--side=R", "--view=CC"],
            "exam 17: --side and --view must name a view it has, got R-CC; has L-CC\n",
        ),
        (
            ["--exam=17", "--side=L", "--view=CC", "--perturbation=lowpas"],
            "perturbation must be one of the catalogue's, got 'lowpas'; did you mean 'lowpass'?\n",
        ),
    ],
)
def test_command_says_what_it_cannot_find(manifest, tmp_path, capsys, given, message):
    with pytest.raises(SystemExit) as ended:
        main([f"--exams={manifest}", "-o", str(tmp_path / "p"), *given])
    assert (ended.value.code, capsys.readouterr().err) == (2, message)
    assert not (tmp_path / "p").exists()
