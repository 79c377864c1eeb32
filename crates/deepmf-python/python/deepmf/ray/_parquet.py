"""Entries of a table from Parquet, a shard of its rows at a time, and the memory that this takes."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator, Sequence
from os import PathLike, fspath
from typing import Any

import numpy as np
from numpy.typing import NDArray

BATCH = 1 << 18

Numbers = NDArray[Any]
Listed = tuple[NDArray[np.uint32], NDArray[np.uint32], NDArray[np.float64]]


def batches(path: str | PathLike[str], columns: Sequence[str]) -> Iterator[list[Numbers]]:
    """The columns of a Parquet file or folder, batch by batch."""
    import pyarrow.dataset

    data = pyarrow.dataset.dataset(fspath(path), format="parquet")
    absent = [name for name in columns if name not in data.schema.names]
    if absent:
        raise ValueError(
            f"{fspath(path)} must have the columns {list(columns)}, but it has {data.schema.names}"
        )
    # Read ahead would hold much of the file in memory at once.
    scan = data.to_batches(
        columns=list(columns), batch_size=BATCH, batch_readahead=1, fragment_readahead=1, use_threads=False
    )
    for batch in scan:
        if batch.num_rows:
            yield [batch.column(name).to_numpy(zero_copy_only=False) for name in columns]


def shape_of(path: str | PathLike[str], columns: Sequence[str]) -> tuple[int, int]:
    """Rows and columns of the table: one more than the largest ids."""
    rows = cols = -1
    for row, col in batches(path, columns[:2]):
        if min(row.min(), col.min()) < 0:
            raise ValueError(f"ids of rows and columns must be 0 or more, but one is {min(row.min(), col.min())}")
        rows, cols = max(rows, int(row.max())), max(cols, int(col.max()))
    return rows + 1, cols + 1


def shards(
    path: str | PathLike[str], columns: Sequence[str], places: Sequence[int], count: int
) -> dict[int, Listed]:
    """The entries of some of `count` shards: shard p has the rows p, p + count, …, by their places in it."""
    found: dict[int, list[Listed]] = {place: [] for place in places}
    for row, col, value in batches(path, columns):
        share = row % count
        for place in places:
            own = share == place
            found[place].append(
                (
                    (row[own] // count).astype(np.uint32),
                    col[own].astype(np.uint32),
                    value[own].astype(np.float64),
                )
            )
    return {place: _joined(found.pop(place)) for place in places}


def _joined(parts: list[Listed]) -> Listed:
    rows, cols, values = zip(*parts, strict=True) if parts else ((), (), ())
    return (
        np.concatenate([np.empty(0, np.uint32), *rows]),
        np.concatenate([np.empty(0, np.uint32), *cols]),
        np.concatenate([np.empty(0, np.float64), *values]),
    )


def give_back() -> None:
    """Gives memory that reading left unused back to the system, which allocators keep otherwise."""
    import pyarrow

    pyarrow.default_memory_pool().release_unused()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def map_large() -> None:
    """Lets glibc give large blocks back as soon as they are freed, whatever thread had them."""
    choose = getattr(ctypes.CDLL(None), "mallopt", None)
    if choose is not None:
        choose(-3, 1 << 20)  # M_MMAP_THRESHOLD
