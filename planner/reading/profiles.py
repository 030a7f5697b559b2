"""A model profile as a user or the catalogue declares it, with all that it may leave out."""

from typing import Annotated, Any, Self

from pydantic import model_validator

from planner.reading.units import count
from planner.reading.validation import (
    Declared,
    Duration,
    Factor,
    Mapping,
    Parsed,
    Rate,
    Seconds,
    Text,
    TokenCount,
    Usd,
    problem_in,
)


class PriceDeclaration(Declared):
    """US dollars per million tokens."""

    input: Usd
    output: Usd
    cache_read: Usd | None = None
    cache_write: Usd | None = None


class ProfileDeclaration(Declared):
    """How a model is served. `based_on` takes what is not given here from another profile.

    ttft : seconds to the first token, of an empty prompt
    prefill_speed : tokens/s at which an uncached prompt is read
    output_speed : tokens/s of one request
    jitter : log-sd of the lognormal factor (median 1) on each request's time
    price : per million tokens
    context : most tokens of prompt and output together
    cache_ttl : seconds for which a prompt stays cached; declaring it, or a price for cache reads, declares a cache
    speed : factor on the output speed of the profile it is based on
    price_multiplier : factor on all prices of the profile it is based on
    """

    based_on: Text | None = None
    ttft: Duration | None = None
    prefill_speed: Rate | None = None
    output_speed: Rate | None = None
    jitter: Annotated[float, Parsed(count)] | None = None
    price: Annotated[PriceDeclaration, Mapping] | None = None
    context: TokenCount | None = None
    cache_ttl: Seconds | None = None
    speed: Factor | None = None
    price_multiplier: Factor | None = None

    @model_validator(mode="after")
    def _factors_need_a_base(self) -> Self:
        for key, own in (("speed", "output_speed"), ("price_multiplier", "price")):
            if getattr(self, key) is None:
                continue
            if self.based_on is None:
                raise problem_in(
                    "bad-profile",
                    f"'{key}' multiplies another profile's, and there is no based_on",
                    f"give {own} itself, or name a profile in based_on",
                )
            if getattr(self, own) is not None:
                raise problem_in("bad-profile", f"give either {own} or {key}, not both")
        return self


def profile_problem(name: str, declared: dict[str, Any], known: frozenset[str]) -> tuple[str, str] | None:
    """Why the profile `name` cannot be resolved, as the key at fault and the reason; None if it can.

    declared : name → mapping, as read from the file
    known : names that are resolved elsewhere
    """
    seen = [name]
    fields: set[str] = set()
    while True:
        profile = declared[seen[-1]]
        if not isinstance(profile, dict):
            return None
        fields |= set(profile)
        base = profile.get("based_on")
        if base is None:
            if {"output_speed", "ttft"} <= fields:
                return None
            missing = "output_speed" if "output_speed" not in fields else "ttft"
            return "", f"the profile '{name}' has no {missing}"
        if base in seen:
            return "based_on", "profiles are based on each other: " + " → ".join([*seen, str(base)])
        if base not in declared:
            return None if base in known else ("based_on", f"unknown model '{base}'")
        seen.append(base)
