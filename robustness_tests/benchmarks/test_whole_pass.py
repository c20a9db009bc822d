"""A whole core pass beside its classifier alone: what is claimed is their ratio, measured in one run.

On a CPU both have one thread, as each of several workers has: the CPU time of more would count how they wait.
"""

import statistics
import time

import pytest

MOST_TIMES_THE_CLASSIFIER = 1.5
EXAMS = 4


@pytest.fixture
def one_thread():
    """Of torch, for as long as the pass takes."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.usefixtures("one_thread")
def test_core_pass_of_the_phantoms(timed, classifier, cohort, mammo_run, tmp_path):
    """All core conditions; at exam level, or for a classifier of one's own, the ratio is told and not claimed."""
    from overhead import Overhead, core_conditions, spread

    from mammo_fixtures.perturbations import PERTURBATIONS
    from mammo_fixtures.scoring.images import follows_gradient

    if classifier.level != "view":
        pytest.skip("the calls of a classifier that scores exams are not played back")
    settings = mammo_run.settings
    conditions = core_conditions()
    overhead = Overhead(
        cohort,
        classifier,
        conditions,
        device=settings.device,
        precision=settings.precision,
        batch_size=settings.batch_size,
        folder=tmp_path,
    )
    exams = spread(cohort.exams, EXAMS)
    overhead.measure("images", exams[:1])
    overhead.seconds["images"] = {"pass": 0.0, "alone": 0.0, "calls": 0}
    following = next(c for c in conditions if follows_gradient(c))
    judged = overhead.one_pass.needs.chosen(PERTURBATIONS[following.perturbation].subset)
    overhead.measure("gradients", [e for e in cohort if any((e.exam_id, b.side) in judged for b in e.breasts)][:1])
    rounds = iter(exams)
    took = []

    def one_exam():
        began = time.perf_counter()
        passed, alone = overhead.measure("images", [next(rounds)])
        took.append((time.perf_counter() - began) * passed / (passed + alone))

    timed(one_exam, batch=overhead.sweep.batches.size, rounds=EXAMS, warmup=0, conditions=len(conditions))
    result = overhead.result()
    images = overhead.seconds["images"]["calls"]
    timed.benchmark.extra_info.update(
        result, views_times_conditions_per_second=round(images / EXAMS / statistics.median(took), 2)
    )
    if settings.classifier == "reference" and settings.exams == "phantoms":
        assert result["ratio"] <= MOST_TIMES_THE_CLASSIFIER
