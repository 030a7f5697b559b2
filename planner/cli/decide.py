"""`planner target`, `tier` and `sensitivity`: commands that search for a scenario, for steps or for estimates."""

from functools import partial
from typing import Annotated

import typer

from planner.cli import GATE_FAILED, values
from planner.cli.frame import reported, show
from planner.cli.options import (
    P50,
    P90,
    P95,
    Agents,
    All,
    BackendOptions,
    CatalogueFile,
    File,
    GridOptions,
    Model,
    OnlyBelow,
    OutputOptions,
    RuntimeName,
    SamplingOptions,
    Settings,
    Speed,
    expanded,
)


@expanded
def target(
    file: File,
    *,
    p50: P50 = None,
    p90: P90 = None,
    p95: P95 = None,
    budget: Annotated[
        str | None,
        typer.Option(
            help="Largest cost of a run in USD. It must hold for the same share of runs as the deadline.",
            metavar="USD",
            show_default=False,
        ),
    ] = None,
    everything: All = False,
    grid: GridOptions,
    sampling: SamplingOptions,
    backend: BackendOptions,
    set_: Settings = None,
    only_below: OnlyBelow = None,
    output: OutputOptions,
) -> None:
    """Find the cheapest scenario that meets a deadline and a budget. Exit code 1: no scenario surely meets them."""
    with reported() as progress:
        from planner.api import checks
        from planner.api.request import TargetRequest
        from planner.report.data.searches import target_csv, target_json
        from planner.report.text.searches import target_screen, target_text

        with values.checked() as check:
            wanted = checks.target(check, p50, p90, p95, budget)
            fields = values.parse_grid(check, grid)
            source = values.parse_source(check, set_, only_below)
            simulation = values.parse_simulation(check, sampling, progress, backend)
        request = values.build_request(
            TargetRequest,
            file,
            source,
            grid.catalogue,
            output.output,
            target=wanted,
            simulation=simulation,
            **fields,
        )
        result = request.run()
        show(result, output, target_json, target_csv, target_text if everything else target_screen)
        if result.cheapest is None:
            raise typer.Exit(GATE_FAILED)


@expanded
def tier(
    file: File,
    *,
    fast: Annotated[str, typer.Option("--fast", help="Profile of the fast tier.", metavar="NAME")],
    budget: Annotated[
        str | None,
        typer.Option(
            help="Largest cost of a run in USD. It must hold for the same share of runs as the deadline, or for 50% "
            "without a deadline.",
            metavar="USD",
            show_default=False,
        ),
    ] = None,
    p50: P50 = None,
    p90: P90 = None,
    p95: P95 = None,
    everything: All = False,
    agents: Agents = None,
    model: Annotated[
        str | None,
        typer.Option("--model", help="Profile of the standard tier. [default: the workflow's model]", metavar="NAME"),
    ] = None,
    runtime: RuntimeName = None,
    catalogue: CatalogueFile = None,
    sampling: SamplingOptions,
    backend: BackendOptions,
    set_: Settings = None,
    only_below: OnlyBelow = None,
    output: OutputOptions,
) -> None:
    """Choose the steps to run on a fast tier. Needs a budget, a deadline, or both.

    With a deadline, find the cheapest choice within the limits. With only a budget, find the quickest choice.

    Exit code 1: no choice is certain to be within the limits.
    """
    with reported() as progress:
        from planner.api import checks
        from planner.api.request import TierRequest
        from planner.report.data.searches import tier_csv, tier_json
        from planner.report.text.searches import tier_screen, tier_text

        with values.checked() as check:
            limits = checks.limits(check, p50, p90, p95, budget)
            crews = values.parse_agents(check, agents)
            simulation = values.parse_simulation(check, sampling, progress, backend)
            source = values.parse_source(check, set_, only_below)
            tiers, models = values.parse_names(check, fast, "--fast"), values.parse_names(check, model)
            if len(tiers) > 1 or len(models) > 1 or any(len(counts) > 1 for counts in crews.values()):
                check.add("--fast and --model take one profile each, and --agents takes one number of each crew")
        request = values.build_request(
            TierRequest, file, source, catalogue, output.output,
            fast=tiers[0], limits=limits, agents=values.one_each(crews), model=models[0] if models else None,
            runtime=runtime, simulation=simulation,
        )  # fmt: skip
        result = request.run()
        show(result, output, tier_json, tier_csv, tier_text if everything else tier_screen)
        if result.best is None:
            raise typer.Exit(GATE_FAILED)


@expanded
def sensitivity(
    file: File,
    *,
    off: Annotated[
        str | None,
        typer.Option(
            help="Try each number of the file divided by this factor, and multiplied by it, one number at a time. "
            "[default: 1.5x]",
            metavar="FACTOR",
            show_default=False,
        ),
    ] = None,
    all_: Annotated[bool, typer.Option("--all", help="Show every row, and every note.")] = False,
    dice: Annotated[
        bool,
        typer.Option(
            "--dice",
            help="Change no number. Show which random draws explain the spread of completion times.",
        ),
    ] = False,
    speed: Speed = "1x",
    agents: Agents = None,
    model: Model = None,
    runtime: RuntimeName = None,
    catalogue: CatalogueFile = None,
    sampling: SamplingOptions,
    backend: BackendOptions,
    set_: Settings = None,
    only_below: OnlyBelow = None,
    output: OutputOptions,
) -> None:
    """Find the estimates that you have to get right. Change each number of the file by a factor, one at a time."""
    with reported() as progress:
        from planner.api import checks
        from planner.api.request import SensitivityRequest
        from planner.report.data.sensitivities import dice_csv, sensitivity_csv, sensitivity_json
        from planner.report.text.sensitivities import dice_text, sensitivity_text

        with values.checked() as check:
            if dice and off is not None:
                check.add("--off changes numbers, and --dice changes none: leave one of them out")
            factor = check.optional("off", off, checks.off)
            source = values.parse_source(check, set_, only_below)
            fields = values.parse_scenario(
                check,
                speed,
                agents,
                model,
                "a sensitivity has one scenario: one speed, one model, and one number of agents of each crew",
            )
            simulation = values.parse_simulation(check, sampling, progress, backend)
        request = values.build_request(
            SensitivityRequest,
            file,
            source,
            catalogue,
            output.output,
            off=factor,
            dice=dice,
            runtime=runtime,
            simulation=simulation,
            **fields,
        )
        as_text = partial(dice_text if dice else sensitivity_text, everything=all_)
        show(request.run(), output, sensitivity_json, dice_csv if dice else sensitivity_csv, as_text)
