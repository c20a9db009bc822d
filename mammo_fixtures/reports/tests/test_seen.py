"""Pictures of the report are of the very pixels that were scored."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from mammo_fixtures import Classifier, View
from mammo_fixtures.classifiers.inference import Inference
from mammo_fixtures.exams import Breast, Cohort, Exam
from mammo_fixtures.reports.seen import MOST_SEVERITIES, Seen, shown_severities
from mammo_fixtures.reports.shrunk import as_text, from_text
from mammo_fixtures.scoring.needs import Needs
from mammo_fixtures.scoring.score_table import CLEAN, Condition
from mammo_fixtures.scoring.sweep import Sweep
from mammo_fixtures.verdicts import Tolerance

NOISE = [CLEAN, Condition("gaussian_noise", 0.02), Condition("gaussian_noise", 0.08)]
PGD = [CLEAN, Condition("pgd_linf", 4.0)]


class Source:
    """A view in memory."""

    def __init__(self, side, position, exam_id="17"):
        self.exam_id, self.side, self.position = exam_id, side, position

    def read(self):
        rows, columns = np.indices((96, 64))
        inside = (rows - 48) ** 2 + columns**2 < 44**2
        pixels = np.where(inside, 0.4 + 0.2 * np.random.default_rng(len(self.position)).random((96, 64)), 0)
        return View.from_array(
            pixels.astype(np.float32), pixel_spacing_mm=(1.0, 1.0), side=self.side, position=self.position,
            exam_id=self.exam_id, intensity_range=(0, 1),
        )  # fmt: skip


def cohort():
    def breast(side, malignant, subgroup):
        views = (Source(side, "CC"), Source(side, "MLO"))
        return Breast(
            exam_id="17", side=side, views=views, malignant=malignant, subgroup=subgroup, strata={"density": "d"}
        )

    return Cohort(
        name="x",
        exams=(Exam(exam_id="17", breasts=(breast("L", True, "masses"), breast("R", False, "normal"))),),
    )


def network(batch):
    return torch.tanh(batch * torch.linspace(-1, 1, batch.shape[-1])).mean((1, 2, 3))


def exam_network(views):
    return {side: network(torch.cat([views[f"{side}-CC"], views[f"{side}-MLO"]])).mean()[None] for side in "LR"}


def sweep_of(exams, level="view"):
    classifier = Classifier(network if level == "view" else exam_network, score="logit", level=level)
    needs = Needs(cohort=exams, classifier=classifier, seed=3)
    return Sweep(inference=Inference(classifier, device="cpu"), seed=3, needs=needs)


@pytest.mark.parametrize("level", ["view", "exam"])
@pytest.mark.parametrize("conditions", [NOISE, PGD], ids=["noise", "pgd"])
def test_images_are_those_that_were_scored(monkeypatch, level, conditions):
    exams = cohort()
    exam, breast = exams.exams[0], exams.exams[0].breasts[0]
    scored = {}
    sweep = sweep_of(exams, level)
    given = Inference.input

    def spy(self, image, view):
        if not image.requires_grad:  # else a gradient is being looked for
            scored.setdefault(view.name, []).append(image.clone())
        return given(self, image, view)

    monkeypatch.setattr(Inference, "input", spy)
    sweep.exam(exam, {"L": conditions})
    expected = {name: images[-len(conditions) :] for name, images in scored.items()}
    for source in breast.views:
        drawn = list(sweep_of(exams, level).images(exam, breast, source, conditions))
        assert [condition for condition, _, _ in drawn] == conditions
        for (_, view, image), wanted in zip(drawn, expected[source.read().name], strict=True):
            assert torch.equal(image, wanted)
            assert view.position == source.position


def gallery(planned=NOISE, **tolerance):
    exams = cohort()
    known = {"claim": "holds", "perturbation": planned[-1].perturbation, "margin": 0.1, "reason": "x"}
    seen = Seen(cohort=exams, sweep=sweep_of(exams), tolerances=[Tolerance(**(known | tolerance))])
    return seen


def test_a_row_shows_clean_and_each_severity_whole_and_in_detail():
    drawn = gallery(subgroup="masses", severities=(0.02,)).perturbations(NOISE)
    (row,) = drawn.rows
    assert row.title == "gaussian_noise: exam 17, L-CC, masses, malignant"
    assert [panel[0].label for panel in row.panels] == ["clean", "0.02 of full scale", "0.08 of full scale"]
    for panel in row.panels:
        for picture in panel:
            size = Image.open(io.BytesIO(picture.data)).size
            assert size == (picture.width, picture.height)
    assert row.panels[1][0].description == "exam 17, L-CC, gaussian_noise 0.02 of full scale: the whole view"
    assert drawn.missing == ()
    assert row.notes == ("exam 17, L-CC: no lesion region is known: the detail is the middle of the breast",)


def test_what_cannot_be_drawn_is_said():
    planned = [CLEAN, Condition("missing_view", 1.0), Condition("lowpass_inside", 2.0)]
    drawn = gallery(planned, subgroup="masses").perturbations(planned)
    assert [row.title for row in drawn.rows] == ["lowpass_inside: exam 17, R-CC, normal"]
    assert drawn.missing == ("missing_view: withholds or exchanges whole views and changes no pixel",)
    drawn = gallery(planned, subgroup="masses").perturbations([*planned[:1], Condition("view_swap", 1.0)])
    assert drawn.missing == ("view_swap: withholds or exchanges whole views and changes no pixel",)


def test_before_and_after_show_all_views_of_a_breast():
    moved = [
        {"exam_id": "17", "side": "R", "perturbation": "gaussian_noise", "severity": 0.08,
         "clean": 0.5, "perturbed": 0.1}
    ]  # fmt: skip
    (row,) = gallery().before_after(moved).rows
    assert row.title == "exam 17 R under gaussian_noise 0.08 of full scale: score 0.5 → 0.1"
    assert [panel[0].label for panel in row.panels] == [
        "R-CC, clean",
        "R-CC, gaussian_noise 0.08 of full scale",
        "R-MLO, clean",
        "R-MLO, gaussian_noise 0.08 of full scale",
    ]


def test_galleries_cross_processes_unchanged():
    drawn = gallery().perturbations(NOISE)
    assert from_text(as_text({"seen": drawn})) == {"seen": drawn}


def test_severities_of_claims_are_shown_and_the_strongest():
    from mammo_fixtures import PERTURBATIONS

    record = PERTURBATIONS["lowpass"]
    planned = [Condition("lowpass", severity) for severity in record.severities]
    some = Tolerance(claim="holds", perturbation="lowpass", severities=(0.22, 0.5), margin=0.1, reason="x")
    whole = Tolerance(claim="holds", perturbation="lowpass", margin=0.1, reason="x")
    assert shown_severities(record, planned, [some]) == [0.22, 0.5, 4.0]
    shown = shown_severities(record, planned, [whole])
    assert len(shown) == MOST_SEVERITIES
    assert (shown[0], shown[-1]) == (0.17, 4.0)
