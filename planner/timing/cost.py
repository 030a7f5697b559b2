"""What work costs: tokens at the price of a model, calls of tools, and hours of machines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from planner.catalogue.profile import Profile
from planner.engine.arrays import Floats
from planner.expansion.graph.work import Work
from planner.timing.service import ServiceTimes


def usd(
    works: Sequence[Work], billed: Sequence[Floats], served: Mapping[str, ServiceTimes], seconds: Floats
) -> Floats | None:
    """(2, S) cost of (5, S) of each work, of models and of calls of tools, or None where a price is unknown.

    seconds : (S,) completion times, for which machines with a price per hour are paid

    Whole tokens are summed before they are priced, so that no order of summing shows.
    """
    cost: Floats = np.zeros((2, len(seconds)))
    hired = {work.model for work in works if work.model is not None}
    for model in sorted(hired):
        price = served[model].profile.price
        if price is not None and price.per_hour is not None:
            cost[0] += float(price.per_hour) * seconds / 3600.0
    for work, amounts in zip(works, billed, strict=True):
        price = served[work.model].profile.price if work.model is not None else None
        if work.model is not None and price is None:
            return None
        cost[0] += 0.0 if price is None else price.usd(*amounts[:4])
        cost[1] += 0.0 if work.usd is None else float(work.usd) * amounts[4]
    return cost


def usd_of_step(billed: Mapping[Work, Floats], models: Mapping[str, Profile]) -> float | None:
    """Cost of (5,) amounts of each work of a step: tokens at the price of its model, and calls of tools.

    None where machines with a price per hour serve it: they are paid for the whole run, not for steps.
    """
    prices = [models[work.model].price for work in billed if work.model is not None]
    if any(price is not None and price.per_hour is not None for price in prices):
        return None
    return sum(float(usd_of_work(work, amounts, models)) for work, amounts in billed.items())


def usd_of_work(work: Work, amounts: Floats, models: Mapping[str, Profile]) -> Floats:
    """Cost of (5, …) amounts of a work: tokens, where their model has a price for them, and calls of tools."""
    price = models[work.model].price if work.model is not None else None
    cost: Floats = 0.0 * amounts[4] if price is None else price.usd(*amounts[:4])
    return cost if work.usd is None else cost + float(work.usd) * amounts[4]
