"""The advice of a comparison in words: verdict, agents, faster, holders, and a table of the times and costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from planner.errors import printable
from planner.planning.comparison_result import ComparisonAnswer
from planner.planning.decisions.advice import Advice, Change
from planner.planning.decisions.holders import SMALL, Holder
from planner.planning.results import Result, Scenario, rows
from planner.report.wording import quantities
from planner.report.wording.crews import changed_phrases, compact, crews_phrase, others_phrase, shown_numbers

_AVAILABILITY: Mapping[str, str] = {
    "hypothetical": "nobody sells this speed",
    "limited": "not sold to everybody",
    "retired": "no longer sold",
}
"""Availability of a model or speed → phrase."""

_SAME = 0.005
"""Differences of time and cost up to this share are worded as none."""

_WORK: Mapping[str, str] = {
    "llm": "{name}, a request",
    "agent": "{name}, an agent loop",
    "tool": "{name}, a tool",
    "human": "{name}, a person",
    "merge": "merges of {name}, one at a time",
    "conflict": "conflicts of {name}",
    "rework": "rework of {name}",
    "brief": "briefs of {name}",
    "report": "reports of {name}",
    "reading": "the lead's reading of {name}",
    "sync": "messages of {name}",
    "ramp_up": "ramp-up of {name}",
    "stagger": "the staggered start of {name}",
}
"""Kind of a step's work, or mechanism of coordination → phrase."""

_POOLS: Mapping[str, str] = {
    "crew": "the {crew}",
    "queue": "merges of {name}, {agents:,} at a time",
    "lead": "the lead, alone",
    "limit": "the limit max_concurrency {agents:,}",
}
"""Kind of a holder with agents or slots → phrase."""


def question(comparison: ComparisonAnswer) -> str:
    """Return the title: the question that the advice answers."""
    return f"{printable(comparison.workflow)}: faster, or more agents?"


def declared_phrase(advice: Advice) -> str:
    """Return a phrase such as `declared: 4 fixers, model sonnet: 2h00, $16.01`."""
    model = f", model {printable(advice.declared.model)}" if advice.declared.model else ""
    model += f" ({_AVAILABILITY[advice.availability]})" if advice.availability else ""
    usd = "cost unknown" if advice.declared_usd is None else quantities.usd(advice.declared_usd)
    count = crews_phrase(advice.crew, advice.declared)
    agents = count if advice.limited or advice.most == 1 else f"no limit on agents, up to {advice.most:,} busy"
    return f"declared: {agents}{model}: {quantities.seconds(advice.declared_seconds)}, {usd}"


def unpaid_crew(comparison: ComparisonAnswer) -> bool:
    """Return whether people work on the compared crew and are not paid."""
    places = [place for note in comparison.notes if note.code == "unpaid-people" for place in note.values["places"]]
    return any(place["crew"] == comparison.crew for place in places)


def advice_sentences(advice: Advice, each_crew: Sequence[Change] = (), unpaid: bool = False) -> list[str]:
    """Return the sentences of the advice: verdict, effects of agents and speed, largest drags, crews to compare next.

    each_crew : if the advice changes several crews: for each of them, the change of only this crew. Otherwise empty
    unpaid : whether people work on the compared crew and are not paid
    """
    agents = _each_crew(advice, each_crew) if each_crew else _agents(advice, unpaid)
    holders = held_by(advice.holders, advice.declared_seconds)
    lines = [f"{_verdict(advice, unpaid)}.", _levers(advice, unpaid), agents, _faster(advice), holders]
    if advice.chosen:
        lines.append(_chosen_crew(advice))
    elif advice.other_crew is not None:
        other = printable(advice.other_crew)
        numbers = _next_numbers(advice.other_agents)
        lines.append(f"The crew '{other}' holds the workflow up more: try --agents {other}={numbers}.")
    return [line for line in lines if line]


def _chosen_crew(advice: Advice) -> str:
    """Return sentences on the crew that the planner chose to compare, and on the options that compare several crews."""
    crew = printable(advice.crew)
    text = f"Compared: numbers of '{crew}', the crew that holds the workflow up most."
    if advice.crew_drag <= SMALL:
        text = f"Compared: numbers of '{crew}'. No crew by itself holds the workflow up."
    if advice.other_crew is None:
        return text
    other = printable(advice.other_crew)
    numbers = [_next_numbers(advice.declared.agents), _next_numbers(advice.other_agents)]
    return f"{text} To compare two crews: --agents {crew}={numbers[0]} --agents {other}={numbers[1]}."


def _next_numbers(agents: int | None) -> str:
    """Return numbers of agents to try for a crew: 1, 2 and 4 times its declared number, such as `3,6,12`."""
    return ",".join(str(times * (agents or 1)) for times in (1, 2, 4))


