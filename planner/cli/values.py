"""Texts of options in, checked values out: the fields of a request.

Heavy imports are inside the functions, so that `planner --help` starts fast.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import typer

from planner.cli.frame import check_writable, hide_progress, unwritable
from planner.cli.options import BackendOptions, CompareOptions, GridOptions, SamplingOptions
from planner.cli.problems import deferred

if TYPE_CHECKING:
    from planner.api.checks import Checks
    from planner.api.request import Progress, Request, Simulation
    from planner.loading import Loaded
    from planner.sampling.backends import Backend

AnyRequest = TypeVar("AnyRequest", bound="Request")


@contextmanager
def checked() -> Iterator["Checks"]:
    """Context manager that yields a `Checks` for options.

    After the `with` block, raise one error with all recorded problems, and with those that were deferred before.
    """
    from planner.api.checks import Checks
    from planner.errors import InputError
    from planner.report.wording.notes import OPTIONS, worded_error

    check = Checks(OPTIONS)
    for problem in deferred():
        check.add(problem)
    yield check
    try:
        check.done()
    except InputError as error:
        problems = worded_error(error, OPTIONS).problems
        lines = (problem.message + (f"; {problem.hint}" if problem.hint else "") for problem in problems)
        raise typer.BadParameter("\n  ".join(lines)) from None


def parse_names(check: "Checks", text: str | None, option: str = "--model") -> list[str]:
    """Split a comma-separated list of names. Return an empty list if `text` is None, or if a name is missing.

    option : name of the option, for messages
    """
    if text is None:
        return []
    listed = [name.strip() for name in text.split(",")]
    if not all(listed):
        check.add(f"{option}: '{text}': a name is missing; write names with a comma between them")
        return []
    return listed


def parse_speeds(check: "Checks", text: str) -> list[float]:
    """Parse the value of `--speed`, such as `1x,2.5x`. Return the speeds as numbers."""
    from planner.reading.units import factor

    return check.each("speeds", text.split(","), factor)


def parse_agents(check: "Checks", texts: list[str] | None, several: bool = False) -> dict[str | None, list[int]]:
    """Parse the values of `--agents`. Return the numbers of agents of each named crew.

    - `--agents coders=2,4 --agents reviewers=1` gives `{"coders": [2, 4], "reviewers": [1]}`.
    - `--agents coders=2,reviewers=1` gives `{"coders": [2], "reviewers": [1]}`.
    - `--agents 2,4` gives `{None: [2, 4]}`.

    If the option is absent, the result is empty.

    several : whether the command takes several numbers of each crew, for the example in messages
    """
    from planner.reading.fields import MOST_AGENTS

    def count(part: str) -> int:
        if not part.strip().isdecimal() or not 1 <= int(part) <= MOST_AGENTS:
            expected = "whole numbers" if several else "a whole number"
            raise ValueError(f"expected {expected} from 1 to {MOST_AGENTS:,}, such as {'1,2,4' if several else '4'}")
        return int(part)

    found: dict[str | None, list[int]] = {}
    problems: dict[str, None] = {}
    twice, numbers = False, list[int]()
    for text in texts or ():
        for position, part in enumerate(text.split(",")):
            name, equals, number = part.rpartition("=")
            if equals or not position:
                crew = name.strip() if equals else None
                numbers = []
                if crew not in found:
                    found[crew] = numbers
                elif crew is not None:
                    problems[check.words("crew-twice", {"crew": crew})] = None
                else:
                    twice = True
            numbers.append(check.take("agents", number, count))
    if None in found and len(found) > 1:
        problems[check.words("crews-without-name")] = None
    elif twice:
        problems[check.words("agents-twice")] = None
    for problem in problems:
        check.add(problem)
    return found


def parse_premium(check: "Checks", text: str | None) -> Any:
    """Parse the value of `--premium`: the price law for speeds above 1x. Return None if the option is absent."""
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
    check: "Checks", speed: str, agents: list[str] | None, model: str | None, refusal: str
) -> dict[str, Any]:
    """Parse `--speed`, `--agents` and `--model` of a command for one scenario.

    Returns a dict of keyword arguments for a `ScenarioRequest`.

    refusal : error message if an option has several values
    """
    crews = parse_agents(check, agents)
    factors, models = parse_speeds(check, speed), parse_names(check, model)
    if len(factors) > 1 or len(models) > 1 or any(len(counts) > 1 for counts in crews.values()):
        check.add(refusal)
    return {"speed": factors[0], "agents": one_each(crews), "model": models[0] if models else None}


def one_each(crews: dict[str | None, list[int]]) -> Any:
    """Return a dict with the first number of each named crew.

    If `crews` has numbers without a name, return the first of them. If `crews` is empty, return None.

    crews : result of `parse_agents`
    """
    first = {crew: counts[0] for crew, counts in crews.items()}
    return first.get(None, first or None)


def parse_grid(check: "Checks", options: GridOptions | CompareOptions) -> dict[str, Any]:
    """Parse the options of a grid of scenarios. Return a dict of keyword arguments for a `GridRequest`."""
    crews = parse_agents(check, options.agents, several=True)
    return {
        "agents": crews.get(None, crews or None),
        "speeds": None if not options.speed else parse_speeds(check, options.speed),
        "models": parse_names(check, options.model),
        "premium": parse_premium(check, options.premium),
        "runtime": options.runtime,
    }


def parse_simulation(
    check: "Checks", options: SamplingOptions, progress: "Progress", backend: BackendOptions
) -> "Simulation":
    """Parse the options that control a simulation. Return a `Simulation`."""
    from planner.api import checks

    chosen = _backend(check, backend, options.threads)
    return checks.simulation(
        check, options.seed, options.samples, options.precision, options.max_time, chosen, progress
    )


def _backend(check: "Checks", options: BackendOptions, threads: int | None) -> "Backend":
    """Return the threads or the Dask cluster that run the simulation. Record problems with the options in `check`."""
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


class Source(NamedTuple):
    """Options that control how a workflow is read.

    parameters : values of parameters, by name
    below : folder that must contain all files of the workflow; None: no limit
    """

    parameters: dict[str, float]
    below: Path | None


def parse_source(check: "Checks", settings: list[str] | None, below: Path | None) -> Source:
    """Parse the options `--set` and `--only-below`."""
    from planner.api.checks import existing_folder

    if below is not None:
        check.take("only_below", str(below), existing_folder)
    return Source(_parameters(check, settings), below)


def _parameters(check: "Checks", settings: list[str] | None) -> dict[str, float]:
    """Parse the options `--set NAME=VALUE`. Return a dict that maps names of parameters to values."""
    from planner.reading.units import count

    values: dict[str, float] = {}
    for setting in settings or []:
        name, equals, text = setting.partition("=")
        if not equals:
            check.add(f"--set {setting}: write NAME=VALUE")
            continue
        if name.strip() in values:
            check.add(f"--set {name.strip()}: given twice")
        try:
            values[name.strip()] = count(text)
        except ValueError as mistake:
            hint = getattr(mistake, "hint", None)
            check.add(f"--set {name}: '{text}': {mistake}{f'; {hint}' if hint else ''}")
    return values


def build_request(
    kind: Callable[..., AnyRequest],
    file: Path,
    source: Source,
    catalogue: Path | None,
    output: Path | None = None,
    option: str = "--output",
    **fields: Any,
) -> AnyRequest:
    """Read the workflow in `file` and its model profiles. Return a request of the class `kind`.

    source : options that control how the workflow is read
    output : file for the result. It must differ from all files that are read
    option : name of the option for `output`, for messages
    fields : further fields of the request
    """
    from planner.reading.files.access import files_read

    with files_read() as files:
        built = kind(workflow=_loaded(file, source, catalogue), **fields)
        _ = built.served
    if output is not None and output.is_file():
        _refuse_to_replace(output, file, files, catalogue, option)
        with unwritable(output):
            check_writable(output)  # before the work
    return built


def _loaded(file: Path, source: Source, catalogue: Path | None) -> "Loaded":
    """Load the workflow in `file`. The path `-` means standard input."""
    from planner.loading import load
    from planner.reading.files.text_file import STDIN, read_stdin

    if file == Path("-"):
        hide_progress()  # the user may be typing the workflow
        return load(read_stdin(), source.parameters, catalogue, STDIN, source.below)
    return load(file, source.parameters, catalogue, only_below=source.below)


def _refuse_to_replace(output: Path, file: Path, files: list[Path], catalogue: Path | None, option: str) -> None:
    """Raise BadParameter if `output` is a file that the command reads.

    Such files are the workflow, the files that the workflow uses, and the user's catalogue.
    """
    from planner.catalogue.user_file import find_user_file

    for path in (file, *files, find_user_file(catalogue, file.parent)):
        if path is not None and path.exists() and output.samefile(path):
            what = f"the workflow {path}" if path == file else f"{path}, which the plan is read from"
            raise typer.BadParameter(f"{option} would replace {what}; name another file")
