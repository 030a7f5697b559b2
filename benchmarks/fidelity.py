"""How near the planner's predictions come to measurements that nobody here made.

    python benchmarks/fidelity.py [--suite NAME ...] [--data FILE ...] [--json [FILE]] [--brief] [--form] [--page]

Each suite reads small tables (benchmarks/data), plans what they measured, and prints every prediction beside its
measurement, with the error, its interval, baselines and goals. `--data` takes other files of the same form, which
`--form` describes. Exit codes: 0 all goals met, 1 a goal missed, 2 a file is not of the form.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
import textwrap
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from suites.common import BadDataError, Measure, Report, Row

from planner.errors import InputError

PAGE = Path(__file__).resolve().parent.parent / "docs" / "fidelity.md"
SUITES = ("teams", "requests", "agents", "dollars", "papers", "serving", "graphs")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--suite", nargs="+", choices=SUITES, default=[], help="which; all by default")
    parser.add_argument("--data", nargs="+", type=Path, default=[], help="other files of the form of one suite")
    parser.add_argument("--json", nargs="?", const="-", help="print JSON, or write it to a file")
    parser.add_argument("--brief", action="store_true", help="leave the rows out")
    parser.add_argument("--page", action="store_true", help="put the measures into docs/fidelity.md")
    parser.add_argument("--form", action="store_true", help="describe the files that a suite reads")
    options = parser.parse_args(arguments)
    chosen = options.suite or SUITES
    if options.data and (len(chosen) != 1 or options.page):
        parser.error("--data is for one suite, named with --suite, and not for the page")
    modules = [importlib.import_module(f"suites.{name}") for name in chosen]
    if options.form:
        print("\n".join(f"{name}\n{'-' * len(name)}\n{one.__doc__}" for name, one in zip(chosen, modules, strict=True)))
        return 0
    try:
        reports: list[Report] = [module.run(options.data or list(module.FILES)) for module in modules]
    except BadDataError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except InputError as error:
        print(f"error: the planner refuses what the data says: {error.problems[0].message}", file=sys.stderr)
        return 2
    if options.json:
        content = json.dumps([asdict(report) for report in reports], indent=1) + "\n"
        if options.json == "-":
            print(content, end="")
        else:
            Path(options.json).write_text(content, encoding="utf-8")
    if options.page:
        PAGE.write_text(paged(PAGE.read_text(encoding="utf-8"), reports), encoding="utf-8")
    if options.json != "-":
        print("\n".join(shown(report, options.brief) for report in reports), end="")
    return int(any(report.missed for report in reports))


def shown(report: Report, brief: bool) -> str:
    """A report as text."""
    lines = [f"== {report.suite} ==", ""]
    if not brief:
        lines += [*_rows(report.rows), ""]
    for measure in report.measures:
        span = f" [{measure.low:.3f}, {measure.high:.3f}]" if measure.low is not None else ""
        goal = f"   goal: {measure.goal}: {'met' if measure.met else 'MISSED'}" if measure.met is not None else ""
        lines.append(f"{measure.name:<58} {number(measure):>8}{span}{goal}")
    for note in report.notes:
        lines += textwrap.wrap(f"Note: {note}", 110, subsequent_indent="  ")
    return "\n".join([*lines, ""]) + "\n"


def number(measure: Measure) -> str:
    """A count as it is, anything else to three digits."""
    return str(measure.value) if isinstance(measure.value, int) else f"{measure.value:.3f}"


def paged(page: str, reports: Sequence[Report]) -> str:
    """The page with the measures of these reports between their marks."""
    for report in reports:
        lines = ["| Measure | Value | 95 % interval | Goal |", "| --- | ---: | :---: | --- |"]
        for measure in report.measures:
            span = f"{measure.low:.3f} to {measure.high:.3f}" if measure.low is not None else ""
            goal = "" if measure.met is None else f"{measure.goal}: {'met' if measure.met else '**missed**'}"
            name = measure.name.replace("|ln|", "ln")
            lines.append(f"| {name} | {number(measure)} | {span} | {goal} |")
        before, mark, rest = page.partition(f"<!-- {report.suite} -->\n")
        after = rest.partition("<!-- end -->")[2]
        page = before + mark + "\n".join(lines) + "\n<!-- end -->" + after if mark else page
    return page


def _rows(rows: Sequence[Row]) -> list[str]:
    """Rows as a table, its columns those of the first row."""
    if not rows:
        return []
    cells = [[str(name) for name in rows[0]], *([_cell(row.get(name)) for name in rows[0]] for row in rows)]
    widths = [max(len(row[at]) for row in cells) for at in range(len(cells[0]))]
    numbers = [isinstance(value, int | float) for value in rows[0].values()]
    return [
        "  ".join(
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(row, widths, numbers, strict=True)
        ).rstrip()
        for row in cells
    ]


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < 1000 else f"{value:,.0f}"
    return "" if value is None else str(value)


if __name__ == "__main__":
    sys.exit(main())
