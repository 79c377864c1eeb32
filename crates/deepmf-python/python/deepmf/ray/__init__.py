"""Work that outgrows one machine, on Ray (``pip install deepmf[ray]``), which is imported when it is first needed."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ._completion import MatrixCompletion as MatrixCompletion
    from ._sweep import sweep as sweep

__all__ = ["MatrixCompletion", "sweep"]

# Loaded when they are used: a task of a sweep starts without scikit-learn.
_WHERE = {"MatrixCompletion": "_completion", "sweep": "_sweep"}


def __getattr__(name: str) -> Any:
    if name in _WHERE:
        return getattr(importlib.import_module(f".{_WHERE[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
