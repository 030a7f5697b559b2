"""Sentences and table rows about a search for a target."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from planner.errors import printable
from planner.expansion.graph.task_graph import DEFAULT_CREW
from planner.planning.decisions.holders import SMALL
from planner.planning.results import Scenario
from planner.planning.target.goal import Candidate, interval_of, percentile_of
from planner.planning.target.search import TargetResult
from planner.planning.target.solve import Requirement
from planner.report.wording import quantities
from planner.report.wording.advice import held_by

SPEEDS, AGENTS = "Speed needed, hypothetical unless 1x", "Agents needed"
"""Titles of the tables of requirements."""

_MARKS = {"meets": "✓", "limit": "~", "misses": " "}


def percentile(q: float) -> str:
    """Return the name of a percentile: `p50`, `p90` or `p95`."""
    return f"p{100 * q:.0f}"


def within(q: float, deadline: float | None, budget: float | None) -> str:
    """Return limits as text, such as `within 4h00min and $200.00 in 90% of runs`."""
    limits = [quantities.seconds(deadline)] if deadline is not None else []
    limits += [quantities.usd(budget)] if budget is not None else []
    return f"within {' and '.join(limits)} in {quantities.percent(q)} of runs"


def target_question(result: TargetResult) -> str:
    """Return the title: the question that the result answers."""
    target = result.target
    limits = within(target.percentile, target.deadline, target.budget)
    return f"{printable(result.workflow)}: what is the cheapest way to end {limits}?"


def target_heading(result: TargetResult) -> str:
    """Return a line about the simulation."""
    count = len(result.candidates)
    scenarios = "1 scenario" if count == 1 else f"{count:,} scenarios"
    return f"{scenarios} requested, {quantities.samples(result.samples)} of each, seed {result.seed}."


def target_answer(result: TargetResult) -> Iterator[str]:
    """Yield sentences on the best scenario that meets the target.

    If no scenario surely meets the target, the sentences tell the reason and a remedy.
    """
    best = result.cheapest
    if best is None:
        yield from _not_met(result)
    else:
        yield f"{_agents(result, best.scenario).upper()}{_row(result, best)}: {_outcome(result, best)}."
        if best.usd is None:
            yield "Its cost is unknown: the fewest agents at the lowest speed count as cheapest."
        if result.perhaps is not None:
            yield f"{_advantage(best, result.perhaps)}, but about at the limit: {_scenario(result, result.perhaps)}."
        elif result.next_cheaper is not None:
            yield f"{_advantage(best, result.next_cheaper)}, but not met: {_scenario(result, result.next_cheaper)}."
        if result.restricted_cheapest is not None:
            cheaper = result.restricted_cheapest
            yield f"{_advantage(best, cheaper)}, but {cheaper.availability}: {_scenario(result, cheaper)}."
    if result.chosen:
        most = (
            "Of several, it holds the workflow up most."
            if result.crew_drag > SMALL
            else "No crew holds the workflow up."
        )
        yield f"Crew tried: {printable(result.crew)}. {most}"


def _not_met(result: TargetResult) -> Iterator[str]:
    target, obstacle, perhaps = result.target, result.obstacle, result.perhaps
    assert obstacle is not None
    closest = obstacle.closest
    if perhaps is not None:
        yield f"NOT SURE. About at the limit: {_scenario(result, perhaps)}."
    else:
        yield "NOT MET by any scenario."
    if closest.in_budget == "misses":
        yield f"All are over the budget. Cheapest: {_scenario(result, closest)}."
    elif perhaps is None or perhaps.scenario != closest.scenario:
        closest_is = "Closest" if target.budget is None else "Quickest within the budget"
        yield f"{closest_is}: {_scenario(result, closest)}."
    sure = [need.sure for need in (*result.speeds, *result.agents) if need.sure is not None]
    in_time = [candidate for candidate in (*result.candidates, *sure) if candidate.in_time == "meets"]
    least = min(in_time, key=lambda each: (each.rank, each.usd.mean if each.usd else 0.0), default=None)
    if least is not None and least.scenario != closest.scenario:
        over = "over the budget" if least.in_budget == "misses" else "not surely within the budget"
        yield f"In time, but {over}: {_scenario(result, least)}."
    if result.speeds and all(need.value is None and need.solved for need in (*result.speeds, *result.agents)):
        yield _no_speed(result)
    yield held_by(obstacle.holders, obstacle.closest.seconds.p50)
    yield from _remedies(result, closest, least)


def _no_speed(result: TargetResult) -> str:
    target = result.target
    quickest = min((need.at for need in result.speeds), key=lambda at: at.quantile(target))
    if quickest.scenario.speed <= max(candidate.scenario.speed for candidate in result.candidates):
        return "No speed is enough."
    agents, speed = _agents(result, quickest.scenario), quantities.factor(quickest.scenario.speed)
    time = f"{percentile(target.percentile)} would still be {quantities.seconds(quickest.quantile(target))}"
    return f"No speed is enough: with {agents} at {speed}, {time}."


def _remedies(result: TargetResult, closest: Candidate, in_time: Candidate | None) -> Iterator[str]:
    """Yield sentences on remedies: a later deadline, a higher budget, or more agents of a further crew.

    in_time : the cheapest scenario that surely meets the deadline; None if there is none
    """
    changes = []
    _, later = interval_of(closest.seconds, result.target.percentile)
    if closest.in_budget == "meets" and later is not None:
        changes.append(f"a deadline of about {quantities.seconds(later)}")
    if in_time is not None and in_time.usd_high is not None and in_time.rank <= closest.rank:
        changes.append(f"a budget of about {quantities.usd(in_time.usd_high)}")
    if changes:
        yield f"It would be met with {' or '.join(changes)}."
    assert result.obstacle is not None
    others = [holder for holder in result.obstacle.holders if holder.kind == "crew" and holder.name not in result.crews]
    for holder in others[:1]:
        numbers = ",".join(str(times * (holder.agents or 1)) for times in (1, 2, 4))
        yield f"Try more {printable(holder.name)}: --agents {printable(holder.name)}={numbers}."


def _advantage(best: Candidate, other: Candidate) -> str:
    """Return the advantage of the scenario `other` over the best one: `Fewer agents`, `Lower speed` or `Cheaper`."""
    if best.usd is None or other.usd is None:
        same = best.price_multiplier == other.price_multiplier
    else:
        same = quantities.usd(best.usd.mean) == quantities.usd(other.usd.mean)
    if not same:
        return "Cheaper"
    if other.scenario.all_agents < best.scenario.all_agents:
        return "Fewer agents"
    return "Lower speed" if other.scenario.speed < best.scenario.speed else "Cheaper"


def _agents(result: TargetResult, scenario: Scenario) -> str:
    """Return the agents of a scenario as text, such as `4 coders + 2 reviewers`."""
    numbers = ((result.crew, scenario.agents), *scenario.others)
    return " + ".join(quantities.crew(crew, count) for crew, count in numbers)


def _row(result: TargetResult, candidate: Candidate) -> str:
    """Return the speed and the model of a scenario as text: ` at 1.5x (hypothetical)`, ` on opus-fast (limited)`.

    The text is empty if all scenarios have the same speed and model.
    """
    scenario, text = candidate.scenario, ""
    speeds = {each.scenario.speed for each in result.candidates}
    if scenario.speed != 1 or (len(speeds) > 1 and not _models_vary(result)):
        text += f" at {quantities.factor(scenario.speed)}"
    if _models_vary(result) or scenario.model in result.restricted:
        text += f" on {printable(scenario.model)}"
    restriction = result.restricted.get(scenario.model, "")
    about = ", ".join(dict.fromkeys(filter(None, (candidate.availability, restriction))))
    return f"{text} ({about})" if about else text


def _scenario(result: TargetResult, candidate: Candidate) -> str:
    return f"{_agents(result, candidate.scenario)}{_row(result, candidate)}, {_outcome(result, candidate)}"


def _outcome(result: TargetResult, candidate: Candidate) -> str:
    """Return the time, the chance and the cost of a scenario as text.

    For example, `p90 3h42min, in time in 97.1% of runs, $180 on average`.
    """
    target, q = result.target, percentile(result.target.percentile)
    text = f"{q} {quantities.seconds(candidate.quantile(target))}"
    late = candidate.quantile(target) - target.deadline
    if candidate.in_time == "misses":
        text += f", {quantities.seconds(late)} too late"
    else:
        text += f", in time in {quantities.share(candidate.chance.chance)} of runs"
    if candidate.usd is None:
        return text
    text += f", {quantities.usd(candidate.usd.mean)} on average"
    if target.budget is None:
        return text
    return f"{text} ({q} {quantities.usd(percentile_of(candidate.usd, target.percentile))})"


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
    """Return the mark of a scenario in the table of chances.

    The mark is `$` over the budget, `✓` if the target is met, `~` about at the limit, and a space if it is missed.
    """
    return "$" if candidate.in_budget == "misses" else _MARKS[candidate.standing]


def target_row_name(result: TargetResult, model: str, speed: float, others: Sequence[tuple[str, int]] = ()) -> str:
    """Return the name of a row of the table of chances: `2.5x`, `opus`, `opus at 2.5x` or `2.5x, 2 reviewers`.

    The model is left out if all rows have the same one. If only models differ, the speed 1x is left out.
    """
    crews = "".join(f", {quantities.crew(crew, count)}" for crew, count in others)
    return _row_name(result, model, speed) + crews


def _row_name(result: TargetResult, model: str, speed: float) -> str:
    if not _models_vary(result):
        return quantities.factor(speed)
    speeds_vary = len({candidate.scenario.speed for candidate in result.candidates}) > 1
    return f"{printable(model)} at {quantities.factor(speed)}" if speeds_vary or speed != 1 else printable(model)


def _models_vary(result: TargetResult) -> bool:
    return len({candidate.scenario.model for candidate in result.candidates}) > 1


@dataclass(frozen=True)
class RequirementRow:
    """A table row about the least speed or the least number of agents that meets a deadline.

    label : the fixed quantity, such as `4 coders` in a row about the least speed
    needed : least value that meets the deadline; `none` if no value meets it. If the search ran out of time, it is a
        value with `≤` in front, or `unknown`
    interval : 95% interval of `needed`; may be empty
    percentile : p50, p90 or p95 of the completion time at the row's value. This is `needed`, or `closest` if no value
        was found
    cost : mean cost at `needed`; empty if the cost is unknown or no value was found
    over_budget : whether `cost` is over the budget
    closest : if no value was found, the value that comes closest to the deadline; otherwise empty
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
        """Text of the last cell of the row, such as `$8.08`, `$8.08 $` if this is over the budget, or `at 16 agents`.

        The text begins with `at` if no value meets the deadline. It then tells the value that comes closest.
        """
        if self.closest:
            return f"at {self.closest}"
        return f"{self.cost} $" if self.over_budget else self.cost


