"""Callbacks that write down where a fit is: event files of TensorBoard, MLflow, Weights & Biases.

A callback is called with a dictionary: `what` is fitted, how many parts are `done` of the `total`, the `step` of the `steps`, the `loss`.
"""

from __future__ import annotations

import os
import struct
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

__all__ = ["MLflow", "TensorBoard", "WandB"]


def _table() -> list[int]:
    """CRC-32C (Castagnoli), a byte at a time."""
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = (byte >> 1) ^ (0x82F63B78 if byte & 1 else 0)
        table.append(byte)
    return table


_CRC = _table()


def _checksum(data: bytes) -> int:
    """The masked CRC-32C of a TFRecord."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = _CRC[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _field(number: int, data: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(data)) + data


class TensorBoard:
    """Writes the loss as an event file, which TensorBoard shows; it need not be installed.

    Parameters
    ----------
    folder : path
        Where the file is made.

    Examples
    --------
    >>> import tempfile
    >>> from deepmf import MatrixSensing
    >>> from deepmf.callbacks import TensorBoard
    >>> from deepmf.datasets import make_sensing
    >>> A, y, _ = make_sensing((8, 8), rank=1, n_measurements=50)
    >>> board = TensorBoard(tempfile.mkdtemp())
    >>> model = MatrixSensing(callback=board).fit(A, y)
    >>> board.path.stat().st_size > 50
    True
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        where = Path(folder)
        where.mkdir(parents=True, exist_ok=True)
        name = f"events.out.tfevents.{int(time.time())}.deepmf.{os.getpid()}.{time.monotonic_ns()}"
        self.path = where / name
        self._write(_field(3, b"brain.Event:2"))

    def __call__(self, stage: Mapping[str, Any]) -> None:
        """Writes one loss, under the name of what is fitted."""
        tag = f"loss/{stage['what']}"
        value = _field(1, tag.encode()) + b"\x15" + struct.pack("<f", stage["loss"])
        step = b"\x10" + _varint(int(stage["step"]))
        self._write(step + _field(5, _field(1, value)))

    def _write(self, event: bytes) -> None:
        event = b"\x09" + struct.pack("<d", time.time()) + event
        length = struct.pack("<Q", len(event))
        sums = (struct.pack("<I", _checksum(part)) for part in (length, event))
        with self.path.open("ab") as file:
            file.write(length + next(sums) + event + next(sums))


class MLflow:
    """Logs the loss to the active run of MLflow.

    Raises
    ------
    ImportError
        If MLflow is not installed.
    """

    def __init__(self) -> None:
        import mlflow

        self._log = mlflow.log_metric

    def __call__(self, stage: Mapping[str, Any]) -> None:
        """Logs one loss."""
        self._log("loss", stage["loss"], step=stage["step"])


class WandB:
    """Logs the loss to a run of Weights & Biases.

    Parameters
    ----------
    run : wandb run, optional
        The run; the active one if none.

    Raises
    ------
    ImportError
        If no run is given and wandb is not installed.
    """

    def __init__(self, run: Any = None) -> None:
        if run is None:
            import wandb

            run = wandb
        self._run = run

    def __call__(self, stage: Mapping[str, Any]) -> None:
        """Logs one loss."""
        self._run.log({"loss": stage["loss"], "step": stage["step"], "what": stage["what"]})
