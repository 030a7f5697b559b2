"""The cost of work: tokens at the prices of a model, hours of rented machines, and the pay of tools and people."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from planner.catalogue.profile import Price, Profile
from planner.engine.arrays import Floats
from planner.expansion.draw.demand import Demand
from planner.expansion.graph.work import Work
from planner.timing.service import ServiceTimes


@dataclass(frozen=True, eq=False)
class Billing:
    """Billed amounts of work: tokens of each kind, and units of paid work.

    Each field is a number or an array. The arrays broadcast together.

    input : input tokens that use no cache
    written : input tokens that are written to a cache
    cache_read : input tokens that are read from a cache
    output : output tokens
    units : hours, for work that is paid by the hour. Otherwise number of tool calls or of a person's answers
    """

    input: Floats
    written: Floats
    cache_read: Floats
    output: Floats
    units: Floats

    @classmethod
    def of(cls, demand: Demand, units: Floats) -> Billing:
        return cls(demand.input - demand.written, demand.written, demand.cache_read, demand.output, units)

    @classmethod
    def zeros(cls, shape: int | tuple[int, ...] = ()) -> Billing:
        return cls(np.zeros(shape), np.zeros(shape), np.zeros(shape), np.zeros(shape), np.zeros(shape))

    @property
    def prompt(self) -> Floats:
        """Number of input tokens that are prefilled."""
        return self.input + self.written

    @property
    def tokens(self) -> Floats:
        """Number of tokens of all kinds."""
        return self.prompt + self.cache_read + self.output

    def map(self, function: Callable[[Floats], Floats]) -> Billing:
        """Return new billed amounts, with `function` applied to each field."""
        return Billing(
            function(self.input), function(self.written), function(self.cache_read), function(self.output),
            function(self.units),
        )  # fmt: skip

    def __getitem__(self, samples: slice | Sequence[int]) -> Billing:
        """Return the billed amounts of some samples. The last axis of each array has the samples."""
        return self.map(lambda amounts: amounts[..., samples])

    def __setitem__(self, samples: slice, amounts: Billing) -> None:
        self.input[samples], self.written[samples] = amounts.input, amounts.written
        self.cache_read[samples], self.output[samples] = amounts.cache_read, amounts.output
        self.units[samples] = amounts.units

    def __add__(self, other: Billing) -> Billing:
        return Billing(
            self.input + other.input, self.written + other.written, self.cache_read + other.cache_read,
            self.output + other.output, self.units + other.units,
        )  # fmt: skip

    def __sub__(self, other: Billing) -> Billing:
        return Billing(
            self.input - other.input, self.written - other.written, self.cache_read - other.cache_read,
            self.output - other.output, self.units - other.units,
        )  # fmt: skip

    def __truediv__(self, count: float) -> Billing:
        return self.map(lambda amounts: amounts / count)

    def broadcast_to(self, shape: tuple[int, ...]) -> Billing:
        return self.map(lambda amounts: np.broadcast_to(amounts, shape))

    def sum(self, axis: int = -1) -> Billing:
        return self.map(lambda amounts: amounts.sum(axis))

    def tokens_usd(self, price: Price) -> Floats:
        """Return the cost of the billed tokens in US dollars."""
        dollars: Floats = price.usd(self.input, self.written, self.cache_read, self.output)
        return dollars


@dataclass(frozen=True, eq=False)
class Cost:
    """The cost of each sample in US dollars, in arrays (samples,).

    models : cost of tokens and rented machines
    others : cost of tools, people and crews
    """

    models: Floats
    others: Floats

    def at(self, price_multiplier: float) -> Floats:
        """Return the total cost of each sample in US dollars.

        price_multiplier : factor on the cost of models
        """
        return self.models * price_multiplier + self.others


def run_cost(
    works: Sequence[Work],
    billed: Sequence[Billing],
    service: Mapping[str, ServiceTimes],
    seconds: Floats,
    crews: Iterable[Floats] = (),
) -> Cost | None:
    """Return the cost of each sample, or None if a price is unknown.

    billed : billed amounts of each of `works`, in arrays (samples,)
    seconds : completion times, (samples,). Machines with a price per hour are rented for this whole time
    crews : cost of each paid crew in US dollars, in arrays (samples,)
    """
    models, others = np.zeros(len(seconds)), np.zeros(len(seconds))
    rented = {work.model for work in works if work.model is not None}
    for model in sorted(rented):
        price = service[model].profile.price
        if price is not None and price.per_hour is not None:
            models += float(price.per_hour) * seconds / 3600.0
    by_name = sorted(zip(works, billed, strict=True), key=lambda pair: (pair[0].step, pair[0].kind))
    for work, amounts in by_name:  # sums depend on the order in the last digit, and must not depend on the file
        if work.model is not None:
            price = service[work.model].profile.price
            if price is None:
                return None
            models += amounts.tokens_usd(price)
        if work.pay is not None:
            others += pay_usd(work, amounts)
    for usd in crews:
        others += usd
    return Cost(models, others)


def usd_of_step(billed: Mapping[Work, Billing], models: Mapping[str, Profile]) -> float | None:
    """Return the cost of a step in US dollars: its tokens, and the pay of its tools or people.

    Return None if the step uses a rented machine, because the price per hour is paid for the whole run.

    billed : billed amounts of each `Work` of the step
    """
    prices = [models[work.model].price for work in billed if work.model is not None]
    if any(price is not None and price.per_hour is not None for price in prices):
        return None
    return sum(float(usd_of_work(work, amounts, models)) for work, amounts in billed.items())


def usd_of_work(work: Work, billed: Billing, models: Mapping[str, Profile]) -> Floats:
    """Return the cost of a piece of work in US dollars: its tokens, and the pay of its tool or person.

    Tokens without a known price cost nothing.
    """
    price = models[work.model].price if work.model is not None else None
    cost = 0.0 * billed.units if price is None else billed.tokens_usd(price)
    return cost if work.pay is None else cost + pay_usd(work, billed)


def pay_usd(work: Work, billed: Billing) -> Floats:
    """Return the pay of the tool or the person of a piece of work in US dollars. Without pay, the result is 0."""
    return (0.0 if work.pay is None else float(work.pay.usd)) * billed.units
