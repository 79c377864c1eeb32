"""What comes in as a frame, a sparse matrix or a stream of Arrow, and what goes back."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import scipy.sparse as sp

from deepmf import MatrixCompletion

NAMES = [f"week{j}" for j in range(20)]


def forms(X):
    """The same table in every form."""
    rows, cols = np.nonzero(~np.isnan(X))
    sparse = sp.coo_array((X[rows, cols], (rows, cols)), shape=X.shape)
    frame = pd.DataFrame(X, columns=NAMES)
    nulls = pl.DataFrame({n: [None if np.isnan(x) else x for x in X[:, j]] for j, n in enumerate(NAMES)})
    return {
        "list": X.tolist(),
        "fortran": np.asfortranarray(X),
        "strided": np.repeat(X, 2, axis=0)[::2],
        "masked": np.ma.masked_invalid(X),
        "csr": sparse.tocsr(),
        "csc": sparse.tocsc(),
        "coo": sparse,
        "pandas": frame,
        "pandas nullable": frame.convert_dtypes(),
        "polars": nulls,
        "arrow": nulls.to_arrow(),
        "arrow reader": pa.table(nulls.to_arrow()).to_reader(),
    }


def test_every_form_of_a_table_gives_the_same_bits(table):
    X, _ = table
    expected = MatrixCompletion().fit(X).transform(X)
    for name, form in forms(X).items():
        model = MatrixCompletion().fit(form)
        assert np.array_equal(model.transform(X), expected), name


@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
@pytest.mark.parametrize("name", ["pandas", "polars", "arrow"])
def test_names_of_columns_come_back(table, name):
    X, _ = table
    form = forms(X)[name]
    model = MatrixCompletion().fit(form)
    assert model.get_feature_names_out().tolist() == NAMES


def test_frames_come_back_as_frames_with_their_labels(table):
    X, _ = table
    frame = pd.DataFrame(X, columns=NAMES, index=[f"town{i}" for i in range(30)])
    out = MatrixCompletion().set_output(transform="pandas").fit_transform(frame)
    assert isinstance(out, pd.DataFrame)
    assert out.columns.tolist() == NAMES and out.index.equals(frame.index)
    wide = MatrixCompletion(add_indicator=True).set_output(transform="polars").fit_transform(frame)
    assert isinstance(wide, pl.DataFrame)
    assert wide.columns[20] == "missingindicator_week0"


def test_a_zero_is_a_zero_and_what_is_not_stored_is_missing():
    dense = np.array([[0.0, np.nan, 2.0], [1.0, 3.0, np.nan], [0.0, 2.0, 4.0]])
    rows, cols = np.nonzero(~np.isnan(dense))
    sparse = sp.csr_array((dense[rows, cols], (rows, cols)), shape=(3, 3))
    first, second = (MatrixCompletion().fit(X) for X in (dense, sparse))
    assert first.summary_["observed"] == second.summary_["observed"] == 7
    assert np.array_equal(first.fill(dense), second.fill(sparse))
