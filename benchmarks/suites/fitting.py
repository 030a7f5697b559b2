"""Measured requests in, a profile out; a profile and requests in, seconds by the planner out."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np

from planner.planning import forecast
from planner.workflow import read_workflow
from suites.common import Floats

FASTEST = 1e6
"""Tokens per second of what takes no time that the fit could see."""

STEPS = 60
LEAST = 1e-3


@dataclass(frozen=True)
class Fitted:
    """A profile of the planner. Seconds, and tokens per second."""

    ttft: float
    prefill_speed: float
    output_speed: float
    jitter: float

    def __str__(self) -> str:
        return (
            f"{{ttft: {self.ttft:.6f}s, prefill_speed: {self.prefill_speed:.6g}, "
            f"output_speed: {self.output_speed:.6g}, jitter: 0}}"
        )


def fit(inputs: Floats, outputs: Floats, seconds: Floats) -> Fitted:
    """The profile of least mean |ln(TTFT + input / prefill speed + output / output speed) − ln seconds|.

    Where the best of the three terms would be negative, it is left out.
    """
    columns = np.stack([np.ones_like(outputs), inputs, outputs], axis=1)
    best, least = np.zeros(3), np.inf
    for count in (1, 2, 3):
        for chosen in combinations(range(3), count):
            if not columns[:, chosen].any(0).all() or not columns[:, chosen].sum(1).all():
                continue
            found = _least_absolute(columns[:, chosen], seconds)
            if (found <= 0).any():
                continue
            loss = float(np.abs(np.log(columns[:, chosen] @ found / seconds)).mean())
            if loss < least - 1e-9:
                best, least = np.zeros(3), loss
                best[list(chosen)] = found
    residuals = np.log(columns @ best / seconds)
    spread = 1.4826 * float(np.median(np.abs(residuals - np.median(residuals))))
    prefill, decode = (min(FASTEST, 1 / value) if value > 0 else FASTEST for value in best[1:])
    return Fitted(float(best[0]), prefill, decode, spread)


def _least_absolute(columns: Floats, seconds: Floats) -> Floats:
    """Coefficients of least mean |ln(columns · coefficients / seconds)|, by reweighted least squares."""
    scale = columns.mean(0)
    x = columns / scale
    found = np.full(x.shape[1], float(np.median(seconds)) / x.shape[1])
    for _ in range(STEPS):
        predicted = x @ found
        residuals = np.log(seconds / predicted)
        weights = 1 / np.sqrt(np.maximum(np.abs(residuals), LEAST))
        step = np.linalg.lstsq(x / predicted[:, None] * weights[:, None], residuals * weights, rcond=None)[0]
        size = 1.0
        while (x @ (found + size * step) <= 0).any():
            size /= 2
        found = found + size * step
        if np.abs(step).max() < 1e-9 * np.abs(found).max():
            break
    return np.asarray(found / scale)


def predicted(profile: Fitted, inputs: Sequence[float], outputs: Sequence[float]) -> list[float]:
    """Median seconds of requests with so many tokens, each a step of a workflow: a forecast without jitter."""
    steps = "\n".join(
        f"  r{number}: {{llm: {{input: {read:.0f}, output: {written:.0f}}}}}"
        for number, (read, written) in enumerate(zip(inputs, outputs, strict=True))
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "requests.yaml")
        path.write_text(f"workflow: requests\nmodel: fitted\nmodels: {{fitted: {profile}}}\nsteps:\n{steps}\n", "utf-8")
        found = {step.step: step.seconds for step in forecast(read_workflow(path), samples=1).steps}
    return [found[f"r{number}"] for number in range(len(found))]
