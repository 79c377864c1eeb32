"""Data sets: made ones, of which everything is known, and readers of files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike, fspath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import _deepmf

Floats = NDArray[np.float64]

__all__ = [
    "Table",
    "make_completion",
    "make_low_rank",
    "make_ratings",
    "make_scene",
    "make_sensing",
    "make_spectrum",
    "make_views",
    "read",
]


def make_low_rank(shape: tuple[int, int], rank: int, *, random_state: int = 0) -> Floats:
    """A random matrix of a rank, with mean square 1.

    Parameters
    ----------
    shape : tuple of (int, int)
        Rows and columns.
    rank : int
        Its rank.
    random_state : int, default=0
        The seed.

    Returns
    -------
    ndarray of shape `shape`

    Examples
    --------
    >>> import numpy as np
    >>> from deepmf.datasets import make_low_rank
    >>> W = make_low_rank((8, 6), 2)
    >>> int(np.linalg.matrix_rank(W)), round(float((W**2).mean()), 12)
    (2, 1.0)
    """
    return _deepmf.low_rank(shape, rank, random_state)


def make_completion(
    shape: tuple[int, int], rank: int, n_observed: int, *, random_state: int = 0
) -> tuple[Floats, Floats]:
    """A low-rank truth of which some entries are seen.

    Parameters
    ----------
    shape : tuple of (int, int)
        Rows and columns.
    rank : int
        Rank of the truth.
    n_observed : int
        Number of entries that are seen.
    random_state : int, default=0
        The seed.

    Returns
    -------
    X : ndarray of shape `shape`
        The truth where it is seen, else NaN.
    truth : ndarray of shape `shape`

    Examples
    --------
    >>> import numpy as np
    >>> from deepmf.datasets import make_completion
    >>> X, truth = make_completion((8, 6), rank=2, n_observed=20)
    >>> int(np.isfinite(X).sum())
    20
    """
    truth = make_low_rank(shape, rank, random_state=random_state)
    X = np.full(shape, np.nan)
    rows, cols = _deepmf.random_cells(shape, n_observed, random_state)
    X[rows, cols] = truth[rows, cols]
    return X, truth


def make_sensing(
    shape: tuple[int, int], rank: int, n_measurements: int, *, random_state: int = 0
) -> tuple[Floats, Floats, Floats]:
    """A low-rank truth and its inner products with normal operators.

    Parameters
    ----------
    shape : tuple of (int, int)
        Rows and columns.
    rank : int
        Rank of the truth.
    n_measurements : int
        Number of operators.
    random_state : int, default=0
        The seed.

    Returns
    -------
    operators : ndarray of shape (n_measurements, rows, columns)
    y : ndarray of shape (n_measurements,)
        Measurements ⟨A_i, W⟩.
    truth : ndarray of shape `shape`

    Examples
    --------
    >>> import numpy as np
    >>> from deepmf.datasets import make_sensing
    >>> A, y, truth = make_sensing((5, 4), rank=1, n_measurements=12)
    >>> bool(np.allclose(np.tensordot(A, truth, axes=2), y))
    True
    """
    truth = make_low_rank(shape, rank, random_state=random_state)
    flat = _deepmf.gaussian_operators(shape, n_measurements, random_state)
    operators: Floats = flat.reshape(n_measurements, *shape)
    return operators, np.tensordot(operators, truth, axes=2), truth


def make_ratings(
    shape: tuple[int, int], rank: int, n_ratings: int, *, random_state: int = 0
) -> tuple[NDArray[np.int64], Floats]:
    """Ratings from 1 to 5 of random pairs of users and items.

    Parameters
    ----------
    shape : tuple of (int, int)
        Users and items.
    rank : int
        Rank of what is beyond offsets.
    n_ratings : int
        Number of ratings.
    random_state : int, default=0
        The seed.

    Returns
    -------
    X : ndarray of shape (n_ratings, 2)
        User and item of each rating.
    y : ndarray of shape (n_ratings,)
        Ratings.

    Examples
    --------
    >>> from deepmf.datasets import make_ratings
    >>> X, y = make_ratings((30, 20), rank=2, n_ratings=200)
    >>> X.shape, float(y.min()) >= 1, float(y.max()) <= 5
    ((200, 2), True, True)
    """
    rows, cols, values = _deepmf.random_ratings(shape, rank, n_ratings, random_state)
    return np.column_stack([rows, cols]).astype(np.int64), values


def make_spectrum(
    shape: tuple[int, int],
    values: Sequence[float],
    *,
    symmetric: bool = False,
    random_state: int = 0,
) -> Floats:
    """A random matrix with given singular values (eigenvalues, if it is symmetric).

    Parameters
    ----------
    shape : tuple of (int, int)
        Rows and columns.
    values : sequence of float
        Singular values.
    symmetric : bool, default=False
        Whether the matrix is symmetric.
    random_state : int, default=0
        The seed.

    Returns
    -------
    ndarray of shape `shape`

    Examples
    --------
    >>> import numpy as np
    >>> from deepmf.datasets import make_spectrum
    >>> W = make_spectrum((5, 4), [3.0, 1.0])
    >>> np.linalg.svd(W, compute_uv=False).round(12)[:2].tolist()
    [3.0, 1.0]
    """
    return _deepmf.with_spectrum(shape, list(values), symmetric, random_state)


def make_views(
    n_samples: int,
    n_features: Sequence[int],
    *,
    n_clusters: int,
    n_noise: int = 0,
    spread: float = 0.3,
    random_state: int = 0,
) -> tuple[list[Floats], NDArray[np.int64]]:
    """Views of samples in blobs of about the same size.

    Parameters
    ----------
    n_samples : int
        Number of samples; sample i is of class i mod `n_clusters`.
    n_features : sequence of int
        Features of each view in which blobs differ.
    n_clusters : int
        Number of blobs.
    n_noise : int, default=0
        Further features of each view that say nothing; they come last.
    spread : float, default=0.3
        Standard deviation of the samples around their centre, whose features are standard normal.
    random_state : int, default=0
        The seed.

    Returns
    -------
    views : list of ndarray of shape (n_samples, n_features + n_noise)
    classes : ndarray of int

    Examples
    --------
    >>> from deepmf.datasets import make_views
    >>> views, classes = make_views(60, [8, 12], n_clusters=3)
    >>> [view.shape for view in views], classes[:4].tolist()
    ([(60, 8), (60, 12)], [0, 1, 2, 0])
    """
    shape = (n_samples, n_clusters)
    return _deepmf.random_views(shape, list(n_features), n_noise, spread, random_state)


def make_scene(
    observed: tuple[int, int] = (64, 64),
    hidden: tuple[int, int] = (16, 16),
    n_frames: int = 96,
    *,
    random_state: int = 0,
) -> tuple[Floats, Floats, Floats]:
    """A room with clutter, lit by a hidden screen on which discs move.

    Parameters
    ----------
    observed, hidden : tuple of (int, int)
        Height and width of what the camera sees, and of the screen.
    n_frames : int
        Number of frames.
    random_state : int, default=0
        The seed.

    Returns
    -------
    observed : ndarray of shape (n_frames, height, width)
        What the camera records, with noise.
    hidden : ndarray of shape (n_frames, height, width)
        What the screen shows.
    transport : ndarray of shape (observed pixels, hidden pixels)
        How much each hidden pixel adds to each observed one, pixels row after row.

    Examples
    --------
    >>> from deepmf.datasets import make_scene
    >>> seen, shown, transport = make_scene((12, 16), (8, 8), 10)
    >>> seen.shape, shown.shape, transport.shape
    ((10, 12, 16), (10, 8, 8), (192, 64))
    """
    seen, shown, transport = _deepmf.make_scene(observed, hidden, n_frames, random_state)
    return seen.reshape(n_frames, *observed), shown.reshape(n_frames, *hidden), transport


@dataclass(frozen=True)
class Table:
    """A table from a file.

    Attributes
    ----------
    shape : tuple of (int, int)
        Rows and columns.
    rows, cols : ndarray
        Where its known entries are.
    values : ndarray
        Their values.
    row_labels, col_labels : list of str or None
        Names, where the file has them.
    """

    shape: tuple[int, int]
    rows: NDArray[np.uint32]
    cols: NDArray[np.uint32]
    values: Floats
    row_labels: list[str] | None
    col_labels: list[str] | None

    def to_numpy(self) -> Floats:
        """The table as an array, NaN where nothing is known."""
        out = np.full(self.shape, np.nan)
        out[self.rows, self.cols] = self.values
        return out

    def to_scipy(self) -> Any:
        """The table as a sparse matrix whose stored entries are known."""
        from scipy.sparse import coo_array

        return coo_array((self.values, (self.rows, self.cols)), shape=self.shape)

    def to_pandas(self) -> Any:
        """The table as a frame with its labels."""
        import pandas

        return pandas.DataFrame(self.to_numpy(), index=self.row_labels, columns=self.col_labels)


def read(
    path: str | PathLike[str],
    *,
    triplets: str | None = None,
    missing: Sequence[str] = (),
    variable: str | None = None,
    duplicates: str = "refuse",
) -> Table:
    """Reads a table from a file: text (also .gz), .npy, .npz, .mtx, .parquet, .mat or .png.

    Parameters
    ----------
    path : path
        The file; its extension tells the format.
    triplets : str, optional
        Fields that hold row, column and value of one entry a line, such as ``"user,item,rating"`` or ``"1,2,3"``.
    missing : sequence of str, optional
        Further words that mean *missing*.
    variable : str, optional
        Which variable of a file that holds several.
    duplicates : {"refuse", "last", "mean"}, default="refuse"
        What a cell counts for that is given twice with different values.

    Returns
    -------
    Table

    Examples
    --------
    >>> import tempfile, pathlib
    >>> from deepmf.datasets import read
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "table.csv"
    >>> _ = path.write_text("town,mon,tue\\nAmber,1,\\nBirch,2,3\\n")
    >>> table = read(path)
    >>> table.row_labels, table.to_numpy().tolist()
    (['Amber', 'Birch'], [[1.0, nan], [2.0, 3.0]])
    """
    shape, (rows, cols, values), row_labels, col_labels = _deepmf.read(
        fspath(path), triplets, list(missing), variable, duplicates
    )
    return Table(shape, rows, cols, values, row_labels, col_labels)
