"""Scenarios against a target as text of 80 columns: their chances, the answer, and what would be needed."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from planner.errors import printable
from planner.planning.decisions.verdict import ALIKE
from planner.planning.forecast_result import StepResult
from planner.planning.results import Scenario
from planner.planning.target.goal import Candidate, Target
from planner.planning.target.search import Obstacle, TargetResult
from planner.planning.target.solve import FASTEST, Requirement
from planner.report.text.comparison import wrapped
from planner.report.wording import quantities
from planner.report.wording.notes import worded

_MARKS = {"meets": "✓", "limit": "~", "misses": " "}
SPEEDS, AGENTS = "Speed needed, hypothetical unless 1x", "Agents needed"
_CELL, _LABEL, _LONGEST, _WIDTH = 9, 9, 30, 80


def target_text(plans: TargetResult) -> str:
    """The answer first, then chances in every scenario, then needed speeds and agents, then notes."""
    lines = [part for line in heading(plans) for part in wrapped(line)]
    lines += ["", *(part for line in answer(plans) for part in wrapped(line))]
    lines += ["", *_chances(plans)]
    if plans.obstacle is not None:
        lines += ["", *_steps(plans, plans.obstacle)]
    lines += ["", *_needed(plans, SPEEDS, plans.speeds)]
    lines += ["", *_needed(plans, AGENTS, plans.agents)]
    lines += [""] if plans.notes else []
    lines += [line for note in worded(plans.notes) for line in wrapped("Note: " + note)]
    return "\n".join(lines) + "\n"


def percentile(target: Target) -> str:
    """`p50` or `p90`."""
    return f"p{100 * target.percentile:.0f}"


def aim(target: Target) -> str:
    """`p90 of the completion time within 4h00min and of the cost within $200`."""
    cost = "" if target.budget is None else f" and of the cost within {quantities.usd(target.budget)}"
    return f"{percentile(target)} of the completion time within {quantities.seconds(target.deadline)}{cost}"


def heading(plans: TargetResult) -> Iterator[str]:
    """What was simulated, and the target."""
    yield f"{printable(plans.workflow)}: {quantities.samples(plans.samples)}, seed {plans.seed}"
    yield f"Target: {aim(plans.target)}."


def answer(plans: TargetResult) -> Iterator[str]:
    """What to take, or why nothing is enough and what to shorten."""
    target, count = plans.target, len(plans.candidates)
    best = plans.cheapest
    if best is not None:
        yield f"{_known(plans, best)}: {_ends(plans, best)}."
        if plans.perhaps is not None:
            yield f"{_less(best, plans.perhaps)}, but about at the limit: {_ends(plans, plans.perhaps)}."
        return
    obstacle = plans.obstacle
    assert obstacle is not None
    closest = obstacle.closest
    limits = [one for one in plans.candidates if one.standing == "limit"]
    none = "The scenario is not known to meet" if count == 1 else f"None of the {count} scenarios is known to meet"
    yield f"{none} the target{_about(limits)}."
    if plans.perhaps is not None:
        yield f"About at the limit: {_ends(plans, plans.perhaps)}."
    elif closest.in_budget == "misses":
        yield f"All are over the budget; the cheapest is {_ends(plans, closest)}."
    else:
        within = " within the budget" if target.budget is not None else ""
        over = closest.quantile(target) - target.deadline
        late = f", {quantities.seconds(over)} too late" if over > 0 else ""
        yield f"The quickest{within} is {_ends(plans, closest)}{late}."
    in_time = [one for one in plans.candidates if one.in_time == "meets"]
    if in_time:
        least = min(in_time, key=lambda one: one.usd.mean if one.usd else 0.0)
        yield f"In time, but not within the budget: {_ends(plans, least)}."
    if obstacle.within_reach is not None:
        yield f"Between the scenarios, this one would meet it: {_ends(plans, obstacle.within_reach)}."
    elif not in_time and all(one.value is None and one.solved for one in (*plans.speeds, *plans.agents)):
        least_late = min((one.at for one in plans.speeds), key=lambda one: one.quantile(target))
        where = quantities.agents(least_late.scenario.agents)
        what = f"{percentile(target)} {quantities.seconds(least_late.quantile(target))}"
        yield f"Speed alone cannot do it: {where} at {quantities.factor(FASTEST)} would still take {what}."
    if obstacle.steps:
        yield _shorten(obstacle)


def _known(plans: TargetResult, best: Candidate) -> str:
    """What is known of its cost: another that meets the target may cost a little less on average."""
    if best.usd is None:
        return "It is met, at unknown cost, by"
    meeting = [one for one in plans.candidates if one.standing == "meets"]
    least = min(meeting, key=lambda one: (one.usd.mean if one.usd else 0.0, one is not best))
    if least.usd is None or least.usd.mean == best.usd.mean:
        return "Cheapest that meets it"
    fewest = ", with the fewest agents" if best.scenario.agents < least.scenario.agents else ""
    about = "About as cheap as" if best.usd.mean <= (1 + ALIKE) * least.usd.mean else "Not surely dearer than"
    return f"{about} any that meets it{fewest}"


def _less(best: Candidate, other: Candidate) -> str:
    """What one that is only about at the limit has to recommend it."""
    if best.usd is None or other.usd is None:
        same = best.price_multiplier == other.price_multiplier
    else:
        same = quantities.usd(best.usd.mean) == quantities.usd(other.usd.mean)
    return "With fewer agents" if same else "For less"


def _about(limits: list[Candidate]) -> str:
    if not limits:
        return ""
    return "; 1 is about at its limit" if len(limits) == 1 else f"; {len(limits)} are about at its limit"


def _shorten(obstacle: Obstacle) -> str:
    step = obstacle.steps[0]
    name = f"'{printable(step.step)}' ({step.kind})"
    if step.drag.mean <= 0:
        return f"Shorten {name}: it is {quantities.seconds(step.critical)} of the critical path."
    return f"Shorten {name}: if it took no time, all would end {quantities.seconds(step.drag.mean)} sooner on average."


def _chances(plans: TargetResult) -> Iterator[str]:
    """A table of speeds × agents."""
    found = {one.scenario: one for one in plans.candidates}
    agents = list(dict.fromkeys(point.agents for point in found))
    rows = list(dict.fromkeys((point.model, point.speed) for point in found))
    names = [_fitted(row_name(plans, *row)) for row in rows]
    label = max(_LABEL, *map(len, names))
    yield from wrapped(chances_title(plans))
    per_line = (_WIDTH - label) // _CELL
    for first in range(0, len(agents), per_line):
        shown = agents[first : first + per_line]
        yield " " * label + "".join(f"{count:>{_CELL},}" for count in shown)
        for name, row in zip(names, rows, strict=True):
            cells = [found[Scenario(*row, count)] for count in shown]
            yield (
                f"{name:>{label}}" + "".join(f" {mark(one)} {quantities.share(one.chance.chance):>6}" for one in cells)
            )


def chances_title(plans: TargetResult) -> str:
    """What the table of chances shows, what its marks mean, and how well chances are known."""
    return f"Chance of ending within {quantities.seconds(plans.target.deadline)}  ({_legend(plans)})"


def _legend(plans: TargetResult) -> str:
    marks = {mark(one) for one in plans.candidates}
    said = {"✓": "✓ meets the target", "~": "~ about at its limit", "$": "$ over the budget", " ": ""}
    chances = [one.chance for one in plans.candidates]
    error = max(max(one.high - one.chance, one.chance - one.low) for one in chances)
    return "; ".join([*(said[each] for each in "✓~$" if each in marks), f"± {quantities.error(error)} at most"])


def mark(one: Candidate) -> str:
    """How it stands to the target."""
    return "$" if one.in_budget == "misses" else _MARKS[one.standing]


def row_name(plans: TargetResult, model: str, speed: float) -> str:
    """What a row is called: its model where there are several, its speed where that varies."""
    several = len({one.scenario.model for one in plans.candidates}) > 1
    varied = len({one.scenario.speed for one in plans.candidates}) > 1
    if not several:
        return quantities.factor(speed)
    return f"{printable(model)} at {quantities.factor(speed)}" if varied or speed != 1 else printable(model)


def _fitted(name: str) -> str:
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…"


def _ends(plans: TargetResult, one: Candidate) -> str:
    """`8 agents at 1x, p90 3h42min (95%: 3h40min to 3h44min), in time in 97.1%; $180 on average`."""
    point, target, q = one.scenario, plans.target, percentile(plans.target)
    hypothetical = "" if point.speed == 1 else "a hypothetical "
    several = len({other.scenario.model for other in plans.candidates}) > 1
    where = plans.restricted.get(point.model)
    served = f" of {printable(point.model)}" if several or where else ""
    low, high = (
        (one.seconds.p50_low, one.seconds.p50_high)
        if target.percentile == 0.5
        else (one.seconds.p90_low, one.seconds.p90_high)
    )
    sure = f" (95%: {quantities.between(low, high)})" if low != high or low is None else ""
    text = f"{quantities.agents(point.agents)} at {hypothetical}{quantities.factor(point.speed)}{served}"
    text += f" ({where})" if where else ""
    text += f", {q} {quantities.seconds(one.quantile(target))}{sure}, in time in {quantities.share(one.chance.chance)}"
    if one.usd is None:
        return text
    spread = one.usd.p50 if target.percentile == 0.5 else one.usd.p90
    cost = f"; {quantities.usd(one.usd.mean)} on average"
    return f"{text}{cost}, {q} {quantities.usd(spread)}" if target.budget is not None else text + cost


def _steps(plans: TargetResult, obstacle: Obstacle) -> Iterator[str]:
    point = obstacle.closest.scenario
    yield f"What to shorten ({quantities.agents(point.agents)} at {quantities.factor(point.speed)}: mean time)"
    yield f"  {'step':<30}{'kind':<10}{'drag':>9}{'on path':>9}{'cost':>9}"
    yield from map(_step, obstacle.steps)


def _step(step: StepResult) -> str:
    drag = quantities.seconds(step.drag.mean) if step.drag.mean >= 0 else f"-{quantities.seconds(-step.drag.mean)}"
    cost = quantities.usd(step.usd) if step.usd else ""
    name = _fitted(printable(step.step))
    return f"  {name:<30}{step.kind:<10}{drag:>9}{quantities.seconds(step.critical):>9}{cost:>9}".rstrip()


def _needed(plans: TargetResult, title: str, found: tuple[Requirement, ...]) -> Iterator[str]:
    yield title
    yield f"  {'':<29}{'needs':>8}{'95%':>16}{percentile(plans.target):>10}{'cost':>10}"
    for one in found:
        label, needs, between, time, cost = needed(plans, one)
        label = label if len(label) <= 28 else f"{label[:27]}…"
        after = (
            f"  {cost}" if cost.startswith("at ") else f"{cost.removesuffix(' $'):>10}{cost[-2:] * cost.endswith(' $')}"
        )
        yield f"  {label:<29}{needs:>8}{between:>16}{time:>10}{after}".rstrip()
    what, most = ("speed", f" up to {quantities.factor(FASTEST)}") if title == SPEEDS else ("number of agents", "")
    if any(one.value is None and one.solved for one in found):
        found_at = f"{percentile(plans.target)} is the least that was found, and where"
        yield from wrapped(f"none: no {what}{most} is enough; {found_at}.")
    if any(one.low is not None and one.high is None and one.solved for one in found):
        yield f"to none: it is not sure that any {what} is enough."


def needed(plans: TargetResult, one: Requirement) -> tuple[str, str, str, str, str]:
    """What it is for, what is needed, between what with 95 %, and the percentile and the cost of that.

    Where nothing is enough, the last two are the percentile of what comes nearest, and what that is.
    """
    speeds, at = any(one is other for other in plans.speeds), one.at
    show = quantities.factor if speeds else lambda value: f"{value:,.0f}"
    label = quantities.agents(int(one.fixed)) if speeds else f"at {quantities.factor(one.fixed)}"
    label += f" of {printable(one.model)}" if len({other.model for other in plans.speeds}) > 1 else ""
    time = quantities.seconds(at.quantile(plans.target))
    if one.value is None:
        limit = quantities.factor(at.scenario.speed) if speeds else quantities.agents(at.scenario.agents)
        ends = "" if one.low is None or not one.solved else f"{_end(one.low, show)} to none"
        return label, "none" if one.solved else "unknown", ends, time, f"at {limit}"
    cost = (quantities.usd(at.usd.mean) if at.usd else "") + (" $" if at.in_budget == "misses" else "")
    if not one.solved:
        return label, f"≤ {show(one.value)}", "", time, cost
    return (
        label,
        show(one.value),
        "" if one.low == one.high else f"{_end(one.low, show)} to {_end(one.high, show)}",
        time,
        cost,
    )


def _end(value: float | None, show: Callable[[float], str]) -> str:
    return "none" if value is None else show(value)
