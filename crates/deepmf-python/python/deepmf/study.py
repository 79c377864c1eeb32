"""Experiments: the file of a run or a sweep, run from Python."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from os import PathLike, fspath
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import _deepmf

__all__ = ["Trial", "complete_spec", "run"]


@dataclass(frozen=True)
class Trial:
    """What came of one run of a sweep.

    Attributes
    ----------
    result : dict
        Its name, seed, varied values, outcome, and the numbers of its row of results.
    trajectory : dict of str to ndarray
        What was recorded along it.
    """

    result: dict[str, Any]
    trajectory: dict[str, NDArray[np.float64]] = field(repr=False)


def _read(spec: str | PathLike[str]) -> tuple[str, str]:
    """The text of an experiment, and the folder that its paths are seen from."""
    if isinstance(spec, str) and ("\n" in spec or "=" in spec):
        return spec, "."
    return Path(spec).read_text(encoding="utf-8"), fspath(Path(spec).parent)


def complete_spec(spec: str) -> str:
    """A spec with every default filled in.

    Parameters
    ----------
    spec : str
        The text of an experiment file.

    Returns
    -------
    str
        The same as TOML, defaults included.

    Examples
    --------
    >>> from deepmf.study import complete_spec
    >>> text = '''
    ... data.low-rank = { shape = [20, 20], rank = 2 }
    ... problem.mask.count = 200
    ... model.deep-linear = { depth = 3, init.gaussian.scale = 1e-3 }
    ... train.gradient-descent.rate = 0.5'''
    >>> "seed = 0" in complete_spec(text)
    True
    """
    return _deepmf.complete_spec(spec)


def run(
    spec: str | PathLike[str],
    *,
    folder: str | PathLike[str] | None = None,
    threads: int | None = None,
    resume: bool = False,
) -> list[Trial]:
    """Runs an experiment: all trials of a sweep, one a thread.

    Parameters
    ----------
    spec : str or path
        The text of an experiment file, or the path of one.
    folder : path, optional
        Where results and run folders are written; nothing is written if none is given.
    threads : int, optional
        Trials that run side by side; by default as many as the processor has threads.
    resume : bool, default=False
        Whether what the folder holds finished is not done again.

    Returns
    -------
    list of Trial
        In the order of the sweep.

    Examples
    --------
    >>> from deepmf.study import run
    >>> trials = run('''
    ... data.low-rank = { shape = [20, 20], rank = 1 }
    ... problem.mask.count = 250
    ... model.deep-linear = { depth = 2, init.gaussian.scale = 1e-3 }
    ... train.gradient-descent.rate = 0.5
    ... train.stop.steps = 200
    ... vary = [{ seed = [0, 1] }]''')
    >>> [trial.result["seed"] for trial in trials]
    [0, 1]
    """
    text, base = _read(spec)
    where = None if folder is None else fspath(folder)
    trials, stopped = _deepmf.run_experiment(text, base, where, threads, resume)
    if stopped:
        raise KeyboardInterrupt
    return [Trial(json.loads(words), dict(course)) for words, course in trials]
