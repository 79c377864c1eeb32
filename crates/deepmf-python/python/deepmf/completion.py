"""The holes of a table, filled by a deep linear network."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from os import PathLike, fspath
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from . import _common, _deepmf, _input

Floats = NDArray[np.float64]


class MatrixCompletion(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Fills the missing values of a table by a deep linear network W = W_N … W_1.

    By default everything is chosen by cross-validation on the known entries. A parameter that is None is left to the
    library, whose defaults are those of the program.

    Parameters
    ----------
    method : {"auto", "flow", "descent", "compressed", "greedy", "nuclear", "soft-impute"}, optional
        By what the table is completed.
    depth : int or sequence of int, optional
        Number of layers, or several to choose from.
    width : int, optional
        Hidden width.
    init_scale : float or sequence of float, optional
        Initial scale ‖W(0)‖_F / √min(rows, cols), or several to choose from.
    offsets : bool, optional
        Whether row and column offsets are taken out before the fit.
    scaling : {"auto", "none", "table", "columns"}, optional
        By what residuals are divided before the fit.
    bounds : tuple of (float, float), optional
        The least and the largest value of an answer.
    integer : bool, optional
        Whether answers are whole numbers.
    holdout : float, optional
        The share of the known entries that is kept apart for the error estimate.
    validation : float, optional
        Descent: the share of the others that decides on stopping, depth and scale.
    ensemble : bool, optional
        Whether answers are the mean of the fits to the folds.
    coverage : float, optional
        The share of the true values that prediction intervals should hold.
    rate : float, optional
        The learning rate of descent.
    raw : bool, optional
        The plain setting of the paper: no offsets, no scaling, nothing held out.
    max_iter : int, optional
        Steps at most, for each fit.
    tol : float, optional
        Stops when the training loss (mean square, scaled) is at or below this.
    add_indicator : bool, default=False
        Whether `transform` appends a column of zeros and ones for each column that had missing values in `fit`;
        `inverse_transform` needs them.
    callback : callable, optional
        Called with a dictionary (`what`, `done`, `total`, `step`, `steps`, `loss`) while it fits.
    verbose : bool, default=False
        Whether progress is shown.
    random_state : int, RandomState instance or None, default=None
        The seed of splits and initial layers; None is 0.

    Attributes
    ----------
    layers_ : list of ndarray
        The layers, W_1 first.
    singular_values_ : ndarray
        Singular values of their product, descending.
    effective_rank_ : float
        Exponential of the entropy of the normalised singular values.
    train_rmse_, holdout_rmse_ : float
        Root mean squared error on the known entries, and on entries that a fit did not see (None if nothing was held
        out).
    n_iter_ : int
        Steps of the last fit.
    stop_reason_ : str
        How it ended.
    summary_ : dict
        All that is told of the fit, by the names of the program.
    trajectory_ : dict of str to ndarray
        What was recorded along the last fit.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of str
        Names of the columns, if the table had some.

    Notes
    -----
    `transform` always folds its rows in, one by one, from their known entries and the fitted columns: so
    ``fit_transform(X)`` equals ``fit(X).transform(X)``, and new rows are treated as those of the fit. `fill` gives the
    answers of the fit itself, which is what the program writes.

    Of a sparse matrix the stored entries are known, and the others are missing.

    Examples
    --------
    >>> import numpy as np
    >>> from deepmf import MatrixCompletion
    >>> from deepmf.datasets import make_completion
    >>> X, truth = make_completion((30, 20), rank=2, n_observed=400, random_state=0)
    >>> model = MatrixCompletion(random_state=0).fit(X)
    >>> filled = model.fill(X)
    >>> bool(np.sqrt(np.mean((filled - truth) ** 2)) < 0.1)
    True
    """

    def __init__(
        self,
        *,
        method: str | None = None,
        depth: int | Sequence[int] | None = None,
        width: int | None = None,
        init_scale: float | Sequence[float] | None = None,
        offsets: bool | None = None,
        scaling: str | None = None,
        bounds: tuple[float, float] | None = None,
        integer: bool | None = None,
        holdout: float | None = None,
        validation: float | None = None,
        ensemble: bool | None = None,
        coverage: float | None = None,
        rate: float | None = None,
        raw: bool | None = None,
        max_iter: int | None = None,
        tol: float | None = None,
        add_indicator: bool = False,
        callback: Callable[[dict[str, Any]], object] | None = None,
        verbose: bool = False,
        random_state: Any = None,
    ) -> None:
        self.method = method
        self.depth = depth
        self.width = width
        self.init_scale = init_scale
        self.offsets = offsets
        self.scaling = scaling
        self.bounds = bounds
        self.integer = integer
        self.holdout = holdout
        self.validation = validation
        self.ensemble = ensemble
        self.coverage = coverage
        self.rate = rate
        self.raw = raw
        self.max_iter = max_iter
        self.tol = tol
        self.add_indicator = add_indicator
        self.callback = callback
        self.verbose = verbose
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None) -> MatrixCompletion:
        """Fits the known entries of a table.

        Parameters
        ----------
        X : array, sparse matrix, frame or Arrow stream of shape (n_rows, n_columns)
            The table, NaN (null) where nothing is known.
        y : ignored

        Returns
        -------
        MatrixCompletion
            Itself. After Ctrl-C it holds what was reached, and `KeyboardInterrupt` is raised.
        """
        X = self._table(X, reset=True)
        names = getattr(self, "feature_names_in_", None)
        done, stopped = _deepmf.complete(
            _input.known(X),
            self._settings(),
            _common.seed(self.random_state),
            _common.told(self.callback, self.verbose),
            None if names is None else [str(name) for name in names],
        )
        self._keep(done)
        self.trajectory_ = dict(done.trajectory())
        self._missing = np.flatnonzero(np.isnan(_input.dense(X)).any(axis=0))
        if stopped:
            raise KeyboardInterrupt
        _common.warn(self.summary_)
        return self

    def transform(self, X: Any) -> Any:
        """Fills the missing values of rows from their known ones; known values stay as they are.

        Parameters
        ----------
        X : array, sparse matrix, frame or Arrow stream of shape (n_rows, n_columns)
            Rows of the same columns.

        Returns
        -------
        ndarray of shape (n_rows, n_columns)
            The rows without holes (a frame after ``set_output``).
        """
        check_is_fitted(self, "_completed")
        X = self._table(X, reset=False)
        filled = self._completed.fold_in(_input.known(X))
        if not self.add_indicator:
            return filled
        holes = np.isnan(_input.dense(X))[:, self._missing]
        return np.hstack([filled, holes.astype(np.float64)])

    def inverse_transform(self, X: Any) -> Floats:
        """Puts the holes back: the values that the indicator columns say were missing become NaN.

        Parameters
        ----------
        X : array of shape (n_rows, n_columns + n_indicators)
            What `transform` gave with ``add_indicator=True``.

        Returns
        -------
        ndarray of shape (n_rows, n_columns)
            The table with its holes, as far as their columns had some in `fit`.
        """
        check_is_fitted(self, "_completed")
        if not self.add_indicator:
            raise ValueError("add_indicator must be True for inverse_transform, but it is False")
        X = np.array(X, dtype=np.float64)
        width = self.n_features_in_ + len(self._missing)
        if X.ndim != 2 or X.shape[1] != width:
            raise ValueError(f"X must have {width} columns, but it has shape {X.shape}")
        table: Floats = X[:, : self.n_features_in_]
        rows, places = np.nonzero(X[:, self.n_features_in_ :])
        table[rows, self._missing[places]] = np.nan
        return table

    def fill(self, X: Any) -> Floats:
        """The fitted table with its holes filled by the fit itself: what the program writes.

        Parameters
        ----------
        X : array, sparse matrix, frame or Arrow stream of shape (n_rows, n_columns)
            The table of the fit.

        Returns
        -------
        ndarray of shape (n_rows, n_columns)
        """
        check_is_fitted(self, "_completed")
        return self._completed.fill(_input.known(self._table(X, reset=False)))

    def predict_interval(self, X: Any, *, fitted: bool = False) -> tuple[Floats, Floats]:
        """Prediction intervals around the answers of `transform`.

        Parameters
        ----------
        X : array, sparse matrix, frame or Arrow stream of shape (n_rows, n_columns)
            Rows of the same columns.
        fitted : bool, default=False
            Whether X is the table of the fit and the intervals are those around the answers of `fill`.

        Returns
        -------
        lower, upper : ndarray of shape (n_rows, n_columns)
            The ends. A known value is its own interval; NaN if too little was held out.
        """
        check_is_fitted(self, "_completed")
        X = self._table(X, reset=False)
        holes = self._completed.holes if fitted else self._completed.fold_in_holes
        rows, cols, _, low, high = holes(_input.known(X))
        table = _input.dense(X)
        lower, upper = table.copy(), table.copy()
        lower[rows, cols], upper[rows, cols] = low, high
        return lower, upper

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[Any]:
        """Names of the columns of `transform`.

        Parameters
        ----------
        input_features : sequence of str, optional
            Names of the columns, where the fit had none.

        Returns
        -------
        ndarray of str
        """
        names = super().get_feature_names_out(input_features)
        if self.add_indicator:
            more = [f"missingindicator_{names[place]}" for place in self._missing]
            names = np.concatenate([names, np.asarray(more, dtype=object)])
        return np.asarray(names, dtype=object)

    def save(self, folder: str | PathLike[str]) -> None:
        """Writes the fit to a folder, from which `load` and the program's ``complete --model`` read it.

        Parameters
        ----------
        folder : path
            Made if it is not there.
        """
        check_is_fitted(self, "_completed")
        self._completed.save(fspath(folder))

    @classmethod
    def load(cls, folder: str | PathLike[str]) -> MatrixCompletion:
        """The fit in a folder that `save` or the program's ``complete --run`` wrote.

        Parameters
        ----------
        folder : path

        Returns
        -------
        MatrixCompletion
            Ready to transform; what was recorded and which columns had holes is not kept.
        """
        done, names, words = _deepmf.load_completed(fspath(folder))
        given = json.loads(words)
        rename = {"depths": "depth", "init_scales": "init_scale", "steps": "max_iter"}
        rename["loss_below"] = "tol"
        own = cls._get_param_names()
        model = cls()
        for key, value in given.items():
            name = key.replace("-", "_")
            name = rename.get(name, name)
            if name in own and value != []:
                setattr(model, name, tuple(value) if name == "bounds" else value)
        model._keep(done)
        model.random_state = model.summary_["seed"]
        model.n_features_in_ = model.summary_["cols"]
        if names is not None:
            model.feature_names_in_ = np.asarray(names, dtype=object)
        model.trajectory_ = {}
        model._missing = np.arange(0)
        return model

    def _settings(self) -> str:
        return _common.settings(
            method=self.method,
            depths=_common.several(self.depth),
            width=self.width,
            init_scales=_common.several(self.init_scale),
            offsets=self.offsets,
            scaling=self.scaling,
            bounds=self.bounds,
            integer=self.integer,
            holdout=self.holdout,
            validation=self.validation,
            ensemble=self.ensemble,
            coverage=self.coverage,
            rate=self.rate,
            raw=self.raw,
            steps=self.max_iter,
            loss_below=self.tol,
        )

    def _table(self, X: Any, *, reset: bool) -> Any:
        return validate_data(
            self,
            _input.frame(X),
            reset=reset,
            accept_sparse=("csr", "csc", "coo"),
            dtype=np.float64,
            ensure_all_finite="allow-nan",
        )

    def _keep(self, done: _deepmf.Completed) -> None:
        summary = json.loads(done.summary())
        self._completed = done
        self.layers_ = done.layers()
        self.singular_values_ = done.singular_values()
        self.effective_rank_ = summary["effective_rank"]
        self.train_rmse_ = summary["train_rmse"]
        self.holdout_rmse_ = summary["holdout_rmse"]
        self.n_iter_ = summary["steps"]
        self.stop_reason_ = summary["stop_reason"]
        self.summary_ = summary

    def _repr_html_inner(self) -> str:
        html: str = super()._repr_html_inner()
        if not hasattr(self, "singular_values_"):
            return html
        from .plots import spectrum_svg

        return html + spectrum_svg(self.singular_values_)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.sparse = True
        return tags
