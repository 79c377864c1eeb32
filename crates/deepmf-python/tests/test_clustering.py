"""Clusters: scikit-learn's contract, inputs, the program's bits, errors."""

import pickle
import subprocess

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.metrics import adjusted_rand_score
from sklearn.utils.estimator_checks import check_estimator

from deepmf import MultiViewClustering
from deepmf.datasets import make_views

# Checks of scikit-learn that are expected to fail, and why; two at most. None is.
EXPECTED: dict[str, str] = {}


@pytest.fixture
def blobs():
    """Two views of 90 samples in three blobs, and their classes."""
    return make_views(90, [8, 12], n_clusters=3, random_state=0)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("given", [{}, {"method": "k-means"}])
def test_scikit_learn_finds_nothing_against_the_clusterer(given):
    model = MultiViewClustering(**given)
    checks = check_estimator(model, expected_failed_checks=EXPECTED, on_fail=None, on_skip=None)
    failed = [check["check_name"] for check in checks if check["status"] == "failed"]
    assert len(checks) > 40
    assert failed == []
    assert len(EXPECTED) <= 2


def test_views_are_clustered_and_new_samples_find_their_place(blobs):
    views, classes = blobs
    model = MultiViewClustering(3)
    assert adjusted_rand_score(classes[:60], model.fit_predict([v[:60] for v in views])) == 1.0
    assert adjusted_rand_score(classes[60:], model.predict([v[60:] for v in views])) == 1.0
    assert model.embedding_.shape == (60, 3)
    assert [len(weights) for weights in model.feature_weights_] == [8, 12]
    assert np.isclose(np.sum(model.view_weights_**2), 1) or model.view_weights_.sum() > 0
    assert model.n_iter_ >= 1 and len(model.trajectory_["objective"]) >= 1


def test_one_table_with_column_counts_is_the_list_of_its_views(blobs):
    views, _ = blobs
    listed = MultiViewClustering(3).fit(views)
    table = MultiViewClustering(3, views=[8, 12]).fit(np.hstack(views))
    named = MultiViewClustering(3).fit({"words": views[0], "links": views[1]})
    for other in (table, named):
        assert np.array_equal(other.embedding_, listed.embedding_)
    assert named.view_names_ == ["words", "links"]
    assert np.array_equal(table.predict(np.hstack(views)), listed.predict(views))


def test_frames_sparse_matrices_and_missing_samples_come_in(blobs):
    pd, sparse = pytest.importorskip("pandas"), pytest.importorskip("scipy.sparse")
    views, classes = blobs
    holed = [view.copy() for view in views]
    holed[0][:5] = np.nan
    model = MultiViewClustering(3).fit([pd.DataFrame(holed[0]), holed[1]])
    assert adjusted_rand_score(classes, model.labels_) == 1.0
    counts = np.abs(np.round(views[1]))
    dense = MultiViewClustering(3).fit([views[0], counts])
    stored = MultiViewClustering(3).fit([views[0], sparse.csr_matrix(counts)])
    assert adjusted_rand_score(dense.labels_, stored.labels_) == 1.0


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_pickles_files_and_clones_place_samples_alike(blobs, tmp_path):
    views, _ = blobs
    for method in ("dmfaw", "mvc-dmf-pa", "semi-nmf", "k-means", "k-means-best-view"):
        model = MultiViewClustering(3, method=method, random_state=4, max_iter=20).fit(views)
        model.save(tmp_path / "clusters")
        for other in (
            pickle.loads(pickle.dumps(model)),
            MultiViewClustering.load(tmp_path / "clusters"),
            clone(model).fit(views),
        ):
            assert np.array_equal(other.labels_, model.labels_), method
            assert np.array_equal(other.predict(views), model.predict(views)), method


def test_the_program_gives_the_same_bits(program, blobs, tmp_path):
    views, _ = blobs
    for name, view in zip("ab", views, strict=True):
        np.save(tmp_path / f"{name}.npy", view)
    files = [str(tmp_path / "a.npy"), str(tmp_path / "b.npy")]
    out = tmp_path / "out"
    words = ["--clusters", "3", "--seed", "5", "--repeats", "2", "-o", str(out)]
    subprocess.run([program, "--quiet", "cluster", *files, *words], check=True)
    rows = np.genfromtxt(out / "embedding.csv", delimiter=",", skip_header=1)
    labels = np.genfromtxt(out / "labels.csv", delimiter=",", skip_header=1)
    model = MultiViewClustering(3, repeats=2, random_state=5).fit(views)
    assert np.array_equal(model.embedding_, rows[:, 1:])
    assert np.array_equal(model.labels_, labels[:, 1])


def test_what_cannot_be_is_named(blobs):
    views, _ = blobs
    for given, words in [
        ({"views": [8, 11]}, "views must be column counts that add up to 20"),
        ({"views": [20, 0]}, "views must be column counts"),
        ({"method": "magic"}, "unknown variant `magic`"),
        ({"layers": [6]}, "layers must be a list that ends with 1"),
        ({"repeats": 0}, "repeats must be 1 or more"),
    ]:
        with pytest.raises(ValueError, match=words):
            MultiViewClustering(3, **given).fit(np.hstack(views))
    model = MultiViewClustering(3, method="spectral").fit(views)
    with pytest.raises(ValueError, match="method must be one that can place new samples"):
        model.predict(views)
    with pytest.raises(ValueError, match="number of views must be 2"):
        MultiViewClustering(3).fit(views).predict(views[:1])
    with pytest.raises(ValueError, match="samples, as `1` has"):
        MultiViewClustering(3).fit([views[0], views[1][:-1]])
