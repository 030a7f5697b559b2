"""Profiles and prices for forecasts. Missing values of a declared profile are taken from its bases."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, TypeVar

from planner.errors import InputError, Problem
from planner.reading.estimates.curves import Curve, interpolate_together
from planner.reading.estimates.estimate import Estimate
from planner.reading.profiles import ProfileDeclaration

Amount = TypeVar("Amount", bound=Any)

_FREE = Decimal(0)
_MOST_FACTOR = 1e6
_LEAST_FACTOR = 1e-6

JITTER = 0.2
"""Default log-sd of a profile's jitter: the median of 54 fits (docs/model.md, "Requests")."""


@dataclass(frozen=True)
class Price:
    """The prices of a model, in US dollars per million tokens.

    cache_read : price of input tokens that are read from a cache; None: the price is `input`
    cache_write : price of input tokens that are written to a cache; None: the price is `input`
    per_hour : US dollars per hour, if the model runs on rented machines. Tokens then cost nothing. None: tokens are
        paid
    """

    input: Decimal
    output: Decimal
    cache_read: Decimal | None = None
    cache_write: Decimal | None = None
    per_hour: Decimal | None = None

    def times(self, factor: float) -> Price:
        """Return all prices multiplied by `factor`."""
        by = Decimal(str(factor))
        read, write = self.cache_read, self.cache_write
        return Price(
            self.input * by,
            self.output * by,
            None if read is None else read * by,
            None if write is None else write * by,
            None if self.per_hour is None else self.per_hour * by,
        )

    @property
    def per_token(self) -> tuple[float, ...]:
        """All prices of tokens that are not None, in US dollars per million tokens."""
        prices = (self.input, self.output, self.cache_read, self.cache_write)
        return tuple(float(price) for price in prices if price is not None)

    def usd(self, plain: Amount, cache_write: Amount, cache_read: Amount, output: Amount) -> Amount:
        """Return the cost of the given numbers of tokens in US dollars. The numbers may be arrays.

        plain : input tokens for which no cache is used
        cache_write : input tokens that are written to a cache
        cache_read : input tokens that are read from a cache
        output : output tokens
        """
        read = self.input if self.cache_read is None else self.cache_read
        write = self.input if self.cache_write is None else self.cache_write
        dollars: Amount = plain * float(self.input) + cache_write * float(write) + cache_read * float(read)
        priced: Amount = (dollars + output * float(self.output)) / 1e6
        return priced


@dataclass(frozen=True)
class SpeedFactor:
    """A random factor on the output speed, such as `1.2x to 2.5x`. It is drawn once per sample.

    profile : name of the profile that declares the factor. All profiles that inherit the factor share its draws
    """

    profile: str
    estimate: Estimate


@dataclass(frozen=True)
class Profile:
    """A model as a provider serves it. None means that a value is not declared.

    If `ttft`, `prefill_speed` or `output_speed` is a range, its value is drawn once per sample.

    root : name of the last profile in the chain of `based_on`; profiles with the same root share their draws
    ttft : seconds to the first token, or a curve of these seconds by concurrency
    prefill_speed : tokens/s; None: prompts take no time
    output_speed : tokens/s of one request, or a curve of these speeds by concurrency. The `factors` are not included
    jitter : spread of request times. Each time is multiplied by a lognormal factor, and `jitter` is the standard
        deviation of its logarithm
    price : prices of tokens or of machines; None: the cost is unknown
    context : largest number of tokens of prompt and output together
    cache_ttl : seconds for which a prompt stays cached; infinite if not declared
    caches : whether prompts are cached
    tokens : length of a text in the model's tokens, divided by its length in tokens of o200k_base
    available : ``general``, ``limited`` or ``retired``
    measured_output : mean output tokens of the requests with which the curves `ttft` and `output_speed` were measured.
        With this number, both curves are interpolated together. None: each curve is interpolated separately
    factors : random factors on `output_speed`
    """

    name: str
    root: str
    ttft: Estimate | Curve
    prefill_speed: Estimate | None
    output_speed: Estimate | Curve
    jitter: float
    price: Price | None
    context: float | None
    cache_ttl: float
    caches: bool
    tokens: float | None = None
    available: str | None = None
    measured_output: float | None = None
    factors: tuple[SpeedFactor, ...] = ()

    @property
    def by_concurrency(self) -> bool:
        """Whether the profile's TTFT or output speed depends on concurrency."""
        return isinstance(self.ttft, Curve) or isinstance(self.output_speed, Curve)

    def at(self, concurrency: int) -> Profile:
        """Return the profile at a concurrency, with estimates of `ttft` and `output_speed` instead of curves."""
        ttft, speed = self.ttft, self.output_speed
        if not self.by_concurrency:
            return self
        if isinstance(ttft, Curve) and isinstance(speed, Curve) and self.measured_output is not None:
            ttft, speed = interpolate_together(ttft, speed, self.measured_output, concurrency)
        ttft, speed = (value.at(concurrency) if isinstance(value, Curve) else value for value in (ttft, speed))
        return replace(self, ttft=ttft, output_speed=speed)

    def priced(self, factor: float) -> Profile:
        """Return the profile with its price multiplied by `factor`."""
        return self if self.price is None or factor == 1 else replace(self, price=self.price.times(factor))


