"""The pages about Python run from top to bottom."""

import doctest
import pathlib

import pytest

DOCS = pathlib.Path(__file__).resolve().parents[3] / "docs"
TUTORIALS = sorted(page.stem for page in (DOCS / "tutorials").glob("*.md"))


@pytest.mark.filterwarnings("ignore")
def test_the_page_about_python_runs():
    result = doctest.testfile(str(DOCS / "python.md"), module_relative=False, encoding="utf-8")
    assert result.attempted > 30
    assert result.failed == 0


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", TUTORIALS)
def test_a_tutorial_runs_and_draws_its_figures(name, tmp_path, monkeypatch):
    for package in ("matplotlib", "pandas"):
        pytest.importorskip(package)
    monkeypatch.setenv("MPLBACKEND", "agg")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "figures").mkdir()
    page = DOCS / "tutorials" / f"{name}.md"
    result = doctest.testfile(str(page), module_relative=False, encoding="utf-8")
    assert result.attempted > 15
    assert result.failed == 0
    drawn = sorted(path.name for path in (tmp_path / "figures").iterdir())
    assert drawn and all(f"figures/{name}" in page.read_text("utf-8") for name in drawn)


def test_every_application_has_a_tutorial():
    assert {"completion", "sensing", "dynamics", "ratings", "clustering", "light"} <= set(TUTORIALS)
