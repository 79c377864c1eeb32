"""Completion of 10⁷ entries from Parquet by two Ray actors and by one process: `python bench/ray/completion.py`.

Prints how far the answers differ, also after an actor was killed amid the run, seconds, and the resident memory of each
beyond that of an idle one (Ray's object store, which processes share, is left out).
"""

import os
import signal
import sys
import tempfile
import threading
import time
import warnings
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import ray

from deepmf.ray import MatrixCompletion

SHAPE = (60_000, 4_000)
GIVEN = {"width": 8, "validation": 0.02, "patience": 1000}


def resident(pid="self"):
    """Resident memory of a process in MB, without what Ray's object store shares among all."""
    lines = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return sum(int(lines[name].split()[0]) for name in ("RssAnon", "RssFile")) / 1e3


class Watch:
    """The largest resident memory of processes from `begin` on, looked at fifty times a second."""

    def __init__(self, pids):
        self.most, self.ended = dict.fromkeys(pids, 0.0), threading.Event()
        self.thread = threading.Thread(target=self.look)
        self.thread.start()

    def look(self):
        while not self.ended.wait(0.02):
            for pid in self.most:
                try:
                    self.most[pid] = max(self.most[pid], resident(pid))
                except (OSError, KeyError):
                    pass  # it was killed

    def end(self):
        self.ended.set()
        self.thread.join()
        return list(self.most.values())


def made(path, count):
    """Random cells, each once, of a noisy matrix of rank 4."""
    draws = np.random.default_rng(0)
    left, right = (draws.normal(size=(side, 4)) for side in SHAPE)
    cells = np.unique(draws.integers(0, SHAPE[0] * SHAPE[1], int(1.03 * count)))
    cells = np.sort(draws.permutation(cells)[:count])
    rows, cols = cells // SHAPE[1], cells % SHAPE[1]
    values = np.einsum("ek,ek->e", left[rows], right[cols]) / 2 + 0.3 * draws.normal(size=count)
    table = pa.table({"row": rows.astype(np.int32), "col": cols.astype(np.int32), "value": values})
    pq.write_table(table, path, row_group_size=1 << 18)
    return rows[::997].copy(), cols[::997].copy()


def alone(path, steps, shards, rows, cols, out):
    """The single process; in a process of its own, so that only its memory is measured."""
    import deepmf.ray._completion  # noqa: F401
    import pyarrow.dataset  # noqa: F401

    idle = resident()
    begun = time.perf_counter()
    watch = []
    model = MatrixCompletion(0, shards, max_iter=steps, checkpoint_every=max(1, steps // 4), **GIVEN)
    model.callback = lambda told: watch or watch.append(Watch([os.getpid()]))
    model.fit(path)
    seconds = time.perf_counter() - begun
    memory = watch[0].end()[0] - idle
    out.put((model.predict(rows, cols), model.validation_rmse_, seconds, memory))


def number(self):
    return os.getpid()


def numbers(model):
    return [ray.get(actor.__ray_call__.remote(number)) for actor in model._crew.actors]


def main():
    import multiprocessing

    warnings.simplefilter("ignore")
    count = int(float(sys.argv[1])) if len(sys.argv) > 1 else 10_000_000
    steps = int(sys.argv[2]) if len(sys.argv) > 2 else 60
    folder = tempfile.mkdtemp()
    path = os.path.join(folder, "ratings.parquet")
    rows, cols = made(path, count)
    print(f"{count} entries, {os.path.getsize(path) / 1e6:.0f} MB of Parquet, {steps} steps", flush=True)
    spawn = multiprocessing.get_context("spawn")
    answers = {}
    for shards in (1, 8):
        out = spawn.Queue()
        process = spawn.Process(target=alone, args=(path, steps, shards, rows, cols, out))
        process.start()
        answers[shards], error, seconds, memory = out.get()
        process.join()
        print(f"one process, {shards} shards: {seconds:.0f} s, validation {error:.6f}, {memory:.0f} MB beyond idle while it trains", flush=True)
        if shards == 1:
            single = memory
    print(f"1 and 8 shards differ by {np.abs(answers[1] - answers[8]).max():.1e}", flush=True)

    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)

    @ray.remote(num_cpus=1)
    class Idle:
        def memory(self):
            import deepmf.ray._worker  # noqa: F401
            import pyarrow.dataset  # noqa: F401

            return resident()

    idle = ray.get(Idle.remote().memory.remote())
    for kill in (False, True):
        model = MatrixCompletion(2, 8, max_iter=steps, checkpoint_every=max(1, steps // 4), **GIVEN)
        heard, watch = [], []

        def told(stage, model=model, heard=heard, watch=watch, kill=kill):
            heard.append(stage["steps"])
            if len(heard) == 1:
                watch.append(Watch(numbers(model)))
            if kill and len(heard) == 2:
                pid = numbers(model)[1]
                # Amid the steps after this checkpoint.
                threading.Timer(float(sys.argv[3]) if len(sys.argv) > 3 else 3.0, os.kill, (pid, signal.SIGKILL)).start()

        model.callback = told
        begun = time.perf_counter()
        model.fit(path)
        seconds = time.perf_counter() - begun
        same = np.array_equal(model.predict(rows, cols), answers[8])
        beyond = [most - idle for most in watch[0].end()]
        print(
            f"two actors{', one killed' if kill else ''}: {seconds:.0f} s, same bits as one process with 8 shards: {same}, "
            f"actors replaced: {model.n_restarts_}, MB beyond idle while they train: {[round(x) for x in beyond]}, "
            f"over the single process {max(beyond) / single:.2f}",
            flush=True,
        )
        model.close()
    ray.shutdown()


if __name__ == "__main__":
    main()
