"""What all estimators share: settings, seeds, progress, warnings, pickling."""

from __future__ import annotations

import copyreg
import json
import warnings
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state

from . import _deepmf

_UNFINISHED = ("diverged", "steps-done", "time-up")


def settings(**given: Any) -> str:
    """Settings as JSON; what is None is left to the library, which is the one place of defaults."""
    return json.dumps(
        {key.replace("_", "-"): value for key, value in given.items() if value is not None},
        default=_plain,
    )


def _plain(value: Any) -> Any:
    if isinstance(value, (np.generic, np.ndarray)):
        return value.tolist()
    raise TypeError(f"a setting must be a number, a word or a list, but it is {value!r}")


def several(value: Any) -> list[Any] | None:
    """One value or several, as a list."""
    if value is None:
        return None
    return list(value) if isinstance(value, Iterable) and not isinstance(value, str) else [value]


def seed(random_state: Any) -> int:
    """A seed; None is 0, so that the same call gives the same answer."""
    if random_state is None:
        return 0
    if isinstance(random_state, (int, np.integer)) and not isinstance(random_state, bool):
        if random_state < 0:
            raise ValueError(f"random_state must be 0 or more, but it is {random_state}")
        return int(random_state)
    return int(check_random_state(random_state).randint(0, 2**31 - 1))


def told(
    callback: Callable[[dict[str, Any]], object] | None, verbose: bool
) -> Callable[..., None] | None:
    """Who is told where a fit is: the callback, and with verbose a bar (tqdm if it is there, else a line)."""
    if callback is None and not verbose:
        return None
    show = _bar() if verbose else None

    def tell(what: str, done: int, total: int, step: int, steps: int, loss: float) -> None:
        if show is not None:
            show(what, done, total, loss)
        if callback is not None:
            names = ("what", "done", "total", "step", "steps", "loss")
            callback(dict(zip(names, (what, done, total, step, steps, loss), strict=True)))

    return tell


def _bar() -> Callable[[str, int, int, float], None]:
    try:
        from tqdm.auto import tqdm
    except ImportError:
        return lambda what, done, total, loss: print(f"{done}/{total} {what}: loss {loss:.3e}")
    bar = tqdm(total=0, leave=False)

    def show(what: str, done: int, total: int, loss: float) -> None:
        bar.total, bar.n = total, done
        bar.set_description(what, refresh=False)
        bar.set_postfix(loss=f"{loss:.3e}")

    return show


def warn(summary: Mapping[str, Any]) -> None:
    """Warns of a fit that did not end by itself, and of what the data show."""
    if summary["stop_reason"] in _UNFINISHED:
        warnings.warn(summary["stop_words"], ConvergenceWarning, stacklevel=3)
    for words in summary.get("warnings", ()):
        warnings.warn(words, UserWarning, stacklevel=3)


def _completed(words: bytes, tensors: bytes) -> _deepmf.Completed:
    return _deepmf.completed_of(words, tensors)


def _recommender(data: bytes) -> _deepmf.Recommender:
    return _deepmf.recommender_of(data)


def _clustered(data: bytes) -> _deepmf.Clustered:
    return _deepmf.clustered_of(data)


copyreg.pickle(_deepmf.Clustered, lambda it: (_clustered, (it.state(),)))
copyreg.pickle(_deepmf.Completed, lambda it: (_completed, it.state()))
copyreg.pickle(_deepmf.Recommender, lambda it: (_recommender, (it.state(),)))
