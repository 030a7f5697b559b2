"""Plan LLM agent workflows before they run: their time, their cost, and the gain from faster requests or more agents.

file → `Workflow` → task graph and demands → samples → `Forecast` or `Comparison` → text

    import planner

    workflow = planner.load_workflow("fix_bugs.yaml")
    print(planner.forecast(workflow, agents=8))
    print(planner.compare(workflow, speeds=[1, 2.5, 5]))
    print(planner.target(workflow, p90="4h", budget=200))

The module `loading` reads a workflow file and finds the catalogue of its models. The module `errors` has problems and
their positions. All other code is in folders, one for each stage of the way of the data.

The names in `__all__` are stable (docs/python.md). Each name is imported when it is first used.
"""

from planner._lazy import export as _export

__version__ = "0.1.0"

TYPE_CHECKING = False
"""True for type checkers, like that of `typing`, which takes too long to import for Ctrl-C at the start."""

if TYPE_CHECKING:
    from planner.api.answers import Catalogue, Comparison, Forecast, Sensitivity, TargetResult, TierResult
    from planner.api.calls import Workflow, compare, forecast, load_workflow, sensitivity, target, tier
    from planner.catalogue.premium import Premium
    from planner.errors import InputError, Position, Problem

__all__ = [
    "Catalogue",
    "Comparison",
    "Forecast",
    "InputError",
    "Position",
    "Premium",
    "Problem",
    "Sensitivity",
    "TargetResult",
    "TierResult",
    "Workflow",
    "__version__",
    "compare",
    "forecast",
    "load_workflow",
    "sensitivity",
    "target",
    "tier",
]

_export(
    __name__,
    {
        "api.answers": ["Catalogue", "Comparison", "Forecast", "Sensitivity", "TargetResult", "TierResult"],
        "api.calls": ["Workflow", "compare", "forecast", "load_workflow", "sensitivity", "target", "tier"],
        "catalogue.premium": ["Premium"],
        "errors": ["InputError", "Position", "Problem"],
    },
)
