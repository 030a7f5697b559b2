"""The notebook of the documentation runs, and its outputs are up to date."""

from __future__ import annotations

import importlib.util
from typing import Any

import nbformat
import pytest

from planner.engine import active_kernel
from tests.conftest import ROOT

NOTEBOOK = ROOT / "docs" / "notebook.ipynb"


def run_notebook() -> Any:
    """The module docs/run_notebook.py."""
    spec = importlib.util.spec_from_file_location("run_notebook", ROOT / "docs" / "run_notebook.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
@pytest.mark.skipif(not active_kernel().compiled, reason="uncompiled, all cells take minutes")
def test_the_notebook_shows_what_its_cells_print(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    run = run_notebook()
    notebook = nbformat.read(NOTEBOOK, as_version=4)  # type: ignore[no-untyped-call,unused-ignore]
    assert run.outputs(run.executed(NOTEBOOK)) == run.outputs(notebook), "run: python docs/run_notebook.py"
    assert sum(bool(outputs) for outputs in run.outputs(notebook)) >= 6
