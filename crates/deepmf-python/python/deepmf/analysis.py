"""What layers and matrices tell: curvature, ranks, gradient flow, the convex baseline.

Layers are given W_1 first, as arrays or tensors of PyTorch, or as a fitted estimator. What is seen of their product
W = W_N … W_1 is a `target` with NaN where nothing is seen, or a `mask` alone (then the layers fit what is seen), or
`operators` with measurements `y`. The loss is the mean of squares unless `loss` says otherwise, as in PyTorch's
``mse_loss``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import _deepmf
from ._torch import layers as _layers
from ._torch import matrix as _matrix

Floats = NDArray[np.float64]

__all__ = [
    "Flow",
    "NuclearNorm",
    "Sharpness",
    "effective_rank",
    "gradient_flow",
    "hessian_density",
    "hessian_trace",
    "induced_regularizer",
    "nuclear_norm_minimization",
    "sharpness",
]


@dataclass(frozen=True)
class Sharpness:
    """The largest eigenvalue of the Hessian.

    Attributes
    ----------
    value : float
        The eigenvalue.
    interval : tuple of (float, float)
        An interval that holds it.
    at_minimizer : bool
        Whether the layers fit what is seen.
    residual : float
        ‖A(W) − y‖ / ‖y‖.
    products : int
        Products with an operator that it took.
    """

    value: float
    interval: tuple[float, float]
    at_minimizer: bool
    residual: float
    products: int

    def __float__(self) -> float:
        return self.value


def sharpness(
    layers: Any,
    target: Any = None,
    *,
    mask: Any = None,
    operators: Any = None,
    y: Any = None,
    loss: str = "mean",
    tol: float = 1e-8,
) -> Sharpness:
    """The largest eigenvalue of the Hessian with respect to the layers.

    Parameters
    ----------
    layers : list of arrays or tensors, torch.nn.Sequential, or fitted estimator
        The layers, W_1 first.
    target, mask, operators, y : array, optional
        What is seen.
    loss : {"mean", "sum", "half-mean", "half-sum"}, default="mean"
        The constant of the squared loss.
    tol : float, default=1e-8
        The relative residual of the eigenvalue.

    Returns
    -------
    Sharpness

    Examples
    --------
    >>> import numpy as np
    >>> from deepmf.analysis import sharpness
    >>> found = sharpness([np.eye(3), np.eye(3)], np.eye(3), loss="sum")
    >>> round(float(found), 6)
    4.0
    """
    stack = _layers(layers)
    seen = _seen(target, mask, operators, y, _shape(stack))
    return Sharpness(*_deepmf.sharpness(stack, seen, loss, tol))


def hessian_trace(
    layers: Any,
    target: Any = None,
    *,
    mask: Any = None,
    operators: Any = None,
    y: Any = None,
    loss: str = "mean",
    by_layer: bool = False,
) -> float | list[float]:
    """The trace of the Hessian with respect to the layers, in closed form.

    Parameters
    ----------
    layers, target, mask, operators, y, loss
        As in `sharpness`.
    by_layer : bool, default=False
        Whether the traces of the diagonal blocks are given, W_1 first.

    Returns
    -------
    float or list of float

    Examples
    --------
    >>> import numpy as np
    >>> from deepmf.analysis import hessian_trace
    >>> hessian_trace([np.eye(3), np.eye(3)], np.eye(3), loss="sum")
    36.0
    """
    stack = _layers(layers)
    seen = _seen(target, mask, operators, y, _shape(stack))
    traces = _deepmf.layer_traces(stack, seen, loss)
    return traces if by_layer else sum(traces)


def hessian_density(
    layers: Any,
    target: Any = None,
    *,
    mask: Any = None,
    operators: Any = None,
    y: Any = None,
    loss: str = "mean",
    n_probes: int = 4,
    n_steps: int = 40,
    gauss_newton: bool = False,
    random_state: int = 0,
) -> tuple[Floats, Floats]:
    """The density of the spectrum of the Hessian, by stochastic Lanczos quadrature.

    Parameters
    ----------
    layers, target, mask, operators, y, loss
        As in `sharpness`.
    n_probes : int, default=4
        Random directions.
    n_steps : int, default=40
        Lanczos steps from each.
    gauss_newton : bool, default=False
        Whether only the part without the residual counts.
    random_state : int, default=0
        The seed of the directions.

    Returns
    -------
    nodes, weights : ndarray
        Ritz values, ascending, and their weights, which add up to 1.

    Examples
    --------
    >>> import numpy as np
    >>> from deepmf.analysis import hessian_density
    >>> nodes, weights = hessian_density([np.eye(3), np.eye(3)], np.eye(3), loss="sum")
    >>> round(float(weights.sum()), 9), round(float(nodes.max()), 9)
    (1.0, 4.0)
    """
    stack = _layers(layers)
    seen = _seen(target, mask, operators, y, _shape(stack))
    return _deepmf.hessian_density(
        stack, seen, loss, n_probes, n_steps, random_state, gauss_newton
    )


def effective_rank(values: Any) -> float:
    """The exponential of the entropy of the normalised singular values (Roy and Vetterli 2007).

    Parameters
    ----------
    values : array or tensor
        A matrix, or its singular values.

    Returns
    -------
    float

    Examples
    --------
    >>> import numpy as np
    >>> from deepmf.analysis import effective_rank
    >>> round(effective_rank(np.eye(4)), 12)
    4.0
    """
    if hasattr(values, "detach"):
        values = values.detach().cpu().double().numpy()
    values = np.asarray(values, dtype=np.float64)
    spectrum = values.tolist() if values.ndim == 1 else _deepmf.spectrum(_matrix(values))
    return _deepmf.of_spectrum(spectrum, "effective-rank")


def induced_regularizer(
    product: Any,
    *,
    depth: int,
    mask: Any = None,
    operators: Any = None,
    y: Any = None,
    loss: str = "mean",
    tol: float = 1e-10,
) -> float:
    """The least trace of the Hessian over all factorizations of a matrix into `depth` layers.

    Where there is no closed form it is searched for.

    Parameters
    ----------
    product : array or tensor
        The matrix.
    depth : int
        Number of layers, 2 or more.
    mask, operators, y : array, optional
        What is seen; every entry if nothing is given.
    loss : {"mean", "sum", "half-mean", "half-sum"}, default="mean"
        The constant of the squared loss.
    tol : float, default=1e-10
        By which part a sweep of the search must lower the trace to go on.

    Returns
    -------
    float

    Examples
    --------
    >>> import numpy as np
    >>> from deepmf.analysis import induced_regularizer
    >>> round(induced_regularizer(np.eye(3), depth=2, loss="sum"), 9)
    36.0
    """
    whole = _matrix(product)
    if operators is not None and y is None:
        y = np.tensordot(np.asarray(operators, dtype=np.float64), whole, axes=2)
    seen = _seen(None, mask, operators, y, whole.shape)
    return _deepmf.induced_regularizer(whole, seen, loss, depth, tol)[0]


@dataclass(frozen=True)
class Flow:
    """What came of a gradient flow.

    Attributes
    ----------
    layers : list of ndarray
        The layers at the end, W_1 first.
    samples : list of (float, list of ndarray)
        The layers at the times that were asked for.
    time : float
        The time that was reached.
    loss : float
        The loss there.
    stop_reason : str
        How it ended.
    evaluations : int
        Evaluations of the gradient.
    """

    layers: list[Floats] = field(repr=False)
    samples: list[tuple[float, list[Floats]]] = field(repr=False)
    time: float
    loss: float
    stop_reason: str
    evaluations: int

    @property
    def product(self) -> Floats:
        """W_N … W_1 at the end."""
        return _product(self.layers)


def gradient_flow(
    layers: Any,
    target: Any = None,
    *,
    operators: Any = None,
    y: Any = None,
    loss: str = "mean",
    until: float | None = None,
    times: Sequence[float] = (),
    loss_below: float = 0.0,
    tol: float = 1e-6,
    max_iter: int = 100_000,
) -> Flow:
    """Integrates the gradient flow dW_j/dt = −∂ loss/∂W_j with error control.

    Parameters
    ----------
    layers : list of arrays or tensors, torch.nn.Sequential, or fitted estimator
        Where it begins, W_1 first.
    target, operators, y : array
        What is seen.
    loss : {"mean", "sum", "half-mean", "half-sum"}, default="mean"
        The constant of the squared loss.
    until : float, optional
        The time at which it ends; without it `loss_below` must end it.
    times : sequence of float, optional
        Times at which the layers are kept.
    loss_below : float, default=0
        Ends when the loss is at or below this.
    tol : float, default=1e-6
        The error of a step, relative to the parameters.
    max_iter : int, default=100000
        Steps at most.

    Returns
    -------
    Flow

    Examples
    --------
    >>> import numpy as np
    >>> from deepmf.analysis import gradient_flow
    >>> flow = gradient_flow([np.eye(2) / 2, np.eye(2) / 2], np.eye(2), loss="sum", until=20.0)
    >>> bool(np.allclose(flow.product, np.eye(2), atol=1e-5))
    True
    """
    stack = _layers(layers)
    seen = _seen(target, None, operators, y, _shape(stack), given=True)
    at = [float(time) for time in times]
    (samples, end, ended), stopped = _deepmf.gradient_flow(
        stack, seen, loss, tol, until, at, loss_below, max_iter
    )
    if stopped:
        raise KeyboardInterrupt
    return Flow(end, samples, *ended)


@dataclass(frozen=True)
class NuclearNorm:
    """A matrix of least nuclear norm, with the proof of how near it is to the optimum.

    Attributes
    ----------
    matrix : ndarray
        The matrix.
    singular_values : ndarray
        Its singular values, descending, without zeros.
    primal, dual : float
        Values between which the optimum is.
    gap : float
        Their relative distance.
    infeasibility : float
        What the matrix misses of the constraints, relative to the targets.
    n_iter : int
        Steps of Newton's method.
    stop_reason : str
        How it ended.
    """

    matrix: Floats = field(repr=False)
    singular_values: Floats
    primal: float
    dual: float
    gap: float
    infeasibility: float
    n_iter: int
    stop_reason: str


def nuclear_norm_minimization(
    target: Any = None,
    *,
    operators: Any = None,
    y: Any = None,
    penalty: float | None = None,
    within: float = 0.0,
    gap: float = 1e-6,
    max_iter: int = 2000,
) -> NuclearNorm:
    """Minimises the nuclear norm of a matrix that agrees with what is seen.

    Without a penalty, min ‖X‖_* under |A(X) − y| ≤ within; with one, min ½‖A(X) − y‖² + penalty · ‖X‖_*.

    Parameters
    ----------
    target : array, optional
        What is seen of the matrix, NaN elsewhere.
    operators, y : array, optional
        Operators and measurements in its place.
    penalty : float, optional
        The penalty.
    within : float, default=0
        How far measurements may be from their targets.
    gap : float, default=1e-6
        The relative gap at which to stop.
    max_iter : int, default=2000
        Steps at most.

    Returns
    -------
    NuclearNorm

    Examples
    --------
    >>> import numpy as np
    >>> from deepmf.analysis import nuclear_norm_minimization
    >>> found = nuclear_norm_minimization(np.array([[1.0, 2.0], [2.0, np.nan]]))
    >>> bool(found.gap <= 1e-6)
    True
    """
    seen = _seen(target, None, operators, y, None, given=True)
    (matrix, values, certificate, steps, reason), stopped = _deepmf.nuclear_norm(
        seen, penalty, within, gap, max_iter
    )
    if stopped:
        raise KeyboardInterrupt
    return NuclearNorm(matrix, np.asarray(values), *certificate, steps, reason)


def _shape(stack: list[Floats]) -> tuple[int, int]:
    return stack[-1].shape[0], stack[0].shape[1]


def _product(stack: list[Floats]) -> Floats:
    out = stack[0]
    for layer in stack[1:]:
        out = layer @ out
    return out


def _seen(
    target: Any,
    mask: Any,
    operators: Any,
    y: Any,
    shape: tuple[int, ...] | None,
    given: bool = False,
) -> _deepmf.Seen:
    if operators is not None:
        if y is None or target is not None or mask is not None:
            raise ValueError("operators must be given with y alone")
        return _array(operators), _array(y).ravel()
    if y is not None:
        raise ValueError("y must be given with operators, but they are not given")
    if target is not None:
        table = _matrix(target)
        if mask is not None:
            table = np.where(np.asarray(mask, dtype=bool), table, np.nan)
        return table
    if given or shape is None:
        raise ValueError("target must be given, or operators with y")
    return np.ones(shape, dtype=bool) if mask is None else _flags(mask)


def _array(value: Any) -> Floats:
    if hasattr(value, "detach"):
        value = value.detach().cpu().double().numpy()
    out: Floats = np.ascontiguousarray(value, dtype=np.float64)
    return out


def _flags(mask: Any) -> NDArray[np.bool_]:
    if hasattr(mask, "detach"):
        mask = mask.detach().cpu().numpy()
    return np.ascontiguousarray(mask, dtype=np.bool_)
