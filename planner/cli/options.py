"""Options that commands share, and what is written in them as values."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from planner.limits import MOST_SAMPLES

File = Annotated[Path, typer.Argument(help="A workflow file; - is standard input.", show_default=False)]
Seed = Annotated[int, typer.Option(help="Seed of the random draws.", min=0)]
Samples = Annotated[
    int | None,
    typer.Option(
        help="Monte-Carlo samples: exactly so many; at most, with --precision. [default: until 1% or 1,024]",
        min=1, max=MOST_SAMPLES, show_default=False,
    ),
]  # fmt: skip
Precise = Annotated[
    str | None,
    typer.Option("--precision", help="Go on until p50 and p90 are known to within it, as 1%.", metavar="SHARE"),
]
MaxTime = Annotated[
    str | None, typer.Option("--max-time", help="Stop after so long, as 30s, with what is known.", metavar="TIME")
]
ThreadCount = Annotated[
    int | None, typer.Option(help="Threads to simulate on. [default: all cores]", min=1, max=1024, show_default=False)
]
BackendName = Annotated[
    Literal["threads", "dask"], typer.Option("--backend", help="Where samples are simulated; dask is an extra.")
]
Scheduler = Annotated[
    str | None,
    typer.Option(help="Address of the scheduler of a Dask cluster, as tcp://host:8786.", metavar="ADDRESS"),
]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", help="Give a parameter another value, as in --set modules=240.", metavar="NAME=VALUE"),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
AsCsv = Annotated[bool, typer.Option("--csv", help="Print CSV.")]
Output = Annotated[
    Path | None, typer.Option("--output", "-o", help="Write to a file, whole or not at all.", metavar="PATH")
]


RuntimeName = Annotated[
    Literal["langgraph", "dataflow"] | None,
    typer.Option("--runtime", help="What runs it, in the place of the file's: langgraph or dataflow.", metavar="NAME"),
]
Models = Annotated[
    str | None,
    typer.Option("--model", help="Profiles in the place of the workflow's: NAME or NAME,NAME.", metavar="NAME"),
]
CatalogueFile = Annotated[
    Path | None,
    typer.Option(
        "--catalogue", help="Your own catalogue file; else PLANNER_CATALOGUE, else catalogue.yaml here.", metavar="FILE"
    ),
]


Premium = Annotated[
    str | None,
    typer.Option(
        "--premium",
        help="What speeds above 1x cost: an exponent of the speed, or a price as in 2.5x=6x. [default: 1.11]",
        metavar="LAW",
        show_default=False,
    ),
]

ValueOfTime = Annotated[
    str | None,
    typer.Option("--value-of-time", help="US dollars that an hour of waiting is worth, as 120.", metavar="USD"),
]
Waiting = Annotated[str, typer.Option("--waiting", help="How many people wait.", metavar="PEOPLE")]
Setup = Annotated[
    str | None,
    typer.Option("--setup", help="What it takes once to leave the baseline: as 2h, $500 or 2h,$500.", metavar="WHAT"),
]
Runs = Annotated[str | None, typer.Option("--runs", help="How often it is then run.", metavar="COUNT")]
EveryN = Annotated[
    bool, typer.Option("--every-n", help="Try every number of agents up to the widest fan-out: slow, but exact.")
]


def speeds_of(text: str) -> list[float]:
    """Factors on output speeds."""
    from planner.reading.units import factor

    return [value_of(factor, part, "--speed") for part in text.split(",")]


def premium_of(text: str | None) -> Any:
    """The law of prices by which a speed that nobody sells is paid."""
    from planner.catalogue.premium import EXPECTED, FITTED, Premium
    from planner.reading.units import factor

    def law(written: str) -> Premium:
        speed, equals, price = written.partition("=")
        if equals:
            return Premium.through(factor(speed), factor(price))
        try:
            exponent = float(speed)
        except ValueError:
            raise ValueError(EXPECTED) from None
        return Premium(exponent)

    return FITTED if text is None else value_of(law, text, "--premium")


def stopping_of(samples: int | None, precision: str | None, max_time: str | None) -> dict[str, Any]:
    """When to stop, as the arguments of a forecast or comparison."""
    from planner.reading.units import duration
    from planner.reading.units import precision as share

    def time(text: str) -> float:
        found = duration(text)
        if found <= 0:
            raise ValueError("expected a time above 0s, such as 30s")
        return found

    return {
        "samples": samples,
        "precision": None if precision is None else value_of(share, precision, "--precision"),
        "max_time": None if max_time is None else value_of(time, max_time, "--max-time"),
    }


def wishes_of(value: str | None, waiting: str, setup: str | None, runs: str | None, every_n: bool) -> Any:
    """What decisions need to know."""
    from planner.planning.decisions.decide import DecisionOptions
    from planner.planning.decisions.payback import Setup
    from planner.reading.units import (
        at_most,
        count,
        money,
        positive,
        setup_of,
        whole,
    )

    def times(text: str) -> int:
        if setup is None:
            raise ValueError("it goes with --setup, as in --runs 200 --setup 2h,$500")
        return whole(text, 10**9)

    hour = None if value is None else value_of(lambda text: float(money(text)), value, "--value-of-time")
    people = value_of(lambda text: at_most(positive(count(text)), 1e6), waiting, "--waiting")
    once = None if setup is None else value_of(setup_of, setup, "--setup")
    often = None if runs is None else value_of(times, runs, "--runs")
    return DecisionOptions(every_n, hour, people, once and Setup(once[0], once[1], often))


def backend_of(name: str, threads: int | None, scheduler: str | None) -> Any:
    """Where samples are simulated."""
    from planner.sampling.backends import DaskBackend, ThreadBackend, missing

    if name == "threads":
        if scheduler is not None:
            raise typer.BadParameter("--scheduler goes with --backend dask")
        return ThreadBackend(threads)
    if scheduler is None or threads is not None:
        raise typer.BadParameter("--backend dask needs --scheduler ADDRESS, and takes no --threads")
    lacking = missing()
    if lacking:
        raise typer.BadParameter(f"--backend dask needs {lacking}: pip install 'agent-loop-planner[dask]'")
    return DaskBackend(scheduler)


def agents_of(text: str, several: bool = False) -> tuple[str | None, list[Any]]:
    """The crew that is named, and the numbers of agents.

    several : crews may be sized together: no crew then, and one mapping of crews to their agents
    """
    from planner.reading.validation import MOST_AGENTS

    def count(part: str) -> int:
        if not part.strip().isdecimal() or not 1 <= int(part) <= MOST_AGENTS:
            raise ValueError(f"expected whole numbers from 1 to {MOST_AGENTS:,}, such as 1,2,4")
        return int(part)

    def crews(text: str) -> dict[str, int]:
        parts = [part.partition("=") for part in text.split(",")]
        names = [name.strip() for name, _, _ in parts]
        if not all(equals for _, equals, _ in parts):
            raise ValueError("several crews take one number each, as in migrators=4,reviewers=6")
        if len({*names}) < len(names):
            raise ValueError("a crew is given twice; give each one number")
        return {name: count(number) for name, (_, _, number) in zip(names, parts, strict=True)}

    def refused(text: str) -> None:
        raise ValueError("one crew is sized here; size the others in the file, or all of them with 'planner forecast'")

    if text.count("=") > 1:
        return None, [value_of(crews if several else refused, text, "--agents")]
    crew, equals, numbers = text.rpartition("=")
    return (crew.strip() if equals else None), [value_of(count, part, "--agents") for part in numbers.split(",")]


def parameters(settings: list[str] | None) -> dict[str, float]:
    """Values of parameters from `--set`."""
    from planner.reading.units import count

    found: dict[str, float] = {}
    for setting in settings or []:
        name, equals, value = setting.partition("=")
        if not equals:
            raise typer.BadParameter(f"--set {setting}: write NAME=VALUE")
        if name.strip() in found:
            raise typer.BadParameter(f"--set {name.strip()}: given twice")
        found[name.strip()] = value_of(count, value, f"--set {name}")
    return found


_wrong: ContextVar[list[str] | None] = ContextVar("_wrong", default=None)
"""What is wrong with options that are checked together, so far."""


@contextmanager
def all_at_once() -> Iterator[None]:
    """Refuse every bad option that is read within, not the first one alone."""
    found: list[str] = []
    token = _wrong.set(found)
    try:
        yield
    except typer.BadParameter as error:
        found.append(error.message)
    finally:
        _wrong.reset(token)
    if found:
        raise typer.BadParameter("\n  ".join(found))


def value_of(parse: Callable[[str], Any], text: str, option: str) -> Any:
    """The value; None where it is bad and others are to be read first."""
    try:
        return parse(text)
    except ValueError as error:
        hint = getattr(error, "hint", None)
        message = f"{option}: '{text}': {error}{f'; {hint}' if hint else ''}"
    together = _wrong.get()
    if together is None:
        raise typer.BadParameter(message)
    together.append(message)
    return None


def loaded(file: Path, settings: list[str] | None, catalogue: Path | None) -> Any:
    """What a file declares; of `-` standard input."""
    from planner.loading import load
    from planner.reading.files.text_file import STDIN, read_stdin

    values = parameters(settings)
    if file == Path("-"):
        return load(read_stdin(), values, catalogue, STDIN)
    return load(file, values, catalogue)


def read(
    file: Path, settings: list[str] | None, catalogue: Path | None, models: list[str], runtime: str | None = None,
    output: Path | None = None, option: str = "--output",
) -> tuple[Any, Any]:  # fmt: skip
    """The workflow of a file, served by its models or those given, and notes on profiles and the runtime.

    output : where an answer is to be written; it is none of the files that the workflow is read from
    """
    with spared(output, file, catalogue, option):
        found: tuple[Any, Any] = loaded(file, settings, catalogue).serving(models, runtime)
    return found


@contextmanager
def spared(output: Path | None, file: Path, catalogue: Path | None, option: str = "--output") -> Iterator[None]:
    """Refuse to write to a file that a workflow is read from within, or to the user's catalogue."""
    from planner.reading.files.text_file import files_read

    with files_read() as files:
        yield
    if output is None or not output.is_file():
        return
    from planner.catalogue.user_file import find_user_file

    for one in (file, *files, find_user_file(catalogue, file.parent)):
        if one is not None and one.exists() and output.samefile(one):
            what = f"the workflow {file}" if one == file else f"{one}, which the plan is read from"
            raise typer.BadParameter(f"{option} would replace {what}; name another file")


def names(text: str | None) -> list[str]:
    """Names with commas between them."""
    return [name.strip() for name in text.split(",") if name.strip()] if text else []
