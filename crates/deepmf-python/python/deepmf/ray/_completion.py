"""Completion of a table that does not fit one machine: rows in shards over Ray actors."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from os import PathLike, fspath
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from .. import _common, _deepmf
from . import _parquet
from ._worker import Actor, Summer, Worker

Floats = NDArray[np.float64]

# How often a lost worker is replaced before it is given up.
LOSSES = 5


class MatrixCompletion(BaseEstimator):  # type: ignore[misc]
    """Completes a table from entries in Parquet, its rows in shards over Ray actors.

    W = W_N … W_1 is fitted by Adam to the known entries less their mean. Each actor holds the entries of its rows and their
    rows of W_N; at every step the gradient of the other layers is summed over the shards, in their order. So the answer
    has the same bits for any number of actors at one number of shards, and differs by rounding for others.

    Parameters
    ----------
    n_actors : int, default=2
        Actors; 0 is this process, without Ray.
    n_shards : int, default=8
        Shards of the rows, as many as there are actors or more. Shard p has the rows p, p + n_shards, ….
    depth : int, default=2
        Number of layers.
    width : int, default=10
        Hidden width.
    init_scale : float, default=0.1
        Initial scale ‖W(0)‖_F / √min(rows, cols).
    rate : float, default=0.02
        The rate of Adam.
    validation : float, default=0.02
        The share of the entries that says when to stop; 0 for none.
    patience : int, default=50
        Steps without a better validation error after which it stops.
    max_iter : int, default=1000
        Steps at most.
    checkpoint_every : int, default=50
        Steps between checkpoints, from which it goes on when an actor is lost.
    folder : path, optional
        Where checkpoints are kept, a folder that all machines see; one that is made and removed if None.
    columns : sequence of str, default=("row", "col", "value")
        The columns of row ids, column ids (both counted from 0) and values.
    options : dict, optional
        Options of the actors, such as ``{"num_cpus": 4}``; an actor has one processor if they do not say.
    callback : callable, optional
        Called with a dictionary (`steps`, `loss`, `validation`, …) at every checkpoint.
    random_state : int, RandomState instance or None, default=None
        The seed; None is 0.

    Attributes
    ----------
    components_ : ndarray of shape (width, n_columns)
        The product of the shared layers.
    mean_ : float
        The mean of the fitted entries.
    shape_ : tuple of (int, int)
        Rows and columns of the table.
    n_iter_ : int
        Steps made.
    stop_reason_ : str
        How it ended.
    validation_rmse_ : float or None
        Root mean squared error on the entries that were held out.
    n_restarts_ : int
        How many actors were lost and replaced.

    Notes
    -----
    Rows of W_N stay with the actors until `close`, or until the estimator is gone. For a table that fits one machine
    `deepmf.MatrixCompletion` chooses more by itself: offsets, start, depth, and intervals.

    Examples
    --------
    >>> from deepmf.ray import MatrixCompletion
    >>> model = MatrixCompletion(n_actors=4).fit("ratings.parquet")  # doctest: +SKIP
    >>> model.predict([0, 1], [5, 7])  # doctest: +SKIP
    """

    def __init__(
        self,
        n_actors: int = 2,
        n_shards: int = 8,
        *,
        depth: int = 2,
        width: int = 10,
        init_scale: float = 0.1,
        rate: float = 0.02,
        validation: float = 0.02,
        patience: int = 50,
        max_iter: int = 1000,
        checkpoint_every: int = 50,
        folder: str | PathLike[str] | None = None,
        columns: Sequence[str] = ("row", "col", "value"),
        options: dict[str, Any] | None = None,
        callback: Callable[[dict[str, Any]], object] | None = None,
        random_state: Any = None,
    ) -> None:
        self.n_actors = n_actors
        self.n_shards = n_shards
        self.depth = depth
        self.width = width
        self.init_scale = init_scale
        self.rate = rate
        self.validation = validation
        self.patience = patience
        self.max_iter = max_iter
        self.checkpoint_every = checkpoint_every
        self.folder = folder
        self.columns = columns
        self.options = options
        self.callback = callback
        self.random_state = random_state

    def fit(self, X: str | PathLike[str], y: Any = None) -> MatrixCompletion:
        """Fits the entries of a Parquet file, or of all files of a folder.

        Parameters
        ----------
        X : path
            Seen by all machines.
        y : ignored

        Returns
        -------
        MatrixCompletion
            Itself.
        """
        if self.n_shards < max(1, self.n_actors):
            allowed = f"{max(1, self.n_actors)} or more"
            raise ValueError(f"n_shards must be {allowed}, but it is {self.n_shards}")
        if self.checkpoint_every < 1:
            raise ValueError(f"checkpoint_every must be 1 or more, but it is {self.checkpoint_every}")
        path = os.path.abspath(fspath(X))
        shape = _parquet.shape_of(path, self.columns)
        if shape[0] < self.n_shards:
            raise ValueError(f"n_shards must be {shape[0]} or less, but it is {self.n_shards}")
        self.close()
        seed = _common.seed(self.random_state)
        sizes = (self.depth, self.width, self.patience)
        numbers = (self.init_scale, self.rate, self.validation)
        given = (path, list(self.columns), shape)
        crew: _Here | _Actors
        if self.n_actors == 0:
            crew = _Here(given, self.n_shards, (sizes, numbers, seed))
        else:
            settings = (sizes, numbers, seed)
            crew = _Actors(given, self.n_shards, settings, self.n_actors, self.options or {})
        folder = tempfile.mkdtemp(prefix="deepmf-") if self.folder is None else fspath(self.folder)
        self._crew = crew
        try:
            told = self._train(crew, os.path.abspath(folder))
        except BaseException:
            self.close()
            raise
        finally:
            if self.folder is None:
                shutil.rmtree(folder, ignore_errors=True)
        self.components_, self.mean_ = crew.shared()
        self.shape_, self.n_iter_, self.stop_reason_ = shape, told["steps"], told["stop_reason"]
        error = told["validation"]
        self.validation_rmse_ = None if error is None else float(np.sqrt(error))
        self.n_restarts_ = crew.lost
        _common.warn(told)
        return self

    def _train(self, crew: _Here | _Actors, folder: str) -> dict[str, Any]:
        steps, turn = 0, 0
        # The start is kept too: an actor may be lost before the first checkpoint.
        crew.advance(steps, folder, turn)
        while True:
            turn, steps = turn + 1, min(steps + self.checkpoint_every, self.max_iter)
            told = crew.advance(steps, folder, turn)
            if self.callback is not None:
                self.callback(told)
            if told["stop_reason"] != "steps-done" or steps >= self.max_iter:
                return told

    def predict(self, rows: Any, cols: Any) -> Floats:
        """The answers at some cells.

        Parameters
        ----------
        rows, cols : array of int of shape (n_cells,)
            Their ids.

        Returns
        -------
        ndarray of shape (n_cells,)
        """
        check_is_fitted(self, "_crew")
        rows, cols = np.asarray(rows, dtype=np.int64), np.asarray(cols, dtype=np.int64)
        for what, ids, count in (("rows", rows, self.shape_[0]), ("cols", cols, self.shape_[1])):
            if ids.size and not (0 <= ids.min() and ids.max() < count):
                raise ValueError(f"{what} must be from 0 to {count - 1}, but one is not")
        each, places = np.unique(rows, return_inverse=True)
        factors = self._crew.rows(each)
        answers: Floats = np.einsum("ek,ke->e", factors[places], self.components_[:, cols])
        return answers + self.mean_

    def close(self) -> None:
        """Lets the actors go; after that nothing is predicted."""
        crew = self.__dict__.pop("_crew", None)
        if crew is not None:
            crew.close()

    def __getstate__(self) -> dict[str, Any]:
        # Actors belong to one process.
        state: dict[str, Any] = super().__getstate__()
        return {key: value for key, value in state.items() if key != "_crew"}


Given = tuple[str, list[str], tuple[int, int]]
Settings = tuple[tuple[int, int, int], tuple[float, float, float], int]


def _totals(parts: dict[int, tuple[float, float, float]]) -> tuple[float, float, float]:
    lists = [np.asarray(parts[place]) for place in sorted(parts)]
    fitted, held, total = _deepmf.sum_parts(lists)
    return float(fitted), float(held), float(total)


class _Here:
    """All shards in this process."""

    lost = 0

    def __init__(self, given: Given, count: int, settings: Settings) -> None:
        self.worker = Worker(*given, range(count), count, settings)
        self.worker.begin(_totals(self.worker.totals()))

    def advance(self, steps: int, folder: str, turn: int) -> dict[str, Any]:
        return self.worker.advance(steps, folder, turn, None)

    def rows(self, ids: NDArray[np.int64]) -> Floats:
        return self.worker.rows(ids)

    def shared(self) -> tuple[Floats, float]:
        return self.worker.shared()

    def close(self) -> None:
        del self.worker


class _Actors:
    """Shards over Ray actors; one that is lost is made again, and all go on from the last checkpoint."""

    def __init__(
        self, given: Given, count: int, settings: Settings, actors: int, options: dict[str, Any]
    ) -> None:
        import ray

        self.ray = ray
        if not ray.is_initialized():
            ray.init()
        self.lost = self.epoch = 0
        self.count = count
        self.make = ray.remote(Actor).options(**{"num_cpus": 1, **options})
        self.threads = max(1, int(options.get("num_cpus", 1)))
        self.given, self.settings = given, settings
        self.places = [list(range(first, count, actors)) for first in range(actors)]
        self.summer = ray.remote(Summer).options(num_cpus=0, max_concurrency=actors + 1).remote(count)
        self.actors = [self._actor(places) for places in self.places]
        parts: dict[int, tuple[float, float, float]] = {}
        for part in ray.get([actor.totals.remote() for actor in self.actors]):
            parts.update(part)
        self.totals = _totals(parts)
        ray.get([actor.begin.remote(self.totals) for actor in self.actors])

    def _actor(self, places: list[int]) -> Any:
        return self.make.remote(self.threads, *self.given, places, self.count, self.settings)

    def advance(self, steps: int, folder: str, turn: int) -> dict[str, Any]:
        while True:
            told = self._try(steps, folder, turn)
            if told is not None:
                return told
            if self.lost > LOSSES:
                raise _deepmf.DeepmfError(f"{self.lost} actors were lost; the last checkpoint is in {folder}")

    def _try(self, steps: int, folder: str, turn: int) -> dict[str, Any] | None:
        ray, dead = self.ray, self.ray.exceptions.RayActorError
        self.epoch += 1
        ray.get(self.summer.open.remote(self.epoch))
        calls = {
            actor.turn.remote(steps, folder, turn, self.summer, self.epoch): place
            for place, actor in enumerate(self.actors)
        }
        told: dict[str, Any] | None = None
        lost: list[int] = []
        causes: list[Exception] = []
        waiting = list(calls)
        while waiting:
            done, waiting = ray.wait(waiting)
            try:
                answer = ray.get(done[0])
                told = told or answer
            except dead:
                lost.append(calls[done[0]])
            except ray.exceptions.RayTaskError as error:
                causes.append(error)
            if (lost or causes) and waiting:
                # Others would wait for its part for ever.
                self.epoch += 1
                ray.get(self.summer.open.remote(self.epoch))
        if not lost and causes:
            raise causes[0]
        for place in lost:
            self.lost += 1
            self.actors[place] = self._actor(self.places[place])
            ray.get(self.actors[place].begin.remote(self.totals))
        return None if lost else told

    def rows(self, ids: NDArray[np.int64]) -> Floats:
        owner = ids % self.count % len(self.actors)
        asked = [ids[owner == place] for place in range(len(self.actors))]
        calls = [actor.rows.remote(own) for actor, own in zip(self.actors, asked, strict=True)]
        parts = self.ray.get(calls)
        out = np.empty((len(ids), parts[0].shape[1]))
        for place, part in enumerate(parts):
            out[owner == place] = part
        return out

    def shared(self) -> tuple[Floats, float]:
        cols, mean = self.ray.get(self.actors[0].shared.remote())
        return np.array(cols), mean

    def close(self) -> None:
        for actor in [*self.actors, self.summer]:
            self.ray.kill(actor)
