"""Options that several commands have: types for Typer, and groups of options. `expanded` adds groups to a command."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from planner.api import MOST_SAMPLES, MOST_THREADS, SPEEDS
from planner.cli.problems import defer

_SPEEDS = ",".join(f"{speed:g}x" for speed in SPEEDS)

File = Annotated[Path, typer.Argument(help="Workflow file; - reads standard input.", show_default=False)]
MORE = ",..."
"""End of the metavar of an option that takes several values, separated by commas."""

Speed = Annotated[
    str, typer.Option(help="Multiply the output speed of every request by this factor, e.g. 2.5x.", metavar="FACTOR")
]
Speeds = Annotated[
    str | None,
    typer.Option(
        help="Multiply the output speed of every request by each of these factors, e.g. 1x,2.5x. [default: 1x and "
        f"the faster tiers of the workflow's model. Without such tiers, or with one --model: {_SPEEDS}. "
        "With several models: 1x]",
        metavar=f"FACTOR{MORE}",
        show_default=False,
    ),
]
Agents = Annotated[
    list[str] | None,
    typer.Option(
        help="One number of agents, e.g. 4. If there are several crews, one number for each crew that you name, e.g. "
        "--agents writers=4 --agents editors=2.",
        metavar="N",
    ),
]
AgentCounts = Annotated[
    list[str] | None,
    typer.Option(
        help="Numbers of agents to try, e.g. 1,2,4. If there are several crews, name one or more of them, e.g. "
        "--agents writers=1,2,4 --agents editors=1,2. [default: 1,2,4,8,16 and the declared number. "
        "Of several crews, only the one that holds the workflow up most gets these numbers]",
        metavar=f"N{MORE}",
        show_default=False,
    ),
]
ComparedAgents = Annotated[
    list[str] | None,
    typer.Option(
        help="Numbers of agents to compare, e.g. 1,2,4. If there are several crews, name one or more of them, e.g. "
        "--agents writers=1,2,4 --agents editors=1,2. [default: 1, the recommended number, the declared number, "
        "and half or twice the declared number. Of several crews, only the one that holds the workflow up most gets "
        "these numbers]",
        metavar=f"N{MORE}",
        show_default=False,
    ),
]
ComparedSpeeds = Annotated[
    str | None,
    typer.Option(
        help="Multiply the output speed of every request by each of these factors, e.g. 1x,2.5x. [default: 1x and "
        "2.5x. Without --model, faster tiers of the workflow's model replace 2.5x. With several models, only 1x]",
        metavar=f"FACTOR{MORE}",
        show_default=False,
    ),
]
Worth = Annotated[
    str,
    typer.Option(
        "--worth", help="Share of the completion time that a change must save to be recommended.", metavar="SHARE"
    ),
]
All = Annotated[bool, typer.Option("--all", help="Print all tables and notes below the answer.")]
Model = Annotated[
    str | None,
    typer.Option("--model", help="Model profile to use instead of the workflow's model.", metavar="NAME"),
]
Models = Annotated[
    str | None,
    typer.Option(
        "--model",
        help="Model profiles to try instead of the workflow's model. Write commas between their names.",
        metavar=f"NAME{MORE}",
    ),
]
RuntimeName = Annotated[
    Literal["langgraph", "dataflow"] | None,
    typer.Option(
        "--runtime",
        help="Assume the runtime 'langgraph' or 'dataflow' instead of the workflow's runtime.",
        metavar="NAME",
    ),
]
Premium = Annotated[
    str | None,
    typer.Option(
        "--premium",
        help="Rule for the prices of speeds that nobody sells: an exponent, or one speed with its price. With 1.2, "
        "twice the speed costs 2^1.2 = 2.3 times as much. With 2.5x=6x, 2.5 times the speed costs 6 times as much. "
        "[default: 0.97]",
        metavar="LAW",
        show_default=False,
    ),
]
_PERCENTILE = "Deadline for {}% of runs, e.g. 4h."
P50 = Annotated[str | None, typer.Option("--p50", help=_PERCENTILE.format(50), metavar="TIME", show_default=False)]
P90 = Annotated[str | None, typer.Option("--p90", help=_PERCENTILE.format(90), metavar="TIME", show_default=False)]
P95 = Annotated[str | None, typer.Option("--p95", help=_PERCENTILE.format(95), metavar="TIME", show_default=False)]
CatalogueFile = Annotated[
    Path | None,
    typer.Option(
        "--catalogue",
        help="Your catalogue file. [default: $PLANNER_CATALOGUE, or catalogue.yaml next to the workflow]",
        metavar="FILE",
        show_default=False,
    ),
]
Seed = Annotated[int, typer.Option(help="Seed of the random draws.", min=0)]
Samples = Annotated[
    int | None,
    typer.Option(
        help="Number of samples. With --precision, the largest number of samples. "
        "[default: enough for a precision of 1%, at most 1,024]",
        min=1, max=MOST_SAMPLES, show_default=False,
    ),
]  # fmt: skip
Precision = Annotated[
    str | None,
    typer.Option(
        "--precision",
        help="Sample until the 95% intervals of p50 and p90 are at most ± this share, e.g. 1%.",
        metavar="SHARE",
    ),
]
MaxTime = Annotated[
    str | None,
    typer.Option(
        "--max-time",
        help="Stop the simulation after this time, e.g. 30s, and report the result so far.",
        metavar="TIME",
    ),
]
ThreadCount = Annotated[
    int | None,
    typer.Option(
        help="Number of threads for the simulation. [default: all cores]", min=1, max=MOST_THREADS, show_default=False
    ),
]
BackendName = Annotated[
    Literal["threads", "dask"],
    typer.Option(
        "--backend", help="Simulate on threads or on a Dask cluster. 'dask' needs the package agent-loop-planner[dask]."
    ),
]
Scheduler = Annotated[
    str | None, typer.Option(help="Address of the Dask scheduler, e.g. tcp://host:8786.", metavar="ADDRESS")
]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", help="Set a parameter of the workflow, e.g. --set modules=240.", metavar="NAME=VALUE"),
]
OnlyBelow = Annotated[
    Path | None,
    typer.Option(
        "--only-below", help="Read only files in this folder. Use this for workflows by other people.", metavar="FOLDER"
    ),
]
ValueOfTime = Annotated[
    str | None,
    typer.Option("--value-of-time", help="Cost of an hour of waiting for one person, in USD, e.g. 120.", metavar="USD"),
]
Waiting = Annotated[str, typer.Option("--waiting", help="Number of people who wait for the result.", metavar="PEOPLE")]
Setup = Annotated[
    str | None,
    typer.Option(
        "--setup",
        help="One-time cost of any scenario other than one agent at 1x: a time, USD, or both, e.g. 2h,$500.",
        metavar="WHAT",
    ),
]
Runs = Annotated[
    str | None,
    typer.Option(
        "--runs",
        help="Number of planned runs. Show what they save in total, minus the cost of --setup.",
        metavar="COUNT",
    ),
]
EveryN = Annotated[
    bool,
    typer.Option(
        "--every-n",
        help="Try every number of agents, up to the largest number that can be busy at the same time. This is slow but "
        "exact.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
AsCsv = Annotated[bool, typer.Option("--csv", help="Print CSV.")]
Output = Annotated[
    Path | None,
    typer.Option(
        "--output", "-o", help="Write to a file. If an error occurs, the file stays unchanged.", metavar="PATH"
    ),
]


@dataclass(frozen=True, eq=False, repr=False)
class GridOptions:
    """Options of a command that simulates a grid of scenarios."""

    speed: Speeds = None
    agents: AgentCounts = None
    model: Models = None
    runtime: RuntimeName = None
    premium: Premium = None
    catalogue: CatalogueFile = None


@dataclass(frozen=True, eq=False, repr=False)
class CompareOptions:
    """Options of a command that compares a grid of scenarios."""

    speed: ComparedSpeeds = None
    agents: ComparedAgents = None
    model: Models = None
    runtime: RuntimeName = None
    premium: Premium = None
    catalogue: CatalogueFile = None


@dataclass(frozen=True, eq=False, repr=False)
class SamplingOptions:
    """Options for the random draws, the stopping rule and the threads of a simulation."""

    seed: Seed = 1
    samples: Samples = None
    precision: Precision = None
    max_time: MaxTime = None
    threads: ThreadCount = None


@dataclass(frozen=True, eq=False, repr=False)
class BackendOptions:
    """Options for a simulation on a cluster instead of threads."""

    backend: BackendName = "threads"
    scheduler: Scheduler = None


@dataclass(frozen=True, eq=False, repr=False)
class OutputOptions:
    """Options for the format and the file of a result."""

    as_json: AsJson = False
    as_csv: AsCsv = False
    output: Output = None

    def __post_init__(self) -> None:
        if self.as_json and self.as_csv:
            defer("choose one of --json and --csv")


def expanded(command: Callable[..., None]) -> Callable[..., None]:
    """Wrap a command, so that Typer sees single options in its signature instead of groups of options.

    A group of options is a dataclass such as `OutputOptions`. The wrapper receives the single options. It creates the
    groups, and calls `command` with them.
    """
    groups: dict[str, Any] = {}
    parameters: list[inspect.Parameter] = []
    for parameter in inspect.signature(command, eval_str=True).parameters.values():
        if is_dataclass(parameter.annotation):
            group: Any = parameter.annotation
            groups[parameter.name] = group
            parameters += inspect.signature(group).parameters.values()
        else:
            parameters.append(parameter)

    @wraps(command)
    def run(**options: Any) -> None:
        for name, group in groups.items():
            options[name] = group(**{field.name: options.pop(field.name) for field in fields(group)})
        command(**options)

    keywords = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in parameters]
    run.__signature__ = inspect.Signature(keywords)  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in keywords}
    return run