def _verdict(advice: Advice, unpaid: bool) -> str:
    """Return the verdict as a sentence without a full stop."""
    change, after = advice.change, advice.recommended
    if change is None:
        whole = quantities.seconds(advice.declared_seconds)
        reason = f"no simulated change saves {quantities.relative_error(advice.threshold)} of the {whole}"
        if advice.usd_per_hour is not None:
            gain = quantities.relative_error(advice.threshold)
            reason = f"no simulated change gains {gain} of the {whole} at {quantities.usd(advice.usd_per_hour)} an hour"
        kept = crews_phrase(advice.crew, after).upper() if advice.limited else "AS DECLARED"
        return f"KEEP {kept}: {reason}"
    agents = " instead of ".join(changed_phrases(advice.crew, advice.declared, after))
    row, gain = _row(advice, after), _gain(advice, change, unpaid)
    ending = "s" if after.all_agents == 1 else ""
    reason = "; what people cost is not in this plan" if unpaid and after.crews != advice.declared.crews else ""
    if advice.verdict == "more-agents":
        return f"MORE AGENTS: {agents} save{ending} {gain}{reason}"
    if advice.verdict in ("fewer-agents", "rebalance"):
        within = f"{'is' if ending else 'are'} within {quantities.relative_error(advice.threshold)}"
        difference = f"save{ending} {gain}" if change.worth else f"{within}: {_difference(advice, change, unpaid)}"
        return f"{'FEWER AGENTS' if advice.verdict == 'fewer-agents' else 'REBALANCE'}: {agents} {difference}{reason}"
    sold = change.availability not in ("hypothetical", "retired")
    if advice.verdict == "both":
        what = "SPEED" if change.availability == "hypothetical" else "MODEL"
        start = "BOTH" if sold else f"BOTH, IF THIS {what} WERE SOLD"
        return f"{start}: {agents}, and {row}, {'' if sold else 'would '}save {gain}{reason}"
    return f"FASTER: {row} saves {gain}" if sold else f"FASTER, IF IT WERE SOLD: {row} would save {gain}"


def _agents(advice: Advice, unpaid: bool) -> str:
    """Return a sentence that compares more agents, and one agent, with the recommended number.

    The sentence names the model and the speed of the compared scenarios if they are not the declared ones. If there is
    nothing to compare, return an empty text.
    """
    parts = []
    if advice.more is not None and advice.more.after != advice.declared:
        parts.append(f"{_number(advice, advice.more)} would {_would(advice, advice.more, unpaid)}")
    elif advice.recommended.agents >= advice.most and not advice.recommended.others:
        parts.append(f"more than {advice.most:,} would have no work")
    if advice.over_one is not None:
        parts.append(f"1 would {_reversed(advice.over_one)}")
    row = "" if advice.recommended.row == advice.declared.row else f" with {_row(advice, advice.recommended)}"
    return f"Agents{row}: {'; '.join(parts)}." if parts else ""


def _levers(advice: Advice, unpaid: bool) -> str:
    """Return a sentence on the two changes of the verdict ``both``, one after the other. It may be empty."""
    if not advice.levers:
        return ""
    agents, row = advice.levers
    names = changed_phrases(advice.crew, advice.declared, agents.after)[0]
    return (
        f"Alone, {names} would {_would(advice, agents, unpaid)}. From there, {_row(advice, row.after)} would "
        f"{_would(advice, row)}."
    )


def _reversed(change: Change) -> str:
    """Return the effect of undoing a change, as words that follow `would`: `take 3h17 longer for $0.37 less`."""
    time = "take as long"
    if abs(change.share) >= _SAME:
        time = f"take {quantities.seconds(abs(change.saved))} {'longer' if change.saved > 0 else 'less'}"
    if change.usd is None or abs(change.usd) < 5e-5:
        return time
    return f"{time} for {quantities.usd(abs(change.usd))} {'less' if change.usd > 0 else 'more'}"


def _each_crew(advice: Advice, changes: Sequence[Change]) -> str:
    """Return a sentence such as `Alone: 8 coders save 12min05s; 2 reviewers save 3min10s.`

    Each clause is about one crew, while all other crews have their declared numbers. If a larger number of agents was
    simulated, a second sentence follows, such as `Then 16 coders would save 1min20s.`
    """
    parts = [f"{_number(advice, change)} {_saves(change)}" for change in changes]
    text = f"Alone: {'; '.join(parts)}."
    if advice.more is not None:
        text += f" Then {_number(advice, advice.more)} would {_saves(advice.more)}."
    return text


def _saves(change: Change) -> str:
    """Return the gain in time: `save 12min05s`, `save under 1%`, or `take 2min05s longer`."""
    if abs(change.share) < _SAME:
        return "save under 1%"
    if change.saved < 0:
        return f"take {quantities.seconds(-change.saved)} longer"
    return f"save {quantities.seconds(change.saved)}"


