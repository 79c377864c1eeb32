"""A sweep of 1,000 trials on Ray, by one worker and by two, by turns: `RAY_worker_niceness=0 python bench/ray/sweep.py`.

Seconds of each, the ratio of the best, and whether all results agree with those of the local sweep.
"""

import sys
import time

import ray

from deepmf import study
from deepmf.ray import sweep

SPEC = """
data.low-rank = { shape = [30, 30], rank = 2 }
problem.mask.count = 450
model.deep-linear = { depth = 3, init.gaussian.scale = 1e-2 }
train.group-rms-prop.rate = 1e-3
train.stop.steps = 1000
train.stop.loss-below = 0.0
train.record.every = 1000
vary = [{ seed = [SEEDS] }]
"""


def spec(trials):
    return SPEC.replace("SEEDS", ", ".join(map(str, range(trials))))


def timeless(trials):
    return [{k: v for k, v in trial.result.items() if k != "seconds"} for trial in trials]


def main():
    trials = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    seconds, results = {1: [], 2: []}, []
    for workers in (1, 2) * 3:
        ray.init(num_cpus=workers, include_dashboard=False, log_to_driver=False)
        sweep(spec(4 * workers), pack=1)  # workers start
        begun = time.perf_counter()
        found = sweep(spec(trials))
        seconds[workers].append(time.perf_counter() - begun)
        own = sum(trial.result["seconds"] for trial in found)
        print(f"{workers} workers: {seconds[workers][-1]:.1f} s, trials alone {own:.1f} s", flush=True)
        results.append(timeless(found))
        ray.shutdown()
    local = timeless(study.run(spec(trials)))
    print("ratio of the best", round(min(seconds[1]) / min(seconds[2]), 2))
    print("identical", all(result == local for result in results))


if __name__ == "__main__":
    main()
