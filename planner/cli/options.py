"""Options that several commands have: types for Typer, and groups of options. `expanded` adds groups to a command."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from planner.api import AGENTS, MOST_SAMPLES, MOST_THREADS, SPEEDS

_SPEEDS = ",".join(f"{speed:g}x" for speed in SPEEDS)
_AGENTS = ",".join(map(str, AGENTS))

File = Annotated[Path, typer.Argument(help="Workflow file; - reads standard input.", show_default=False)]
Speed = Annotated[str, typer.Option(help="Factor on the output speed of every request, e.g. 2.5x.")]
Speeds = Annotated[
    str | None,
    typer.Option(
        help="Factors on the output speed of every request. "
        f"[default: {_SPEEDS}, or only 1x if several models are given]",
        show_default=False,
    ),
]
Agents = Annotated[
    str | None, typer.Option(help="Number of agents. If there are several crews, write CREW=N.", metavar="N")
]
AgentsOfCrews = Annotated[
    str | None,
    typer.Option(help="Number of agents. If there are several crews, write CREW=N or CREW=N,CREW=N.", metavar="N"),
]
AgentCounts = Annotated[
    str, typer.Option(help="Numbers of agents to try. If there are several crews, write CREW=1,2,4.")
]
Model = Annotated[
    str | None,
    typer.Option("--model", help="Model profile to use instead of the workflow's.", metavar="NAME"),
]
Models = Annotated[
    str | None,
    typer.Option(
        "--model", help="Model profiles to use instead of the workflow's, separated by commas.", metavar="NAME"
    ),
]
RuntimeName = Annotated[
    Literal["langgraph", "dataflow"] | None,
    typer.Option("--runtime", help="Runtime to assume instead of the file's: langgraph or dataflow.", metavar="NAME"),
]
Premium = Annotated[
    str | None,
    typer.Option(
        "--premium",
        help="Price of speeds that no vendor offers: an exponent of the speed, e.g. 1.2, or the price of one speed, "
        "e.g. 2.5x=6x. [default: 1.11]",
        metavar="LAW",
        show_default=False,
    ),
]
CatalogueFile = Annotated[
    Path | None,
    typer.Option(
        "--catalogue",
        help="Your catalogue file. [default: the file named by PLANNER_CATALOGUE, or catalogue.yaml next to the "
        "workflow]",
        metavar="FILE",
        show_default=False,
    ),
]
Seed = Annotated[int, typer.Option(help="Seed of the random draws.", min=0)]
Samples = Annotated[
    int | None,
    typer.Option(
        help="Number of samples; with --precision, the maximum number. "
        "[default: enough for --precision 1%, at most 1,024]",
        min=1, max=MOST_SAMPLES, show_default=False,
    ),
]  # fmt: skip
Precision = Annotated[
    str | None,
    typer.Option(
        "--precision",
        help="Sample until p50 and p90 are precise to this share (95% intervals), e.g. 1%.",
        metavar="SHARE",
    ),
]
MaxTime = Annotated[
    str | None,
    typer.Option("--max-time", help="Stop after this time and report the result so far, e.g. 30s.", metavar="TIME"),
]
ThreadCount = Annotated[
    int | None,
    typer.Option(
        help="Number of threads to simulate on. [default: all cores]", min=1, max=MOST_THREADS, show_default=False
    ),
]
BackendName = Annotated[
    Literal["threads", "dask"],
    typer.Option(
        "--backend", help="Where to simulate: on threads, or on a Dask cluster. 'dask' needs agent-loop-planner[dask]."
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
        "--only-below", help="Read no file outside of this folder: to run workflows of others.", metavar="FOLDER"
    ),
]
ValueOfTime = Annotated[
    str | None,
    typer.Option("--value-of-time", help="Value in USD of an hour that one person waits, e.g. 120.", metavar="USD"),
]
Waiting = Annotated[str, typer.Option("--waiting", help="Number of people who wait for the result.", metavar="PEOPLE")]
Setup = Annotated[
    str | None,
    typer.Option(
        "--setup",
        help="One-time cost of changing from the baseline to another scenario, e.g. 2h, $500 or 2h,$500.",
        metavar="WHAT",
    ),
]
Runs = Annotated[
    str | None,
    typer.Option(
        "--runs", help="Number of runs planned after --setup. Show the total savings of these runs.", metavar="COUNT"
    ),
]
EveryN = Annotated[
    bool, typer.Option("--every-n", help="Try every number of agents up to the widest fan-out: slow but exact.")
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
    """Options of a command that runs a grid of scenarios."""

    speed: Speeds = None
    agents: AgentCounts = _AGENTS
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
            raise typer.BadParameter("choose one of --json and --csv")


def expanded(command: Callable[..., None]) -> Callable[..., None]:
    """In the signature of a command, replace each parameter that is a group of options by the options of that group.

    Typer then reads every option from the signature. The function `command` is still called with the groups.
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
