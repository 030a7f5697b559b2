"""The sentence with the verdict on a comparison."""

from __future__ import annotations

from collections.abc import Callable

from planner.planning.comparison_result import Comparison
from planner.planning.decisions.verdict import fewest, rows
from planner.planning.results import Result, Scenario
from planner.report.wording import quantities
from planner.report.wording.phrases import agents_of, models_vary, row_name, speeds_vary


def verdict(comparison: Comparison, seconds: Callable[[float], str] = quantities.seconds) -> str:
    """Return one sentence that tells whether more agents or faster requests save more time.

    The sentence calls a scenario quicker only if the difference is significant.

    seconds : function that formats a time as text
    """
    decision = comparison.verdict
    results = {result.scenario: result for result in comparison.results}
    model, speed = rows(results)[0]
    base = results[Scenario(model, speed, *fewest(results).crews)]
    best = results[decision.best]

    def outcome(scenario: Scenario) -> str:
        return _outcome(comparison, results[scenario], seconds)

    if len(results) == 1:
        return f"{outcome(decision.best)}."
    if not decision.gains:
        other = f"; {outcome(base.scenario)}" if best is not base else ""
        same = ", about the same" if best is not base and decision.close else ""
        return f"Quickest is {outcome(decision.best)}{other}{same}."
    start = {
        "agents": "More agents gain more here",
        "speed": "Faster requests gain more here",
        "same": "More agents and faster requests gain about the same here",
    }[decision.gains]
    others = _other_rows(comparison)
    more = _no_gain("more agents", decision.no_more) or outcome(decision.more)
    faster = _no_gain(others, decision.no_faster) or outcome(decision.faster)
    close = ", about the same" if decision.close else ""
    quickest = (
        "" if decision.best in (decision.more, decision.faster) else f"; quickest is {outcome(decision.best)}{close}"
    )
    if decision.no_more and decision.no_faster:
        quickest = "" if decision.close else quickest
        gain = "even 1%" if "little" in (decision.no_more, decision.no_faster) else "anything"
        if base.scenario == comparison.baseline_scenario:
            return f"Neither more agents nor {others} gain {gain} here: {outcome(base.scenario)}{quickest}."
        over = "; this speedup is over the baseline"
        return f"Neither more agents nor {others} gain {gain} over {outcome(base.scenario)}{over}{quickest}."
    return f"{start}: {more}, {faster}{quickest}."


def _other_rows(comparison: Comparison) -> str:
    """Return a phrase for all rows of the grid except the first row: `faster requests` or `other models`.

    If there are several models, it is `other models`, because these may be slower.
    """
    if not models_vary(comparison):
        return "faster requests"
    return "other models and speeds" if speeds_vary(comparison) else "other models"


def _no_gain(subject: str, gain: str) -> str:
    """Return a clause such as `more agents gain under 1%`.

    gain : ``little``, ``nothing`` or ``slower``. If it is an empty text, the clause is empty
    """
    predicates = {"little": "gain under 1%", "nothing": "gain nothing", "slower": "are slower"}
    return f"{subject} {predicates[gain]}" if gain else ""


def _outcome(comparison: Comparison, result: Result, seconds: Callable[[float], str]) -> str:
    """Return a phrase such as `16 agents at 1x in 12min04s for $3.10 (1.8x)`.

    The factor in brackets is the speedup over the baseline.
    """
    scenario = result.scenario
    cost = f" for {quantities.usd(result.usd.p50)}" if result.usd else ""
    name = row_name(comparison, scenario.model, scenario.speed, "a hypothetical ")
    restriction = comparison.restricted.get(scenario.model)
    preposition = "on" if models_vary(comparison) else "at"
    served = f"{agents_of(comparison, scenario)} {preposition} {name}{f' ({restriction})' if restriction else ''}"
    return f"{served} in {seconds(result.seconds.p50)}{cost} ({quantities.factor(result.speedup)})"
