"""Files that hold weights and networks."""

import io
from dataclasses import dataclass, field

import numpy as np

from mammo_fixtures.classifiers import read_weights
from mammo_fixtures.tests.fuzzing.mutations import WORDS
from mammo_fixtures.tests.fuzzing.targets import Target


@dataclass(frozen=True, kw_only=True)
class Weights(Target):
    words: tuple[bytes, ...] = WORDS
    tensors: dict = field(default_factory=dict)

    def read(self, path):
        read = read_weights(path)
        if set(read) != set(self.tensors):
            return "other"
        alike = all(np.array_equal(tensor.numpy(), self.tensors[name]) for name, tensor in read.items())
        return "same" if alike else "other"


@dataclass(frozen=True, kw_only=True)
class Network(Target):
    words: tuple[bytes, ...] = WORDS

    def read(self, path):
        from mammo_fixtures import load_classifier

        load_classifier(str(path))
        return "same" if path.read_bytes() == self.content else "other"


def classifiers(folder):
    """Weights in both formats, a TorchScript network, and an exported program."""
    import torch
    from safetensors.torch import save

    from mammo_fixtures.classifiers.tests.stored_networks import ANY, write_exported, write_torchscript

    torch.manual_seed(0)
    declared = 'score = "logit"\nintensity = [0, 1]\n'
    network = torch.nn.Sequential(torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(1, 1)).eval()
    state = dict(network.state_dict())
    tensors = {name: tensor.numpy() for name, tensor in state.items()}
    saved, views = io.BytesIO(), torch.rand(2, 1, 6, 4)
    torch.save(state, saved)
    scripted = write_torchscript(network, folder / "whole.ts", views, declared).read_bytes()
    write_exported(network, folder / "whole.pt2", views, declared, ({0: ANY, 2: ANY, 3: ANY},))
    return [
        Weights(name="safetensors", content=save(state), file="weights.safetensors", tensors=tensors),
        Weights(name="state_dict", content=saved.getvalue(), file="weights.pth", tensors=tensors),
        Network(name="torchscript", content=scripted, file="scripted.ts"),
        Network(name="exported", content=(folder / "whole.pt2").read_bytes(), file="exported.pt2"),
    ]
