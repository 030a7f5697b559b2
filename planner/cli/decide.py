"""`planner target`, `tier` and `sensitivity`: commands that look for a plan, or for what it hangs on."""

from dataclasses import replace
from typing import Annotated, Any

import typer

from planner.cli import GATE_FAILED
from planner.cli.frame import one_format, reported, show
from planner.cli.options import (
    AsCsv,
    AsJson,
    BackendName,
    CatalogueFile,
    File,
    MaxTime,
    Models,
    Output,
    Precise,
    Premium,
    RuntimeName,
    Samples,
    Scheduler,
    Seed,
    Set,
    ThreadCount,
    agents_of,
    all_at_once,
    backend_of,
    loaded,
    names,
    premium_of,
    read,
    spared,
    speeds_of,
    stopping_of,
    value_of,
)


def target(
    file: File,
    p90: Annotated[
        str | None,
        typer.Option("--p90", help="Deadline for 90 of 100 runs, as 4h.", metavar="TIME", show_default=False),
    ] = None,
    p50: Annotated[
        str | None,
        typer.Option("--p50", help="Deadline for 50 of 100 runs, instead.", metavar="TIME", show_default=False),
    ] = None,
    budget: Annotated[
        str | None,
        typer.Option(help="Most US dollars that as many runs may cost.", metavar="USD", show_default=False),
    ] = None,
    speed: Annotated[
        str | None,
        typer.Option(
            help="Factors on the output speed of every request. [default: 1x,1.5x,2.5x,5x,8x; 1x of several models]",
            show_default=False,
        ),
    ] = None,
    agents: Annotated[
        str, typer.Option(help="Agents of the only crew, or CREW=1,2,4 of the one named.")
    ] = "1,2,4,8,16",
    model: Models = None,
    runtime: RuntimeName = None,
    premium: Premium = None,
    catalogue: CatalogueFile = None,
    seed: Seed = 1,
    samples: Samples = None,
    precision: Precise = None,
    max_time: MaxTime = None,
    threads: ThreadCount = None,
    backend: BackendName = "threads",
    scheduler: Scheduler = None,
    set_: Set = None,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
    output: Output = None,
) -> None:
    """The cheapest scenario that meets a deadline and a budget; exit code 1 if none is known to."""
    with reported() as progress:
        from planner.planning.target.search import find_cheapest
        from planner.report.data.searches import target_csv, target_json
        from planner.report.text.target import target_text

        one_format(as_json, as_csv)
        models = names(model)
        with all_at_once():
            wanted = _target(p90, p50, budget)
            crew, counts = agents_of(agents)
            speeds = speeds_of(speed or ("1x" if len(models) > 1 else "1x,1.5x,2.5x,5x,8x"))
            law = premium_of(premium)
            stopping = stopping_of(samples, precision, max_time)
            where = backend_of(backend, threads, scheduler)
        workflow, caveats = read(file, set_, catalogue, models, runtime, output)
        found = find_cheapest(workflow, wanted, speeds, counts, models=models, crew=crew, premium=law, seed=seed,
                         **stopping, backend=where, progress=progress)  # fmt: skip
        found = replace(found, notes=(*found.notes, *caveats))
        show(found, as_json, as_csv, output, target_json, target_csv, target_text)
        if found.cheapest is None:
            raise typer.Exit(GATE_FAILED)


