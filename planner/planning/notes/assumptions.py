"""Notes on the assumptions behind the numbers of a result."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from planner.catalogue.premium import FITTED, Premium
from planner.catalogue.profile import Profile, resolve
from planner.errors import Note
from planner.planning.notes.meaning import meaning_notes
from planner.planning.notes.unused import unused_notes
from planner.reading.estimates.estimate import Estimate
from planner.reading.fields import Declared
from planner.sampling.sample import MOST, Precision
from planner.workflow.declaration import Workflow

TINY = 0.001
"""A price in US dollars per million tokens. A price between 0 and `TINY` was probably written per token."""


def imprecise(precision: Precision, samples: int, shown: Precision | None = None) -> tuple[Note, ...]:
    """Return a note if the p50 or the p90 is less precise than requested.

    shown : precision of all scenarios that are shown; None: `precision`
    """
    if precision.converged:
        return ()
    needed = precision.needed(samples)
    beyond = needed is not None and needed > MOST
    reached = shown or precision
    values = {
        "samples": samples,
        "target": precision.target,
        "p50": reached.p50,
        "p90": reached.p90,
        "needed": needed,
        "beyond_limit": beyond,
    }
    return (Note("not-converged", values),)


def declaration_notes(workflow: Workflow, sizes: Mapping[str, int], models: Collection[str] = ()) -> tuple[Note, ...]:
    """Return the notes on a workflow file.

    sizes : number of agents of each crew
    models : names of the models of simulated requests
    """
    return (
        *meaning_notes(workflow, sizes),
        *once_for_all(workflow),
        *unused_notes(workflow, models),
        *approximate_counts(workflow),
    )


def once_for_all(workflow: Workflow) -> tuple[Note, ...]:
    """Return a note for each fan-out whose `otherwise` step runs once for all failed items together."""
    steps = dict(workflow.walk())
    return tuple(
        Note("once-for-all-items", {"step": step.otherwise, "fan_out": path[-1]})
        for path, step in sorted(steps.items(), key=lambda item: item[0])  # whatever the order of the file
        if step.otherwise and step.for_each is not None and steps[*path[:-1], step.otherwise].for_each is None
    )


def approximate_counts(workflow: Workflow) -> tuple[Note, ...]:
    """Return a note that lists all texts with approximate token counts. Return no note if there are none."""
    texts = sorted({str(estimate) for estimate in _approximate([step for _, step in workflow.walk()])})
    return (Note("approximate-tokens", {"texts": tuple(texts)}),) if texts else ()


def other_tokenizers(workflow: Workflow, models: Mapping[str, Profile]) -> tuple[Note, ...]:
    """Return a note on all models for which token counts are not converted.

    A workflow gives token counts for one model. The counts are converted for another model only if the tokenizers of
    both models are known.
    """
    own = workflow.written_for
    if own is None:
        return ()
    known = own in workflow.models and resolve(own, workflow.models).tokens is not None
    others = [name for name, profile in models.items() if name != own and not (known and profile.tokens is not None)]
    return _about("other-tokenizer", others, {"written_for": own})


def _approximate(declared: Iterable[Any]) -> Iterator[Estimate]:
    """Search a list of declared values for estimates. Yield the estimates with approximate token counts."""
    for value in declared:
        if isinstance(value, Estimate) and value.approximate:
            yield value
        elif isinstance(value, Declared):
            yield from _approximate(getattr(value, name) for name in type(value).model_fields if name != "steps")


def paid_by_the_hour(models: Mapping[str, Profile]) -> tuple[Note, ...]:
    """Return a note on all models that are paid by the hour. The cost of a single step on such a model is unknown."""
    hourly = [name for name, profile in models.items() if profile.price is not None and profile.price.per_hour]
    return _about("paid-by-the-hour", hourly)


def restricted(models: Mapping[str, Profile]) -> dict[str, str]:
    """Return the availability of each model that not everybody can buy: ``limited`` or ``retired``."""
    return {name: profile.available for name, profile in models.items() if profile.available in ("limited", "retired")}


def restricted_notes(models: Mapping[str, Profile]) -> tuple[Note, ...]:
    """Return a note for each model that not everybody can buy."""
    return tuple(
        Note("restricted-model", {"model": name, "available": available})
        for name, available in restricted(models).items()
    )


def notes(
    models: Mapping[str, Profile], over_context: Mapping[str, float], speeds: Iterable[float], premium: Premium
) -> tuple[Note, ...]:
    """Return the notes on the costs and times of requests to `models`.

    over_context : for each model, the share of samples in which a request exceeds the model's context
    speeds : the speeds of the scenarios
    premium : the assumed price of speeds other than 1x
    """
    priced = {name: profile.price for name, profile in models.items() if profile.price is not None}
    unpriced = [name for name in models if name not in priced]
    hypothetical = not unpriced and models and any(speed != 1 for speed in speeds)
    uncached = [
        name
        for name, price in priced.items()
        if models[name].caches and not price.per_hour and price.cache_read is None
    ]
    tiny = [name for name, price in priced.items() if any(0 < usd < TINY for usd in price.per_token)]
    law = {"exponent": premium.exponent, "fitted": premium == FITTED}
    return (
        *_about("no-price", unpriced),
        *((Note("hypothetical-speeds", law),) if hypothetical else ()),
        *_about("no-cache-read-price", uncached),
        *_about("tiny-price", tiny, {"usd": TINY}),
        *of_requests(models, over_context),
    )


def of_requests(models: Mapping[str, Profile], over_context: Mapping[str, float]) -> tuple[Note, ...]:
    """Return the notes on the times of requests to `models`. Notes on costs are left out.

    over_context : for each model, the share of samples in which a request exceeds the model's context
    """
    instant = [name for name, profile in models.items() if profile.prefill_speed is None]
    rereading = [
        name
        for name, profile in models.items()
        if profile.price is not None and profile.price.per_hour and not profile.caches and name not in instant
    ]
    return (
        *_about("no-prefill-speed", instant),
        *_about("no-cache-ttl", rereading),
        *(
            Note("over-context", {"model": name, "context": models[name].context, "share": share})
            for name, share in over_context.items()
        ),
    )


def _about(code: str, models: list[str], more: Mapping[str, Any] | None = None) -> tuple[Note, ...]:
    """Return one note on all of `models`. Return no note if `models` is empty.

    more : further values of the note
    """
    return (Note(code, {"models": tuple(models), **(more or {})}),) if models else ()
