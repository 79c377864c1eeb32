"""Layers from PyTorch, without importing it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def from_torch(module: Any) -> list[Floats]:
    """The layers of a stack of bias-free linear layers of PyTorch, W_1 first.

    Parameters
    ----------
    module : torch.nn.Sequential, torch.nn.Linear or iterable of torch.nn.Linear
        Linear layers without bias, in the order in which they are applied.

    Returns
    -------
    list of ndarray
        Their weights, outputs x inputs each: W_N … W_1 x is what the stack computes.

    Raises
    ------
    ValueError
        If a layer is not linear, or has a bias.
    """
    modules = [module] if hasattr(module, "weight") else list(module)
    if not modules:
        raise ValueError("the stack must have a layer, but it has none")
    for place, layer in enumerate(modules):
        weight = getattr(layer, "weight", None)
        if weight is None or getattr(weight, "ndim", 0) != 2 or not hasattr(layer, "bias"):
            kind = type(layer).__name__
            raise ValueError(f"layer {place} must be a linear layer, but it is a {kind}")
        if layer.bias is not None:
            raise ValueError(f"layer {place} must have no bias, but it has one")
    return [matrix(layer.weight) for layer in modules]


def matrix(value: Any) -> Floats:
    """A tensor of PyTorch or anything like an array as a matrix that lies row after row."""
    if hasattr(value, "detach"):
        value = value.detach().cpu().double().numpy()
    out: Floats = np.ascontiguousarray(value, dtype=np.float64)
    if out.ndim != 2:
        raise ValueError(f"a matrix must have 2 axes, but it has {out.ndim}")
    return out


def layers(value: Any) -> list[Floats]:
    """Layers as matrices: of a list of tensors or arrays, a fitted estimator, or a stack of PyTorch."""
    if hasattr(value, "layers_"):
        value = value.layers_
    elif hasattr(value, "parameters") and hasattr(value, "forward"):
        return from_torch(value)
    if not isinstance(value, Iterable):
        raise TypeError(f"layers must be a list of matrices, but it is a {type(value).__name__}")
    found = [matrix(layer) for layer in value]
    if not found:
        raise ValueError("the number of layers must be 1 or more, but it is 0")
    return found