def tier(
    file: File,
    fast: Annotated[str, typer.Option("--fast", help="The profile of the fast tier.", metavar="NAME")],
    budget: Annotated[str, typer.Option(help="Most US dollars that half of all runs may cost.", metavar="USD")],
    agents: Annotated[str | None, typer.Option(help="Agents of the only crew, or CREW=N.", metavar="N")] = None,
    model: Annotated[
        str | None, typer.Option("--model", help="The standard tier, in the place of the workflow's.", metavar="NAME")
    ] = None,
    runtime: RuntimeName = None,
    catalogue: CatalogueFile = None,
    seed: Seed = 1,
    samples: Samples = None,
    precision: Precise = None,
    max_time: MaxTime = None,
    threads: ThreadCount = None,
    backend: BackendName = "threads",
    scheduler: Scheduler = None,
    set_: Set = None,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
    output: Output = None,
) -> None:
    """Which steps to put on a fast tier within a budget; exit code 1 if nothing is within it."""
    with reported() as progress:
        from planner.planning.tier.search import tier as run
        from planner.report.data.searches import tier_csv, tier_json
        from planner.report.text.tier import tier_text

        one_format(as_json, as_csv)
        with all_at_once():
            most = _money(budget)
            crew, counts = agents_of(agents) if agents is not None else (None, [None])
            stopping = stopping_of(samples, precision, max_time)
            where = backend_of(backend, threads, scheduler)
        if len(counts) > 1 or len(names(fast)) != 1 or len(names(model)) > 1:
            raise typer.BadParameter("--fast and --model name one profile each, --agents one number")
        with spared(output, file, catalogue):
            plan = loaded(file, set_, catalogue)
            standard = names(model) or ([plan.declared.model] if plan.declared.model else [])
            workflow, caveats = plan.serving(standard, runtime, names(fast)[0])
        workflow = workflow.on(standard[0]) if standard else workflow
        found = run(workflow, names(fast)[0], most, agents=counts[0], crew=crew, seed=seed, **stopping, backend=where,
                    progress=progress)  # fmt: skip
        found = replace(found, notes=(*found.notes, *caveats))
        show(found, as_json, as_csv, output, tier_json, tier_csv, tier_text)
        if found.best is None:
            raise typer.Exit(GATE_FAILED)


def sensitivity(
    file: File,
    speed: Annotated[str, typer.Option(help="Factor on the output speed of every request, as in 2.5x.")] = "1x",
    agents: Annotated[str | None, typer.Option(help="Agents of the only crew, or CREW=N.", metavar="N")] = None,
    model: Models = None,
    runtime: RuntimeName = None,
    catalogue: CatalogueFile = None,
    seed: Seed = 1,
    samples: Samples = None,
    precision: Precise = None,
    max_time: MaxTime = None,
    threads: ThreadCount = None,
    set_: Set = None,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
    output: Output = None,
) -> None:
    """Which estimates drive the p90 of the completion time, and what to measure first."""
    with reported() as progress:
        from planner.planning.sensitivity.tornado import sensitivity as run
        from planner.report.data.searches import sensitivity_csv, sensitivity_json
        from planner.report.text.sensitivity import sensitivity_text

        one_format(as_json, as_csv)
        with all_at_once():
            crew, counts = agents_of(agents) if agents is not None else (None, [None])
            speeds, models = speeds_of(speed), names(model)
            stopping = stopping_of(samples, precision, max_time)
        if len(speeds) > 1 or len(counts) > 1 or len(models) > 1:
            raise typer.BadParameter("a sensitivity is of one scenario")
        workflow, caveats = read(file, set_, catalogue, models, runtime, output)
        workflow = workflow.on(models[0]) if models else workflow
        found = run(workflow, speed=speeds[0], agents=counts[0], crew=crew, seed=seed, **stopping, threads=threads,
                    progress=progress)  # fmt: skip
        found = replace(found, notes=(*found.notes, *caveats))
        show(found, as_json, as_csv, output, sensitivity_json, sensitivity_csv, sensitivity_text)


def _money(text: str) -> Any:
    from planner.reading.units import money

    return value_of(lambda written: float(money(written)), text, "--budget")


def _target(p90: str | None, p50: str | None, budget: str | None) -> Any:
    from planner.planning.target.goal import Target
    from planner.reading.units import duration

    def time(text: str) -> float:
        found = duration(text)
        if found <= 0:
            raise ValueError("expected a time above 0s, such as 4h")
        return found

    most = None if budget is None else _money(budget)
    given = {option: text for option, text in (("--p90", p90), ("--p50", p50)) if text is not None}
    limits = [value_of(time, text, option) for option, text in given.items()]
    if len(given) != 1:
        raise typer.BadParameter("give the deadline by one of --p90 TIME and --p50 TIME")
    return Target(0.9 if p90 is not None else 0.5, limits[0], most)
