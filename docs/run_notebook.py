"""Run a notebook from its first cell to its last: a file in, its text with fresh outputs out.

    python docs/run_notebook.py [--check]    notebook.ipynb; --check writes nothing and exits 1 if it has drifted

Data that differs between machines is removed, so that the file changes only with its cells or their outputs.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

SECONDS = 120
"""Most time for one cell."""

_METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def executed(path: Path) -> Any:
    """The notebook with fresh outputs; its folder is the current one. Raises if a cell does."""
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    here = {"metadata": {"path": str(path.parent)}}
    client = NotebookClient(notebook, kernel_name="python3", timeout=SECONDS, resources=here, record_timing=False,
                            coalesce_streams=True, extra_arguments=["--log-level=ERROR"])  # fmt: skip
    client.execute()
    notebook.metadata = nbformat.from_dict(_METADATA)
    return notebook


def refreshed(path: Path) -> str:
    """The text of the notebook with fresh outputs."""
    return str(nbformat.writes(executed(path))) + "\n"


def outputs(notebook: Any) -> list[list[Any]]:
    """The outputs of each code cell, without the HTML of pandas, which differs between its versions."""
    found = []
    for cell in notebook.cells:
        if cell.cell_type == "code":
            found.append([nbformat.from_dict({**one}) for one in cell.outputs])
            for one in found[-1]:
                if 'class="dataframe"' in one.get("data", {}).get("text/html", ""):
                    one["data"] = {kind: shown for kind, shown in one["data"].items() if kind != "text/html"}
    return found


def main() -> int:
    """Write or check, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 where it has drifted")
    check = parser.parse_args().check
    path = Path(__file__).with_name("notebook.ipynb")
    new = refreshed(path)
    drifted = new != path.read_text(encoding="utf-8")
    if drifted and not check:
        path.write_text(new, encoding="utf-8")
    return int(check and drifted)


if __name__ == "__main__":
    sys.exit(main())
