"""What a reader must know to use the numbers: assumptions that the declaration leaves open."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from planner.catalogue.premium import FITTED, Premium
from planner.catalogue.profile import Profile, resolve
from planner.reading.estimates.estimate import Estimate
from planner.reading.validation import Declared
from planner.sampling.sample import MOST, Precision
from planner.workflow.declaration import Workflow

TINY = 0.001
"""US dollars per million tokens, below which a price above 0 was probably written per token."""


def imprecise(precision: Precision, samples: int) -> tuple[str, ...]:
    """A sentence if percentiles are not known as well as is wanted."""
    if precision.converged:
        return ()
    wanted = f"{100 * precision.target:.3g}%"
    needed = precision.needed(samples)
    more = "more of them" if needed is None else f"about {float(f'{needed:.2g}'):,.0f}"
    more += " (allow them by --samples)" if needed is not None and needed > MOST else ""
    taken = "1 sample" if samples == 1 else f"{samples:,} samples"
    return (
        f"Not converged: after {taken} p50 or p90 is not yet known to ± {wanted} (95% interval). "
        f"A precision of {wanted} takes {more}.",
    )


def declaration_notes(workflow: Workflow) -> tuple[str, ...]:
    """Sentences on what stands in the file, whatever the scenario."""
    return (*unused_crews(workflow), *once_for_all(workflow), *approximate_counts(workflow))


def unused_crews(workflow: Workflow) -> tuple[str, ...]:
    """A sentence for each crew that no step names."""
    used = {step.crew for _, step in workflow.walk()}
    return tuple(
        f"No step names the crew '{name}': its agents do nothing." for name in workflow.crews if name not in used
    )


def once_for_all(workflow: Workflow) -> tuple[str, ...]:
    """A sentence for each fan-out that has something done otherwise, which is done once for all of its items."""
    steps = dict(workflow.walk())
    return tuple(
        f"'{step.otherwise}' is done once for all items of '{path[-1]}' that fail; to do it for each, put both into "
        "the 'steps:' of the fan-out."
        for path, step in steps.items()
        if step.otherwise and step.for_each is not None and steps[*path[:-1], step.otherwise].for_each is None
    )


def approximate_counts(workflow: Workflow) -> tuple[str, ...]:
    """A sentence if tokens of a text could not be counted."""
    texts = sorted({str(estimate) for estimate in _estimates([step for _, step in workflow.walk()])})
    return (f"Tokens that could not be counted are approximate: {'; '.join(texts)}.",) if texts else ()


def other_tokenizers(workflow: Workflow, models: Mapping[str, Profile]) -> tuple[str, ...]:
    """A sentence if numbers of tokens are written for one model and used for another whose tokenizer is not known."""
    own = workflow.written_for
    if own is None:
        return ()
    known = own in workflow.models and resolve(own, workflow.models).tokens is not None
    others = [name for name, profile in models.items() if name != own and not (known and profile.tokens is not None)]
    if not others:
        return ()
    return (f"Tokens of {_names(others)} are taken to be as many as those of {own}: a profile has no 'tokens'.",)


def _estimates(declared: Iterable[Any]) -> Iterator[Estimate]:
    """The approximate ones among what is declared."""
    for one in declared:
        if isinstance(one, Estimate) and one.approximate:
            yield one
        elif isinstance(one, Declared):
            yield from _estimates(getattr(one, name) for name in type(one).model_fields if name != "steps")


def paid_by_the_hour(models: Mapping[str, Profile]) -> tuple[str, ...]:
    """A sentence if no cost can be told for single steps."""
    hourly = [name for name, profile in models.items() if profile.price is not None and profile.price.per_hour]
    if not hourly:
        return ()
    return (f"{_names(hourly)}: paid by the hour for the whole run, so steps have no cost of their own.",)


def restricted(models: Mapping[str, Profile]) -> dict[str, str]:
    """Models that not everybody can buy, and why."""
    return {name: profile.available for name, profile in models.items() if profile.available in ("limited", "retired")}


def notes(
    models: Mapping[str, Profile], over_context: Mapping[str, float], speeds: Iterable[float], premium: Premium
) -> tuple[str, ...]:
    """One sentence for each assumption that bears on these profiles."""
    found = []
    unpriced = [name for name, profile in models.items() if profile.price is None]
    if unpriced:
        found.append(f"Cost is unknown: no price for {_names(unpriced)}.")
    elif models and any(speed != 1 for speed in speeds):
        fitted = ", as tiers of the catalogue are on average" if premium == FITTED else ""
        law = f"speed^{premium.exponent:.3g} times the price at 1x{fitted}" if premium.exponent else "the price at 1x"
        found.append(f"Speeds other than 1x are hypothetical: above it they cost {law} (--premium).")
    dear = [
        name
        for name, profile in models.items()
        if profile.caches
        and profile.price is not None
        and not profile.price.per_hour
        and profile.price.cache_read is None
    ]
    if dear:
        found.append(f"No cache_read price for {_names(dear)}: reads from a cache cost what other input costs.")
    tiny = [
        name
        for name, profile in models.items()
        if profile.price is not None and any(0 < usd < TINY for usd in profile.price.per_token)
    ]
    if tiny:
        found.append(f"A price of {_names(tiny)} is below ${TINY}: prices are per million tokens, not per token.")
    return (*found, *of_requests(models, over_context))


def of_requests(models: Mapping[str, Profile], over_context: Mapping[str, float]) -> tuple[str, ...]:
    """Those of the above that bear on times: also where no cost is told.

    over_context : model → share of samples in which a request exceeds its context
    """
    found = []
    instant = [name for name, profile in models.items() if profile.prefill_speed is None]
    if instant:
        found.append(f"No prefill_speed for {_names(instant)}: prompts take no time beyond TTFT.")
    rereading = [
        name
        for name, profile in models.items()
        if profile.price is not None and profile.price.per_hour and not profile.caches and name not in instant
    ]
    if rereading:
        found.append(f"No cache_ttl for {_names(rereading)}: each request reads its whole prompt anew.")
    for name, share in over_context.items():
        context = models[name].context
        often = f"{share:.0%}" if share >= 0.005 else "under 1%"
        found.append(
            f"A request exceeds the context of {name} ({context:,.0f} tokens) in {often} of samples: it would fail."
        )
    return tuple(found)


def _names(names: list[str]) -> str:
    return ", ".join(names)
