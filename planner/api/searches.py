"""Meet a deadline, choose tiers, find what an answer hangs on: each a call with checked arguments."""

from __future__ import annotations

from collections.abc import Sequence

from planner.api import arguments
from planner.api.answers import (
    Sensitivity,
    TargetResult,
    TierResult,
    answer,
)
from planner.api.calls import Workflow
from planner.api.shared import (
    Progress,
    backend_of,
    grid_of,
    run_of,
    scenario_of,
    served_by,
    source_of,
)
from planner.catalogue.premium import Premium
from planner.planning.sensitivity.tornado import sensitivity as run_sensitivity
from planner.planning.target.goal import Target
from planner.planning.target.search import find_cheapest
from planner.planning.tier.search import tier as run_tier


def target(
    workflow: Workflow,
    *,
    p90: float | str | None = None,
    p50: float | str | None = None,
    budget: float | str | None = None,
    speeds: Sequence[float] | None = None,
    agents: Sequence[int] = (1, 2, 4, 8, 16),
    crew: str | None = None,
    models: Sequence[str] | str = (),
    runtime: str | None = None,
    premium: Premium | float | None = None,
    seed: int = 1,
    samples: int | None = None,
    precision: float | str | None = None,
    max_time: float | str | None = None,
    threads: int | None = None,
    scheduler: str | None = None,
    progress: Progress | None = None,
) -> TargetResult:
    """The cheapest scenario that meets a deadline and a budget, as `planner target`.

    p90, p50 : one of them: the deadline of 90, or of 50, of 100 runs, in seconds or as "4h"
    budget : most US dollars that as many runs may cost; none: as much as it takes

    The other arguments are those of `compare`. Where no scenario is known to meet the target, `cheapest` is None and
    `obstacle` says why.

    Raises InputError with every problem, and where there is a budget and a price is unknown.
    """
    check = arguments.Arguments()
    plan, by = source_of(check, workflow, runtime)
    given = {name: value for name, value in (("p90", p90), ("p50", p50)) if value is not None}
    limits = {name: check.take(name, value, arguments.deadline) for name, value in given.items()}
    if len(given) != 1:
        check.add("give the deadline by one of p90 and p50, as in p90='4h'")
    most = check.take("budget", budget, arguments.either(arguments.usd))
    grid = grid_of(check, speeds, agents, crew, models, premium)
    run = run_of(check, seed, samples, precision, max_time, progress)
    where = backend_of(check, threads, scheduler)
    check.done()
    ((name, limit),) = limits.items()
    with arguments.in_python():
        served, notes = plan.serving(grid["models"], by)
        found = find_cheapest(served, Target(0.9 if name == "p90" else 0.5, limit, most), **grid, **run, backend=where)
    return answer(TargetResult, found, (*found.notes, *notes))


def tier(
    workflow: Workflow,
    *,
    fast: str,
    budget: float | str,
    agents: int | None = None,
    crew: str | None = None,
    model: str | None = None,
    runtime: str | None = None,
    seed: int = 1,
    samples: int | None = None,
    precision: float | str | None = None,
    max_time: float | str | None = None,
    threads: int | None = None,
    scheduler: str | None = None,
    progress: Progress | None = None,
) -> TierResult:
    """Which steps to put on a fast tier within a budget, as `planner tier`.

    fast : the profile of the fast tier
    budget : most US dollars that half of all runs may cost
    model : the standard tier, in the place of the workflow's

    The other arguments are those of `forecast`. Where no choice is known to be within the budget, `best` is None.

    Raises InputError with every problem, where no step can move, and where a price is unknown.
    """
    check = arguments.Arguments()
    plan, by = source_of(check, workflow, runtime)
    quick = check.take("fast", fast, arguments.name)
    most = check.take("budget", budget, arguments.usd)
    on, sized = scenario_of(check, agents, crew, model)
    run = run_of(check, seed, samples, precision, max_time, progress)
    where = backend_of(check, threads, scheduler)
    check.done()
    with arguments.in_python():
        standard = on or plan.declared.model
        served, notes = plan.serving([standard] if standard else [], by, quick)
        found = run_tier(served.on(standard) if standard else served, quick, most, **sized, **run, backend=where)
    return answer(TierResult, found, (*found.notes, *notes))


def sensitivity(
    workflow: Workflow,
    *,
    speed: float = 1.0,
    agents: int | None = None,
    crew: str | None = None,
    model: str | None = None,
    runtime: str | None = None,
    seed: int = 1,
    samples: int | None = None,
    precision: float | str | None = None,
    max_time: float | str | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Sensitivity:
    """Which estimates drive the p90 of the completion time, as `planner sensitivity`.

    All arguments are those of `forecast`. Raises InputError with every problem, and for fewer than 50 samples.
    """
    check = arguments.Arguments()
    plan, by = source_of(check, workflow, runtime)
    factor = check.take("speed", speed, arguments.speed)
    on, sized = scenario_of(check, agents, crew, model)
    run = run_of(check, seed, samples, precision, max_time, progress)
    workers = check.take("threads", threads, arguments.either(arguments.threads))
    check.done()
    with arguments.in_python():
        served, notes = served_by(plan, on, by)
        found = run_sensitivity(served, speed=factor, threads=workers, **sized, **run)
    return answer(Sensitivity, found, (*found.notes, *notes))
