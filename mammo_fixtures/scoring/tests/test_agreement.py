"""Processes that share a pass have loaded one classifier, or the pass says that they have not."""

import pytest

from mammo_fixtures import Classifier, UnusableInput
from mammo_fixtures.classifiers.fingerprint import fingerprint
from mammo_fixtures.classifiers.inference import Inference
from mammo_fixtures.scoring.agreement import agree, identity
from mammo_fixtures.scoring.store import Store
from mammo_fixtures.scoring.sweep import Sweep
from mammo_fixtures.scoring.tests.tiny_cohort import Pattern, in_memory, scored


def numbers(classifier):
    sweep = Sweep(inference=Inference(classifier, device="cpu"))
    return identity(classifier, fingerprint(classifier), sweep, in_memory(1).exams[0])


def bare(gain):
    network = Pattern(gain)
    return Classifier(lambda batch: network(batch), name="bare")


def test_other_weights_without_a_fingerprint_are_told(tmp_path):
    with Store(tmp_path / "run.sqlite") as store:
        for _ in range(2):
            agree(store, "bare", "a pass", numbers(bare(1.0)))
        agree(store, "bare", "another pass", numbers(bare(1.5)))
        with pytest.raises(UnusableInput) as caught:
            agree(store, "bare", "a pass", numbers(bare(1.5)))
    assert str(caught.value).startswith("classifier bare: every worker must load the same one, two of them have 0.")
    assert "for exam 0, L, clean; look for weights drawn at random when it is loaded" in str(caught.value)


@pytest.mark.parametrize("declare", [False, True])
def test_weights_that_a_fingerprint_knows_need_no_score(tmp_path, declare):
    scored.clear()
    one, other = (
        numbers(Classifier(Pattern(gain), name="known", **({"fingerprint": str(gain)} if declare else {})))
        for gain in (1.0, 1.000001)
    )
    assert not scored
    with Store(tmp_path / "run.sqlite") as store:
        agree(store, "known", "a pass", one)
        with pytest.raises(
            UnusableInput, match=r"classifier known: .* two of them have other weights or code; look for"
        ):
            agree(store, "known", "a pass", other)


def test_rounding_is_no_other_classifier(tmp_path):
    one, rounded, other = (numbers(bare(gain)) for gain in (1.0, 1.0 + 1e-6, 1.01))
    assert one != rounded
    with Store(tmp_path / "run.sqlite") as store:
        agree(store, "bare", "a pass", one)
        agree(store, "bare", "a pass", rounded)
        with pytest.raises(UnusableInput, match="must load the same one"):
            agree(store, "bare", "a pass", other)
