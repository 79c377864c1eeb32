"""The imputer: scikit-learn's contract, inputs, intervals, errors."""

import pickle
import warnings

import joblib
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import check_estimator

from deepmf import MatrixCompletion, _deepmf
from deepmf._input import known


@pytest.mark.filterwarnings("ignore")
def test_scikit_learn_finds_nothing_against_the_imputer():
    checks = check_estimator(MatrixCompletion(), on_fail=None, on_skip=None)
    failed = [check["check_name"] for check in checks if check["status"] == "failed"]
    assert len(checks) > 40
    assert failed == []


def test_fit_and_transform_apart_are_fit_transform(table):
    X, _ = table
    model = MatrixCompletion(random_state=3)
    assert np.array_equal(clone(model).fit_transform(X), clone(model).fit(X).transform(X))


def test_known_values_stay_and_no_hole_is_left(table):
    X, _ = table
    for filled in (MatrixCompletion().fit_transform(X), MatrixCompletion().fit(X).fill(X)):
        assert np.isfinite(filled).all()
        assert np.array_equal(filled[~np.isnan(X)], X[~np.isnan(X)])


def test_holes_come_back_with_the_indicator(table):
    X, _ = table
    X = X.copy()
    X[:, 4] = 1.0  # no hole here, so no indicator
    model = MatrixCompletion(add_indicator=True).fit(X)
    wide = model.transform(X)
    assert wide.shape == (30, 39)
    assert np.array_equal(model.inverse_transform(wide), X, equal_nan=True)
    assert len(model.get_feature_names_out()) == 39
    with pytest.raises(ValueError, match="add_indicator must be True"):
        MatrixCompletion().fit(X).inverse_transform(X)


def test_intervals_hold_about_the_share_that_was_asked_for(table):
    X, truth = table
    model = MatrixCompletion(coverage=0.8).fit(X)
    lower, upper = model.predict_interval(X, fitted=True)
    holes = np.isnan(X)
    assert np.array_equal(lower[~holes], X[~holes])
    share = np.mean((lower <= truth)[holes] & (truth <= upper)[holes])
    assert 0.7 <= share <= 0.95
    lower, upper = model.predict_interval(X[:3])
    assert (lower <= upper).all()


def test_new_rows_are_filled_without_a_fit(table):
    X, truth = table
    model = MatrixCompletion().fit(X[:25])
    errors = (model.transform(X[25:]) - truth[25:])[np.isnan(X[25:])]
    trivial = (np.nanmean(X[:25], axis=0) - truth[25:])[np.isnan(X[25:])]
    assert np.mean(errors**2) < 0.5 * np.mean(trivial**2)


def test_pickles_and_folders_give_the_same_bits(table, tmp_path):
    X, _ = table
    model = MatrixCompletion(bounds=(-4, 4)).fit(X)
    again = pickle.loads(pickle.dumps(model))
    model.save(tmp_path / "fit")
    loaded = MatrixCompletion.load(tmp_path / "fit")
    for other in (again, loaded):
        assert np.array_equal(other.transform(X), model.transform(X))
    assert loaded.get_params()["bounds"] == (-4, 4)


def test_it_goes_into_pipelines_searches_and_workers(table):
    X, truth = table
    y = truth[:, 0]
    pipe = make_pipeline(MatrixCompletion(method="soft-impute"), Ridge())
    grid = {"matrixcompletion__scaling": ["none", "table"]}
    search = GridSearchCV(pipe, grid, cv=2, n_jobs=2).fit(X, y)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    jobs = (joblib.delayed(MatrixCompletion(random_state=s).fit_transform)(X) for s in (0, 0))
    first, second = joblib.Parallel(n_jobs=2)(jobs)
    assert np.array_equal(first, second)


def test_a_contiguous_table_is_not_copied(table):
    X, _ = table
    assert _deepmf.address(X) == X.__array_interface__["data"][0]
    checked = MatrixCompletion()._table(X, reset=True)
    assert _deepmf.address(known(checked)) == X.__array_interface__["data"][0]


def test_parameters_are_refused_by_name(table):
    X, _ = table
    for given, words in [
        ({"depth": 0}, "depth must be 1 or more, but it is 0"),
        ({"method": "magic"}, "unknown variant `magic`"),
        ({"coverage": 2.0}, "coverage must be between 0 and 1, but it is 2"),
        ({"bounds": (3, 1)}, "LOW below HIGH"),
        ({"random_state": -1}, "random_state must be 0 or more"),
        ({"width": "wide"}, "must be as documented"),
    ]:
        with pytest.raises(ValueError, match=words):
            MatrixCompletion(**given).fit(X)
    with pytest.raises(ValueError, match="infinity"):
        MatrixCompletion().fit([[1.0, np.inf], [2.0, 3.0]])
    with pytest.raises(ValueError, match="must be 1 or more, but it is 0"):
        MatrixCompletion().fit(np.full((3, 3), np.nan))
    with pytest.raises(OSError, match="cannot read"):
        MatrixCompletion.load("nowhere")


def test_too_few_steps_are_warned_of(table):
    X, _ = table
    with pytest.warns(ConvergenceWarning, match="all steps were made"):
        model = MatrixCompletion(raw=True, max_iter=5).fit(X)
    assert model.stop_reason_ == "steps-done"
    assert model.n_iter_ == 5


def test_nothing_is_chosen_twice_for_one_seed(table):
    X, _ = table
    first, second = (MatrixCompletion(random_state=5).fit(X) for _ in range(2))
    assert np.array_equal(first.fill(X), second.fill(X))
    other = MatrixCompletion(random_state=6).fit(X)
    assert not np.array_equal(first.fill(X), other.fill(X))


def test_the_callback_hears_where_the_fit_is(table):
    X, _ = table
    heard = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        MatrixCompletion(raw=True, max_iter=20_000, tol=0, callback=heard.append).fit(X)
    assert heard and heard[-1].keys() == {"what", "done", "total", "step", "steps", "loss"}
    assert all(a["step"] <= b["step"] for a, b in zip(heard, heard[1:], strict=False))

    def refuse(stage):
        raise KeyError("enough")

    with pytest.raises(KeyError, match="enough"):
        MatrixCompletion(raw=True, max_iter=20_000_000, tol=0, callback=refuse).fit(X)


def test_a_notebook_sees_the_spectrum(table):
    X, _ = table
    assert "<svg" in MatrixCompletion().fit(X)._repr_html_()
