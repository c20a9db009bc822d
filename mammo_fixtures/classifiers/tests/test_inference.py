"""A classifier on its device: evaluation mode, no gradients, and every score checked."""

import math

import numpy as np
import pytest
import torch

from mammo_fixtures import Classifier, UnusableInput, View
from mammo_fixtures.classifiers.inference import Inference, batch_of, resolve_device
from mammo_fixtures.classifiers.memory import OutOfMemory

NAMES = ["exam 1, L-CC, clean", "exam 1, L-MLO, clean"]
TWO = torch.tensor([0.25, 0.75])
BATCH = [torch.zeros(1, 4, 3), torch.ones(1, 4, 3)]


def scores(network, names=NAMES, **declared):
    inference = Inference(Classifier(network, name="mine", **declared), device="cpu")
    return inference.view_scores(BATCH[: len(names)], names)


def refused(network, **declared):
    with pytest.raises(UnusableInput) as caught:
        scores(network, **declared)
    return str(caught.value)


def test_evaluation_mode_without_gradients():
    network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(12, 1), torch.nn.Dropout(0.5), torch.nn.Sigmoid())
    assert network.training
    inference = Inference(Classifier(network), device="cpu")
    assert not any(module.training for module in network.modules())
    assert not any(parameter.requires_grad for parameter in network.parameters())
    assert inference.view_scores(BATCH, NAMES) == inference.view_scores(BATCH, NAMES), "dropout is off"

    def asks(batch):
        assert torch.is_inference_mode_enabled()
        assert batch.shape == (2, 1, 4, 3)
        assert batch.dtype == torch.float32
        return batch.mean(dim=(1, 2, 3))

    assert scores(asks) == [0.0, 1.0]


@pytest.mark.parametrize(
    "give",
    [
        lambda batch: batch.mean(dim=(1, 2, 3)),
        lambda batch: batch.mean(dim=(1, 2, 3))[:, None],
        lambda batch: batch.mean(dim=(1, 2, 3)).double().numpy(),
        lambda batch: batch.mean(dim=(1, 2, 3)).tolist(),
        lambda batch: batch.mean(dim=(1, 2, 3)).bfloat16(),
        lambda batch: [0, 1],
        lambda batch: batch.mean(dim=(1, 2, 3)) > 0.5,
        lambda batch: batch.mean(dim=(1, 2, 3)).numpy().astype(">f4"),
        lambda batch: batch.mean(dim=(1, 2, 3)).numpy().astype(np.float16),
        lambda batch: torch.nn.Parameter(batch.mean(dim=(1, 2, 3)).clone()),
    ],
)
def test_scores_in_any_container(give):
    given = scores(give)
    assert given == [0.0, 1.0]
    assert all(type(score) is float for score in given)


@pytest.mark.parametrize(
    ("give", "got"),
    [
        (lambda batch: batch.mean(dim=(2, 3)).expand(2, 2), "(2, 2)"),
        (lambda batch: batch.mean(), "()"),
        (lambda batch: batch, "(2, 1, 4, 3)"),
        (lambda batch: batch.mean(dim=(1, 2, 3))[:1], "(1,)"),
        (lambda batch: {"score": 1}, "dict"),
        (lambda batch: (batch, batch.mean()), "tuple"),
        (lambda batch: None, "NoneType"),
        (lambda batch: "high", "str"),
        (lambda batch: torch.complex(TWO, TWO), "complex numbers (complex64)"),
        (lambda batch: [0.1j, 0.2j], "complex numbers (complex64)"),
        (lambda batch: TWO.numpy() * 1j, "an array of complex64"),
        (lambda batch: np.array(["0.1", "0.2"]), "an array of <U3"),
        (lambda batch: np.ma.masked_array([0.1, 0.2], [0, 1]), "a masked array, whose hidden scores are none"),
        (lambda batch: TWO.to_sparse(), "a tensor of torch.sparse_coo"),
        (lambda batch: TWO.to("meta"), "a tensor on the meta device"),
    ],
)
def test_scores_of_another_shape_or_kind(give, got):
    assert refused(give) == (
        f"classifier mine: scores must be real numbers of shape (2,) or (2, 1), one a view, got {got} for "
        "exam 1, L-CC, clean and 1 more in its batch; wrap the network so that it gives the score of malignancy alone"
    )


