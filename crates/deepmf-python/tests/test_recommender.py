"""Ratings by label: predicted, ranked, folded in, kept."""

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score

from deepmf import MatrixSensing, Recommender
from deepmf.datasets import make_ratings, make_sensing, read

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture(scope="module")
def ratings():
    return make_ratings((80, 50), rank=2, n_ratings=2000, random_state=1)


def test_held_out_ratings_are_predicted_better_than_by_the_mean(ratings):
    X, y = ratings
    scores = cross_val_score(Recommender(), X, y, cv=3)
    assert scores.mean() > 0.2  # R² of the mean is 0


def test_every_form_of_ratings_gives_the_same_bits(ratings):
    X, y = ratings
    users, items = [f"u{u}" for u in X[:, 0]], [f"i{i}" for i in X[:, 1]]
    expected = Recommender(rank=2).fit(np.column_stack([users, items]), y)
    frame = pd.DataFrame({"user": users, "item": items, "rating": y})
    other = Recommender(rank=2).fit(frame)
    pairs = frame[["user", "item"]]
    assert np.array_equal(other.predict(pairs), expected.predict(pairs))
    sparse = pytest.importorskip("scipy.sparse").coo_array((y, X.T), shape=(80, 50))
    matrix = Recommender(rank=2).fit(sparse)
    assert np.isfinite(matrix.predict(X)).all() and len(matrix.users_) == 80


def test_recommended_is_what_was_not_rated_best_first(ratings):
    X, y = ratings
    model = Recommender().fit(X, y)
    user = X[0, 0]
    best = model.recommend(user, 5)
    rated = {str(item) for item in X[X[:, 0] == user, 1]}
    assert not rated & {item for item, _ in best}
    assert [score for _, score in best] == sorted((score for _, score in best), reverse=True)
    assert model.recommend("nobody", 3) == model.recommend(None, 3)
    assert len(model.similar(X[0, 1], 4)) == 4
    with pytest.raises(ValueError, match="an item must be one that was rated in the fit"):
        model.similar("nothing")


def test_intervals_hold_about_the_share_that_was_asked_for(ratings):
    X, y = ratings
    model = Recommender(validation=0.2).fit(X[:1500], y[:1500])
    lower, upper = model.predict_interval(X[1500:], coverage=0.8)
    assert 0.7 < np.mean((lower <= y[1500:]) & (y[1500:] <= upper)) < 0.9


def test_new_users_are_folded_in(ratings):
    X, y = ratings
    new = X[:, 0] >= 70
    model = Recommender().fit(X[~new], y[~new])
    before = model.predict(X[new])
    model.fold_in(X[new], y[new])
    after = model.predict(X[new])
    assert np.mean((after - y[new]) ** 2) < np.mean((before - y[new]) ** 2)
    assert str(X[new][0, 0]) in set(model.users_)


def test_it_is_kept_cloned_and_searched(ratings, tmp_path):
    X, y = ratings
    model = Recommender(rank=3, random_state=4).fit(X, y)
    model.save(tmp_path / "ratings.model")
    for other in (pickle.loads(pickle.dumps(model)), Recommender.load(tmp_path / "ratings.model")):
        assert np.array_equal(other.predict(X), model.predict(X))
    assert np.array_equal(clone(model).fit(X, y).predict(X), model.predict(X))
    search = GridSearchCV(Recommender(), {"rank": [1, 2]}, cv=2).fit(X, y)
    assert search.best_params_["rank"] in (1, 2)


def test_what_cannot_be_is_named(ratings):
    X, y = ratings
    for given, words in [
        ({"model": "magic"}, "unknown variant `magic`"),
        ({"validation": 2.0}, "validation must be from 0 to 0.9"),
        ({"levels": [1, 2, 3]}, "level"),
    ]:
        with pytest.raises(ValueError, match=words):
            Recommender(**given).fit(X, y)
    with pytest.raises(ValueError, match="given once"):
        Recommender().fit([["a", "b"], ["a", "b"]], [1.0, 2.0])
    with pytest.raises(ValueError, match="X must have 2 columns"):
        Recommender().fit(np.zeros((3, 4)), y[:3])


def test_a_matrix_is_recovered_from_measurements(tmp_path):
    A, y, truth = make_sensing((10, 8), rank=1, n_measurements=60)
    model = MatrixSensing().fit(A, y)
    assert np.abs(model.matrix_ - truth).max() < 0.05
    flat = MatrixSensing(shape=(10, 8)).fit(A.reshape(60, -1), y)
    assert np.array_equal(flat.matrix_, model.matrix_)
    assert np.allclose(model.predict(A), y, atol=0.05)
    again = pickle.loads(pickle.dumps(model))
    assert np.array_equal(again.predict(A), model.predict(A))
    with pytest.raises(ValueError, match="X must have the axes"):
        MatrixSensing().fit(A.reshape(60, -1), y)
    with pytest.raises(ValueError, match="60 numbers, one a operator"):
        MatrixSensing().fit(A, y[:-1])


def test_a_file_is_read_with_its_labels(tmp_path):
    (tmp_path / "r.csv").write_text("user,item,rating\nann,x,1\nbob,y,2\nann,y,3\n")
    table = read(tmp_path / "r.csv", triplets="user,item,rating")
    assert (table.row_labels, table.col_labels) == (["ann", "bob"], ["x", "y"])
    assert table.to_pandas().loc["ann", "y"] == 3
    assert table.to_scipy().nnz == 3
    with pytest.raises(OSError, match="cannot read"):
        read(tmp_path / "nothing.csv")
    (tmp_path / "bad.csv").write_text("a,b\n1,2\n3\n")
    with pytest.raises(ValueError, match="bad.csv:3"):
        read(tmp_path / "bad.csv")
