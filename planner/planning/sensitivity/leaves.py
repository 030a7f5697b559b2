"""A declaration in; the numbers in it out, each with the rule by which it is off."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeVar

from planner.planning.sensitivity import off
from planner.reading.estimates.counts import ComputedCount
from planner.reading.estimates.curves import Curve
from planner.reading.estimates.estimate import Estimate
from planner.reading.estimates.forms import Arithmetic, ByModel
from planner.reading.fields import Declared
from planner.workflow.declaration import ForEach, Workflow

AnyDeclared = TypeVar("AnyDeclared", bound=Declared)

Measure = Literal["factor", "odds", "count", "spread"]
"""How a number is off: by a factor, by a factor on its odds, by a factor that is rounded, or by its spread."""

KeyPath = tuple[str, ...]

_CHANCES = ("chance", "success", "until", "rework", "redundancy")
_COUNTS = ("count", "times", "at_most", "best_of", "first_of", "every")
_TIMES = ("stagger", "timeout")
_LENGTHS = ("context_limit",)
_SPREADS = ("jitter",)
_FACTORS = ("speed",)

_DECIDED = (*_COUNTS, "timeout", "context_limit")
"""Keys of numbers that somebody counts or decides before the run, if they are single numbers."""

_SKIPPED = ("steps", "choose", "use", "agents")
"""Keys that are not numbers of the declaration itself. The number of agents is a scenario, not an estimate."""

_PROFILE = ("ttft", "prefill_speed", "output_speed", "speed", "jitter")
"""Keys of a profile that are estimates. Prices and limits of a profile are not."""


@dataclass(frozen=True, eq=False)
class Leaf:
    """A number in a declaration, or a column of sizes in the CSV file of a fan-out.

    at : keys that lead from the declaration to the number; for a column of sizes, to the fan-out
    text : the number as written in the file
    measure : how a factor changes the number
    decided : whether the number is counted or decided before the run; False: the number is an estimate
    change : function `(number, factor)` that returns the changed number, as it is declared
    value : function `(factor)` that returns the changed number; None unless the number is a plain chance or count
    in_file : whether the leaf is a column of sizes
    """

    at: KeyPath
    text: str
    measure: Measure
    decided: bool
    change: Callable[[Any, float], Any]
    value: Callable[[float], float] | None = None
    in_file: bool = False

    @property
    def written_at(self) -> KeyPath:
        """Keys that lead from the declaration to the number in the workflow file, such as `("tool", "time")`."""
        return (*self.at, "size") if self.in_file else self.at


def leaves(declared: Declared, at: KeyPath = ()) -> Iterator[Leaf]:
    """Yield the numbers that are written in a declaration, and in the declarations inside it.

    A parameter that is written instead of a number is left out. So are times and amounts of 0, and numbers that are
    neither estimates nor counts, chances, times or spreads.
    """
    for name in type(declared).model_fields:
        value = getattr(declared, name)
        if name in _SKIPPED or (name == "count" and isinstance(declared, ForEach) and declared.file is not None):
            continue
        if isinstance(value, Declared):
            yield from leaves(value, (*at, name))
        elif name in declared.model_fields_set:
            leaf = _leaf((*at, name), value)
            if leaf is not None:
                yield leaf
    if isinstance(declared, ForEach) and declared.backlog is not None and declared.backlog.sizes is not None:
        yield Leaf(at, f"a column of {declared.file}", "spread", False, _spread_backlog, in_file=True)


def of_profile(declared: Declared) -> Iterator[Leaf]:
    """Yield the estimates in the declaration of a profile."""
    return (leaf for leaf in leaves(declared) if leaf.at[0] in _PROFILE)


def replaced(declared: AnyDeclared, at: KeyPath, change: Callable[[Any], Any]) -> AnyDeclared:
    """Return a copy of a declaration with a changed value. The other values are the same objects as before.

    at : keys that lead from the declaration to the value; empty: the declaration itself
    change : function from the old value to the new value
    """
    if not at:
        changed: AnyDeclared = change(declared)
        return changed
    name, *rest = at
    old = getattr(declared, name)
    new = replaced(old, tuple(rest), change) if isinstance(old, Declared) else change(old)
    return declared.model_copy(update={name: new})


def _leaf(at: KeyPath, value: Any) -> Leaf | None:
    name = at[-1]
    if isinstance(value, Estimate):
        return _of_estimate(at, value)
    if isinstance(value, Curve):
        return Leaf(at, "by concurrency", "factor", False, lambda old, factor: old.times(factor))
    if isinstance(value, ComputedCount):
        return Leaf(at, str(value), "count", True, off.computed_times)
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    decided = name in _DECIDED
    if name in _COUNTS:
        count = int(value)
        return Leaf(at, f"{count:,}", "count", decided, off.count_times, lambda factor: off.count_times(count, factor))
    if name in _CHANCES:
        return Leaf(at, percent(value), "odds", False, off.odds_times, lambda factor: off.odds_times(value, factor))
    if not value:
        return None
    if name in _TIMES:
        return Leaf(at, f"{value:g}s", "factor", decided, _product)
    if name in _LENGTHS:
        return Leaf(at, f"{value:g}", "factor", decided, _product)
    if name in _FACTORS:
        return Leaf(at, f"{value:g}x", "factor", False, _product)
    if name in _SPREADS:
        return Leaf(at, f"{value:g}", "spread", False, lambda old, factor: min(old * factor, off.MOST_JITTER))
    return None


def _of_estimate(at: KeyPath, estimate: Estimate) -> Leaf | None:
    if at[-1] == "size":
        return Leaf(at, str(estimate), "spread", False, off.spread)
    if estimate.shape == "constant" and not estimate.scale:
        return None
    return Leaf(at, str(estimate), "factor", False, off.times)


def _product(old: float, factor: float) -> float:
    return old * factor


def _spread_backlog(fan_out: ForEach, factor: float) -> ForEach:
    backlog = fan_out.backlog
    assert backlog is not None
    assert backlog.sizes is not None
    return fan_out.over(replace(backlog, sizes=tuple(size**factor for size in backlog.sizes)))


def in_estimates(declared: object, parameter: str) -> bool:
    """Return whether an estimate in a declaration is an expression that uses a parameter. Counts are ignored."""
    if isinstance(declared, Arithmetic):
        return any(parameter in formula.names for formula in declared.formulas)
    if isinstance(declared, ByModel):
        return any(in_estimates(estimate, parameter) for _, estimate in declared.models)
    if isinstance(declared, Workflow):
        return in_estimates(declared.steps, parameter) or in_estimates(declared.crews, parameter)
    if isinstance(declared, Declared):
        return any(in_estimates(getattr(declared, name), parameter) for name in type(declared).model_fields)
    return isinstance(declared, dict) and any(in_estimates(value, parameter) for value in declared.values())


def percent(chance: float) -> str:
    """Return a chance as it is written in a file, such as `92%`."""
    return f"{100 * chance:.6g}%"
