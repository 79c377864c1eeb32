"""Tables as they come: arrays, sparse matrices, frames, Arrow streams."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from ._deepmf import Known


def frame(X: Any) -> Any:
    """What scikit-learn knows: masked arrays get NaN, streams of Arrow become frames, all else stays."""
    if isinstance(X, np.ma.MaskedArray):
        return np.ma.filled(X.astype(np.float64), np.nan)
    if not hasattr(X, "__arrow_c_stream__") or _package(X) in ("pandas", "polars"):
        return X
    try:
        import pyarrow

        return pyarrow.table(X).to_pandas()
    except ImportError:
        pass
    try:
        import polars

        return polars.DataFrame(X)
    except ImportError:
        raise ImportError("an Arrow stream needs pyarrow with pandas, or polars") from None


def _package(X: Any) -> str:
    return type(X).__module__.partition(".")[0]


def known(X: Any) -> Known:
    """A table as the library takes it: an array as it is; of a sparse matrix the stored entries, the others are missing."""
    if isinstance(X, np.ndarray):
        return X
    entries = X.tocoo()
    rows, cols = entries.row.astype(np.uint32), entries.col.astype(np.uint32)
    # Row after row, as a dense table is read.
    order = np.lexsort((cols, rows))
    values = np.asarray(entries.data, dtype=np.float64)
    return (entries.shape, rows[order], cols[order], values[order])


def dense(X: Any) -> Any:
    """The same as an array with NaN where nothing is known."""
    if isinstance(X, np.ndarray):
        return X
    shape, rows, cols, values = known(X)
    out = np.full(shape, np.nan)
    out[rows, cols] = values
    return out
