"""A matrix from its inner products with known operators."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import check_is_fitted

from . import _common, _deepmf

Floats = NDArray[np.float64]


class MatrixSensing(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """Recovers a matrix from measurements y_i = ⟨A_i, W⟩ by a deep linear network.

    A parameter that is None is left to the library, whose defaults are those of the program.

    Parameters
    ----------
    shape : tuple of (int, int), optional
        Rows and columns of W, where the operators are given flat.
    depth : int, optional
        Number of layers.
    init_scale : float, optional
        Initial scale ‖W(0)‖_F / √min(rows, cols).
    width : int, optional
        Hidden width.
    holdout : float, optional
        The share of the measurements that is held out for early stopping; 0 uses all.
    rate : float, optional
        The learning rate.
    max_iter : int, optional
        Steps at most.
    tol : float, optional
        Stops when the training loss (mean square) is at or below this.
    callback : callable, optional
        Called with a dictionary (`what`, `done`, `total`, `step`, `steps`, `loss`) while it fits.
    verbose : bool, default=False
        Whether progress is shown.
    random_state : int, RandomState instance or None, default=None
        The seed; None is 0.

    Attributes
    ----------
    matrix_ : ndarray of shape (rows, columns)
        The recovered matrix.
    layers_ : list of ndarray
        The layers, W_1 first.
    singular_values_ : ndarray
        Singular values of the matrix, descending.
    n_iter_ : int
        Steps made.
    stop_reason_ : str
        How the fit ended.
    summary_ : dict
        All that is told of the fit, by the names of the program.
    trajectory_ : dict of str to ndarray
        What was recorded along the fit.

    Examples
    --------
    >>> import numpy as np
    >>> from deepmf import MatrixSensing
    >>> from deepmf.datasets import make_sensing
    >>> A, y, truth = make_sensing((8, 8), rank=1, n_measurements=50, random_state=0)
    >>> model = MatrixSensing(random_state=0).fit(A, y)
    >>> bool(np.abs(model.matrix_ - truth).max() < 0.1)
    True
    """

    def __init__(
        self,
        *,
        shape: tuple[int, int] | None = None,
        depth: int | None = None,
        init_scale: float | None = None,
        width: int | None = None,
        holdout: float | None = None,
        rate: float | None = None,
        max_iter: int | None = None,
        tol: float | None = None,
        callback: Callable[[dict[str, Any]], object] | None = None,
        verbose: bool = False,
        random_state: Any = None,
    ) -> None:
        self.shape = shape
        self.depth = depth
        self.init_scale = init_scale
        self.width = width
        self.holdout = holdout
        self.rate = rate
        self.max_iter = max_iter
        self.tol = tol
        self.callback = callback
        self.verbose = verbose
        self.random_state = random_state

    def fit(self, X: Any, y: Any) -> MatrixSensing:
        """Fits measurements.

        Parameters
        ----------
        X : array of shape (n_measurements, rows, columns) or (n_measurements, rows * columns)
            The operators.
        y : array of shape (n_measurements,)
            The measurements.

        Returns
        -------
        MatrixSensing
            Itself. After Ctrl-C it holds what was reached, and `KeyboardInterrupt` is raised.
        """
        operators = self._operators(X, self.shape)
        y = np.ascontiguousarray(y, dtype=np.float64).ravel()
        words = _common.settings(
            depth=self.depth,
            init_scale=self.init_scale,
            width=self.width,
            holdout=self.holdout,
            rate=self.rate,
            steps=self.max_iter,
            loss_below=self.tol,
        )
        (matrix, layers, told, recorded), stopped = _deepmf.sense(
            operators,
            y,
            words,
            _common.seed(self.random_state),
            _common.told(self.callback, self.verbose),
        )
        self.matrix_ = matrix
        self.layers_ = layers
        self.summary_ = json.loads(told)
        self.trajectory_ = dict(recorded)
        self.n_iter_ = self.summary_["steps"]
        self.stop_reason_ = self.summary_["stop_reason"]
        self.n_features_in_ = matrix.size
        if np.isfinite(matrix).all():
            self.singular_values_ = np.asarray(_deepmf.spectrum(matrix))
        if stopped:
            raise KeyboardInterrupt
        _common.warn(self.summary_)
        return self

    def predict(self, X: Any) -> Floats:
        """Measurements ⟨A_i, W⟩ of the recovered matrix.

        Parameters
        ----------
        X : array of shape (n_measurements, rows, columns) or (n_measurements, rows * columns)
            The operators.

        Returns
        -------
        ndarray of shape (n_measurements,)
        """
        check_is_fitted(self, "matrix_")
        operators = self._operators(X, self.matrix_.shape)
        return np.tensordot(operators, self.matrix_, axes=2)

    def _operators(self, X: Any, shape: tuple[int, int] | None) -> Floats:
        operators: Floats = np.ascontiguousarray(X, dtype=np.float64)
        if operators.ndim == 2 and shape is not None:
            if operators.shape[1] != shape[0] * shape[1]:
                cells = shape[0] * shape[1]
                raise ValueError(f"X must have {cells} columns, but it has {operators.shape[1]}")
            operators = operators.reshape(-1, *shape)
        if operators.ndim != 3:
            raise ValueError(
                "X must have the axes measurements x rows x columns, or measurements x (rows columns) with shape, "
                f"but it has shape {operators.shape}"
            )
        if not np.isfinite(operators).all():
            raise ValueError("X must be finite, but it contains NaN or infinity")
        return operators