def resolve(name: str, declared: Mapping[str, ProfileDeclaration]) -> Profile:
    """Return the profile `name`. Missing values are taken from the profiles on which it is based.

    declared : declarations of all profiles, by name

    Raises KeyError if the name is unknown. Raises ValueError if a required number is missing or profiles are based on
    each other. Raises InputError if the product of factors is out of bounds.
    """
    names, chain = _bases(name, declared)
    speed, price, multiplier = 1.0, None, 1.0
    factors: list[SpeedFactor] = []
    for declaring, profile in zip(reversed(names), reversed(chain), strict=True):
        if profile.output_speed is not None:
            speed, factors = 1.0, []
        if profile.speed is not None and profile.speed.varies:
            factors.append(SpeedFactor(declaring, profile.speed))
        elif profile.speed is not None:
            speed *= profile.speed.scale
        if profile.price is not None:
            price, multiplier = profile.price, 1.0
        multiplier *= profile.price_multiplier or 1.0
    typical = math.prod((factor.estimate.scale for factor in factors), start=speed)
    if not (_LEAST_FACTOR <= typical <= _MOST_FACTOR and _LEAST_FACTOR <= multiplier <= _MOST_FACTOR):
        bounds = f"from 1/{_MOST_FACTOR:,.0f} to {_MOST_FACTOR:,.0f}"
        message = f"the product of the factors of '{name}' and its bases must be {bounds}"
        raise InputError([Problem("bad-profile", message, None, "give 'output_speed' or 'price' instead of factors")])
    ttft, output_speed = _first(chain, "ttft"), _first(chain, "output_speed")
    if ttft is None or output_speed is None:
        raise ValueError(f"the profile '{name}' has no {'ttft' if ttft is None else 'output_speed'}")
    curves = next(profile for profile in chain if profile.ttft is not None or profile.output_speed is not None)
    measured = curves.measured_output
    jitter, cache_ttl = _first(chain, "jitter"), _first(chain, "cache_ttl")
    return Profile(
        name=name,
        root=names[-1],
        ttft=ttft,
        prefill_speed=_first(chain, "prefill_speed"),
        output_speed=output_speed.times(speed),
        jitter=JITTER if jitter is None else jitter,
        price=None
        if price is None
        else Price(
            price.input or _FREE, price.output or _FREE, price.cache_read, price.cache_write, price.per_hour
        ).times(multiplier),
        context=_first(chain, "context"),
        cache_ttl=float("inf") if cache_ttl is None else cache_ttl,
        caches=cache_ttl is not None
        or any(profile.price is not None and profile.price.cache_read is not None for profile in chain),
        tokens=_first(chain, "tokens"),
        available=chain[0].available,
        measured_output=None
        if measured is None
        else measured * speed,  # the same time is enough for `speed` times as many tokens
        factors=tuple(factors),
    )


def token_ratio(model: str, written_for: str | None, declared: Mapping[str, ProfileDeclaration]) -> float:
    """Return the length of a text in tokens of `model`, divided by its length in tokens of `written_for`.

    The ratio is 1 if `written_for` is None, or if the tokenizer of one of these models is not declared.
    """
    if written_for is None or model == written_for:
        return 1.0
    own, other = (_first(_bases(name, declared)[1], "tokens") for name in (model, written_for))
    return 1.0 if own is None or other is None else float(own / other)


def _bases(name: str, declared: Mapping[str, ProfileDeclaration]) -> tuple[list[str], list[ProfileDeclaration]]:
    """Return the names of a profile and its bases, and their declarations.

    The profile is first, then its base, then the base of this base. Raises ValueError if the bases form a cycle.
    """
    chain = [declared[name]]
    names = [name]
    while chain[-1].based_on is not None:
        if chain[-1].based_on in names:
            raise ValueError(f"profiles are based on each other: {' → '.join(names)}")
        names.append(chain[-1].based_on)
        chain.append(declared[names[-1]])
    return names, chain


def _first(chain: Sequence[ProfileDeclaration], field: str) -> Any:
    """Return the first value of `field` in a chain of declarations. Return None if all values are None."""
    return next((value for profile in chain if (value := getattr(profile, field)) is not None), None)
