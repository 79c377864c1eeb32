"""The package as a whole: its import, its types, its examples, its memory, its panics."""

import doctest
import importlib
import os
import pathlib
import pkgutil
import subprocess
import sys
import time
import warnings

import numpy as np
import pytest

import deepmf
from deepmf import DeepmfError, MatrixCompletion
from deepmf.datasets import make_completion

MODULES = [module.name for module in pkgutil.iter_modules(deepmf.__path__) if module.name != "_deepmf"]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name):
    result = doctest.testmod(importlib.import_module(f"deepmf.{name}"))
    assert result.failed == 0


def test_every_public_name_has_an_example_or_belongs_to_one_that_has():
    silent = []
    names = ("MatrixCompletion", "MatrixSensing", "Recommender", "MultiViewClustering", "LightTransport")
    for name in names:
        if "Examples\n" not in (getattr(deepmf, name).__doc__ or ""):
            silent.append(name)
    for module in ("analysis", "datasets", "study", "ray"):
        for name in getattr(deepmf, module).__all__:
            item = getattr(getattr(deepmf, module), name)
            if callable(item) and not isinstance(item, type) and "Examples\n" not in (item.__doc__ or ""):
                silent.append(f"{module}.{name}")
    assert silent == []


def test_the_import_is_quick_and_takes_nothing_optional():
    code = (
        "import sys, time; t = time.perf_counter(); import deepmf; t = time.perf_counter() - t;"
        "print(t, [m for m in ('pandas', 'polars', 'torch', 'matplotlib', 'sklearn') if m in sys.modules])"
    )
    times = []
    for _ in range(3):
        out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        seconds, loaded = out.stdout.split(" ", 1)
        assert loaded.strip() == "[]"
        times.append(float(seconds))
    assert min(times) < 0.5


def test_a_hundred_fits_leak_nothing():
    X, _ = make_completion((40, 30), rank=2, n_observed=600)

    def resident():
        pages = pathlib.Path("/proc/self/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = MatrixCompletion(raw=True, max_iter=300)
        for _ in range(30):
            model.fit(X).transform(X)
        before = resident()
        for _ in range(100):
            model.fit(X).transform(X)
    assert resident() < 1.01 * before


def test_a_fit_lets_other_threads_run():
    from concurrent.futures import ThreadPoolExecutor

    X, _ = make_completion((300, 200), rank=4, n_observed=20_000)
    with ThreadPoolExecutor(1) as pool, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = pool.submit(MatrixCompletion(raw=True, max_iter=3000, tol=0).fit, X)
        turns = 0
        while not fit.done():
            time.sleep(0.001)
            turns += 1
        fit.result()
    assert turns > 20


def test_the_type_checker_agrees():
    mypy = pytest.importorskip("mypy.api")
    home = pathlib.Path(__file__).parent.parent
    config = ["--config-file", str(home / "pyproject.toml"), "--cache-dir", os.devnull]
    out, _, code = mypy.run([*config, "--no-incremental", str(home / "python" / "deepmf")])
    assert code == 0, out


def test_the_stub_says_what_the_module_has():
    from deepmf import _deepmf

    stub = (pathlib.Path(deepmf.__file__).parent / "_deepmf.pyi").read_text()
    names = [name for name in dir(_deepmf) if not name.startswith("__")]
    assert len(names) > 20
    missing = [name for name in names if f"def {name}(" not in stub and f"class {name}" not in stub]
    assert missing == []


def test_numbers_that_overflow_are_an_error_and_no_panic():
    assert issubclass(DeepmfError, RuntimeError)
    with pytest.raises(DeepmfError, match="must be finite"):
        deepmf.analysis.hessian_trace([np.full((2, 2), 1e200)] * 2, np.eye(2))
    with pytest.raises(ValueError, match="must have shape"):
        deepmf.analysis.sharpness([np.eye(2), np.eye(2)], np.eye(3))
    for wrong in (np.zeros((0, 0)), np.zeros((3, 0))):
        with pytest.raises(ValueError):
            MatrixCompletion().fit(wrong)
