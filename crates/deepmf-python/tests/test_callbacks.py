"""What callbacks write down can be read again."""

import struct
import sys
import types

import pytest

from deepmf import callbacks
from deepmf.callbacks import MLflow, TensorBoard, WandB

STAGES = [
    {"what": "depth 3", "done": 0, "total": 1, "step": step, "steps": 1000, "loss": 1 / step}
    for step in (1, 10, 300)
]


def test_the_checksum_is_that_of_the_standard():
    # The check value of CRC-32C, masked as a TFRecord masks it.
    crc = 0xE3069283
    assert callbacks._checksum(b"123456789") == ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def test_an_event_file_is_a_list_of_records_with_checksums(tmp_path):
    board = TensorBoard(tmp_path)
    for stage in STAGES:
        board(stage)
    data, events = board.path.read_bytes(), []
    while data:
        (size,) = struct.unpack("<Q", data[:8])
        assert struct.unpack("<I", data[8:12])[0] == callbacks._checksum(data[:8])
        event = data[12 : 12 + size]
        assert struct.unpack("<I", data[12 + size : 16 + size])[0] == callbacks._checksum(event)
        events.append(event)
        data = data[16 + size :]
    assert len(events) == 4
    assert b"brain.Event:2" in events[0]
    assert b"loss/depth 3" in events[1] and struct.pack("<f", 0.1) in events[2]


def test_tensorboard_reads_it(tmp_path):
    loader = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    board = TensorBoard(tmp_path)
    for stage in STAGES:
        board(stage)
    found = loader.EventAccumulator(str(tmp_path)).Reload()
    scalars = found.Scalars("loss/depth 3")
    assert [scalar.step for scalar in scalars] == [1, 10, 300]
    assert [round(scalar.value, 6) for scalar in scalars] == [1.0, 0.1, round(1 / 300, 6)]


def test_trackers_hear_the_loss(monkeypatch):
    heard = []
    fake = types.ModuleType("mlflow")
    fake.log_metric = lambda name, value, step: heard.append((name, value, step))
    monkeypatch.setitem(sys.modules, "mlflow", fake)
    MLflow()(STAGES[1])
    run = types.SimpleNamespace(log=lambda numbers: heard.append(numbers["loss"]))
    WandB(run)(STAGES[1])
    assert heard == [("loss", 0.1, 10), 0.1]
    monkeypatch.setitem(sys.modules, "mlflow", None)
    with pytest.raises(ImportError):
        MLflow()