def _number(advice: Advice, change: Change) -> str:
    """Return the new number of agents of the changed crew: `8`, or `8 coders` if several crews vary."""
    if not change.after.others:
        return f"{change.after.agents:,}"
    return changed_phrases(advice.crew, change.before, change.after)[0]


def _faster(advice: Advice) -> str:
    change = advice.faster
    if change is None:
        return ""
    start = "Faster: "
    if advice.verdict not in ("faster", "both"):
        unsold = change.availability in ("hypothetical", "retired")
        start += "no. " if not change.worth else "only if it were sold. " if unsold else ""
    if advice.recommended.crews != advice.declared.crews:
        start += f"With {crews_phrase(advice.crew, advice.recommended)}, "
    return f"{start}{_row(advice, change.after)} would {_would(advice, change)}."


def held_by(holders: Sequence[Holder], seconds: float) -> str:
    """Return the sentence that names what holds the workflow up, and by how much.

    seconds : p50 of the completion time. A drag from fewer samples may be larger, and is then worded as this time
    """
    if not holders:
        return "Held up by: nothing in particular."
    alone = " (each by itself)" if len(holders) > 1 else ""
    return f"Held up by{alone}: {'; '.join(_holder(holder, seconds) for holder in holders)}."


def _holder(holder: Holder, most: float) -> str:
    wording = _WORK.get(holder.work, "{name}") if holder.agents is None else _POOLS[holder.kind]
    crew = "" if holder.agents is None else quantities.crew(holder.name, holder.agents)
    phrase = wording.format(name=printable(holder.name), agents=holder.agents, crew=crew)
    drag = quantities.noisy(holder.drag.seconds, holder.drag.standard_error, most)
    condition = "instant" if holder.agents is None else "unlimited"
    return f"{phrase} (-{drag} if {condition})"


def _row(advice: Advice, scenario: Scenario) -> str:
    """Return the speed and model of a scenario: `2.5x output speed`, `opus-fast` or `opus-fast at 2.5x`."""
    speed = quantities.factor(scenario.speed)
    if scenario.model == advice.declared.model:
        return f"{speed} output speed"
    return printable(scenario.model) if scenario.speed == 1 else f"{printable(scenario.model)} at {speed}"


def _gain(advice: Advice, change: Change, unpaid: bool = False) -> str:
    """Return the time and cost of a change: `1h02 (45% of 2h18) for $0.37 more ($12.30 per hour saved)`."""
    return f"{quantities.seconds(change.saved)} ({_share(advice, change)}){_cost(change, unpaid)}"


def _would(advice: Advice, change: Change, unpaid: bool = False) -> str:
    """Return the effect of a change as words that follow `would`.

    For example, `save 1h02 (45% of 2h18) for $0.37 more`, or `take 2min longer (3% of 1h07)`.
    """
    if abs(change.share) < _SAME:
        return f"save under 1%{_cost(change, unpaid)}"
    if change.saved < 0:
        return f"take {quantities.seconds(-change.saved)} longer ({_share(advice, change)}){_cost(change, unpaid)}"
    return f"save {_gain(advice, change, unpaid)}"


def _difference(advice: Advice, change: Change, unpaid: bool) -> str:
    """Return the difference of times and costs, such as `12.0s longer (1% of 20min) for $0.20 less`."""
    time = "as quick"
    if abs(change.share) >= _SAME:
        time = f"{quantities.seconds(abs(change.saved))} {'longer' if change.saved < 0 else 'less'}"
        time += f" ({_share(advice, change)})"
    return f"{time}{_cost(change, unpaid)}"


def _cost(change: Change, unpaid: bool) -> str:
    """Return the cost of a change, such as ` for $28.10 more ($689 per hour saved; nobody sells this speed)`."""
    if change.usd is None:
        cost, rate = "", ""
    elif abs(change.usd) < 5e-5:
        cost, rate = "" if unpaid else " at the same cost", ""
    else:
        cost = f" for {quantities.usd(abs(change.usd))} {'more' if change.usd > 0 else 'less'}"
        rate = "" if change.usd_per_hour is None else f"{quantities.usd(change.usd_per_hour)} per hour saved"
    about = "; ".join(filter(None, (rate, _AVAILABILITY.get(change.availability, ""))))
    return f"{cost} ({about})" if about else cost


def _share(advice: Advice, change: Change) -> str:
    """Return the saved or lost time as a percentage of the time before the change, such as `45% of 2h18`."""
    share = abs(change.share)
    whole = abs(change.saved) / share if share else advice.declared_seconds
    text = f"{quantities.percent(share) if share >= _SAME else 'under 1%'} of {quantities.seconds(whole)}"
    small = change == advice.more and change.saved > 0 and not change.worth and advice.usd_per_hour is None
    return f"{text}, under {quantities.relative_error(advice.threshold)}" if small else text


