"""Figures: by matplotlib where it is there, else as SVG."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import _deepmf

__all__ = ["Svg", "density", "spectrum", "trajectory"]


# A legend of more names than this hides the lines.
_MOST_NAMES = 5


class Svg(str):
    """A figure as SVG, which notebooks show."""

    def _repr_svg_(self) -> str:
        return str(self)


def spectrum_svg(values: Any, title: str = "Singular values") -> Svg:
    """Singular values as bars, as SVG."""
    heights = [float(x) for x in np.ravel(values)]
    places = [float(place) for place in range(1, len(heights) + 1)]
    layers = [("", places, heights)]
    return Svg(_deepmf.figure(title, ("number", "value"), (False, False), layers, True))


def spectrum(model: Any, *, ax: Any = None) -> Any:
    """Draws singular values.

    Parameters
    ----------
    model : fitted estimator, or sequence of float
        Whose singular values are drawn.
    ax : matplotlib axes, optional
        Where they are drawn.

    Returns
    -------
    matplotlib axes, or Svg where matplotlib is not there

    Examples
    --------
    >>> from deepmf.plots import spectrum_svg
    >>> spectrum_svg([3.0, 1.0]).startswith("<svg")
    True
    """
    values = np.asarray(getattr(model, "singular_values_", model), dtype=np.float64)
    ax = _axes(ax)
    if ax is None:
        return spectrum_svg(values)
    ax.bar(np.arange(1, len(values) + 1), values)
    ax.set(xlabel="number", ylabel="singular value")
    ax.xaxis.get_major_locator().set_params(integer=True)
    return ax


def trajectory(model: Any, name: str, *, log: bool = False, ax: Any = None) -> Any:
    """Draws what was recorded along a fit.

    Parameters
    ----------
    model : fitted estimator, or dict of str to ndarray
        What was recorded.
    name : str
        A recorded quantity, or the beginning of several names, such as ``"singular_value"``.
    log : bool, default=False
        Whether the ordinate is logarithmic.
    ax : matplotlib axes, optional
        Where it is drawn.

    Returns
    -------
    matplotlib axes, or Svg where matplotlib is not there
    """
    recorded = getattr(model, "trajectory_", model)
    names = [key for key in recorded if key == name] or [
        key for key in recorded if key.startswith(name)
    ]
    if not names:
        known = ", ".join(recorded) or "nothing"
        raise ValueError(f"name must be one of {known}, but it is {name}")
    steps = recorded["step"]
    ax = _axes(ax)
    if ax is None:
        layers = [(key, list(map(float, steps)), list(map(float, recorded[key]))) for key in names]
        return Svg(_deepmf.figure(name, ("step", name), (False, log), layers, False))
    for key in names:
        ax.plot(steps, recorded[key], label=key)
    ax.set(xlabel="step", ylabel=name, yscale="log" if log else "linear")
    if 1 < len(names) <= _MOST_NAMES:
        ax.legend()
    return ax


def density(nodes: Any, weights: Any, *, width: float | None = None, ax: Any = None) -> Any:
    """Draws a spectral density, each node a normal bump.

    Parameters
    ----------
    nodes, weights : ndarray
        What :func:`deepmf.analysis.hessian_density` gives.
    width : float, optional
        Standard deviation of a bump; a hundredth of the range if none.
    ax : matplotlib axes, optional
        Where it is drawn.

    Returns
    -------
    matplotlib axes, or Svg where matplotlib is not there
    """
    nodes, weights = np.asarray(nodes), np.asarray(weights)
    reach = float(np.ptp(nodes)) or 1.0
    wide = width or reach / 100
    x = np.linspace(nodes.min() - 5 * wide, nodes.max() + 5 * wide, 500)
    bumps = np.exp(-0.5 * ((x[:, None] - nodes) / wide) ** 2) / (wide * np.sqrt(2 * np.pi))
    y = bumps @ weights
    ax = _axes(ax)
    if ax is None:
        axes = ("eigenvalue", "density")
        layers = [("", x.tolist(), y.tolist())]
        return Svg(_deepmf.figure("Spectral density", axes, (False, False), layers, False))
    ax.plot(x, y)
    ax.set(xlabel="eigenvalue", ylabel="density")
    return ax


def _axes(ax: Any) -> Any:
    if ax is not None:
        return ax
    try:
        from matplotlib.figure import Figure
        from matplotlib import pyplot
    except ImportError:
        return None
    figure: Figure = pyplot.figure()
    return figure.gca()
