"""Declarations of model profiles in a workflow or a catalogue, and the checks of their `based_on`."""

from collections.abc import Collection, Iterator
from collections.abc import Set as AbstractSet
from typing import Annotated, Any, ClassVar, Self

from pydantic import model_validator

from planner.errors import Problem, did_you_mean, for_example, listed
from planner.reading.estimates.curves import EXAMPLES, Curve
from planner.reading.fields import (
    Context,
    Declared,
    Factor,
    Latency,
    LogSd,
    MappingField,
    MeanOutput,
    Multiple,
    ParsedBy,
    Rate,
    Seconds,
    Speed,
    Text,
    Usd,
    UsdPerHour,
    validation_error,
)
from planner.reading.key_hints import misspelt_key
from planner.reading.units import BadValueError
from planner.reading.yaml.source_map import Document


class PriceDeclaration(Declared):
    """Prices of a model in US dollars, either for tokens or for machines.

    input, output, cache_read, cache_write : prices per million tokens
    per_hour : price per hour of the machines that serve the model
    """

    example: ClassVar[str] = "{input: 3, output: 15} or {per_hour: 3.50}"

    input: Usd | None = None
    output: Usd | None = None
    cache_read: Usd | None = None
    cache_write: Usd | None = None
    per_hour: UsdPerHour | None = None

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        tokens = [key for key in ("input", "output", "cache_read", "cache_write") if getattr(self, key) is not None]
        if self.per_hour is not None and tokens:
            message = "a price is either per token or per hour, not both"
            raise validation_error(
                BadValueError(
                    message, "remove either 'per_hour' or the prices per token", at=("per_hour",), on_key=True
                )
            )
        for key in ("input", "output"):
            if self.per_hour is None and getattr(self, key) is None:
                message = f"the key '{key}' is missing"
                raise validation_error(
                    BadValueError(message, for_example("price", self.example), code="missing-key", on_key=True)
                )
        return self


AVAILABLE = ("general", "limited", "retired")


def _available(value: Any) -> str:
    if value not in AVAILABLE:
        raise BadValueError(f"expected {listed(AVAILABLE, 'or')}")
    return str(value)


class ProfileDeclaration(Declared):
    """Speed and prices of a model. Missing values are taken from the profile that `based_on` names.

    ttft : seconds to the first token of a request with an empty prompt, or a curve of these seconds by concurrency
    prefill_speed : tokens per second at which an uncached prompt is read
    output_speed : output tokens per second of one request, or a curve of these speeds by concurrency
    measured_output : if `ttft` and `output_speed` are curves, the mean output tokens of the measured requests
    jitter : spread of request times. Each time is multiplied by a lognormal factor with median 1, and `jitter` is the
        standard deviation of its logarithm
    price : prices per million tokens, or per hour
    context : largest number of tokens of a request, prompt and output together
    cache_ttl : seconds for which a prompt stays cached. Prompts are cached if this value or a price for cache reads is
        declared
    speed : factor on the output speed of the profile in `based_on`. A range is drawn once per sample
    price_multiplier : factor on all prices of the profile in `based_on`
    tokens : number of tokens of the model's tokenizer for each token of the tokenizer o200k_base
    provider, note : texts for human readers
    available : ``general``, ``limited`` (not sold to everybody) or ``retired``
    """

    example: ClassVar[str] = "{ttft: 1.5s, output_speed: 60}"

    based_on: Text | None = None
    ttft: Latency | None = None
    prefill_speed: Rate | None = None
    output_speed: Speed | None = None
    measured_output: MeanOutput | None = None
    jitter: LogSd | None = None
    price: Annotated[PriceDeclaration, MappingField] | None = None
    context: Context | None = None
    cache_ttl: Seconds | None = None
    speed: Multiple | None = None
    price_multiplier: Factor | None = None
    tokens: Factor | None = None
    provider: Text | None = None
    note: Text | None = None
    available: Annotated[str, ParsedBy(_available)] | None = None

    @property
    def by_concurrency(self) -> bool:
        """Whether the TTFT or the output speed of the profile depends on the number of concurrent requests."""
        return isinstance(self.ttft, Curve) or isinstance(self.output_speed, Curve)

    @model_validator(mode="after")
    def _measured_together(self) -> Self:
        """Check that a profile with `measured_output` has two curves.

        `ttft` and `output_speed` must be curves with points at the same concurrencies.
        """
        if self.measured_output is None:
            return self
        ttft, speed = self.ttft, self.output_speed
        if not isinstance(ttft, Curve) or not isinstance(speed, Curve):
            message = "with 'measured_output', both 'ttft' and 'output_speed' must depend on the concurrency"
            hint = f"remove 'measured_output', or write for example '{EXAMPLES[0]}' and '{EXAMPLES[1]}'"
            raise validation_error(
                BadValueError(message, hint, at=("measured_output",), code="bad-profile", on_key=True)
            )
        of_ttft, of_speed = ({concurrency for concurrency, _ in curve.points} for curve in (ttft, speed))
        if of_ttft != of_speed:
            key, other = ("ttft", "output_speed") if of_ttft - of_speed else ("output_speed", "ttft")
            unpaired = min(of_ttft - of_speed or of_speed - of_ttft)
            message = f"'{key}' has a value at concurrency {unpaired}, but '{other}' has none"
            hint = f"add a value at concurrency {unpaired} to '{other}', or remove 'measured_output'"
            raise validation_error(BadValueError(message, hint, at=(key,), code="bad-profile", on_key=True))
        return self


