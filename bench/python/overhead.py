"""What a fit through Python costs beyond the program's: `DEEPMF_PROGRAM=target/release/deepmf python bench/python/overhead.py`.

By turns, medians of nine: the time of the program for a completion of about one second, and that of the same fit in Python, on one
thread each: by the clock, and of the processor, which other work on the machine disturbs less. Both give the same bits.
"""

import json
import os
import resource
import statistics
import subprocess
import tempfile
import time
import warnings

import numpy as np

from deepmf import MatrixCompletion
from deepmf.datasets import make_completion

STEPS = int(os.environ.get("STEPS", "2400"))


def main():
    warnings.simplefilter("ignore")
    X, _ = make_completion((100, 100), rank=5, n_observed=2000, random_state=0)
    folder = tempfile.mkdtemp()
    np.save(f"{folder}/x.npy", X)
    words = f"--raw --steps {STEPS} --loss-below 0 --width 100 --json --quiet -o {folder}/filled.npy"
    command = [os.environ["DEEPMF_PROGRAM"], "complete", f"{folder}/x.npy", *words.split()]
    environment = {**os.environ, "RAYON_NUM_THREADS": "1"}
    rows = []
    for _ in range(9):
        begun, spent = time.perf_counter(), children()
        out = subprocess.run(command, check=True, capture_output=True, env=environment).stdout
        program = time.perf_counter() - begun, children() - spent
        begun, spent = time.perf_counter(), time.process_time()
        model = MatrixCompletion(raw=True, max_iter=STEPS, tol=0.0, width=100).fit(X)
        filled = model.fill(X)
        rows.append((*program, time.perf_counter() - begun, time.process_time() - spent))
    assert json.loads(out)["steps"] == STEPS
    assert np.array_equal(filled, np.load(f"{folder}/filled.npy"))
    for name, a, b in (("by the clock", 0, 2), ("of the processor", 1, 3)):
        ratios = [row[b] / row[a] - 1 for row in rows]
        medians = [statistics.median(row[at] for row in rows) for at in (a, b)]
        print(f"{name}: program {medians[0]:.3f} s, Python {medians[1]:.3f} s, ratio by turns {statistics.median(ratios):+.1%}")


def children():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
