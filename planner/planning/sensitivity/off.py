"""A number of a workflow file and a factor in; the number that is off by this factor out."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

from planner.reading.estimates.arithmetic import Formula
from planner.reading.estimates.counts import ComputedCount
from planner.reading.estimates.estimate import Estimate
from planner.reading.estimates.forms import Arithmetic, ByModel

MOST_JITTER = 3.0
"""Largest standard deviation of a logarithm that a workflow file may declare."""


def times(estimate: Estimate, factor: float) -> Estimate:
    """Return the estimate that results if all numbers of `estimate` in the file are multiplied by `factor`.

    For the same random draw, the value of the copy is `factor` times the value of the original, before rounding.
    """
    if isinstance(estimate, ByModel):
        return replace(estimate, models=tuple((name, times(each, factor)) for name, each in estimate.models))
    if isinstance(estimate, Arithmetic):
        return replace(estimate, formulas=tuple(_formula(formula, factor) for formula in estimate.formulas))
    scaled = estimate.times(factor)
    if scaled.shape == "constant":
        number = _whole(scaled.scale) if scaled.whole else scaled.scale
        return replace(scaled, scale=number, least=number)
    if scaled.shape == "empirical" and scaled.whole:
        points = tuple(map(_whole, scaled.points))
        if points[0] == points[-1]:
            return replace(scaled, shape="constant", scale=points[0], least=points[0], points=())
        return replace(scaled, points=points, scale=math.fsum(point / len(points) for point in points))
    return scaled


def _formula(formula: Formula, factor: float) -> Formula:
    return replace(formula, text=f"({formula.text}) * {factor:.6g}", plain=f"({formula.plain}) * {factor!r}")


def _whole(number: float) -> float:
    return max(float(math.floor(number + 0.5)), 1.0 if number else 0.0)


def count_times(count: int, factor: float) -> int:
    """Return `count * factor`, rounded half up, but at least 1."""
    return max(1, math.floor(count * factor + 0.5))


def computed_times(count: ComputedCount, factor: float) -> ComputedCount:
    """Return an expression for `count * factor`, rounded half up, but at least 1."""
    formula = count.formula
    plain = f"max(round(({formula.plain}) * {factor!r}), 1.0)"
    return replace(count, formula=replace(formula, plain=plain))


def odds_times(chance: float, factor: float) -> float:
    """Multiply the odds of a chance by `factor`, and return the new chance. Odds are `chance / (1 - chance)`."""
    return factor * chance / (1 - chance + factor * chance)


def choice_odds_times(chances: Mapping[str, float], name: str, factor: float) -> dict[str, float]:
    """Return the chances of all branches of a choice after a change of one branch.

    The odds of the branch `name` are multiplied by `factor`. The other branches keep their ratios to each other.
    """
    chance = chances[name]
    changed = odds_times(chance, factor)
    others = (1 - changed) / (1 - chance) if chance < 1 else 1.0
    return {other: changed if other == name else share * others for other, share in chances.items()}


def spread(estimate: Estimate, factor: float) -> Estimate:
    """Change the spread of an estimate of sizes. Every ratio of two of its values is raised to the power `factor`.

    For example, the factor 2 turns a range from 1 to 3 into a range from 1 to 9. Sizes are relative, so multiplying all
    of them by a number would have no effect.
    """
    if estimate.shape == "lognormal":
        return replace(estimate, sigma=estimate.sigma * factor)
    if estimate.shape in ("triangular", "empirical"):
        points = tuple(point**factor for point in estimate.points)
        return replace(estimate, points=points, scale=math.fsum(point / len(points) for point in points))
    return estimate
