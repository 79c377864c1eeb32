"""Who holds shards of the rows, and who sums what they share; on Ray each is an actor."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import _deepmf
from . import _parquet

Floats = NDArray[np.float64]
Totals = tuple[float, float, float]

FILES = ("checkpoint.safetensors", "trajectory.csv")


class Worker:
    """Some shards of the rows, with their entries and their rows of W_N."""

    def __init__(
        self,
        path: str,
        columns: Sequence[str],
        shape: tuple[int, int],
        places: Sequence[int],
        count: int,
        settings: tuple[tuple[int, int, int], tuple[float, float, float], int],
    ) -> None:
        self.shape, self.places, self.count = shape, list(places), count
        self.shards = {}
        listed = _parquet.shards(path, columns, places, count)
        for place in self.places:
            rows, cols, values = listed.pop(place)
            own = len(range(place, shape[0], count))
            self.shards[place] = _deepmf.RowShard(
                (own, shape[1]), rows, cols, values, (place, count), *settings
            )

    def totals(self) -> dict[int, Totals]:
        """What each shard adds to the totals."""
        return {place: shard.totals() for place, shard in self.shards.items()}

    def begin(self, totals: Totals) -> None:
        """Makes problems and models."""
        for shard in self.shards.values():
            shard.begin(totals, self.shape[0])
        _parquet.give_back()

    def advance(
        self, steps: int, folder: str, turn: int, ask: Callable[[dict[int, Floats]], Any] | None
    ) -> dict[str, Any]:
        """Trains until so many steps are made, from the checkpoints of the turn before; `ask` gives the sum over all shards."""
        folders = {}
        for place in self.places:
            home = Path(folder) / f"shard-{place}"
            last, new = home / str(turn - 1), home / str(turn)
            for old in (new, home / str(turn - 2)):
                shutil.rmtree(old, ignore_errors=True)
            new.mkdir(parents=True)
            for name in FILES:
                if (last / name).exists():
                    shutil.copy(last / name, new / name)
            folders[place] = str(new)
        try:
            return self._train(steps, folders, ask)
        finally:
            # Each turn has threads of its own, whose allocators would keep what they freed.
            _parquet.give_back()

    def _train(
        self, steps: int, folders: dict[int, str], ask: Callable[[dict[int, Floats]], Any] | None
    ) -> dict[str, Any]:
        if ask is None:
            shards = [self.shards[place] for place in self.places]
            told, stopped = _deepmf.advance_together(shards, steps, list(folders.values()))
            if stopped:
                raise KeyboardInterrupt
            return dict(json.loads(told))
        return self._apart(steps, folders, ask)

    def _apart(
        self, steps: int, folders: dict[int, str], ask: Callable[[dict[int, Floats]], Any]
    ) -> dict[str, Any]:
        table = _Table(len(self.places), ask)
        told: dict[int, str] = {}

        def train(place: int) -> None:
            try:
                shard = self.shards[place]
                told[place] = shard.advance(steps, folders[place], lambda x: table.sum(place, x))
            except BaseException as error:
                table.give_up(error)

        threads = [threading.Thread(target=train, args=(place,)) for place in self.places]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if table.cause is not None:
            raise table.cause
        return dict(json.loads(told[self.places[0]]))

    def rows(self, ids: NDArray[np.int64]) -> Floats:
        """The rows of W_N of these rows of the table, all of them in shards that are here."""
        factors = {place: shard.factors()[0] for place, shard in self.shards.items()}
        width = next(iter(factors.values())).shape[1]
        out = np.empty((len(ids), width))
        for place, factor in factors.items():
            own = ids % self.count == place
            out[own] = factor[ids[own] // self.count]
        return out

    def shared(self) -> tuple[Floats, float]:
        """The product of the shared layers, and the mean."""
        _, cols, mean = self.shards[self.places[0]].factors()
        return cols, mean


class Actor(Worker):
    """A worker that asks the summer."""

    def __init__(self, threads: int, *given: Any) -> None:
        # Its process computes nothing before this; without it each actor would take all processors.
        os.environ["RAYON_NUM_THREADS"] = str(threads)
        _parquet.map_large()
        super().__init__(*given)

    def turn(self, steps: int, folder: str, turn: int, summer: Any, epoch: int) -> dict[str, Any]:
        """As `advance`, with the sums of `summer`."""
        import ray

        def ask(parts: dict[int, Floats]) -> Any:
            return ray.get(summer.sum.remote(epoch, parts))

        return self.advance(steps, folder, turn, ask)


class _Table:
    """Where the threads of one worker meet, so that it asks others once for all its shards."""

    def __init__(self, count: int, ask: Callable[[dict[int, Floats]], Any]) -> None:
        self.count, self.ask = count, ask
        self.changed = threading.Condition()
        self.parts: dict[int, Floats] = {}
        self.total: Floats = np.empty(0)
        self.round = 0
        self.cause: BaseException | None = None

    def sum(self, place: int, numbers: Floats) -> Floats:
        with self.changed:
            round_ = self.round
            self.parts[place] = numbers
            if len(self.parts) == self.count:
                parts, self.parts = self.parts, {}
                self.total = self.ask(parts)
                self.round += 1
                self.changed.notify_all()
            while self.round == round_:
                if self.cause is not None:
                    raise RuntimeError("another shard was given up")
                self.changed.wait()
            return self.total

    def give_up(self, error: BaseException) -> None:
        with self.changed:
            self.cause = self.cause or error
            self.changed.notify_all()


class Summer:
    """Sums what all shards share, in their order, whoever holds them and whenever they come."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.turn = -1
        self.parts: dict[int, Floats] = {}
        self.total: asyncio.Future[Floats] | None = None

    async def open(self, turn: int) -> None:
        """Begins a turn; who still waits in an earlier one is told to give up."""
        self.turn, self.parts = turn, {}
        if self.total is not None and not self.total.done():
            self.total.set_exception(RuntimeError("a worker was lost"))
            self.total.exception()
        self.total = None

    async def sum(self, turn: int, parts: dict[int, Floats]) -> Floats:
        """The sum over all shards."""
        if turn != self.turn:
            raise RuntimeError("a worker was lost")
        if self.total is None or self.total.done():
            self.total = asyncio.get_running_loop().create_future()
        total = self.total
        self.parts.update(parts)
        if len(self.parts) == self.count:
            ordered = [np.ascontiguousarray(self.parts[place]) for place in range(self.count)]
            self.parts = {}
            total.set_result(_deepmf.sum_parts(ordered))
        return await asyncio.shield(total)
