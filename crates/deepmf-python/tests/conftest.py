"""What several tests need."""

import os
import shutil

import pytest

from deepmf.datasets import make_completion


@pytest.fixture
def table():
    """A table of rank 2 with holes, and the truth."""
    return make_completion((30, 20), rank=2, n_observed=400, random_state=0)


@pytest.fixture
def program():
    """The program, where it was built."""
    path = os.environ.get("DEEPMF_PROGRAM") or shutil.which("deepmf")
    if not path:
        pytest.skip("DEEPMF_PROGRAM is not set")
    return path
