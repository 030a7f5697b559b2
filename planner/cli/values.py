"""Texts of options in, checked values out: the fields of a request.

Heavy imports are inside the functions, so that `planner --help` starts fast.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import typer

from planner.cli.frame import check_writable, unwritable
from planner.cli.options import BackendOptions, GridOptions, SamplingOptions

if TYPE_CHECKING:
    from planner.api.checks import Checks
    from planner.api.request import Progress, Request, Simulation
    from planner.loading import Loaded
    from planner.sampling.backends import Backend

AnyRequest = TypeVar("AnyRequest", bound="Request")


@contextmanager
def checked() -> Iterator["Checks"]:
    """Collect the problems of the options that the `with` block checks. Raise one error with all of these problems."""
    from planner.api.checks import Checks
    from planner.errors import InputError
    from planner.report.wording.notes import OPTIONS, worded_error

    check = Checks(OPTIONS)
    yield check
    try:
        check.done()
    except InputError as error:
        problems = worded_error(error, OPTIONS).problems
        lines = (problem.message + (f"; {problem.hint}" if problem.hint else "") for problem in problems)
        raise typer.BadParameter("\n  ".join(lines)) from None


def parse_names(text: str | None, option: str = "--model") -> list[str]:
    """Parse a comma-separated list of names."""
    if text is None:
        return []
    listed = [name.strip() for name in text.split(",")]
    if not all(listed):
        raise typer.BadParameter(f"{option}: '{text}': a name is missing; write names with a comma between them")
    return listed


def parse_speeds(check: "Checks", text: str) -> list[float]:
    """Parse `--speed`: comma-separated factors on output speeds."""
    from planner.reading.units import factor

    return check.each("speeds", text.split(","), factor)


def parse_agents(check: "Checks", text: str | None, several: bool = False) -> tuple[str | None, list[Any]]:
    """Parse `--agents`. Return the name of the crew, and the numbers of agents.

    The crew is None if the option names no crew. If the option is absent, the only number is None: crews then keep
    their declared sizes.

    several : whether the option may size several crews, such as `migrators=4,reviewers=6`. If it does so, the crew is
        None, and the list has one mapping of crews to numbers of agents
    """
    from planner.reading.fields import MOST_AGENTS

    if text is None:
        return None, [None]

    def count(part: str) -> int:
        if not part.strip().isdecimal() or not 1 <= int(part) <= MOST_AGENTS:
            raise ValueError(f"expected whole numbers from 1 to {MOST_AGENTS:,}, such as 1,2,4")
        return int(part)

    def crews(text: str) -> dict[str, int]:
        if not several:
            raise ValueError("this command sizes one crew; declare the agents of other crews in the file")
        parts = [part.partition("=") for part in text.split(",")]
        names = [name.strip() for name, _, _ in parts]
        if not all(equals for _, equals, _ in parts):
            raise ValueError("several crews take one number each, for example migrators=4,reviewers=6")
        if len({*names}) < len(names):
            raise ValueError("a crew is named twice; name each crew once")
        return {name: count(number) for name, (_, _, number) in zip(names, parts, strict=True)}

    if text.count("=") > 1:
        return None, [check.take("agents", text, crews)]
    crew, equals, numbers = text.rpartition("=")
    return (crew.strip() if equals else None), check.each("agents", numbers.split(","), count)


def parse_premium(check: "Checks", text: str | None) -> Any:
    """Parse `--premium`: the price law for speeds that no vendor offers. Return None if the option is absent."""
    from planner.catalogue.premium import EXPECTED, Premium
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

    return check.optional("premium", text, law)


def parse_scenario(
    check: "Checks", speed: str, agents: str | None, model: str | None, refusal: str, several: bool = False
) -> dict[str, Any]:
    """Parse `--speed`, `--agents` and `--model` of one scenario. Return them as fields of a `ScenarioRequest`.

    refusal : error message if the options describe several scenarios
    several : as in `parse_agents`
    """
    crew, counts = parse_agents(check, agents, several)
    factors, models = parse_speeds(check, speed), parse_names(model)
    if len(factors) > 1 or len(counts) > 1 or len(models) > 1:
        check.add(refusal)
    return {"speed": factors[0], "agents": counts[0], "crew": crew, "model": models[0] if models else None}


def parse_grid(check: "Checks", options: GridOptions) -> dict[str, Any]:
    """Parse the options of a grid of scenarios. Return them as fields of a `GridRequest`."""
    crew, counts = parse_agents(check, options.agents)
    return {
        "agents": counts,
        "crew": crew,
        "speeds": None if not options.speed else parse_speeds(check, options.speed),
        "models": parse_names(options.model),
        "premium": parse_premium(check, options.premium),
        "runtime": options.runtime,
    }


def parse_simulation(
    check: "Checks", options: SamplingOptions, progress: "Progress", backend: BackendOptions
) -> "Simulation":
    """Parse the options of a simulation: random draws, stopping rule, threads or cluster, progress."""
    from planner.api import checks

    chosen = _backend(check, backend, options.threads)
    return checks.simulation(
        check, options.seed, options.samples, options.precision, options.max_time, chosen, progress
    )


def _backend(check: "Checks", options: BackendOptions, threads: int | None) -> "Backend":
    """Return the threads or the Dask cluster to simulate on. If an option is refused, its problem is recorded."""
    from planner.sampling.backends import DaskBackend, ThreadBackend, missing

    if options.backend == "threads":
        if options.scheduler is not None:
            check.add("--scheduler needs --backend dask")
        return ThreadBackend(threads)
    if options.scheduler is None or threads is not None:
        check.add("--backend dask needs --scheduler ADDRESS, and takes no --threads")
        return ThreadBackend(threads)
    lacking = missing()
    if lacking:
        check.add(f"--backend dask needs {lacking}: pip install 'agent-loop-planner[dask]'")
    return DaskBackend(options.scheduler)


def _parameters(settings: list[str] | None) -> dict[str, float]:
    """Parse the options `--set NAME=VALUE`. Return a dict of names of parameters → values."""
    from planner.reading.units import count

    values: dict[str, float] = {}
    for setting in settings or []:
        name, equals, text = setting.partition("=")
        if not equals:
            raise typer.BadParameter(f"--set {setting}: write NAME=VALUE")
        if name.strip() in values:
            raise typer.BadParameter(f"--set {name.strip()}: given twice")
        try:
            values[name.strip()] = count(text)
        except ValueError as mistake:
            hint = getattr(mistake, "hint", None)
            raise typer.BadParameter(f"--set {name}: '{text}': {mistake}{f'; {hint}' if hint else ''}") from None
    return values


def build_request(
    kind: Callable[..., AnyRequest],
    file: Path,
    settings: list[str] | None,
    catalogue: Path | None,
    below: Path | None,
    output: Path | None = None,
    option: str = "--output",
    **fields: Any,
) -> AnyRequest:
    """Read the workflow in `file` and its profiles. Return a request of class `kind` about the workflow.

    below : folder outside of which no file is read; None: no limit
    output : file to write the result to; refused if the workflow or its profiles are read from it
    option : name of the option that gives `output`, for the message
    """
    from planner.api.checks import existing_folder
    from planner.reading.files.access import files_read

    if below is not None:
        with checked() as check:
            check.take("only_below", str(below), existing_folder)
    with files_read() as files:
        built = kind(workflow=_loaded(file, settings, catalogue, below), **fields)
        _ = built.served
    if output is not None and output.is_file():
        _refuse_to_replace(output, file, files, catalogue, option)
        with unwritable(output):
            check_writable(output)  # before the work
    return built


def _loaded(file: Path, settings: list[str] | None, catalogue: Path | None, below: Path | None) -> "Loaded":
    """Load the workflow of a file. `-` is standard input."""
    from planner.loading import load
    from planner.reading.files.text_file import STDIN, read_stdin

    values = _parameters(settings)
    if file == Path("-"):
        return load(read_stdin(), values, catalogue, STDIN, below)
    return load(file, values, catalogue, only_below=below)


def _refuse_to_replace(output: Path, file: Path, files: list[Path], catalogue: Path | None, option: str) -> None:
    """Refuse to write `output` over the workflow, a file that the workflow uses, or the user's catalogue."""
    from planner.catalogue.user_file import find_user_file

    for path in (file, *files, find_user_file(catalogue, file.parent)):
        if path is not None and path.exists() and output.samefile(path):
            what = f"the workflow {path}" if path == file else f"{path}, which the plan is read from"
            raise typer.BadParameter(f"{option} would replace {what}; name another file")