def requirement_row(result: TargetResult, requirement: Requirement, name: bool = False) -> RequirementRow:
    """Convert a requirement to a table row. The requirement is in `result.speeds` or in `result.agents`.

    name : whether the label begins with the searched quantity: `speed` or the name of the crew
    """
    is_speed, at = requirement.crew is None, requirement.at
    form = quantities.factor if is_speed else lambda value: f"{value:,.0f}"
    label, time = _label(result, requirement, name), quantities.seconds(at.quantile(result.target))
    low, high = requirement.low, requirement.high
    if requirement.value is None:
        closest = quantities.factor(at.scenario.speed)
        if requirement.crew is not None:
            number = dict(((result.crew, at.scenario.agents), *at.scenario.others))[requirement.crew]
            closest = form(number) if name or len(result.crews) > 1 else quantities.agents(number)
        interval = "" if low is None or not requirement.solved else f"{_end(low, form)} to none"
        return RequirementRow(label, "none" if requirement.solved else "unknown", interval, time, closest=closest)
    needed, interval = form(requirement.value), ""
    if requirement.sure is not None and high is not None:
        # The cheapest scenario surely meets the deadline. A row that only probably does would look cheaper.
        needed, at = form(high), requirement.sure
        time = quantities.seconds(at.quantile(result.target))
    if not requirement.solved:
        needed = f"≤ {needed}"
    elif low != high:
        interval = f"{_end(low, form)} to {_end(high, form)}"
    cost = quantities.usd(at.usd.mean) if at.usd else ""
    cost = cost if requirement.sure else "not sure"
    return RequirementRow(label, needed, interval, time, cost, over_budget=at.in_budget == "misses")


