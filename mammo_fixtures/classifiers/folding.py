"""Batch normalisation taken into the convolution before it: the same function with fewer passes over memory."""

from __future__ import annotations

from collections import Counter
from typing import Any

from mammo_fixtures.classifiers.classifier import called
from mammo_fixtures.errors import UnusableInput


def folded(network: Any, *, name: str) -> Any:
    """A network in evaluation mode without the batch norms that follow a convolution; the given one stays as it is.

    Only pairs are folded whose convolution nothing else reads and nothing calls twice. Refused where the flow of data
    depends on the data, or where there is nothing to fold.
    """
    import torch

    try:
        traced = torch.fx.symbolic_trace(network)
    except Exception as error:
        raise UnusableInput(
            f"{called(name)}: cannot be folded, its flow could not be traced: {type(error).__name__}: "
            f"{str(error).partition(chr(10))[0]}; leave folded out"
        ) from error
    pairs = _pairs(traced)
    if not pairs:
        raise UnusableInput(
            f"{called(name)}: has no batch norm right after a convolution that could be folded; leave folded out"
        )
    for convolution, norm in pairs:
        fuse: Any = torch.nn.utils.fuse_conv_bn_eval
        fused = fuse(traced.get_submodule(convolution.target), traced.get_submodule(norm.target))
        parent, _, last = convolution.target.rpartition(".")
        setattr(traced.get_submodule(parent), last, fused)
        norm.replace_all_uses_with(convolution)
        traced.graph.erase_node(norm)
    traced.recompile()
    traced.delete_all_unused_submodules()
    return traced.eval()


def _pairs(traced: Any) -> list[tuple[Any, Any]]:
    """Convolutions with the batch norm that alone reads them."""
    import torch

    modules = dict(traced.named_modules(remove_duplicate=False))
    calls = Counter(id(modules[node.target]) for node in traced.graph.nodes if node.op == "call_module")
    convolutions = (torch.nn.Conv2d, torch.nn.Conv1d, torch.nn.Conv3d)
    norms = (torch.nn.BatchNorm2d, torch.nn.BatchNorm1d, torch.nn.BatchNorm3d)

    def once(node: Any, kinds: tuple[type, ...]) -> bool:
        if node.op != "call_module" or type(modules[node.target]) not in kinds:
            return False
        module = modules[node.target]
        return calls[id(module)] == 1 and not (module._forward_hooks or module._forward_pre_hooks)

    return [
        (node.args[0], node)
        for node in traced.graph.nodes
        if once(node, norms)
        and isinstance(node.args[0], torch.fx.Node)
        and once(node.args[0], convolutions)
        and len(node.args[0].users) == 1
        and modules[node.target].running_mean is not None
    ]