@pytest.mark.parametrize(("value", "shown"), [(math.nan, "nan"), (math.inf, "inf"), (-math.inf, "-inf")])
@pytest.mark.parametrize("kind", ["probability", "logit"])
def test_scores_that_are_not_finite(value, shown, kind):
    assert refused(lambda batch: torch.tensor([0.5, value]), score=kind) == (
        f"classifier mine: scores must be finite, got {shown} for exam 1, L-MLO, clean; "
        "look at the network's input there"
    )


@pytest.mark.parametrize("value", [-0.25, 1.0001, 12345.678])
def test_probabilities_that_are_none(value):
    assert refused(lambda batch: torch.tensor([value, 0.5], dtype=torch.float64)) == (
        f"classifier mine: a probability must lie in [0, 1], got {value:.9g} for exam 1, L-CC, clean; "
        "declare score='logit' if it is one"
    )
    assert scores(lambda batch: torch.tensor([value, 0.5], dtype=torch.float64), score="logit") == [value, 0.5]


def test_a_network_that_raises_is_told_with_its_input():
    def network(batch):
        raise RuntimeError("size mismatch,\nm1 x m2")

    assert refused(network) == (
        "classifier mine: the network must accept float32 (2, 1, 4, 3) of exam 1, L-CC, clean and 1 more in its "
        "batch, it raised RuntimeError: size mismatch, m1 x m2; look at its traceback, "
        "or declare input_size and channels as the network needs them"
    )
    inference = Inference(Classifier(network, name="mine", level="exam"), device="cpu")
    with pytest.raises(UnusableInput, match=r"\(1, 1, 4, 3\)\} of exam 1 under clean, it raised RuntimeError"):
        inference.exam_scores({"L-CC": BATCH[0]}, "exam 1 under clean")


def test_running_out_of_memory_is_not_hidden():
    def network(batch):
        raise torch.OutOfMemoryError("CUDA out of memory")

    with pytest.raises(OutOfMemory, match=r"^memory ran out: CUDA out of memory$"):
        scores(network)


@pytest.mark.parametrize(
    ("give", "said"),
    [
        (
            lambda batch: batch["L-CC"].mean(dim=(1, 2, 3)),
            "an exam-level network must give a dict of scores keyed L and R, got Tensor",
        ),
        (
            lambda batch: {"left": [0.5], "R": [0.5]},
            "an exam-level network must give a dict of scores keyed L and R, got ['R', 'left']",
        ),
        (lambda batch: {}, "an exam-level network must give a dict of scores keyed L and R, got []"),
        (
            lambda batch: {"L": [0.5], "R": [[0.1, 0.9]]},
            "scores must be real numbers of shape (1,) or (1, 1), one a breast, got (1, 2) for exam 1 under clean, R; "
            "wrap the network so that it gives the score of malignancy alone",
        ),
        (
            lambda batch: {"L": [0.5], "R": [2.0]},
            "a probability must lie in [0, 1], got 2 for exam 1 under clean, R; declare score='logit' if it is one",
        ),
    ],
)
def test_scores_of_an_exam(give, said):
    inference = Inference(Classifier(give, name="mine", level="exam"), device="cpu")
    with pytest.raises(UnusableInput) as caught:
        inference.exam_scores({"L-CC": BATCH[0]}, "exam 1 under clean")
    assert str(caught.value) == f"classifier mine: {said}"