def _label(result: TargetResult, requirement: Requirement, name: bool) -> str:
    """Return the label of a table row about a least speed or a least number of agents.

    The label has the fixed quantities. If the least speed is searched, it is for example `4 coders`. If the least
    number of agents is searched, it is for example `at 1x`, or `coders at 1x, 2 reviewers` if several crews vary.

    name : whether the label also names the searched quantity: `speed with 4 coders`, or `coders at 1x`
    """
    scenario, crew = requirement.at.scenario, requirement.crew
    model = f" on {printable(requirement.model)}" if _models_vary(result) else ""
    if crew is None:
        return f"{'speed with ' if name else ''}{_agents(result, scenario)}{model}"
    fixed = ((other, count) for other, count in ((result.crew, scenario.agents), *scenario.others) if other != crew)
    needed = "agents" if crew == DEFAULT_CREW else printable(crew)
    others = "".join(f", {quantities.crew(other, count)}" for other, count in fixed)
    named = f"{needed} " if name or len(result.crews) > 1 else ""
    return f"{named}at {quantities.factor(requirement.fixed)}{model}{others}"


def _is_more(need: Requirement, result: TargetResult) -> bool:
    """Return whether a speed above the lowest requested speed is needed. If no speed was found, return True."""
    return need.value is None or need.value > min(candidate.scenario.speed for candidate in result.candidates)


