"""Counts of a declaration as numbers."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from planner.errors import InputError, Problem
from planner.reading.bind import bind
from planner.reading.estimates.counts import CountValue, count_of
from planner.reading.estimates.estimate import Estimate
from planner.reading.units import BadValueError
from planner.workflow.declaration import ForEach

MOST_COUNT = 0.999
"""Draws of a number of items are cut at this quantile."""


def count_at(declared: CountValue, values: Mapping[str, float], agents: int) -> int:
    """A count with the values of parameters, and so many agents. Raises InputError where it is none."""
    try:
        return count_of(declared, {**values, "agents": agents})
    except BadValueError as mistake:
        raise InputError([Problem(mistake.code, f"a count: {mistake}", None, mistake.hint)]) from None


def most_drawn(declared: ForEach, values: Mapping[str, float], agents: int) -> int:
    """`most_items` of a fan-out over a drawn number of items, with the values of parameters, and so many agents."""
    known = bind(declared, {**values, "agents": agents}, None).count
    assert isinstance(known, Estimate)
    return most_items(known)


def most_items(estimate: Estimate) -> int:
    """Items that a graph is built for: draws above are cut."""
    return max(1, int(np.floor(estimate.quantile(MOST_COUNT) + 0.5)))
