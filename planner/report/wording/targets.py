"""Sentences and table rows about a search for a target."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from planner.errors import printable
from planner.planning.decisions.verdict import ALIKE
from planner.planning.target.goal import Candidate, Target
from planner.planning.target.search import Obstacle, TargetResult
from planner.planning.target.solve import FASTEST, Requirement
from planner.report.wording import quantities

SPEEDS, AGENTS = "Speed needed, hypothetical unless 1x", "Agents needed"
"""Titles of the tables of requirements."""

_MARKS = {"meets": "✓", "limit": "~", "misses": " "}


def percentile(target: Target) -> str:
    """Return the name of a target's percentile: `p50` or `p90`."""
    return f"p{100 * target.percentile:.0f}"


def target_heading(result: TargetResult) -> Iterator[str]:
    """Yield the heading of a search for a target as lines of text: samples, and the target."""
    yield f"{printable(result.workflow)}: {quantities.samples(result.samples)}, seed {result.seed}"
    yield f"Target: {_aim(result.target)}."


def _aim(target: Target) -> str:
    """Return a target as text: `p90 of the completion time within 4h00min and of the cost within $200`."""
    cost = "" if target.budget is None else f" and of the cost within {quantities.usd(target.budget)}"
    return f"{percentile(target)} of the completion time within {quantities.seconds(target.deadline)}{cost}"


def target_answer(result: TargetResult) -> Iterator[str]:
    """Yield sentences on the best scenario that meets the target.

    If no scenario surely meets the target, the sentences tell the reason and a remedy.
    """
    best = result.cheapest
    if best is None:
        yield from _not_met(result)
        return
    yield f"{_rank(result, best)}: {_outcome(result, best)}."
    if result.perhaps is not None:
        yield f"{_advantage(best, result.perhaps)}, but about at the limit: {_outcome(result, result.perhaps)}."


def _not_met(result: TargetResult) -> Iterator[str]:
    target, count, obstacle = result.target, len(result.candidates), result.obstacle
    assert obstacle is not None
    closest = obstacle.closest
    at_limit = [candidate for candidate in result.candidates if candidate.standing == "limit"]
    none = "The scenario is not known to meet" if count == 1 else f"None of the {count} scenarios is known to meet"
    yield f"{none} the target{_at_limit(len(at_limit))}."
    if result.perhaps is not None:
        yield f"About at the limit: {_outcome(result, result.perhaps)}."
    elif closest.in_budget == "misses":
        yield f"All are over the budget; the cheapest is {_outcome(result, closest)}."
    else:
        within = " within the budget" if target.budget is not None else ""
        excess = closest.quantile(target) - target.deadline
        late = f", {quantities.seconds(excess)} too late" if excess > 0 else ""
        yield f"The quickest{within} is {_outcome(result, closest)}{late}."
    in_time = [candidate for candidate in result.candidates if candidate.in_time == "meets"]
    if in_time:
        least = min(in_time, key=lambda candidate: candidate.usd.mean if candidate.usd else 0.0)
        yield f"In time, but not within the budget: {_outcome(result, least)}."
    requirements = (*result.speeds, *result.agents)
    if obstacle.within_reach is not None:
        yield f"Between the scenarios, this one would meet it: {_outcome(result, obstacle.within_reach)}."
    elif not in_time and all(requirement.value is None and requirement.solved for requirement in requirements):
        quickest = min((requirement.at for requirement in result.speeds), key=lambda at: at.quantile(target))
        agents = quantities.agents(quickest.scenario.agents)
        time = f"{percentile(target)} {quantities.seconds(quickest.quantile(target))}"
        yield f"Speed alone cannot do it: {agents} at {quantities.factor(FASTEST)} would still take {time}."
    if obstacle.steps:
        yield _shorten_step(obstacle)


def _rank(result: TargetResult, best: Candidate) -> str:
    """Return a phrase that compares the cost of `best` with all scenarios that meet the target.

    `best` may cost slightly more than the cheapest scenario if `best` has fewer agents.
    """
    if best.usd is None:
        return "It is met, at unknown cost, by"
    meeting = [candidate for candidate in result.candidates if candidate.standing == "meets"]
    least = min(meeting, key=lambda other: (other.usd.mean if other.usd else 0.0, other is not best))
    if least.usd is None or least.usd.mean == best.usd.mean:
        return "Cheapest that meets it"
    fewest = ", with the fewest agents" if best.scenario.agents < least.scenario.agents else ""
    rank = "About as cheap as" if best.usd.mean <= (1 + ALIKE) * least.usd.mean else "Not surely dearer than"
    return f"{rank} any that meets it{fewest}"


def _advantage(best: Candidate, other: Candidate) -> str:
    """Return the advantage of the scenario `other` over the best scenario: `With fewer agents` or `For less`.

    other : a scenario that perhaps meets the target
    """
    if best.usd is None or other.usd is None:
        same = best.price_multiplier == other.price_multiplier
    else:
        same = quantities.usd(best.usd.mean) == quantities.usd(other.usd.mean)
    return "With fewer agents" if same else "For less"


def _at_limit(count: int) -> str:
    if not count:
        return ""
    return "; 1 is about at its limit" if count == 1 else f"; {count} are about at its limit"


def _shorten_step(obstacle: Obstacle) -> str:
    step = obstacle.steps[0]
    name = f"'{printable(step.step)}' ({step.kind})"
    if step.drag.mean <= 0:
        return f"Shorten {name}: it is {quantities.seconds(step.critical)} of the critical path."
    return f"Shorten {name}: if it took no time, all would end {quantities.seconds(step.drag.mean)} sooner on average."


