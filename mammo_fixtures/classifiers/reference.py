"""The reference classifier: small, trained on phantoms, there to test the suite and never a patient."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mammo_fixtures.classifiers.classifier import Classifier
from mammo_fixtures.given import given

if TYPE_CHECKING:
    from pathlib import Path

PIXEL_MM = 0.1


def load(weights: Path | None = None) -> Classifier:
    """The reference classifier with its shipped weights, or with others of the same network."""
    import torch
    from safetensors.torch import load_file

    from mammo_fixtures.classifiers.reference_network import ReferenceNetwork

    network = ReferenceNetwork()
    network.load_state_dict(load_file(given("reference/weights.safetensors") if weights is None else weights))
    network.eval().requires_grad_(False)
    return Classifier(
        network.to(memory_format=torch.channels_last),  # type: ignore[call-overload]
        name="reference",
        level="view",
        score="logit",
        aggregate="mean",
        pixel_spacing_mm=PIXEL_MM,
        chest_wall="left",
        notes={"purpose": "tests the suite; trained on phantoms only; no medical device"},
    )