_MARKS: Mapping[str, str] = {"limited": "!", "retired": "!!"}
"""Availability of a model → mark in the table."""

_LEGEND: Mapping[str, str] = {"?": "nobody sells it", "!": "not sold to everybody", "!!": "no longer sold"}
"""Mark in the table → meaning."""


@dataclass(frozen=True)
class AdviceCell:
    """A cell of the table of compared scenarios under the advice: the p50 and the mean cost of one scenario.

    declared : whether the cell shows the declared scenario
    recommended : whether the cell shows the recommended scenario
    """

    text: str
    declared: bool
    recommended: bool


@dataclass(frozen=True)
class AdviceTable:
    """The table of compared scenarios under the advice of `compare`. Each cell has a p50 and a mean cost.

    Each column has one number of agents. Each row has one model and speed. If the numbers of several crews vary, the
    columns have the numbers of the first crew, and each row also has one number for each other crew.

    agents : number of agents of the first crew in each column
    crew : name of the first crew
    rows : name, mark and cells of each row. The mark is ``?`` if nobody offers the speed, ``!`` if not everybody can
        buy the model, and ``!!`` if the model is retired; otherwise empty
    others : names of the other crews, for the legend. Empty if the names of the rows contain the names of the crews, or
        if only one crew varies
    """

    agents: tuple[int, ...]
    crew: str
    rows: tuple[tuple[str, str, tuple[AdviceCell, ...]], ...]
    others: str = ""

    @property
    def legend(self) -> str:
        """Text that explains the marks of the table."""
        marks = {mark for _, mark, _ in self.rows}
        cells = [cell for _, _, cells in self.rows for cell in cells]
        parts = ["Median time, mean cost"]
        parts += ["[ ] declared"] if any(cell.declared for cell in cells) else []
        parts += ["* recommended"] if any(cell.recommended for cell in cells) else []
        parts += [f"{mark} {meaning}" for mark, meaning in _LEGEND.items() if mark in marks]
        parts += [f"rows: {self.others}"] if self.others else []
        return "   ".join(parts)


def advice_table(comparison: ComparisonAnswer, most_rows: int | None) -> AdviceTable:
    """Return the table of compared scenarios under the advice.

    most_rows : largest number of rows. Each model at each speed has at least one row, even beyond this number. None:
        the table has all scenarios
    """
    advice = comparison.advice
    results = {result.scenario: result for result in comparison.results}
    speeds = rows(results)
    agents, combinations = shown_numbers(advice, results, most_rows is None)
    most_rows = len(speeds) * len(combinations) if most_rows is None else most_rows
    few = max(1, min(len(combinations), most_rows // len(speeds)))
    more = max(few, most_rows - few * (len(speeds) - 1))
    table, short = [], any(map(compact, combinations))
    for (model, speed), others in (
        (row, others)
        for row in speeds
        for others in sorted(combinations[: more if row == advice.declared.row else few])
    ):
        of_row = [results.get(Scenario(model, speed, count, others)) for count in agents]
        cells = tuple(_cell(advice, result) for result in of_row)
        mark = "?" if speed != 1 else _MARKS.get(comparison.restricted.get(model, ""), "")
        name = _row_name(comparison, model, speed)
        if others:
            counts = "/".join(f"{count:,}" for _, count in others)
            name = f"{name}, {counts if short else others_phrase(others)}"
        table.append((name, mark, cells))
    numbers = "/".join(printable(crew) for crew, _ in combinations[0]) if short else ""
    return AdviceTable(agents, comparison.crew, tuple(table), numbers)


def _row_name(comparison: ComparisonAnswer, model: str, speed: float) -> str:
    models = {result.scenario.model for result in comparison.results}
    name = quantities.factor(speed)
    if len(models) == 1:
        return name
    return printable(model) if speed == 1 else f"{printable(model)} {name}"


def _cell(advice: Advice, result: Result | None) -> AdviceCell:
    if result is None:
        return AdviceCell("", False, False)
    cost = "" if result.usd is None else f" {short_usd(result.usd.mean)}"
    scenario = result.scenario
    return AdviceCell(
        f"{quantities.seconds(result.seconds.p50)}{cost}", scenario == advice.declared, scenario == advice.recommended
    )


def short_usd(value: float) -> str:
    """Return an amount in few characters: `$0.0042`, `$3.1`, `$16`, `$1,234`, `$1.98M`."""
    if 0.0995 <= value < 9.95:
        return f"${value:.2f}"
    return f"${value:.0f}" if 9.95 <= value < 999.5 else quantities.usd(value)
