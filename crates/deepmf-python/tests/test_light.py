"""Light transport: shapes, the program's bits, errors."""

import json
import pickle
import subprocess

import numpy as np
import pytest
from sklearn.base import clone

from deepmf import LightTransport
from deepmf.datasets import make_scene

QUICK = {"size": "eighth"}


@pytest.fixture
def product():
    """T, L and T·L of 16 x 12 and 12 x 24."""
    transport = 1 / (1 + (np.arange(16)[:, None] - 1.3 * np.arange(12)) ** 2)
    light = ((np.arange(12)[:, None] + np.arange(24) // 2) % 5 == 0) + 0.1
    return transport, light, transport @ light


def quick(**given):
    return LightTransport(inner=12, seeds=2, max_iter=40, settings=QUICK, random_state=3, **given)


def test_a_matrix_is_written_as_a_product_from_the_best_of_several_seeds(product):
    _, light, observed = product
    model = quick().fit(observed)
    found = np.linalg.norm(observed - model.transport_ @ model.light_) / np.linalg.norm(observed)
    assert found == pytest.approx(model.product_error_, rel=1e-3)
    trials = model.summary_["trials"]
    assert [trial["seed"] for trial in trials] == [3, 4]
    assert model.held_out_error_ == min(trial["held_out_error"] for trial in trials)
    assert -1 <= model.compare(light)["correlation"] <= 1
    assert model.compare(model.light_[::-1])["flip"] == "up-down"
    assert model.compare(model.light_[::-1])["correlation"] == pytest.approx(1)


def test_the_same_seed_gives_the_same_bits_and_copies_carry_what_was_found(product):
    model = quick().fit(product[2])
    again = pickle.loads(pickle.dumps(clone(model).fit(product[2])))
    assert np.array_equal(model.light_, again.light_)
    assert np.array_equal(model.transport_, again.transport_)


def test_the_answer_is_that_of_the_program(product, program, tmp_path):
    np.save(tmp_path / "z.npy", product[2])
    words = "--inner 12 --seeds 2 --steps 40 --size eighth --seed 3 --json --quiet".split()
    command = [program, "transport", "matrix", "z.npy", *words, "-o", "out"]
    told = subprocess.run(command, check=True, capture_output=True, cwd=tmp_path, text=True).stdout
    model = quick().fit(product[2])
    assert json.loads(told)["product_error"] == model.product_error_
    assert json.loads(told)["held_out_error"] == model.held_out_error_


def test_a_video_gives_a_video():
    seen, shown, transport = make_scene((12, 16), (8, 8), 20)
    model = LightTransport((8, 8), seeds=1, max_iter=3).fit(seen)
    assert model.light_.shape == shown.shape
    assert model.transport_.shape == (12, 16, 8, 8)
    colours = LightTransport((8, 8), seeds=1, max_iter=2).fit(np.stack([seen] * 3, axis=-1))
    assert colours.light_.shape == (*shown.shape, 3)
    assert set(model.compare(shown)) == {"correlation", "psnr", "ssim", "flip"}
    ideal = transport @ shown.reshape(20, -1).T
    assert np.corrcoef(ideal.ravel(), seen.reshape(20, -1).T.ravel())[0, 1] > 0.9


def test_what_cannot_be_is_said(product):
    for given, words in [
        ({"preset": "slow"}, "preset must be `fast` or `published`"),
        ({"seeds": 0}, "seeds must be 1 or more"),
        ({"settings": {"colour": 1}}, "colour"),
    ]:
        with pytest.raises(ValueError, match=words):
            LightTransport(**given).fit(product[2])
    with pytest.raises(ValueError, match="2, 3 or 4 axes"):
        LightTransport().fit(np.ones(9))
    with pytest.raises(ValueError, match="same in every column"):
        LightTransport().fit(np.ones((9, 9)))
    with pytest.raises(ValueError, match="multiple"):
        LightTransport((7, 8)).fit(make_scene((12, 16), (8, 8), 20)[0])


def test_images_of_least_variation_are_the_default_of_a_matrix(product, program, tmp_path):
    _, light, observed = product
    model = LightTransport(inner=12, starts=6, random_state=3).fit(observed)
    trials = model.summary_["trials"]
    assert model.agreement_ == max(trial["agreement"] for trial in trials)
    assert model.objective_ in [trial["objective"] for trial in trials]
    assert model.held_out_error_ is None
    assert len(trials) == 6
    np.save(tmp_path / "z.npy", observed)
    words = "--inner 12 --starts 6 --seed 3 --json --quiet".split()
    command = [program, "transport", "matrix", "z.npy", *words]
    told = subprocess.run(command, check=True, capture_output=True, cwd=tmp_path, text=True).stdout
    assert json.loads(told)["objective"] == model.objective_
    assert -1 <= model.compare(light)["correlation"] <= 1
    for given, words in [
        ({"method": "variation", "seeds": 2}, "seeds must be None with variation"),
        ({"method": "decoders", "starts": 2}, "starts must be None with decoders"),
        ({"method": "sparse", "rate": 0.1}, "rate must be None with sparse"),
        ({"method": "magic"}, "method must be `variation`, `sparse` or `decoders`, but it is magic"),
    ]:
        with pytest.raises(ValueError, match=words):
            LightTransport(inner=12, **given).fit(observed)
    with pytest.raises(ValueError, match="method must be `decoders` for a video"):
        LightTransport((8, 8), method="variation").fit(np.ones((9, 4, 4)))


def test_a_sparse_light_is_searched_for(product):
    _, light, observed = product
    settings = {"rounds": 3, "by-size": 1, "round-steps": 50, "last": 2, "images": {"refined": 4}}
    model = LightTransport(inner=12, method="sparse", starts=5, settings=settings).fit(observed)
    trials = model.summary_["trials"]
    assert len(trials) == 2
    assert model.objective_ == min(trial["objective"] for trial in trials)
    assert model.light_.shape == light.shape
    with pytest.raises(ValueError, match="by-size must be below rounds, which is 3, but it is 3"):
        LightTransport(inner=12, method="sparse", settings={**settings, "by-size": 3}).fit(observed)
