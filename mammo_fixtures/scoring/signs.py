"""Which way is wrong: the sign that an adversarial loss gives each score."""

from __future__ import annotations

from mammo_fixtures.classifiers.gradients import BREAST
from mammo_fixtures.exams import Breast, Exam
from mammo_fixtures.scoring.needs import Needs


def sign(breast: Breast) -> float:
    """A malignant breast's score is to fall, another's to rise."""
    return -1.0 if breast.malignant else 1.0


def signs_of(exam: Exam, breast: Breast, perturbation: str, needs: Needs) -> dict[str, float]:
    """Signs of the scores that move the views a breast's score is made from.

    At exam level, where one set of images makes both scores, those of all judged breasts of the exam.
    """
    if needs.classifier.level == "view":
        return {BREAST: sign(breast)}
    return {each.side: sign(each) for each in exam.breasts if needs.met(each, perturbation)}
