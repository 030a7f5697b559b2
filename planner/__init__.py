"""Plan LLM agent workflows before they run: how long, how much, and faster requests or more agents?

file → `Workflow` → task graph and demands → samples → `Forecast` or `Comparison` → text

    import planner

    workflow = planner.load_workflow("fix_bugs.yaml")
    print(planner.forecast(workflow, agents=8))
    print(planner.compare(workflow, speeds=[1, 2.5, 5]))
    print(planner.target(workflow, p90="4h", budget=200))

The names in `__all__` are stable (docs/python.md). Each is imported when it is first used.
"""

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

_MODULES = {
    "Catalogue": "planner.api.answers",
    "Comparison": "planner.api.answers",
    "Forecast": "planner.api.answers",
    "InputError": "planner.errors",
    "TargetResult": "planner.api.answers",
    "Position": "planner.errors",
    "Premium": "planner.catalogue.premium",
    "Problem": "planner.errors",
    "Sensitivity": "planner.api.answers",
    "TierResult": "planner.api.answers",
    "Workflow": "planner.api.calls",
    "compare": "planner.api.calls",
    "forecast": "planner.api.calls",
    "load_workflow": "planner.api.calls",
    "sensitivity": "planner.api.calls",
    "target": "planner.api.calls",
    "tier": "planner.api.calls",
}


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module 'planner' has no attribute '{name}'")
    from importlib import import_module

    value = globals()[name] = getattr(import_module(_MODULES[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
