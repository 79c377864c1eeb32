"""Work on Ray is the work of one process; skipped where Ray is not installed."""

import json

import pytest

from deepmf import study
from deepmf.ray import sweep

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
