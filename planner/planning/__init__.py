"""Questions in, answers as frozen data out: forecast, comparison, explanation; other questions in folders."""

from typing import TYPE_CHECKING

from planner._lazy import export

if TYPE_CHECKING:
    from planner.planning.barriers import Barriers as Barriers
    from planner.planning.barriers import barriers as barriers
    from planner.planning.comparison import compare as compare
    from planner.planning.comparison_result import Comparison as Comparison
    from planner.planning.decisions.decide import DecisionOptions as DecisionOptions
    from planner.planning.decisions.decide import Decisions as Decisions
    from planner.planning.decisions.extra_scenarios import ExtraScenarios as ExtraScenarios
    from planner.planning.explanation import explain as explain
    from planner.planning.forecast import forecast as forecast
    from planner.planning.forecast_result import Forecast as Forecast
    from planner.planning.forecast_result import StepResult as StepResult
    from planner.planning.results import Result as Result
    from planner.planning.results import Scenario as Scenario
    from planner.planning.results import Seconds as Seconds
    from planner.planning.results import Tokens as Tokens
    from planner.planning.sensitivity.dice import Influence as Influence
    from planner.planning.sensitivity.tornado import Sensitivity as Sensitivity
    from planner.planning.sensitivity.tornado import sensitivity as sensitivity
    from planner.planning.sensitivity.variations import Effect as Effect
    from planner.planning.sensitivity.variations import first_to_get_right as first_to_get_right
    from planner.planning.target.goal import Candidate as Candidate
    from planner.planning.target.goal import Target as Target
    from planner.planning.target.search import TargetResult as TargetResult
    from planner.planning.target.search import find_cheapest as find_cheapest
    from planner.planning.tier.search import TierResult as TierResult
    from planner.planning.tier.search import tier as tier

export(
    __name__,
    {
        "barriers": ["Barriers", "barriers"],
        "comparison": ["compare"],
        "comparison_result": ["Comparison"],
        "decisions.decide": ["DecisionOptions", "Decisions"],
        "decisions.extra_scenarios": ["ExtraScenarios"],
        "explanation": ["explain"],
        "forecast": ["forecast"],
        "forecast_result": ["Forecast", "StepResult"],
        "results": ["Result", "Scenario", "Seconds", "Tokens"],
        "sensitivity.dice": ["Influence"],
        "sensitivity.tornado": ["Sensitivity", "sensitivity"],
        "sensitivity.variations": ["Effect", "first_to_get_right"],
        "target.goal": ["Candidate", "Target"],
        "target.search": ["TargetResult", "find_cheapest"],
        "tier.search": ["TierResult", "tier"],
    },
)
