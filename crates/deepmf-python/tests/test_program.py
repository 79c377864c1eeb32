"""The same spec gives the program's bits."""

import json
import subprocess

import numpy as np
import pytest

from deepmf import MatrixCompletion, MatrixSensing, Recommender, study
from deepmf.datasets import make_ratings, make_sensing


def run(program, *words):
    """Runs the program; it must not fail."""
    subprocess.run([program, "--quiet", *map(str, words)], check=True)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("given", "flags"),
    [
        ({}, ""),
        ({"depth": 3, "bounds": (-3, 3)}, "--depth 3 --bounds=-3,3"),
        ({"method": "soft-impute", "random_state": 2}, "--method soft-impute --seed 2"),
        ({"raw": True, "max_iter": 500, "width": 5}, "--raw --steps 500 --width 5"),
        ({"depth": [2, 3], "init_scale": 0.01, "offsets": False}, "--depth 2,3 --init-scale 0.01 --no-offsets"),
    ],
)
def test_a_completion_and_rows_folded_in(program, table, tmp_path, given, flags):
    X, _ = table
    np.save(tmp_path / "x.npy", X)
    np.save(tmp_path / "new.npy", X[:5])
    fit = ["complete", tmp_path / "x.npy", *flags.split(), "--run", tmp_path / "run"]
    run(program, *fit, "-o", tmp_path / "filled.npy")
    model = MatrixCompletion(**given).fit(X)
    assert np.array_equal(model.fill(X), np.load(tmp_path / "filled.npy"))
    known = ["complete", tmp_path / "new.npy", "--model", tmp_path / "run"]
    run(program, *known, "-o", tmp_path / "folded.npy")
    assert np.array_equal(model.transform(X[:5]), np.load(tmp_path / "folded.npy"))
    loaded = MatrixCompletion.load(tmp_path / "run")
    assert np.array_equal(loaded.transform(X), model.transform(X))


@pytest.mark.filterwarnings("ignore")
def test_what_is_told_has_the_keys_and_the_numbers_of_the_program(program, table, tmp_path):
    X, _ = table
    np.save(tmp_path / "x.npy", X)
    command = [program, "--quiet", "complete", str(tmp_path / "x.npy"), "--json"]
    told = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    summary = MatrixCompletion().fit(X).summary_
    assert told.pop("seconds") > 0
    assert {key: summary[key] for key in told} == told


@pytest.mark.filterwarnings("ignore")
def test_a_sensing(program, tmp_path):
    A, y, _ = make_sensing((8, 6), rank=1, n_measurements=40)
    np.save(tmp_path / "a.npy", A)
    np.save(tmp_path / "y.npy", y)
    files = [tmp_path / "a.npy", tmp_path / "y.npy"]
    run(program, "sense", *files, "--steps", 3000, "--depth", 2, "-o", tmp_path / "w.npy")
    model = MatrixSensing(max_iter=3000, depth=2).fit(A, y)
    assert np.array_equal(model.matrix_, np.load(tmp_path / "w.npy"))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("prefix", ["", "u"])
def test_a_recommender(program, tmp_path, prefix):
    X, y = make_ratings((40, 30), rank=2, n_ratings=700)
    users = [f"{prefix}{user}" for user in X[:, 0]]
    lines = [f"{user},{item},{rating:g}" for user, (_, item), rating in zip(users, X, y, strict=True)]
    (tmp_path / "r.csv").write_text("user,item,rating\n" + "\n".join(lines) + "\n")
    run(program, "recommend", "fit", tmp_path / "r.csv", "--rank", 3, "-o", tmp_path / "r.model")
    told = Recommender.load(tmp_path / "r.model")
    pairs = np.column_stack([users, X[:, 1].astype(str)])
    model = Recommender(rank=3).fit(pairs, y)
    for name in ("users_", "items_", "user_factors_", "item_factors_", "user_offsets_", "mean_"):
        assert np.array_equal(getattr(model, name), getattr(told, name)), name
    assert np.array_equal(model.predict(pairs), told.predict(pairs))


def test_an_experiment(program, tmp_path):
    spec = """
data.low-rank = { shape = [20, 20], rank = 2 }
problem.mask.count = 200
model.deep-linear = { depth = 3, init.gaussian.scale = 1e-2 }
train.gradient-descent.rate = 0.5
train.stop.steps = 300
"""
    (tmp_path / "spec.toml").write_text(spec)
    run(program, "run", tmp_path / "spec.toml", "--run", tmp_path / "run")
    expected = json.loads((tmp_path / "run" / "result.json").read_text())
    (trial,) = study.run(spec)
    for name in ("loss", "test_error", "effective_rank", "steps", "fingerprint", "seed"):
        assert trial.result[name] == expected[name], name
    assert len(trial.trajectory["step"]) > 0