MOST_OTHERWISE = 5
"""Most rows of `otherwise_needed`."""


def otherwise_needed(result: TargetResult) -> list[RequirementRow]:
    """Return at most `MOST_OTHERWISE` rows on alternatives to the best scenario.

    First come rows with the number of agents that is needed at 1x.
    If several crews vary, rows with other combinations of numbers follow, at the best scenario's model and speed.
    The last row is a higher speed with fewer agents.
    """
    best = result.cheapest
    if best is None:
        return []
    point, needs = best.scenario, result.agents
    at_1x = [need for need in needs if need.fixed == 1 and need.at.scenario.speed == 1 and need.solved]
    rows = [need for need in at_1x if need.model != point.model or point.speed != 1][:3]
    same = [need for need in needs if (need.model, need.fixed) == (point.model, point.speed) and need.sure is not None]
    if len(result.crews) > 1:
        rows += [need for need in same if need.sure is not None and need.sure.scenario != point][:3]
    fewer = [need for need in result.speeds if need.model == point.model and _is_more(need, result)]
    fewer = [need for need in fewer if need.at.scenario.all_agents < point.all_agents]
    rows += sorted(fewer, key=lambda need: -need.at.scenario.all_agents)[:1]
    return [requirement_row(result, need, name=True) for need in rows[:MOST_OTHERWISE]]


def _end(value: float | None, form: Callable[[float], str]) -> str:
    return "none" if value is None else form(value)
