"""Ratings of users and items: predicted, with intervals, and what to recommend."""

from __future__ import annotations

import json
from collections.abc import Sequence
from os import PathLike, fspath
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import check_is_fitted

from . import _common, _deepmf, _input

Floats = NDArray[np.float64]


class Recommender(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """Predicts ratings of users and items.

    A parameter that is None is left to the library, whose defaults are those of the program.

    Parameters
    ----------
    model : {"als", "linear", "autorec", "latent", "two-tower", "discrete"}, optional
        By what ratings are predicted.
    rank : int, optional
        Least squares and free latents: the length of a latent.
    ridge, offset_ridge : float, optional
        Least squares: the ridges of factors and of offsets.
    by_count : bool, optional
        Least squares: whether ridges count once for each rating of a row or column.
    sweeps : int, optional
        Least squares: sweeps at most.
    validation : float, optional
        The share of the ratings that says when to stop and calibrates intervals; all are fitted after that.
    epochs : int, optional
        Networks: passes over the ratings at most.
    hidden : int, optional
        Autoencoder: the length of a code. Free latents: the width of the decoder.
    penalty : float, optional
        Autoencoder and free latents: the penalty of weights.
    size : {"published", "small"}, optional
        Two towers: how wide they are.
    keep : float, optional
        Two towers: with which probability dropout keeps a number.
    shown : float, optional
        Two towers: the least share of its ratings that a line shows in training.
    refit : bool, optional
        Two towers: whether all ratings are fitted after the epochs were chosen.
    levels : sequence of float, optional
        The levels that ratings may have, where not all of them need to occur.
    duplicates : {"refuse", "last", "mean"}, default="refuse"
        What a pair counts for that is given twice with different ratings.
    random_state : int, RandomState instance or None, default=None
        The seed; None is 0.

    Attributes
    ----------
    users_, items_ : ndarray of str
        Labels, in the order of the factors.
    user_factors_, item_factors_ : ndarray of shape (n_users, rank) and (n_items, rank)
        The rating of a pair is mean + user offset + item offset + their inner product, within the range of the ratings.
    user_offsets_, item_offsets_ : ndarray
        The offsets.
    mean_ : float
        The mean.
    holdout_rmse_ : float
        Root mean squared error on ratings that a fit did not see.
    n_iter_ : int
        Sweeps or steps of the last fit.
    stop_reason_ : str
        How it ended.
    summary_ : dict
        All that is told of the fit.

    Notes
    -----
    Users and items are known by the words that their labels are, so that ``1`` and ``"1"`` are the same.

    Examples
    --------
    >>> from deepmf import Recommender
    >>> from deepmf.datasets import make_ratings
    >>> X, y = make_ratings((60, 40), rank=2, n_ratings=1200, random_state=0)
    >>> model = Recommender(random_state=0).fit(X, y)
    >>> len(model.recommend(X[0, 0], 3))
    3
    >>> bool(model.score(X, y) > 0.3)
    True
    """

    def __init__(
        self,
        *,
        model: str | None = None,
        rank: int | None = None,
        ridge: float | None = None,
        offset_ridge: float | None = None,
        by_count: bool | None = None,
        sweeps: int | None = None,
        validation: float | None = None,
        epochs: int | None = None,
        hidden: int | None = None,
        penalty: float | None = None,
        size: str | None = None,
        keep: float | None = None,
        shown: float | None = None,
        refit: bool | None = None,
        levels: Sequence[float] | None = None,
        duplicates: str = "refuse",
        random_state: Any = None,
    ) -> None:
        self.model = model
        self.rank = rank
        self.ridge = ridge
        self.offset_ridge = offset_ridge
        self.by_count = by_count
        self.sweeps = sweeps
        self.validation = validation
        self.epochs = epochs
        self.hidden = hidden
        self.penalty = penalty
        self.size = size
        self.keep = keep
        self.shown = shown
        self.refit = refit
        self.levels = levels
        self.duplicates = duplicates
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None) -> Recommender:
        """Fits ratings.

        Parameters
        ----------
        X : array or frame of shape (n_ratings, 2) or (n_ratings, 3), or sparse matrix
            User and item of each rating, and the rating if y is not given; or a matrix of users by items whose stored
            entries are ratings.
        y : array of shape (n_ratings,), optional
            The ratings.

        Returns
        -------
        Recommender
            Itself. After Ctrl-C it holds what was reached, and `KeyboardInterrupt` is raised.
        """
        known, labels = self._ratings(X, y)
        words = _common.settings(
            model=self.model,
            rank=self.rank,
            ridge=self.ridge,
            offset_ridge=self.offset_ridge,
            by_count=self.by_count,
            sweeps=self.sweeps,
            validation=self.validation,
            epochs=self.epochs,
            hidden=self.hidden,
            penalty=self.penalty,
            size=self.size,
            keep=self.keep,
            shown=self.shown,
            refit=self.refit,
        )
        levels = None if self.levels is None else [float(level) for level in self.levels]
        seed = _common.seed(self.random_state)
        done, stopped = _deepmf.recommend(known, labels, words, seed, levels, self.duplicates)
        self._keep(done)
        if stopped:
            raise KeyboardInterrupt
        _common.warn(self.summary_)
        return self

    def fold_in(self, X: Any, y: Any = None) -> Recommender:
        """Takes in users and items that the fit did not know, from their ratings and without training.

        Parameters
        ----------
        X, y
            Ratings as in `fit`, of new users by known items or the other way round.

        Returns
        -------
        Recommender
            Itself, knowing more.
        """
        check_is_fitted(self, "_fitted")
        known, labels = self._ratings(X, y)
        folded, _, _ = self._fitted.fold_in(known, labels)
        self._keep(folded)
        return self

    def predict(self, X: Any) -> Floats:
        """Ratings of pairs; for an unknown user or item those of the offsets.

        Parameters
        ----------
        X : array or frame of shape (n_pairs, 2)
            Users and items.

        Returns
        -------
        ndarray of shape (n_pairs,)
        """
        check_is_fitted(self, "_fitted")
        users, items = _columns(X, 2)
        return self._fitted.predict(users, items, None)[0]

    def predict_interval(self, X: Any, coverage: float = 0.9) -> tuple[Floats, Floats]:
        """Intervals that hold the rating with a probability, from errors on held-out ratings.

        Parameters
        ----------
        X : array or frame of shape (n_pairs, 2)
            Users and items.
        coverage : float, default=0.9
            The probability.

        Returns
        -------
        lower, upper : ndarray of shape (n_pairs,)
            The ends; NaN where the fit did not know both, or too few ratings were held out.
        """
        check_is_fitted(self, "_fitted")
        users, items = _columns(X, 2)
        _, _, lower, upper = self._fitted.predict(users, items, coverage)
        return lower, upper

    def recommend(self, user: Any, n: int = 10) -> list[tuple[str, float]]:
        """The items with the highest predictions among those that a user has not rated.

        Parameters
        ----------
        user : label or None
            The user; for an unknown one the items of the highest offsets.
        n : int, default=10
            How many.

        Returns
        -------
        list of (str, float)
            Items and predictions, best first.
        """
        check_is_fitted(self, "_fitted")
        return self._fitted.recommend(None if user is None else _word(user), n)

    def similar(self, item: Any, n: int = 10) -> list[tuple[str, float]]:
        """The items whose factors have the largest cosine with those of one.

        Parameters
        ----------
        item : label
            The item.
        n : int, default=10
            How many.

        Returns
        -------
        list of (str, float)
            Items and cosines, best first.
        """
        check_is_fitted(self, "_fitted")
        return self._fitted.similar(_word(item), n)

    def save(self, path: str | PathLike[str]) -> None:
        """Writes one file, which `load` and the program's ``recommend`` read.

        Parameters
        ----------
        path : path
        """
        check_is_fitted(self, "_fitted")
        self._fitted.save(fspath(path))

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Recommender:
        """The recommender in a file that `save` or the program's ``recommend fit`` wrote.

        Parameters
        ----------
        path : path

        Returns
        -------
        Recommender
        """
        model = cls()
        model._keep(_deepmf.load_recommender(fspath(path)))
        model.model = model.summary_["model"]
        model.random_state = model.summary_["seed"]
        return model

    def _keep(self, fitted: _deepmf.Recommender) -> None:
        summary = json.loads(fitted.summary())
        users, items = fitted.labels()
        self._fitted = fitted
        self.summary_ = summary
        self.users_, self.items_ = np.asarray(users, object), np.asarray(items, object)
        self.user_offsets_, self.item_offsets_, left, right = fitted.factors()
        self.user_factors_, self.item_factors_ = left, right
        self.mean_ = summary["mean"]
        self.holdout_rmse_ = summary["holdout_rmse"]
        self.n_iter_ = summary["steps"]
        self.stop_reason_ = summary["stop_reason"]
        self.n_features_in_ = 2

    def _ratings(self, X: Any, y: Any) -> tuple[_deepmf.Known, tuple[list[str], list[str]]]:
        if hasattr(X, "tocoo"):
            if y is not None:
                raise ValueError("y must be None where X is a matrix of ratings, but it is given")
            rows, cols = ([str(place) for place in range(count)] for count in X.shape)
            return _input.known(X), (rows, cols)
        if y is None:
            users, items, words = _columns(X, 3)
            ratings = np.asarray([float(word) for word in words])
        else:
            users, items = _columns(X, 2)
            ratings = np.ascontiguousarray(y, dtype=np.float64).ravel()
        user_names, rows_ = _ids(users)
        item_names, cols_ = _ids(items)
        shape = (len(user_names), len(item_names))
        return (shape, rows_, cols_, ratings), (user_names, item_names)


def _columns(X: Any, count: int) -> list[list[str]]:
    """The columns of a list of pairs or triples, as words."""
    X = _input.frame(X)
    if hasattr(X, "columns") and not isinstance(X, np.ndarray):
        columns = [np.asarray(X[name]) for name in X.columns]
    else:
        table = np.asarray(X)
        if table.ndim != 2:
            raise ValueError(f"X must have {count} columns, but it has shape {table.shape}")
        columns = list(table.T)
    if len(columns) != count:
        raise ValueError(f"X must have {count} columns, but it has {len(columns)}")
    return [[_word(x) for x in column.tolist()] for column in columns]


def _word(label: Any) -> str:
    """A label as a word; whole numbers that came as floats lose their point."""
    if isinstance(label, float) and label.is_integer():
        return str(int(label))
    return str(label)


def _ids(labels: list[str]) -> tuple[list[str], NDArray[np.uint32]]:
    """Names and ids as the program numbers them: by number if all are whole numbers, else as they appear."""
    names = list(dict.fromkeys(labels))
    if all(name.isascii() and name.isdigit() for name in names):
        names.sort(key=int)
    place = {name: number for number, name in enumerate(names)}
    return names, np.asarray([place[label] for label in labels], dtype=np.uint32)
