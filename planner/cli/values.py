"""Texts of options in, checked values out, as the fields of a request. Imports of weight wait for a command."""

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
    """Refuse every bad option that is checked within, not only the first."""
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


def names(text: str | None, option: str = "--model") -> list[str]:
    """Names with commas between them."""
    if text is None:
        return []
    listed = [name.strip() for name in text.split(",")]
    if not all(listed):
        raise typer.BadParameter(f"{option}: '{text}': a name is missing; write names with a comma between them")
    return listed


def speeds(check: "Checks", text: str) -> list[float]:
    """Factors on output speeds."""
    from planner.reading.units import factor

    return check.each("speeds", text.split(","), factor)


def agents(check: "Checks", text: str | None, several: bool = False) -> tuple[str | None, list[Any]]:
    """The named crew, and the numbers of agents; None: as declared.

    several : crews may be sized together. Then the crew is None, and the only number a mapping of crews to agents
    """
    from planner.reading.validation import MOST_AGENTS

    if text is None:
        return None, [None]

    def count(part: str) -> int:
        if not part.strip().isdecimal() or not 1 <= int(part) <= MOST_AGENTS:
            raise ValueError(f"expected whole numbers from 1 to {MOST_AGENTS:,}, such as 1,2,4")
        return int(part)

    def crews(text: str) -> dict[str, int]:
        if not several:
            raise ValueError(
                "one crew is sized here; size the others in the file, or all of them with 'planner forecast'"
            )
        parts = [part.partition("=") for part in text.split(",")]
        names = [name.strip() for name, _, _ in parts]
        if not all(equals for _, equals, _ in parts):
            raise ValueError("several crews take one number each, as in migrators=4,reviewers=6")
        if len({*names}) < len(names):
            raise ValueError("a crew is given twice; give each one number")
        return {name: count(number) for name, (_, _, number) in zip(names, parts, strict=True)}

    if text.count("=") > 1:
        return None, [check.take("agents", text, crews)]
    crew, equals, numbers = text.rpartition("=")
    return (crew.strip() if equals else None), check.each("agents", numbers.split(","), count)


def premium(check: "Checks", text: str | None) -> Any:
    """The price model of speeds that no vendor offers; None: the fitted one."""
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


def scenario(
    check: "Checks", speed: str, agents_: str | None, model: str | None, one: str, several: bool = False
) -> dict[str, Any]:
    """The fields of one scenario.

    one : the refusal of several scenarios
    several : see `agents`
    """
    crew, counts = agents(check, agents_, several)
    factors, models = speeds(check, speed), names(model)
    if len(factors) > 1 or len(counts) > 1 or len(models) > 1:
        check.add(one)
    return {"speed": factors[0], "agents": counts[0], "crew": crew, "model": models[0] if models else None}


def grid(check: "Checks", options: GridOptions) -> dict[str, Any]:
    """The fields of a grid."""
    crew, counts = agents(check, options.agents)
    return {
        "agents": counts,
        "crew": crew,
        "speeds": None if not options.speed else speeds(check, options.speed),
        "models": names(options.model),
        "premium": premium(check, options.premium),
        "runtime": options.runtime,
    }


def simulation(
    check: "Checks", options: SamplingOptions, progress: "Progress", backend: BackendOptions
) -> "Simulation":
    """How to simulate."""
    from planner.api import checks

    chosen = _backend(check, backend, options.threads)
    return checks.simulation(
        check, options.seed, options.samples, options.precision, options.max_time, chosen, progress
    )


def _backend(check: "Checks", options: BackendOptions, threads: int | None) -> "Backend":
    from planner.sampling.backends import DaskBackend, ThreadBackend, missing

    if options.backend == "threads":
        if options.scheduler is not None:
            check.add("--scheduler goes with --backend dask")
        return ThreadBackend(threads)
    if options.scheduler is None or threads is not None:
        check.add("--backend dask needs --scheduler ADDRESS, and takes no --threads")
        return ThreadBackend(threads)
    lacking = missing()
    if lacking:
        check.add(f"--backend dask needs {lacking}: pip install 'agent-loop-planner[dask]'")
    return DaskBackend(options.scheduler)


def _parameters(settings: list[str] | None) -> dict[str, float]:
    """Values of parameters from `--set`."""
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


def request(
    kind: Callable[..., AnyRequest],
    file: Path,
    settings: list[str] | None,
    catalogue: Path | None,
    below: Path | None,
    output: Path | None = None,
    option: str = "--output",
    **fields: Any,
) -> AnyRequest:
    """A request about the workflow of a file, which is served already.

    below : folder outside of which no file is read; None: no limit
    output, option : refuse to replace a file that the workflow is read from, or the user's catalogue
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
    """The workflow that a file or, if it is `-`, standard input declares."""
    from planner.loading import load
    from planner.reading.files.text_file import STDIN, read_stdin

    values = _parameters(settings)
    if file == Path("-"):
        return load(read_stdin(), values, catalogue, STDIN, below)
    return load(file, values, catalogue, only_below=below)


def _refuse_to_replace(output: Path, file: Path, files: list[Path], catalogue: Path | None, option: str) -> None:
    from planner.catalogue.user_file import find_user_file

    for path in (file, *files, find_user_file(catalogue, file.parent)):
        if path is not None and path.exists() and output.samefile(path):
            what = f"the workflow {path}" if path == file else f"{path}, which the plan is read from"
            raise typer.BadParameter(f"{option} would replace {what}; name another file")