def test_exam_level_input_is_a_batch_of_one_of_its_own():
    image = torch.zeros(3, 4, 3)

    def network(batch):
        assert {name: tuple(each.shape) for name, each in batch.items()} == {"L-CC": (1, 3, 4, 3)}
        batch["L-CC"].add_(1)
        return {"L": [0.25]}

    inference = Inference(Classifier(network, level="exam"), device="cpu")
    assert inference.exam_scores({"L-CC": image}, "exam 1") == {"L": 0.25}
    assert not image.any()


def test_input_is_made_as_the_classifier_declares():
    view = View.from_array(
        np.zeros((4, 3), dtype=np.uint8), pixel_spacing_mm=(1, 1), side="L", position="CC", exam_id="1"
    )
    inference = Inference(Classifier(lambda batch: batch, channels=3, intensity=(-1, 1)), device="cpu")
    given = inference.input(torch.zeros(4, 3), view)
    assert given.shape == (3, 4, 3)
    assert (given == -1).all()


def test_half_precision_is_for_the_network_alone():
    seen = []

    def network(batch):
        seen.append(batch.dtype)
        return torch.sigmoid(torch.nn.functional.linear(batch.flatten(1), torch.ones(1, 12))).squeeze(1)

    for precision in ("fp32", "bf16"):
        inference = Inference(Classifier(network), device="cpu", precision=precision)
        seen.append(inference.view_scores(BATCH, NAMES))
    assert seen[0] == seen[2] == torch.float32
    assert seen[1] == pytest.approx(seen[3], abs=1e-2)


def test_unknown_precision_and_device():
    classifier = Classifier(lambda batch: batch)
    with pytest.raises(UnusableInput) as caught:
        Inference(classifier, precision="fp8")
    assert str(caught.value) == "precision must be one of fp32, bf16, fp16, got 'fp8'"
    for device in ("gpu", "cuda:x", "mps", "meta", ""):
        with pytest.raises(UnusableInput) as caught:
            Inference(classifier, device=device)
        assert str(caught.value) == f"device must be auto, cpu, cuda or cuda:1, got {device!r}"


def test_a_gpu_that_is_not_there(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    assert resolve_device("auto") == resolve_device("cpu") == torch.device("cpu")
    with pytest.raises(UnusableInput) as caught:
        resolve_device("cuda")
    assert str(caught.value) == "device must be there, got 'cuda' where 0 GPUs are visible; use cpu or auto"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert resolve_device("auto") == torch.device("cuda")
    assert resolve_device("cuda:1") == torch.device("cuda:1")
    with pytest.raises(UnusableInput) as caught:
        resolve_device("cuda:2")
    assert str(caught.value) == "device must be there, got 'cuda:2' where 2 GPUs are visible; use cpu or auto"


def test_inputs_that_are_a_batch_already_are_not_copied():
    memory = torch.arange(24.0)
    rows = [memory[start : start + 12].view(1, 4, 3) for start in (0, 12)]
    batch = batch_of(rows, kept=[torch.zeros(1)])
    assert batch.data_ptr() == memory.data_ptr()
    assert batch.shape == (2, 1, 4, 3)
    assert batch.stride() == (12, 12, 3, 1)
    assert torch.equal(batch.flatten(), memory)


@pytest.mark.parametrize(
    "case", ["nobody says", "of a kept one", "in another order", "with a gap", "in other memory", "transposed"]
)
def test_other_inputs_are_copied_into_a_batch(case):
    memory = torch.arange(48.0)
    first, second, third = (memory[start : start + 12].view(1, 4, 3) for start in (0, 12, 24))
    inputs = {
        "in another order": [second, first],
        "with a gap": [first, third],
        "in other memory": [first, second.clone()],
        "transposed": [memory[:12].view(1, 3, 4).mT, memory[12:24].view(1, 3, 4).mT],
    }.get(case, [first, second])
    kept = None if case == "nobody says" else [third if case == "of a kept one" else torch.zeros(1)]
    batch = batch_of(inputs, kept)
    assert torch.equal(batch, torch.stack(inputs))
    assert batch.untyped_storage().data_ptr() != memory.untyped_storage().data_ptr()
