"""Bills: from tokens and list prices to dollars.

A CSV file, a bill a row:

    source         where it is from
    what           model, benchmark or method
    input_tokens, output_tokens   that were billed
    input_price, output_price     US dollars per million tokens
    usd            what was paid
    comparable     yes, also if left out; or why tokens and prices cannot give the bill, which is then reported and
                   not judged

Each row is a request of a workflow; its cost is the planner's.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from planner.planning import forecast
from planner.workflow import read_workflow
from suites.common import DATA, BadDataError, Measure, Report, Row, amount, ape, median, positive, table, word

FILES = (DATA / "dollars.csv",)
MOST = 0.015


def run(files: Sequence[Path]) -> Report:
    """Work out every bill."""
    if len(files) != 1:
        raise BadDataError("dollars takes one file")
    columns = {
        "source": word, "what": word, "input_tokens": amount, "output_tokens": amount, "input_price": amount,
        "output_price": amount, "usd": positive,
    }  # fmt: skip
    bills = table(files[0], columns, {"comparable": _comparable})
    rows = [
        {"source": bill["source"], "what": bill["what"], "predicted": usd, "measured": bill["usd"],
         "ape": ape(usd, bill["usd"]), "comparable": bill["comparable"]}
        for bill, usd in zip(bills, plan(bills), strict=True)
    ]  # fmt: skip
    judged = [row["ape"] for row in rows if row["comparable"] == "yes"]
    others = [row["ape"] for row in rows if row["comparable"] != "yes"]
    if not judged:
        raise BadDataError(f"{files[0]}: no row is comparable")
    worst = max(judged)
    measures = [
        Measure("largest error of comparable bills", worst, goal=f"at most {MOST:g}", met=worst <= MOST),
        Measure("median error of comparable bills", median(judged)),
    ]
    if others:
        measures.append(Measure("median error of the others", median(others)))
    return Report("dollars", measures, rows, (f"{len(judged)} comparable bills, {len(others)} others.",))


def _comparable(cell: str) -> str:
    return cell.strip() or "yes"


def plan(bills: Sequence[Row]) -> list[float]:
    """US dollars of each bill, by the planner."""
    models = "\n".join(
        f"  m{at}: {{ttft: 0s, output_speed: 1000, jitter: 0, "
        f"price: {{input: {bill['input_price']}, output: {bill['output_price']}}}}}"
        for at, bill in enumerate(bills)
    )
    steps = "\n".join(
        f"  b{at}: {{model: m{at}, llm: {{input: {bill['input_tokens']:.0f}, output: {bill['output_tokens']:.0f}}}}}"
        for at, bill in enumerate(bills)
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "bills.yaml")
        path.write_text(f"workflow: bills\nmodels:\n{models}\nsteps:\n{steps}\n", encoding="utf-8")
        found = {step.step: step.usd for step in forecast(read_workflow(path), samples=1).steps}
    return [found[f"b{at}"] or 0.0 for at in range(len(bills))]
