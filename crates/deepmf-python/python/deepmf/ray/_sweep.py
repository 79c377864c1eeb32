"""A sweep on Ray: trials by the hundred a task, results appended to one file as they come."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from os import PathLike
from pathlib import Path
from typing import Any

from .. import _deepmf
from ..study import Trial, _read

# Trials of a task at most: one alone may take a millisecond, which is less than what a task costs.
MOST = 100
# Tasks for each processor, where there are enough trials, so that none waits long for the last one.
TASKS = 4


def sweep(
    spec: str | PathLike[str],
    store: str | PathLike[str] | None = None,
    *,
    pack: int | None = None,
    options: dict[str, Any] | None = None,
) -> list[Trial]:
    """Runs all trials of an experiment on a Ray cluster.

    A trial gives the same bits as in `deepmf.study.run`. Ray is started on this machine if it does not run.

    Parameters
    ----------
    spec : str or path
        The text of an experiment file, or the path of one. Files that it names must be there on every machine.
    store : path, optional
        A file of JSON lines, one a trial, to which results are appended as they come. What it holds finished already, by
        the fingerprint of the trial, is not done again; a line that was torn is.
    pack : int, optional
        Trials of one task; at most 100, and so that each processor gets four tasks, if None.
    options : dict, optional
        Options of the Ray tasks, such as ``{"num_cpus": 2}``; a task has one processor if they do not say.

    Returns
    -------
    list of Trial
        In the order of the sweep, without their trajectories.

    Raises
    ------
    ImportError
        If Ray is not installed.

    Examples
    --------
    >>> from deepmf.ray import sweep
    >>> trials = sweep("sweep.toml", "results.jsonl")  # doctest: +SKIP
    """
    if pack is not None and pack < 1:
        raise ValueError(f"pack must be 1 or more, but it is {pack}")
    text, base = _read(spec)
    fingerprints = [fingerprint for _, fingerprint in _deepmf.trials(text, base)]
    results = {} if store is None else _stored(Path(store))
    missing = [place for place, it in enumerate(fingerprints) if it not in results]
    if missing:
        for lines in _run(text, os.path.abspath(base), missing, pack, options or {}):
            if store is not None:
                _append(Path(store), lines)
            for line in lines:
                result = json.loads(line)
                results[result["fingerprint"]] = result
    return [Trial(results[it], {}) for it in fingerprints]


def _run(
    text: str, base: str, places: list[int], pack: int | None, options: dict[str, Any]
) -> Iterator[list[str]]:
    """The results of packs, as they come."""
    import ray

    if not ray.is_initialized():
        ray.init()
    processors = max(1, int(ray.cluster_resources().get("CPU", 1)))
    size = pack or max(1, min(MOST, -(-len(places) // (TASKS * processors))))
    task = ray.remote(_pack).options(**{"num_cpus": 1, **options})
    threads = max(1, int(options.get("num_cpus", 1)))
    spec = ray.put(text)
    packs = (places[low : low + size] for low in range(0, len(places), size))
    waiting = [task.remote(spec, base, pack, threads) for pack in packs]
    try:
        while waiting:
            done, waiting = ray.wait(waiting)
            for lines in ray.get(done):
                yield lines
    finally:
        for left in waiting:
            ray.cancel(left)


def _pack(text: str, base: str, places: list[int], threads: int) -> list[str]:
    """Runs some trials of an experiment; a line of JSON for each."""
    trials, stopped = _deepmf.run_experiment(text, base, None, threads, False, places)
    if stopped:
        raise KeyboardInterrupt
    return [words for words, _ in trials]


def _stored(path: Path) -> dict[str, dict[str, Any]]:
    """The finished results of a store by their fingerprints."""
    results: dict[str, dict[str, Any]] = {}
    if not path.exists():
        return results
    text = path.read_bytes()
    whole = text[: text.rfind(b"\n") + 1]
    if len(whole) < len(text):
        # What was torn when an earlier run ended would spoil the line after it.
        os.truncate(path, len(whole))
    for number, line in enumerate(whole.decode().splitlines(), start=1):
        try:
            result = json.loads(line)
            fingerprint, outcome = result["fingerprint"], result["outcome"]
        except (ValueError, KeyError, TypeError):
            raise ValueError(
                f"{path}:{number}: must be a result of a trial, but it is {line[:60]!r}"
            ) from None
        if outcome in ("done", "found"):
            results[fingerprint] = result
    return results


def _append(path: Path, lines: list[str]) -> None:
    with path.open("ab") as file:
        file.write("".join(f"{line}\n" for line in lines).encode())
        file.flush()
        os.fsync(file.fileno())
