"""Text of an explanation: how one sample of a forecast is computed, down to single requests."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from planner.errors import printable
from planner.expansion.graph.conditions import (
    Attempt,
    ChanceHolds,
    ConflictOccurs,
    Guard,
    ItemExists,
    Round,
    StepFailed,
)
from planner.expansion.graph.work import (
    Rework,
    Stagger,
    Syncing,
    Work,
)
from planner.planning.explanation import (
    CrewPay,
    Explained,
    Explanation,
    ModelRates,
    RequestDetail,
    Term,
)
from planner.planning.forecast_result import Forecast
from planner.reading.estimates.estimate import Estimate
from planner.report.text.layout import wrap
from planner.report.wording import quantities
from planner.workflow.bodies import Wait
from planner.workflow.crews import PRESETS, Coordination, Crew

_MODEL = "docs/model.md"


def explanation_text(forecast: Forecast, explanation: Explanation) -> str:
    """Return the explanation of a forecast as text: equations, model profiles, and the steps of one sample."""
    seconds = forecast.result.seconds
    lines = [
        "",
        "Explanation",
        *wrap(
            f"p50 {quantities.seconds(seconds.p50)} is the middle of {quantities.samples(forecast.samples)}, "
            "p90 and p95 lie "
            f"above 90 and 95 of 100. What follows is sample {explanation.sample:,}, the one nearest to the p50: it "
            f"takes {quantities.seconds(explanation.seconds)}{_and_cost(explanation.usd)}. "
            f"Every equation stands in {_MODEL}."
        ),
        *wrap(_path(explanation)),
        "",
        "  T = jitter · (TTFT + uncached / prefill_speed + output / (output_speed·speed))",
        "  USD = (input · price + written · price + read · price + output · price) / 10⁶",
    ]
    for rates in explanation.models:
        lines += ["", *_rates(rates, forecast.result.scenario.speed)]
    for name, value in explanation.layers.items():
        lines += ["", f"Estimates are off by {value:.3g}x in this sample ({name})."]
    for name, crew in explanation.crews.items():
        lines += _preset(name, crew)
    for step in explanation.steps:
        lines += ["", *_step(step)]
    for crew_pay in explanation.pay:
        lines += ["", *_crew_pay(crew_pay)]
    return "\n".join(lines) + "\n"


def _preset(name: str, crew: Crew) -> Iterator[str]:
    """Yield lines of text about the preset of a crew: values, source, and keys that the workflow overrides.

    If the crew has no preset, yield nothing.
    """
    declared = crew.coordination
    if declared.preset is None:
        return
    preset = PRESETS[declared.preset]
    parts = {"lockstep": "true"} if preset.lockstep else {}
    parts |= {key: _part(value) for key, value in preset.parts.items()}
    yield ""
    yield from wrap(f"Crew '{name}' has the preset {declared.preset}, from {preset.source}:")
    yield from wrap(f"  {', '.join(f'{key}: {value}' for key, value in parts.items())}")
    plain = Coordination.model_validate(dict(preset.parts))
    overridden = [
        key for key in Coordination.model_fields if key != "preset" and getattr(declared, key) != getattr(plain, key)
    ]
    overridden += ["lockstep"] if crew.lockstep != preset.lockstep else []
    if overridden:
        yield from wrap(f"  but for what the file declares itself: {', '.join(overridden)}")


def _crew_pay(crew: CrewPay) -> Iterator[str]:
    """Yield lines of text about the pay of a crew: paid hours or seizures, the pay for each of them, and the total."""
    pay = crew.declared.usd
    assert pay is not None
    units = crew.usd / float(pay.usd) if pay.usd else 0.0
    when = "in which agents are held" if crew.declared.paid == "busy" else "of all agents, from start to end"
    work = f"{quantities.seconds(3600 * units)} {when}," if pay.hourly else f"agents seized {units:,.0f}x,"
    yield from wrap(f"Crew '{crew.crew}'{_at(crew.place)}: {work} at {quantities.pay(pay)}{_cost(crew.usd)}")


def _part(value: Any) -> str:
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {part}' for key, part in value.items())}}}"
    return f"{100 * value:g}%"


def _and_cost(usd: float | None) -> str:
    return f" and costs {quantities.usd(usd)}" if usd is not None else ""


def _path(explanation: Explanation) -> str:
    """Return a sentence with the parts of the critical path. The sum of the parts is the completion time."""
    parts = [f"{quantities.seconds(value)} {part}" for part, value in explanation.breakdown.items() if value]
    return f"Its critical path: {quantities.seconds(explanation.seconds)} = {' + '.join(parts) or '0s'}."


def _rates(rates: ModelRates, speed: float) -> Iterator[str]:
    hypothetical = ", hypothetical, and the price with it" if speed != 1 else ""
    yield from wrap(f"Profile {printable(rates.model)}{_at(rates.place)}, at {quantities.factor(speed)}{hypothetical}")
    rows = [("ttft", quantities.seconds(rates.ttft))]
    if rates.prefill_speed is not None:
        rows.append(("prefill_speed", _speed(rates.prefill_speed)))
    rows.append(("output_speed", _speed(rates.output_speed)))
    for name, value in rows:
        declared = rates.declared[name]
        drawn = f"drawn once per sample from {declared}" if " " in declared else ""
        yield f"  {name:<14}{value:>14}" + (f"   {drawn}" if drawn else "")
    for profile, (factor, declared) in rates.factors.items():
        times = f"  with a factor of {factor:.4g}x, drawn once per sample from {declared}"
        yield from wrap(f"{times} ({printable(profile)})", 4)
    yield f"  {'jitter':<14}{rates.jitter:>14g}   log-sd, drawn for each request; its median is 1"
    if rates.price is None:
        yield "  price         unknown"
    elif "per hour" in rates.price:
        yield f"  {'price':<14}{rates.price['per hour']:>14g}   $ an hour, for all of the completion time"
    else:
        prices = ", ".join(f"{key} ${value:g}" for key, value in rates.price.items())
        yield from wrap(f"  price per 10⁶ tokens: {prices}")


def _speed(value: float) -> str:
    return f"{value:,.0f} tok/s" if value >= 1000 else f"{value:.4g} tok/s"


def _at(place: str) -> str:
    return f" ({place})" if place else ""


def _step(step: Explained) -> Iterator[str]:
    model = f" on {printable(step.model)}" if step.model else ""
    yield from wrap(f"{step.step}: {step.kind}{model}{_at(step.place)}")
    for condition in _conditions(step.work):
        yield from wrap(f"  {condition}")
    if step.work.ratio != 1:
        yield f"  {step.work.ratio:.3g} tokens for each that is written here: its tokenizer is another"
    for term in step.terms:
        yield from wrap(f"  {term.name:<17} {term.estimate!s:<15} {_distribution(term)}")
    if step.made and step.times:
        size = f", of size {step.size:.3g}" if step.size != 1 else ""
        error = f", estimates off by {step.error:.3g}x" if step.error != 1 else ""
        yield f"  {step.occurrence or 'once'}{size}{error}:"
        yield from _requests(step.made)
    total = f"  done {quantities.times(step.times)}x: {quantities.seconds(step.seconds)} of work"
    total += f", {quantities.seconds(step.critical)} on the critical path"
    yield from wrap(total)
    yield from wrap(f"  {_tokens_and_cost(step)}") if step.billed.tokens or (step.billed.units and step.usd) else ()


def _tokens_and_cost(step: Explained) -> str:
    """Return a clause with the tokens, the pay and the total cost of a step."""
    billed, units = step.billed, float(step.billed.units)
    amounts = (
        (billed.input, "input"), (billed.written, "written to a cache"), (billed.cache_read, "read from one"),
        (billed.output, "output"),
    )  # fmt: skip
    parts = [f"{value:,.0f} {name}" for value, name in amounts if value]
    clauses = [f"tokens: {', '.join(parts)}"] if parts else []
    if step.pay is not None and step.pay.hourly:
        clauses.append(f"{quantities.seconds(3600 * units)} at {quantities.pay(step.pay)}")
    elif step.pay is not None:
        unit = "answer" if step.kind == "human" else "call"
        clauses.append(f"{units:,.4g} {unit}{'' if units == 1 else 's'} at {quantities.pay(step.pay)}")
    return f"{'; '.join(clauses)}{_cost(step.usd)}"


def _cost(usd: float | None) -> str:
    return f"; {quantities.usd(usd)}" if usd is not None else ""


def _distribution(term: Term) -> str:
    """Return a clause with the shape, p50 and mean of an estimate. If the estimate does not vary, return ``known``."""
    estimate = term.estimate

    def form(value: float) -> str:
        return quantities.seconds(value) if term.seconds else f"{value:,.4g}"

    if not estimate.varies:
        return "known"
    return f"{_shape(estimate)}, p50 {form(estimate.quantile(0.5))}, mean {form(estimate.mean)}"


def _shape(estimate: Estimate) -> str:
    return f"lognormal σ {estimate.sigma:.2g}" if estimate.shape == "lognormal" else estimate.shape


def _requests(details: tuple[RequestDetail, ...]) -> Iterator[str]:
    """Yield the lines of a table of requests. Each line has one request and the tool calls after this request.

    details : requests and tool calls, in order. An entry with the jitter 0 is a tool call or a person's work; any other
        entry is a request
    """
    if any(detail.jitter for detail in details):
        tool = f"{'then tool':>11}{'result':>9}" if any(not detail.jitter for detail in details) else ""
        yield f"{'prompt':>12}{'uncached':>11}{'thinking':>10}{'output':>9}{'jitter':>8}{'T':>9}{tool}"
    for number, detail in enumerate(details):
        if not detail.jitter:
            if number and details[number - 1].jitter:
                continue  # the line of the request shows this tool call
            calls = f" for {detail.calls:,.0f} calls" if detail.calls > 1 else ""
            yield f"    {quantities.seconds(detail.tool)}{calls}"
            continue
        after = details[number + 1] if number + 1 < len(details) and not details[number + 1].jitter else None
        times = f"{after.calls:,.0f} x " if after is not None and after.calls > 1 else ""
        tool = f"{times + quantities.seconds(after.tool):>11}{after.result:>9,.0f}" if after is not None else ""
        last = tool or (f"   {detail.what}" if detail.what else "")
        amounts = f"{detail.prompt:>12,.0f}{detail.uncached:>11,.0f}{detail.thinking:>10,.0f}"
        written = f"{detail.output - detail.thinking:>9,.0f}"
        yield f"{amounts}{written}{detail.jitter:>8.3f}{quantities.seconds(detail.seconds):>9}{last}"


def _conditions(work: Work) -> Iterator[str]:
    """Yield lines of text about a piece of work: its loops, its conditions, and the effect of agents on its time."""
    for loop in work.loops:
        if loop.items:
            sized = loop.size is not None and not work.coordination and work.kind != "human"
            size = f", each {loop.size} of the mean size" if sized else ""
            drawn = "at most " if any(isinstance(guard, ItemExists) for guard in _guards(work.guard)) else ""
            yield f"{drawn}{loop.count:,} {'agents' if work.kind in ('ramp_up', 'stagger') else 'items'}{size}"
            if loop.same is not None:
                again = loop.count - len(set(loop.same))
                yield f"{again:,} of these are redundant: another agent does the same item"
        elif loop.kind == "copies":
            yield f"{loop.count:,} copies"
        elif not any(loop is guard.loops[-1] for guard in _guards(work.guard) if guard.loops):
            yield f"{loop.count:,} rounds"
    for guard in reversed(list(_guards(work.guard))):
        yield _condition(guard)
    body = work.body
    if isinstance(body, Syncing):
        n = body.agents.most
        yield f"{n} / {body.every} of a request that reads {n - 1} message{'' if n == 2 else 's'} and writes one"
    elif isinstance(body, Stagger):
        yield f"agent j, from 0, comes after j · {body.seconds:g}s"
    elif isinstance(body, Rework):
        yield f"{body.share:.3g} of what the item took"
    elif isinstance(body, Wait) and body.leaves is not None:
        yield "away for leaves.back more, if they waited for longer than leaves.after"


def _guards(guard: Guard | None) -> Iterator[Guard]:
    """Yield `guard`, its parent, the parent of its parent, and so on. If `guard` is None, yield nothing."""
    while guard is not None:
        yield guard
        guard = guard.parent


def _condition(guard: Guard) -> str:
    if isinstance(guard, ChanceHolds):
        return f"with a chance of {100 * (guard.high - guard.low):.3g}%"
    if isinstance(guard, Round):
        return f"in rounds, until one is accepted with {100 * guard.until:.3g}%, at most {guard.loops[-1].count}"
    if isinstance(guard, Attempt):
        late = f" or takes over {guard.timeout:g}s" if guard.timeout is not None else ""
        return f"in attempts, each of which fails with {100 * guard.chance:.3g}%{late}, at most {guard.loops[-1].count}"
    if isinstance(guard, ConflictOccurs):
        c, n = guard.chance, guard.agents.most
        chance = 1 - (1 - c) ** (n - 1)
        return f"conflict: 1 − (1 − {c:g})^({n} − 1) = {100 * chance:.3g}%, at most {guard.loops[-1].count} times"
    if isinstance(guard, ItemExists):
        return f"as many as the number of items, drawn from {guard.counted.estimate}"
    assert isinstance(guard, StepFailed)
    return f"where '{guard.outcome.path}' fails"
