"""The page about Python runs from top to bottom."""

import doctest
import pathlib

import pytest

PAGE = pathlib.Path(__file__).resolve().parents[3] / "docs" / "python.md"


@pytest.mark.filterwarnings("ignore")
def test_the_page_about_python_runs():
    result = doctest.testfile(str(PAGE), module_relative=False, encoding="utf-8")
    assert result.attempted > 30
    assert result.failed == 0
