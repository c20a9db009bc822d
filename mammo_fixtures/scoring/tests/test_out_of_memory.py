"""Memory that runs out costs time and no run: fewer images at once, the same table, and a word about it."""

import pytest
import torch

from mammo_fixtures import Classifier, UnusableInput, read_cohort, score
from mammo_fixtures.classifiers.inference import Inference
from mammo_fixtures.classifiers.memory import OutOfMemory, ran_out
from mammo_fixtures.scoring.batches import MOST_ON_GPU, Batches
from mammo_fixtures.scoring.sweep import Sweep
from mammo_fixtures.scoring.tests import tiny_cohort
from mammo_fixtures.scoring.tests.comparing import same
from mammo_fixtures.scoring.tests.test_sweep import BOTH
from mammo_fixtures.scoring.tests.tiny_cohort import PLAN, FourViews, Pattern, in_memory, on_disk, view_level

ON_A_CPU = (
    "[enforce fail at alloc_cpu.cpp:124] err == 0. DefaultCPUAllocator: can't allocate memory: you tried to allocate "
    "180633600 bytes. Error code 12 (Cannot allocate memory)"
)
ERRORS = [
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
    RuntimeError(ON_A_CPU),
    RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    MemoryError(),
]


class Narrow(Pattern):
    """Runs out of memory from some batch size on."""

    def __init__(self, most, error):
        super().__init__()
        self.most, self.error = most, error

    def forward(self, batch):
        if len(batch) > self.most:
            raise self.error
        return super().forward(batch)


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_a_batch_of_eight_that_does_not_fit_gives_the_same_table_in_smaller_ones(error):
    cohort = in_memory(2)
    expected = score(cohort, view_level(), PLAN, device="cpu")
    tiny_cohort.scored.clear()
    table = score(cohort, view_level(Narrow(3, error)), PLAN, device="cpu", batch_size=8)
    assert same(table, expected)
    assert max(tiny_cohort.scored) == 2


def test_it_is_said_once_and_the_smaller_size_is_kept():
    sweep = Sweep(inference=Inference(view_level(Narrow(3, ERRORS[0])), device="cpu"), batch_size=8)
    for exam in in_memory(2):
        sweep.exam(exam, BOTH)
    assert sweep.batches.said == "batch size 8 did not fit in memory on cpu; went on with 2"
    assert sweep.batches.size == 2


def test_images_that_do_not_fit_are_made_fewer_at_a_time(monkeypatch):
    from mammo_fixtures.scoring import images

    apply, failures = images.apply, iter([True, True])

    def scarce(*arguments):
        if next(failures, False):
            raise RuntimeError(ON_A_CPU)
        return apply(*arguments)

    exam = in_memory(1).exams[0]
    expected = Sweep(inference=Inference(view_level(), device="cpu")).exam(exam, BOTH)
    monkeypatch.setattr(images, "apply", scarce)
    sweep = Sweep(inference=Inference(view_level(), device="cpu"), batch_size=4)
    assert sweep.exam(exam, BOTH) == expected
    assert sweep.batches.size == 1


def test_where_one_image_does_not_fit_the_run_ends_with_one_line(tmp_path):
    cohort = read_cohort(on_disk(tmp_path, 1))
    with pytest.raises(UnusableInput) as caught:
        score(cohort, view_level(Narrow(0, ERRORS[0])), PLAN, device="cpu", batch_size=4)
    assert str(caught.value) == (
        "memory ran out: CUDA out of memory. Tried to allocate 2.00 GiB, with one image at a time on cpu; free memory "
        "there, or give another --mammo-device="
    )


def test_an_exam_that_does_not_fit_is_named_as_that():
    class Full(FourViews):
        def forward(self, batch):
            raise ERRORS[0]

    classifier = Classifier(Full(), name="full", level="exam")
    with pytest.raises(UnusableInput, match=r"^exam 0: memory ran out: CUDA .* with the views of one exam"):
        score(in_memory(1), classifier, PLAN, device="cpu")


def test_a_gradient_that_does_not_fit_is_not_taken_for_a_classifier_without_one():
    class FullBackwards(torch.nn.Module):
        def forward(self, batch):
            if batch.requires_grad:
                raise ERRORS[1]
            return torch.sigmoid(batch.mean((1, 2, 3)))

    with pytest.raises(OutOfMemory, match=r"memory ran out: .*can't allocate memory"):
        score(in_memory(1), Classifier(FullBackwards()), {"fgsm": (8.0,)}, device="cpu")


def test_other_errors_are_not_taken_for_a_lack_of_memory():
    assert not ran_out(RuntimeError("mat1 and mat2 shapes cannot be multiplied"))
    assert not ran_out(ValueError("out of memory"))
    assert all(map(ran_out, ERRORS))


def test_a_gpus_batch_size_follows_from_what_one_image_takes():
    batches = Batches(device=torch.device("cuda", 0))
    assert (batches.size, batches.measuring) == (1, True)
    batches.measure(bytes_per_image=2**30, free_bytes=20 * 2**30)
    assert (batches.size, batches.measuring) == (10, False)
    shared = Batches(device=torch.device("cuda", 0), neighbours=2)
    shared.measure(bytes_per_image=2**30, free_bytes=20 * 2**30)
    assert shared.size == 5
    for taken, expected in ((10**12, 1), (1000, MOST_ON_GPU), (0, MOST_ON_GPU)):
        other = Batches(device=torch.device("cuda", 0))
        other.measure(taken, 20 * 2**30)
        assert other.size == expected
    said = Batches(device=torch.device("cuda", 0), wanted=6)
    assert (said.size, said.measuring) == (6, False)
    assert [said.next(left) for left in (20, 6, 2)] == [6, 6, 2]
    assert [other.next(left) for left in (MOST_ON_GPU + 6, MOST_ON_GPU, 3)] == [MOST_ON_GPU // 2 + 3, MOST_ON_GPU, 3]