_MULTIPLIED = {"speed": "output_speed", "price_multiplier": "price"}
"""Factor → value of the base profile that the factor multiplies. Both are keys of a profile."""


def profile_problems(
    document: Document, models: dict[str, Any], names: Collection[str], used: AbstractSet[str]
) -> Iterator[Problem]:
    """Yield the problems that make profiles unusable, such as an unknown `based_on`.

    models : name of each profile in the file → its mapping
    names : all names that `based_on` can refer to
    used : names of the profiles that the file or its steps use
    """
    given: dict[str, frozenset[str] | None] = {}
    for name in models:
        cycle = _inherit(name, models, given)
        if cycle:
            message = "profiles are based on each other: " + " → ".join(cycle)
            place = document.value("models", cycle[0], "based_on")
            yield Problem(
                "bad-profile", message, place, "remove one 'based_on', and add 'ttft' and 'output_speed' instead"
            )
    needed = used | (models.keys() - {profile.get("based_on") for profile in models.values() if _has_base(profile)})
    for name, profile in models.items():
        if not isinstance(profile, dict):
            continue
        yield from _factors(document, name, profile)
        base = profile.get("based_on")
        if isinstance(base, str) and base not in names:
            hint = did_you_mean(base, set(names) - {name}, "model") or "declare the model under 'models:'"
            place = document.value("models", name, "based_on")
            yield Problem("unknown-model", f"unknown model '{base}'", place, hint)
        keys = given[name]
        if keys is not None:
            yield from _completeness(document, name, profile, keys, name in needed)


def _inherit(name: str, models: dict[str, Any], given: dict[str, frozenset[str] | None]) -> list[str]:
    """Find the keys of a profile, including inherited keys, and store them in `given`.

    A profile inherits the keys of its base, the profile in `based_on`. If a base is not in the file, the keys are
    unknown, and None is stored.

    Returns the names in a cycle of bases. The list is empty if there is no cycle.
    """
    chain: dict[str, None] = {}
    while name not in given:
        if name in chain:
            cycle = list(chain)[list(chain).index(name) :]
            given.update(dict.fromkeys(chain))
            first = cycle.index(min(cycle, key=list(models).index))
            return [*cycle[first:], *cycle[:first], cycle[first]]
        chain[name] = None
        profile = models.get(name)
        if _has_base(profile):
            name = models[name]["based_on"]
        else:
            complete = isinstance(profile, dict) and "based_on" not in profile
            given[name] = frozenset(models[name]) if complete else None
    for name in reversed(chain):
        if _has_base(models.get(name)):
            keys = given[models[name]["based_on"]]
            given[name] = None if keys is None else keys | models[name].keys()
    return []


def _has_base(profile: Any) -> bool:
    return isinstance(profile, dict) and isinstance(profile.get("based_on"), str)


def _factors(document: Document, name: str, profile: dict[str, Any]) -> Iterator[Problem]:
    """Yield the problems with the factors `speed` and `price_multiplier` of a profile.

    A factor multiplies a value of the profile in `based_on`. So `based_on` is required, and the profile must not
    declare this value itself.
    """
    for key, own in _MULTIPLIED.items():
        if key not in profile:
            continue
        place = document.key("models", name, key)
        if own in profile:
            hint = f"remove one of them; '{key}' multiplies the '{own}' of the profile in 'based_on'"
            yield Problem("bad-profile", f"give either '{own}' or '{key}', not both", place, hint)
        elif "based_on" not in profile:
            message = f"'{key}' multiplies the '{own}' of another profile, but 'based_on' is missing"
            yield Problem("bad-profile", message, place, f"add 'based_on', or replace '{key}' by '{own}'")


def _completeness(
    document: Document, name: str, profile: dict[str, Any], given: frozenset[str], needed: bool
) -> Iterator[Problem]:
    """Yield the problems with missing values of a profile.

    A misspelt key does not count as missing, because the misspelling is reported elsewhere.

    given : keys that the profile has or inherits
    needed : whether the profile must have `ttft` and `output_speed`
    """
    fields = ProfileDeclaration.model_fields
    given |= {misspelt_key(key, fields) or "" for key in given - fields.keys()}
    missing = [f"'{key}'" for key in ("ttft", "output_speed") if key not in given]
    if missing and needed:
        message = f"the profile '{name}' has no {' and no '.join(missing)}"
        remedy = "here, or to the profile in" if "based_on" in profile else "here, or name a complete profile in"
        hint = f"add {' and '.join(missing)} {remedy} 'based_on'"
        yield Problem("bad-profile", message, document.key("models", name), hint)
    if "price_multiplier" in profile and "based_on" in profile and "price" not in given:
        message = "'price_multiplier' needs a price, but the profile in 'based_on' has no 'price'"
        place = document.key("models", name, "price_multiplier")
        yield Problem("bad-profile", message, place, "add 'price' to that profile")
