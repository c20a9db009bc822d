"""A spacing declared wrongly reaches the classifier, and no other perturbation."""

import numpy as np
import torch

from mammo_fixtures import Classifier, View
from mammo_fixtures.classifiers.inference import Inference
from mammo_fixtures.exams import Breast, Exam
from mammo_fixtures.scoring import CLEAN, Condition
from mammo_fixtures.scoring.sweep import Sweep


def exam():
    breasts = []
    for side in ("L", "R"):
        view = View.from_array(
            np.full((40, 20), 0.5, dtype=np.float32), pixel_spacing_mm=(0.1, 0.1), side=side, position="CC",
            exam_id="1", intensity_range=(0, 1), chest_wall="left",
        )  # fmt: skip
        breasts.append(Breast(exam_id="1", side=side, views=(view,)))
    return Exam(exam_id="1", breasts=tuple(breasts))


def test_a_classifier_that_reads_the_spacing_gets_another_image():
    rows = Classifier(lambda batch: torch.full((batch.shape[0],), float(batch.shape[2])), name="rows", score="logit",
                      pixel_spacing_mm=0.1)  # fmt: skip
    conditions = [CLEAN, Condition("spacing_misdeclared", 0.5), Condition("gaussian_noise", 0.01)]
    scores = Sweep(inference=Inference(rows, device="cpu")).exam(exam(), {"L": conditions, "R": conditions})
    for side in ("L", "R"):
        given = [scores[side, condition] for condition in conditions]
        # Half the true spacing stated twice as large: the image is enlarged twofold.
        assert given == [40.0, 80.0, 40.0]


def test_a_classifier_that_reads_no_spacing_cancels_it():
    mean = Classifier(lambda batch: batch.mean(dim=(1, 2, 3)), name="mean")
    conditions = [CLEAN, Condition("spacing_misdeclared", 0.5)]
    scores = Sweep(inference=Inference(mean, device="cpu")).exam(exam(), {"L": conditions, "R": conditions})
    assert scores["L", CLEAN] == scores["L", conditions[1]]
