"""Ctrl-C stops within a second, and leaves what was reached."""

import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest

BEGIN = """
import warnings; warnings.simplefilter("ignore")
import numpy as np
from deepmf import MatrixCompletion, MatrixSensing, Recommender, study
from deepmf.analysis import gradient_flow, nuclear_norm_minimization
from deepmf.datasets import make_completion, make_ratings, make_sensing
X, truth = make_completion((400, 300), rank=8, n_observed=30_000)
print("begun", flush=True)
"""

WORK = {
    "descent": """
model = MatrixCompletion(raw=True, max_iter=10**9, tol=0)
try: model.fit(X)
except KeyboardInterrupt: print("stopped", flush=True); print(model.stop_reason_, np.isfinite(model.transform(X)).all())
""",
    "flow": """
model = MatrixCompletion(tol=0)
try: model.fit(X)
except KeyboardInterrupt: print("stopped", flush=True); print(model.stop_reason_, np.isfinite(model.transform(X)).all())
""",
    "sensing": """
A, y, _ = make_sensing((30, 30), rank=2, n_measurements=500)
model = MatrixSensing(max_iter=10**9, tol=0, holdout=0)
try: model.fit(A, y)
except KeyboardInterrupt: print("stopped", flush=True); print(model.stop_reason_, np.isfinite(model.matrix_).all())
""",
    "recommender": """
pairs, y = make_ratings((3000, 2000), rank=5, n_ratings=300_000)
model = Recommender(rank=20, sweeps=10**9, validation=0)
try: model.fit(pairs, y)
except KeyboardInterrupt: print("stopped", flush=True); print(model.stop_reason_, np.isfinite(model.predict(pairs)).all())
""",
    "nuclear norm": """
X, _ = make_completion((1500, 1500), rank=60, n_observed=700_000)
try: nuclear_norm_minimization(X, gap=1e-15, max_iter=10**9)
except KeyboardInterrupt: print("stopped", flush=True); print("interrupted", True)
""",
    "experiment": """
try: study.run('''
data.low-rank = { shape = [100, 100], rank = 2 }
problem.mask.count = 2000
model.deep-linear = { depth = 3, init.gaussian.scale = 1e-3 }
train.gradient-descent.rate = 1e-3
train.stop.steps = 1000000000
vary = [{ seed = [0, 1, 2, 3] }]''')
except KeyboardInterrupt: print("stopped", flush=True); print("interrupted", True)
""",
}


def seconds(worker):
    """Processor time of a process: what others take of the machine does not count."""
    fields = pathlib.Path(f"/proc/{worker.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.parametrize("name", WORK)
def test_the_work_stops_and_what_was_reached_is_there(name):
    command = [sys.executable, "-c", BEGIN + WORK[name]]
    worker = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert worker.stdout is not None
    assert worker.stdout.readline() == "begun\n"
    time.sleep(3.0)
    assert worker.poll() is None, "the work was too short to be stopped"
    begun = seconds(worker)
    os.kill(worker.pid, signal.SIGINT)
    stopped = worker.stdout.readline()
    took = seconds(worker) - begun
    said = worker.stdout.readline()
    worker.kill()
    worker.wait()
    assert (stopped, said) == ("stopped\n", "interrupted True\n")
    # A second of all processors.
    assert took < os.cpu_count()
