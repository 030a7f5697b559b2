"""Files that a workflow file names: its folder and a name in, their text out."""

from __future__ import annotations

from pathlib import Path

from planner.reading.document import Document
from planner.reading.named_file import named_text


def beside(document: Document, name: str) -> Path:
    """The path of a file that another names: relative to that one's folder."""
    return Path(document.file).parent / name


def text_of(path: Path, name: str) -> str:
    """The text of a file that is called `name` where it is named. Raises BadValueError, with the code of the cause."""
    return named_text(name, path, f"*{path.suffix}", None, "plan a part of it")
