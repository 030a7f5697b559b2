"""A model as served, with everything known that a forecast needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, TypeVar

from planner.errors import InputError, Problem
from planner.reading.estimates.curves import Curve, split_by_writing
from planner.reading.estimates.estimate import Estimate
from planner.reading.profiles import ProfileDeclaration

Amount = TypeVar("Amount", bound=Any)

_FREE = Decimal(0)
_MOST_FACTOR = 1e6
_LEAST_FACTOR = 1e-6

JITTER = 0.2
"""Log-sd of the jitter of a profile that declares none: median of 54 fits (docs/model.md, "Requests")."""


@dataclass(frozen=True)
class Price:
    """US dollars per million tokens. None: the provider has no price of its own for it.

    per_hour : of the machines that serve the model; tokens then cost nothing
    """

    input: Decimal
    output: Decimal
    cache_read: Decimal | None = None
    cache_write: Decimal | None = None
    per_hour: Decimal | None = None

    def times(self, factor: float) -> Price:
        """All prices `factor` times as high."""
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
        """The prices per million tokens that it has of its own."""
        prices = (self.input, self.output, self.cache_read, self.cache_write)
        return tuple(float(price) for price in prices if price is not None)

    def usd(self, plain: Amount, cache_write: Amount, cache_read: Amount, output: Amount) -> Amount:
        """US dollars of tokens, numbers or arrays: plain input, written to a cache, read from it, output."""
        read = self.input if self.cache_read is None else self.cache_read
        write = self.input if self.cache_write is None else self.cache_write
        dollars: Amount = plain * float(self.input) + cache_write * float(write) + cache_read * float(read)
        priced: Amount = (dollars + output * float(self.output)) / 1e6
        return priced


@dataclass(frozen=True)
class Profile:
    """A model as served.

    root : the profile at the end of `based_on`, which shares its level with this one
    ttft : seconds, or by concurrency; a range is the service's level, drawn once per sample, as for the speeds
    prefill_speed : tokens/s, or None: not declared, prompts take no time
    output_speed : tokens/s, or by concurrency
    measured_output : mean output tokens of the requests of which both were measured by concurrency; None: each is read
        on its own
    jitter : log-sd of the lognormal factor (median 1) on each request's time
    price : None: not declared, cost is unknown
    context : most tokens of prompt and output together, or None: not declared
    cache_ttl : seconds for which a prompt stays cached; infinite if not declared
    caches : whether prompts are cached at all
    tokens : its own tokenizer's for each of o200k_base, or None: not declared
    available : ``general``, ``limited`` or ``retired``; None: not declared
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

    @property
    def by_concurrency(self) -> bool:
        """Whether more requests at a time are served otherwise than one."""
        return isinstance(self.ttft, Curve) or isinstance(self.output_speed, Curve)

    def at(self, concurrency: int) -> Profile:
        """The same where so many requests are served at a time: `ttft` and `output_speed` are then estimates."""
        ttft, speed = self.ttft, self.output_speed
        if not self.by_concurrency:
            return self
        if isinstance(ttft, Curve) and isinstance(speed, Curve) and self.measured_output is not None:
            ttft, speed = split_by_writing(ttft, speed, self.measured_output, concurrency)
        ttft, speed = (one.at(concurrency) if isinstance(one, Curve) else one for one in (ttft, speed))
        return replace(self, ttft=ttft, output_speed=speed)

    def priced(self, factor: float) -> Profile:
        """The same at `factor` times its price."""
        return self if self.price is None or factor == 1 else replace(self, price=self.price.times(factor))


def resolve(name: str, declared: Mapping[str, ProfileDeclaration]) -> Profile:
    """The profile `name`, with what it leaves out taken along `based_on`.

    Raises InputError where factors multiply beyond bounds, KeyError for an unknown name, and
    ValueError where a needed number is missing or bases form a circle.
    """
    names, chain = _bases(name, declared)
    speed, price, multiplier = 1.0, None, 1.0
    for profile in reversed(chain):
        speed = (1.0 if profile.output_speed is not None else speed) * (profile.speed or 1.0)
        if profile.price is not None:
            price, multiplier = profile.price, 1.0
        multiplier *= profile.price_multiplier or 1.0
    if not (_LEAST_FACTOR <= speed <= _MOST_FACTOR and _LEAST_FACTOR <= multiplier <= _MOST_FACTOR):
        message = f"the factors along based_on of '{name}' multiply to over {_MOST_FACTOR:,.0f} or under 1 part in that"
        raise InputError([Problem("bad-profile", message, None, "give output_speed or price themselves")])
    ttft, output_speed = _first(chain, "ttft"), _first(chain, "output_speed")
    if ttft is None or output_speed is None:
        raise ValueError(f"the profile '{name}' has no {'ttft' if ttft is None else 'output_speed'}")
    measured = next(one for one in chain if one.ttft is not None or one.output_speed is not None).measured_output
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
        or any(one.price is not None and one.price.cache_read is not None for one in chain),
        tokens=_first(chain, "tokens"),
        available=chain[0].available,
        measured_output=None if measured is None else measured * speed,  # tokens that took as long
    )


def token_ratio(model: str, written_for: str | None, declared: Mapping[str, ProfileDeclaration]) -> float:
    """Tokens of one model for each of another on the same text; 1 where either's tokenizer is not declared."""
    if written_for is None or model == written_for:
        return 1.0
    own, other = (_first(_bases(name, declared)[1], "tokens") for name in (model, written_for))
    return 1.0 if own is None or other is None else float(own / other)


def _bases(name: str, declared: Mapping[str, ProfileDeclaration]) -> tuple[list[str], list[ProfileDeclaration]]:
    """A profile and those along `based_on`, with their names."""
    chain = [declared[name]]
    names = [name]
    while chain[-1].based_on is not None:
        if chain[-1].based_on in names:
            raise ValueError(f"profiles are based on each other: {' → '.join(names)}")
        names.append(chain[-1].based_on)
        chain.append(declared[names[-1]])
    return names, chain


def _first(chain: Sequence[ProfileDeclaration], field: str) -> Any:
    """What the nearest profile of the chain that gives this field says."""
    return next((value for profile in chain if (value := getattr(profile, field)) is not None), None)
