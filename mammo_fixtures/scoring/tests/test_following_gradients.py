"""Scores under adversarial perturbations: by hand, toward the wrong side, chosen breasts only, kept, or refused."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from mammo_fixtures import curve, read_cohort
from mammo_fixtures.classifiers.gradients import BREAST, NoGradient, gradients_of
from mammo_fixtures.classifiers.inference import Inference
from mammo_fixtures.exams import Cohort
from mammo_fixtures.perturbations import Shared, apply, universal
from mammo_fixtures.perturbations.adversarial import DIGITAL_UNIT, FGSM, PGD_L2
from mammo_fixtures.perturbations.universal import UniversalFields
from mammo_fixtures.scoring import CLEAN, Condition, universal_fit
from mammo_fixtures.scoring.needs import Needs
from mammo_fixtures.scoring.sweep import Sweep
from mammo_fixtures.scoring.tests.tiny_cohort import (
    SHAPE,
    FourViews,
    Pattern,
    exam_level,
    in_memory,
    on_disk,
    view_level,
)

PLAN = {"fgsm": (8.0, 64.0), "pgd_l2": (16.0,)}


def wrong_way(table):
    """1 where a score is to rise, −1 where it is to fall."""
    return np.where(table.malignant == 1, -1, 1)


@pytest.mark.parametrize("classifier", [view_level, exam_level])
def test_every_score_moves_toward_the_wrong_side_and_further_with_epsilon(run, classifier):
    table, _, _ = run(in_memory(4), PLAN, classifier())
    clean = table.at(CLEAN)[:, 0]
    mild, strong = (wrong_way(table) * (table.at(Condition("fgsm", e))[:, 0] - clean) for e in PLAN["fgsm"])
    assert (mild > 0).all()
    assert (strong > mild).all()
    assert (wrong_way(table) * (table.at(Condition("pgd_l2", 16.0))[:, 0] - clean) > 0).all()


def test_scores_are_those_of_images_made_by_hand(run):
    cohort = in_memory(2)
    table, _, _ = run(cohort, PLAN, seed=3)
    network = Pattern().requires_grad_(False)
    row = 0
    for exam in cohort:
        for breast in exam.breasts:
            sign = -1.0 if breast.malignant else 1.0

            def gradients(images, sign=sign):
                leaves = [image.clone().requires_grad_() for image in images]
                loss = sum(sign * network(leaf[None, None]).sum() for leaf in leaves)
                return list(torch.autograd.grad(loss, leaves))

            for record, severity in ((FGSM, 8.0), (PGD_L2, 16.0)):
                scores = []
                for view in breast.views:
                    shared = Shared(view, seed=3)
                    shared.ascent.gradients = gradients
                    image = apply(record, shared, severity, torch.empty_like(shared.pixels))
                    scores.append(float(network(image[None, None])))
                assert table.at(Condition(record.name, severity))[row, 0] == pytest.approx(np.mean(scores), abs=1e-9)
            row += 1


def test_at_exam_level_all_views_move_for_all_judged_breasts():
    exam = in_memory(1).exams[0]
    images = {}

    class Looks(FourViews):
        def forward(self, batch):
            if not torch.is_grad_enabled():
                images.update({name: batch[name][0, 0].clone() for name in batch})
            return super().forward(batch)

    condition = Condition("fgsm", 8.0)
    Sweep(inference=Inference(exam_level(Looks()), device="cpu")).exam(exam, {"L": [condition]})
    network = FourViews().requires_grad_(False)
    leaves = {f"{v.side}-{v.position}": torch.tensor(v.pixels)[None, None].requires_grad_() for v in exam.views}
    scores = network(leaves)
    # The left breast is malignant, the right one is not.
    slopes = torch.autograd.grad(scores["R"].sum() - scores["L"].sum(), list(leaves.values()))
    for (name, leaf), slope in zip(leaves.items(), slopes, strict=True):
        expected = leaf[0, 0] + 8 * DIGITAL_UNIT * slope[0, 0].sign()
        assert torch.allclose(images[name], expected, atol=1e-6), name


def test_only_a_seeded_choice_is_judged_and_the_table_says_so(run, monkeypatch):
    record = replace(FGSM, subset=3)
    registry = type("One", (), {"__getitem__": lambda _, name: record, "__iter__": lambda _: iter([record])})()
    for module in ("needs", "keys", "sweep", "one_pass", "preparation"):
        monkeypatch.setattr(f"mammo_fixtures.scoring.{module}.PERTURBATIONS", registry)
    table, _, _ = run(in_memory(20), {"fgsm": (8.0,)})
    judged = ~np.isnan(table.at(Condition("fgsm", 8.0))[:, 0])
    assert (judged & (table.malignant == 1)).sum() == 3
    assert (judged & (table.malignant == 0)).sum() == 3
    assert table.unmet["fgsm"] == "judges a seeded choice of 3 of 10 malignant breasts and 3 of 30 others"


def test_a_corrected_label_is_scored_anew_and_nothing_else(run, tmp_path):
    first = run(read_cohort(on_disk(tmp_path, 3)), {"fgsm": (8.0,)})[0]
    again, images, decoded = run(read_cohort(on_disk(tmp_path, 3)), {"fgsm": (8.0,)})
    assert (images, decoded) == (0, 0)
    assert np.array_equal(again.scores, first.scores)
    corrected, images, _ = run(
        read_cohort(on_disk(tmp_path, 3, labels={"0": "1", "1": "1", "2": "0"})), {"fgsm": (8.0,)}
    )
    clean, moved = (table.at(CLEAN)[:, 0] for table in (first, corrected))
    assert np.array_equal(clean, moved)
    # Labels are per exam here: the right breasts of 0 and the left of 1 … turn malignant.
    turned = first.malignant != corrected.malignant
    now, before = (table.at(Condition("fgsm", 8.0))[:, 0] for table in (corrected, first))
    assert (np.sign(now - clean)[turned] == -np.sign(before - clean)[turned]).all()
    assert np.array_equal(now[~turned], before[~turned])


class Flat(torch.nn.Module):
    """Differentiable, and its gradient is zero everywhere."""

    def forward(self, batch):
        return torch.sigmoid((batch.mean(dim=(1, 2, 3)) * 20).round() / 20 + 0 * batch.sum())


class Numpy(torch.nn.Module):
    def forward(self, batch):
        return torch.from_numpy(batch.detach().numpy().mean(axis=(1, 2, 3)))


@pytest.mark.parametrize(
    ("classifier", "reason"),
    [
        (
            lambda: view_level(Flat()),
            "the gradient is zero everywhere for 100% of the breasts looked at: obfuscated, which is not robust",
        ),
        (
            lambda: view_level(Numpy()),
            "needs a gradient, and the classifier gives none of its score at the stored pixels",
        ),
        (
            lambda: view_level(integers=True, intensity=(0, 255)),
            "needs a gradient, and the classifier gives none of its score at the stored pixels",
        ),
    ],
    ids=["flat", "numpy", "integers"],
)
def test_without_a_gradient_nothing_is_scored_and_the_reason_said(run, classifier, reason, tmp_path):
    cohort = read_cohort(on_disk(tmp_path, 3))
    for _ in range(2):
        table, _, decoded = run(cohort, {"fgsm": (8.0,), "lowpass": (1.0,)}, classifier())
        assert np.isnan(table.at(Condition("fgsm", 8.0))).all()
        assert not np.isnan(table.at(Condition("lowpass", 1.0))).any()
        assert table.unmet == {"fgsm": reason}
    assert decoded == 0, "that there is none is remembered"


def test_what_cannot_be_followed_says_why():
    view = in_memory(1).exams[0].views[0].read()

    def at(classifier):
        return gradients_of(Inference(classifier, device="cpu"), [view], {BREAST: 1.0})([torch.tensor(view.pixels)])

    for classifier, why in (
        (view_level(Numpy()), "its score does not depend on its input as far as torch can follow"),
        (view_level(integers=True, intensity=(0, 255)), "it takes integers, and rounding has no gradient"),
        (view_level(lambda batch: batch.no()), "it raised AttributeError: 'Tensor' object has no attribute 'no'"),
    ):
        with pytest.raises(NoGradient) as caught:
            at(classifier)
        assert str(caught.value) == (
            f"classifier pattern: gives no gradient at its pixels: {why}; where that is so by nature, leave "
            'adversarial claims out: -k "not pgd and not universal"'
        )


def test_a_gradient_passes_through_everything_done_to_the_pixels_first():
    view = in_memory(1).exams[0].views[0].read()
    declared = {"pixel_spacing_mm": 0.7, "input_size": SHAPE, "intensity": (0.0, 255.0), "chest_wall": "right"}
    inference = Inference(view_level(Pattern(0.001), **declared), device="cpu")
    pixels = torch.tensor(view.pixels)
    (slope,) = gradients_of(inference, [view], {BREAST: -1.0})([pixels])

    def loss(image):
        return -inference.view_scores([inference.input(image, view)], ["one"])[0]

    step = torch.randn(SHAPE, generator=torch.Generator().manual_seed(1)) * 1e-3
    expected = (slope.double() * step.double()).sum()
    assert loss(pixels + step) - loss(pixels - step) == pytest.approx(2 * float(expected), rel=1e-3)


@pytest.mark.parametrize("classifier", [view_level, exam_level])
def test_a_universal_field_moves_scores_it_was_not_fitted_on(run, classifier, monkeypatch):
    """Of malignant breasts alone, all scores can fall at once."""
    cohort = in_memory(12)
    all_malignant = Cohort(
        name="tiny",
        exams=tuple(
            replace(exam, breasts=tuple(replace(b, malignant=True) for b in exam.breasts)) for exam in cohort.exams
        ),
    )
    table, _, _ = run(all_malignant, {"universal": (16.0, 64.0)}, classifier())
    clean, mild, strong = (table.scores[number, :, 0] for number in range(3))
    assert (mild < clean).all()
    assert (strong < mild).all()


def test_fields_are_fitted_once_kept_beside_the_store_and_part_of_the_key(run, monkeypatch, tmp_path):
    cohort = read_cohort(on_disk(tmp_path, 6))
    cold, _, _ = run(cohort, {"universal": (16.0,)})
    (path,) = (run.store.parent / "universal").iterdir()
    fields = UniversalFields.read(path)
    assert {position for _, position in fields.directions} == {"CC"}
    assert all(field.dtype == torch.float16 for field in fields.directions.values())
    assert max(float(field.abs().max()) for field in fields.directions.values()) == 1

    def never(*_):
        raise AssertionError("fitted again")

    with monkeypatch.context() as patched:
        patched.setattr(universal_fit, "fit", never)
        warm, images, decoded = run(read_cohort(tmp_path / "site.csv"), {"universal": (16.0,)})
        assert (images, decoded) == (0, 0)
        assert np.array_equal(warm.scores, cold.scores)
    path.write_bytes(path.read_bytes()[:-7])
    healed, _, _ = run(read_cohort(tmp_path / "site.csv"), {"universal": (16.0,)})
    assert np.array_equal(healed.scores, cold.scores)


def test_saved_fields_judge_another_classifier_without_a_fit(run, monkeypatch):
    cohort = in_memory(4)
    positions = [(fold, position) for fold in (0, 1) for position in ("CC", "MLO")]
    given = UniversalFields(directions={each: torch.ones((401, 400)) for each in positions}, seed=0)
    monkeypatch.setattr(universal_fit, "fit", None)
    table, _, _ = run(cohort, {"universal": (16.0,)}, view_level(Numpy()), fields=given)
    # Every pixel of every view is brighter by 16 digital units, the mean with them.
    gain = table.at(Condition("universal", 16.0)) - table.at(CLEAN)
    assert np.allclose(gain, 16 * DIGITAL_UNIT, atol=1e-6)


def test_the_halves_share_no_exam_and_examples_are_balanced():
    needs = Needs(cohort=in_memory(100), classifier=view_level())
    halves = [universal_fit.examples_of(fold, needs) for fold in (0, 1)]
    exams = [{source.exam_id for example in half for source in example.sources} for half in halves]
    assert not exams[0] & exams[1]
    for half in halves:
        signs = [example.signs[BREAST] for example in half]
        assert signs.count(-1.0) == signs.count(1.0) == 2 * universal_fit.FIT_BREASTS
    for one, fold in zip(exams, (0, 1), strict=True):
        assert {universal.fold_of(exam_id, 0) for exam_id in one} == {fold}


def test_curves_stand_on_the_judged_breasts(run):
    table, _, _ = run(in_memory(30), {"fgsm": (64.0,)})
    result = curve(table, "fgsm")
    assert result.points[1].value < result.clean.value


def test_at_full_scale_discrimination_collapses(run):
    table, _, _ = run(in_memory(20), {"pgd_linf": (4095.0,)})
    assert curve(table, "pgd_linf").points[1].value < 0.05
