"""Samples that several views describe, in clusters."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from os import PathLike, fspath
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClusterMixin
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

from . import _common, _deepmf, _input

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]


class MultiViewClustering(ClusterMixin, BaseEstimator):  # type: ignore[misc]
    """Clusters samples that several views describe, by deep semi-NMF of each view and late fusion.

    A parameter that is None is left to the library, whose defaults are those of the program.

    Parameters
    ----------
    n_clusters : int, optional
        How many clusters; where the eigenvalues of the neighbour graph fall most if None.
    views : sequence of int, optional
        Where X is one table: how many of its columns belong to each view, in their order. One view if None.
    method : {"dmfaw", "mvc-dmf-pa", "dmvc", "awdmvc", "late-fusion", "one-pass", "deep-semi-nmf", "semi-nmf", \
"k-means", "k-means-best-view", "spectral"}, optional
        How views are clustered together.
    layers : sequence of int, optional
        The widths of the layers in multiples of the clusters, the last one 1.
    start : {"svd", "lp", "k-means", "graph", "random"}, optional
        Where the non-negative factors begin.
    solver : {"coordinate", "multiplicative"}, optional
        How they are moved.
    pretraining : int, optional
        Sweeps over each layer before the views are fused, at most.
    fusion : float, optional
        The weight of the fusion, in units of samples / clusters.
    feature_weights : {"shares", "powers", "uniform"}, optional
        How features are weighted.
    exponent : float, optional
        The exponent p of the feature weights at the start.
    exponent_bounds : tuple of (float, float), optional
        The least and the largest exponent.
    exponent_gains : tuple of (float, float), optional
        The gains by which the exponent follows the loss; zeros keep it.
    anchor : float, optional
        The weight, within the fusion, of the consensus that the partitions begin with.
    weighted_views : bool, optional
        Whether views are weighted by how well they agree with the consensus.
    graph : float, optional
        The weight of the neighbour graph of each view, in units of samples / clusters.
    neighbours : int, optional
        Neighbours of a sample in a graph.
    view_exponent : float, optional
        Of dmvc: the power of a view's weight.
    preparation : {"auto", "counts", "unit", "standard", "raw"}, optional
        How views are made ready.
    restarts : int, optional
        Starts of each k-means.
    repeats : int, default=1
        Fits, each with other draws, of which that with the least objective is kept.
    max_iter : int, optional
        Sweeps of the whole alternation, at most.
    tol : float, optional
        The relative change of the objective, over one sweep, that ends it.
    random_state : int, RandomState instance or None, default=None
        The seed; None is 0.

    Attributes
    ----------
    labels_ : ndarray of int
        The cluster of each sample, counted from 0.
    embedding_ : ndarray of shape (n_samples, n_clusters)
        What they were found by, rows of length 1; memberships where a method finds clusters only.
    view_weights_ : ndarray
        The weight of each view.
    feature_weights_ : list of ndarray
        The weights of each view's features; ones where the method has none.
    view_names_ : list of str
        What messages call the views.
    n_clusters_ : int
        How many clusters there are.
    n_iter_ : int
        Sweeps made.
    stop_reason_ : str
        How it ended.
    summary_ : dict
        All that is told of the fit, by the names of the program.
    trajectory_ : dict of str to ndarray
        What was recorded, one number a sweep.
    n_features_in_ : int
        Number of features of all views.
    feature_names_in_ : ndarray of str
        Names of the columns, if X was one frame.

    Notes
    -----
    `predict` projects new samples onto the factors, and gives the nearest cluster; for the samples of the fit that is not
    always the label of the fit. The methods "dmvc", "awdmvc", "late-fusion", "one-pass" and "spectral" know no samples but
    those of the fit.

    Examples
    --------
    >>> import numpy as np
    >>> from deepmf import MultiViewClustering
    >>> from deepmf.datasets import make_views
    >>> views, classes = make_views(60, [8, 12], n_clusters=3, random_state=0)
    >>> model = MultiViewClustering(n_clusters=3, random_state=0)
    >>> labels = model.fit_predict(views)
    >>> [len(np.unique(labels[classes == c])) for c in range(3)]
    [1, 1, 1]
    >>> [weights.shape for weights in model.feature_weights_]
    [(8,), (12,)]
    """

    def __init__(
        self,
        n_clusters: int | None = None,
        *,
        views: Sequence[int] | None = None,
        method: str | None = None,
        layers: Sequence[int] | None = None,
        start: str | None = None,
        solver: str | None = None,
        pretraining: int | None = None,
        fusion: float | None = None,
        feature_weights: str | None = None,
        exponent: float | None = None,
        exponent_bounds: tuple[float, float] | None = None,
        exponent_gains: tuple[float, float] | None = None,
        anchor: float | None = None,
        weighted_views: bool | None = None,
        graph: float | None = None,
        neighbours: int | None = None,
        view_exponent: float | None = None,
        preparation: str | None = None,
        restarts: int | None = None,
        repeats: int = 1,
        max_iter: int | None = None,
        tol: float | None = None,
        random_state: Any = None,
    ) -> None:
        self.n_clusters = n_clusters
        self.views = views
        self.method = method
        self.layers = layers
        self.start = start
        self.solver = solver
        self.pretraining = pretraining
        self.fusion = fusion
        self.feature_weights = feature_weights
        self.exponent = exponent
        self.exponent_bounds = exponent_bounds
        self.exponent_gains = exponent_gains
        self.anchor = anchor
        self.weighted_views = weighted_views
        self.graph = graph
        self.neighbours = neighbours
        self.view_exponent = view_exponent
        self.preparation = preparation
        self.restarts = restarts
        self.repeats = repeats
        self.max_iter = max_iter
        self.tol = tol
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None) -> MultiViewClustering:
        """Clusters samples.

        Parameters
        ----------
        X : table, or list or dict of tables, each of shape (n_samples, n_features)
            The views: arrays, sparse matrices (what is not stored is zero), frames or Arrow streams; or one table whose
            columns `views` shares out. A row of NaN is a sample that a view does not know.
        y : ignored

        Returns
        -------
        MultiViewClustering
            Itself. After Ctrl-C it holds what was reached, and `KeyboardInterrupt` is raised.
        """
        named = self._views(X, reset=True)
        done, stopped = _deepmf.cluster(
            named, self._settings(), self.repeats, _common.seed(self.random_state)
        )
        self.view_names_ = [name for name, _ in named]
        self._keep(done)
        if stopped:
            raise KeyboardInterrupt
        _common.warn(self.summary_)
        return self

    def predict(self, X: Any) -> Labels:
        """The clusters of samples, by the factors of the fit.

        Parameters
        ----------
        X : as in `fit`
            The same views of other samples.

        Returns
        -------
        ndarray of int
            The nearest cluster of each sample.
        """
        check_is_fitted(self, "_clustered")
        return self._clustered.predict(self._views(X, reset=False))

    def save(self, path: str | PathLike[str]) -> None:
        """Writes one file, which `load` reads.

        Parameters
        ----------
        path : path
        """
        check_is_fitted(self, "_clustered")
        self._clustered.save(fspath(path))

    @classmethod
    def load(cls, path: str | PathLike[str]) -> MultiViewClustering:
        """The clustering in a file that `save` wrote.

        Parameters
        ----------
        path : path

        Returns
        -------
        MultiViewClustering
            Ready to predict; of what was recorded only the end is kept.
        """
        model = cls()
        model._keep(_deepmf.load_clustered(fspath(path)))
        widths = [len(weights) for weights in model.feature_weights_]
        model.view_names_ = _names(len(widths))
        model.n_clusters, model.method = model.n_clusters_, model.summary_["method"]
        model.views, model.n_features_in_ = widths, sum(widths)
        return model

    def _settings(self) -> str:
        return _common.settings(
            method=self.method,
            clusters=self.n_clusters,
            layers=self.layers,
            start=self.start,
            solver=self.solver,
            pretraining=self.pretraining,
            sweeps=self.max_iter,
            tolerance=self.tol,
            fusion=self.fusion,
            feature_weights=self.feature_weights,
            exponent=self.exponent,
            exponent_bounds=self.exponent_bounds,
            exponent_gains=self.exponent_gains,
            anchor=self.anchor,
            weighted_views=self.weighted_views,
            graph=self.graph,
            neighbours=self.neighbours,
            view_exponent=self.view_exponent,
            preparation=self.preparation,
            restarts=self.restarts,
        )

    def _views(self, X: Any, *, reset: bool) -> list[tuple[str, _deepmf.Known]]:
        """The views by their names."""
        several = _several(X)
        if several is None:
            return self._columns(X, reset=reset)
        names, tables = several
        given = [
            check_array(
                _input.frame(table),
                accept_sparse=("csr", "csc", "coo"),
                dtype=np.float64,
                ensure_all_finite="allow-nan",
                ensure_min_samples=2 if reset else 1,
                estimator=self,
                input_name=name,
            )
            for name, table in zip(names, tables, strict=True)
        ]
        if reset:
            self.n_features_in_ = sum(table.shape[1] for table in given)
            if hasattr(self, "feature_names_in_"):
                del self.feature_names_in_
        return [(name, _input.known(table)) for name, table in zip(names, given, strict=True)]

    def _columns(self, X: Any, *, reset: bool) -> list[tuple[str, _deepmf.Known]]:
        """One table, cut into its views."""
        X = validate_data(
            self,
            _input.frame(X),
            reset=reset,
            accept_sparse=("csr", "csc", "coo"),
            dtype=np.float64,
            ensure_all_finite=self.views is None or "allow-nan",
            ensure_min_samples=2 if reset else 1,
        )
        if self.views is None:
            return [("1", _input.known(X))]
        widths = [int(width) for width in self.views]
        if min(widths, default=0) < 1 or sum(widths) != X.shape[1]:
            raise ValueError(
                f"views must be column counts that add up to {X.shape[1]}, but it is {widths}"
            )
        cuts = np.cumsum([0, *widths])
        table = X if isinstance(X, np.ndarray) else X.tocsc()
        parts = (table[:, low:high] for low, high in zip(cuts, cuts[1:], strict=False))
        return list(zip(_names(len(widths)), map(_input.known, parts), strict=True))

    def _keep(self, done: _deepmf.Clustered) -> None:
        summary = json.loads(done.summary())
        self._clustered = done
        self.labels_ = done.labels()
        self.embedding_ = done.embedding()
        self.view_weights_, self.feature_weights_ = done.weights()
        self.n_clusters_ = summary["clusters"]
        self.n_iter_ = summary["iterations"]
        self.stop_reason_ = summary["stop_reason"]
        self.trajectory_ = dict(done.trajectory())
        self.summary_ = summary

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


def _names(count: int) -> list[str]:
    return [str(place) for place in range(1, count + 1)]


def _several(X: Any) -> tuple[list[str], list[Any]] | None:
    """Names and tables of a list or dict of views; None for one table."""
    # A sparse matrix by keys is a mapping too.
    if isinstance(X, Mapping) and not hasattr(X, "tocoo"):
        return [str(name) for name in X], list(X.values())
    if not isinstance(X, (list, tuple)) or not X:
        return None
    first = X[0]
    is_table = hasattr(first, "shape") or hasattr(first, "__arrow_c_stream__")
    axes = len(first.shape) if hasattr(first, "shape") else 2 if is_table else np.ndim(first)
    return (_names(len(X)), list(X)) if axes == 2 else None
