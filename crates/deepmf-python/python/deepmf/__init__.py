"""Deep matrix factorization W = W_N … W_1: completion, sensing, recommenders, clusters, and what theory says of them.

The estimators follow scikit-learn. They are loaded when they are first used, so that the import is quick.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from . import _deepmf
from ._deepmf import DeepmfError

__version__: str = _deepmf.__version__

if TYPE_CHECKING:
    from . import analysis as analysis
    from . import callbacks as callbacks
    from . import datasets as datasets
    from . import plots as plots
    from . import ray as ray
    from . import study as study
    from ._torch import from_torch as from_torch
    from .clustering import MultiViewClustering as MultiViewClustering
    from .completion import MatrixCompletion as MatrixCompletion
    from .light import LightTransport as LightTransport
    from .recommender import Recommender as Recommender
    from .sensing import MatrixSensing as MatrixSensing

_WHERE = {
    "LightTransport": "light",
    "MatrixCompletion": "completion",
    "MatrixSensing": "sensing",
    "MultiViewClustering": "clustering",
    "Recommender": "recommender",
    "from_torch": "_torch",
}
_MODULES = ("analysis", "callbacks", "datasets", "plots", "ray", "study")

__all__ = [
    "DeepmfError",
    "LightTransport",
    "MatrixCompletion",
    "MatrixSensing",
    "MultiViewClustering",
    "Recommender",
    "analysis",
    "callbacks",
    "datasets",
    "from_torch",
    "plots",
    "ray",
    "study",
]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(f".{name}", __name__)
    if name in _WHERE:
        return getattr(importlib.import_module(f".{_WHERE[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
