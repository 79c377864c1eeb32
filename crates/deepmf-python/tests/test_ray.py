"""Work on Ray is the work of one process; skipped where Ray is not installed."""

import json

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

from deepmf import study
from deepmf.datasets import make_completion
from deepmf.ray import MatrixCompletion, sweep

SWEEP = """
data.low-rank = { shape = [20, 20], rank = 1 }
problem.mask.count = 250
model.deep-linear = { depth = 2, init.gaussian.scale = 1e-3 }
train.gradient-descent.rate = 0.5
train.stop.steps = 100
vary = [{ seed = [0, 1, 2, 3, 4, 5, 6], "model.deep-linear.depth" = [2, 3] }]
"""


@pytest.fixture(scope="module")
def cluster():
    """A cluster of two workers on this machine."""
    ray = pytest.importorskip("ray", reason="Ray is not installed")
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, configure_logging=False)
    yield ray
    ray.shutdown()


def timeless(result):
    return {key: value for key, value in result.items() if key != "seconds"}


def test_a_sweep_is_the_sweep_of_one_process_and_goes_on_from_its_store(cluster, tmp_path):
    store = tmp_path / "results.jsonl"
    local = [timeless(trial.result) for trial in study.run(SWEEP)]
    assert [timeless(trial.result) for trial in sweep(SWEEP, store, pack=3)] == local
    lines = store.read_text().splitlines()
    assert len(lines) == 14
    # Four results, the last one torn.
    store.write_text("\n".join(lines[:4])[:-10])
    kept = [json.loads(line) for line in lines[:3]]
    again = sweep(SWEEP, store)
    assert [timeless(trial.result) for trial in again] == local
    assert len(store.read_text().splitlines()) == 14
    seconds = {trial.result["fingerprint"]: trial.result["seconds"] for trial in again}
    assert all(seconds[result["fingerprint"]] == result["seconds"] for result in kept)


def test_what_is_no_store_is_refused_before_ray_is_asked(tmp_path):
    store = tmp_path / "results.jsonl"
    store.write_text("nothing\n")
    with pytest.raises(ValueError, match="results.jsonl:1: must be a result of a trial"):
        sweep(SWEEP, store)
    with pytest.raises(ValueError, match="pack must be 1 or more"):
        sweep(SWEEP, pack=0)


@pytest.fixture(scope="module")
def ratings(tmp_path_factory):
    """Entries of a table of rank 2 in Parquet, their rows and columns, and the truth."""
    pa, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    X, truth = make_completion((200, 60), rank=2, n_observed=4000, random_state=0)
    rows, cols = np.nonzero(~np.isnan(X))
    order = np.random.default_rng(0).permutation(len(rows))
    rows, cols = rows[order], cols[order]
    path = tmp_path_factory.mktemp("ratings") / "ratings.parquet"
    table = pa.table({"row": rows, "col": cols, "value": X[rows, cols]})
    parquet.write_table(table, path, row_group_size=700)
    return path, rows, cols, truth


GIVEN = {"width": 4, "max_iter": 120, "checkpoint_every": 40}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_the_answer_does_not_depend_on_the_shards(ratings):
    path, rows, cols, _ = ratings
    one, many = (
        MatrixCompletion(0, count, **GIVEN).fit(path).predict(rows, cols) for count in (1, 7)
    )
    assert np.abs(one - many).max() < 1e-10
    apart = MatrixCompletion(0, 7, **{**GIVEN, "checkpoint_every": 1000}).fit(path)
    assert np.array_equal(apart.predict(rows, cols), many)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_table_is_completed_and_it_is_said_how_well(ratings):
    path, _, _, truth = ratings
    told = []
    model = MatrixCompletion(0, 2, width=4, validation=0.1, max_iter=400, callback=told.append).fit(path)
    cells = np.indices(truth.shape).reshape(2, -1)
    error = np.sqrt(np.mean((model.predict(*cells) - truth.ravel()) ** 2))
    assert error < 0.2 < truth.std() and 0.3 < error / model.validation_rmse_ < 3
    assert told[-1]["steps"] == model.n_iter_ and told[-1]["stop_reason"] == model.stop_reason_


def test_actors_give_the_bits_of_one_process_and_one_that_is_lost_is_replaced(cluster, ratings):
    path, rows, cols, _ = ratings
    with pytest.warns(ConvergenceWarning):
        here = MatrixCompletion(0, 4, **GIVEN).fit(path).predict(rows, cols)
    lost = []

    def lose(told):
        if not lost:
            lost.append(told["steps"])
            cluster.kill(model._crew.actors[1])

    model = MatrixCompletion(2, 4, callback=lose, **GIVEN)
    with pytest.warns(ConvergenceWarning):
        model.fit(path)
    assert (lost, model.n_restarts_) == ([40], 1)
    assert np.array_equal(model.predict(rows, cols), here)
    model.close()


def test_what_cannot_be_completed_is_named(ratings, tmp_path):
    path, *_ = ratings
    for given, words in [
        ({"n_shards": 0}, "n_shards must be 1 or more"),
        ({"n_shards": 201}, "n_shards must be 200 or less"),
        ({"depth": 1}, "depth must be 2 or more"),
        ({"columns": ("row", "col", "stars")}, "must have the columns"),
        ({"checkpoint_every": 0}, "checkpoint_every must be 1 or more"),
    ]:
        with pytest.raises(ValueError, match=words):
            MatrixCompletion(0, **given).fit(path)
    with pytest.raises(ValueError, match="rows must be from 0 to 199"):
        MatrixCompletion(0, 1, **{**GIVEN, "max_iter": 1}).fit(path).predict([200], [0])
