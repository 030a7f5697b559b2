from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from planner.loading import load
from planner.sampling.batch import Batch, GridPoint
from planner.sampling.sample import Stopping, sample
from planner.workflow.declaration import Workflow
from planner.workflow.reader import read_workflow

ROOT = Path(__file__).resolve().parent.parent

PLAIN = "models: {plain: {ttft: 1s, prefill_speed: 1000, output_speed: 50, jitter: 0}}\nmodel: plain\n"
"""A profile in which a request of i tokens in and o out takes 1 + i/1000 + o/50 seconds."""


@pytest.fixture
def declare(tmp_path: Path) -> Callable[..., Workflow]:
    """A workflow from the text of its steps, on the profile `PLAIN` unless a header is given."""

    def make(steps: str, header: str = PLAIN, **parameters: float) -> Workflow:
        path = tmp_path / "workflow.yaml"
        path.write_text(f"workflow: test\n{header}\nsteps:\n{steps}\n", encoding="utf-8")
        return read_workflow(path, parameters)

    return make


def read_example(path: Path) -> Workflow:
    """An example as the command line reads it, with the profiles of the catalogue."""
    workflow, _ = load(path).serving()
    return workflow


def simulated(workflow: Workflow, cells: Sequence[GridPoint], samples: int) -> np.ndarray:
    """(cells, N) completion times, on seed 1."""
    (found,) = sample([Batch.of(workflow, cells, 1)], Stopping(samples))
    return np.array([seconds.first for seconds in found.seconds])
