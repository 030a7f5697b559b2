"""The example workflows: in the package where it is installed, beside it in a checkout."""

from __future__ import annotations

from pathlib import Path


def folder() -> Path:
    """The folder that holds them."""
    inside = Path(__file__).with_name("workflows")
    return inside if inside.is_dir() else Path(__file__).resolve().parent.parent / "workflows"