def _outcome(result: TargetResult, candidate: Candidate) -> str:
    """Return the result of a scenario as text.

    For example, `8 agents at 1x, p90 3h42min (95%: 3h40min to 3h44min), in time in 97.1%; $180 on average`.
    """
    point, target, q = candidate.scenario, result.target, percentile(result.target)
    hypothetical = "" if point.speed == 1 else "a hypothetical "
    restriction = result.restricted.get(point.model)
    model = f" of {printable(point.model)}" if _models_vary(result) or restriction else ""
    low, high = (
        (candidate.seconds.p50_low, candidate.seconds.p50_high)
        if target.percentile == 0.5
        else (candidate.seconds.p90_low, candidate.seconds.p90_high)
    )
    interval = f" (95%: {quantities.between(low, high)})" if low != high or low is None else ""
    text = f"{quantities.agents(point.agents)} at {hypothetical}{quantities.factor(point.speed)}{model}"
    text += f" ({restriction})" if restriction else ""
    time, chance = quantities.seconds(candidate.quantile(target)), quantities.share(candidate.chance.chance)
    text += f", {q} {time}{interval}, in time in {chance}"
    if candidate.usd is None:
        return text
    cost_percentile = candidate.usd.p50 if target.percentile == 0.5 else candidate.usd.p90
    cost = f"; {quantities.usd(candidate.usd.mean)} on average"
    return f"{text}{cost}, {q} {quantities.usd(cost_percentile)}" if target.budget is not None else text + cost


def chances_title(result: TargetResult) -> str:
    """Return the title of the table of chances to meet the deadline.

    The title also has the meaning of the marks, and the largest error of a chance.
    """
    return f"Chance of ending within {quantities.seconds(result.target.deadline)}  ({_legend(result)})"


def _legend(result: TargetResult) -> str:
    marks = {candidate_mark(candidate) for candidate in result.candidates}
    meanings = {"✓": "✓ meets the target", "~": "~ about at its limit", "$": "$ over the budget"}
    chances = [candidate.chance for candidate in result.candidates]
    error = max(max(chance.high - chance.chance, chance.chance - chance.low) for chance in chances)
    error_text = f"± {quantities.relative_error(error)} at most"
    return "; ".join([*(meaning for mark, meaning in meanings.items() if mark in marks), error_text])


def candidate_mark(candidate: Candidate) -> str:
    """Return the mark of a scenario in the table of chances: `✓`, `~`, `$` or a space."""
    return "$" if candidate.in_budget == "misses" else _MARKS[candidate.standing]


def target_row_name(result: TargetResult, model: str, speed: float) -> str:
    """Return the name of a row of the table of chances: `2.5x`, `opus` or `opus at 2.5x`.

    If all rows have the same model, the name has only the speed. If only models differ, a row at 1x has only the model.
    """
    if not _models_vary(result):
        return quantities.factor(speed)
    speeds_vary = len({candidate.scenario.speed for candidate in result.candidates}) > 1
    return f"{printable(model)} at {quantities.factor(speed)}" if speeds_vary or speed != 1 else printable(model)


def _models_vary(result: TargetResult) -> bool:
    return len({candidate.scenario.model for candidate in result.candidates}) > 1


@dataclass(frozen=True)
class RequirementRow:
    """A table row about the least speed or the least number of agents that meets a deadline.

    label : the given number of agents, or the given speed
    needed : least value that meets the deadline; `none` if no value meets it; `unknown` if time ran out
    interval : 95% interval of `needed`; may be empty
    percentile : p50 or p90 of the completion time with `needed`, or with `closest` if `closest` is not empty
    cost : mean cost with `needed`; empty if the cost is unknown or `needed` is not a number
    over_budget : whether `cost` is over the budget
    closest : value that comes closest to the deadline; empty if `needed` is a number
    """

    label: str
    needed: str
    interval: str
    percentile: str
    cost: str = ""
    over_budget: bool = False
    closest: str = ""

    @property
    def last_cell(self) -> str:
        """Text of the last cell of the row: the cost. If the cost is over the budget, the mark `$` follows.

        If no value meets the deadline, the text is `at` and the value `closest`.
        """
        if self.closest:
            return f"at {self.closest}"
        return f"{self.cost} $" if self.over_budget else self.cost


def requirement_row(result: TargetResult, requirement: Requirement) -> RequirementRow:
    """Convert a requirement to a table row. The requirement is in `result.speeds` or in `result.agents`."""
    is_speed, at = any(requirement is speed for speed in result.speeds), requirement.at
    form = quantities.factor if is_speed else lambda value: f"{value:,.0f}"
    label = quantities.agents(int(requirement.fixed)) if is_speed else f"at {quantities.factor(requirement.fixed)}"
    label += f" of {printable(requirement.model)}" if len({speed.model for speed in result.speeds}) > 1 else ""
    time = quantities.seconds(at.quantile(result.target))
    low, high = requirement.low, requirement.high
    if requirement.value is None:
        closest = quantities.factor(at.scenario.speed) if is_speed else quantities.agents(at.scenario.agents)
        interval = "" if low is None or not requirement.solved else f"{_end(low, form)} to none"
        return RequirementRow(label, "none" if requirement.solved else "unknown", interval, time, closest=closest)
    needed, interval = f"≤ {form(requirement.value)}", ""
    if requirement.solved:
        needed = form(requirement.value)
        interval = "" if low == high else f"{_end(low, form)} to {_end(high, form)}"
    cost = quantities.usd(at.usd.mean) if at.usd else ""
    return RequirementRow(label, needed, interval, time, cost, over_budget=at.in_budget == "misses")


def _end(value: float | None, form: Callable[[float], str]) -> str:
    return "none" if value is None else form(value)
