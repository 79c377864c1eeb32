"""Work that outgrows one machine, on Ray (``pip install deepmf[ray]``), which is imported when it is first needed."""

from __future__ import annotations

from ._completion import MatrixCompletion
from ._sweep import sweep

__all__ = ["MatrixCompletion", "sweep"]
