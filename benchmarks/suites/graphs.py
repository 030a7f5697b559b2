"""Task graphs of workflows that ran, and of scheduling problems that were solved: completion time against bounds.

Two CSV files, in this order. Tasks (the file may end in .gz), one a row:

    instance  name of the graph
    task      a name within it
    seconds   that the task takes, from 0
    needs     tasks of the instance that must end before, with spaces between; empty: none

Instances, one a row:

    instance, source  its name, and where it is from
    agents            that do one task at a time each; as many as tasks: without limit
    seconds           what was measured, or the least that is possible
    meaning           `measured`: a run, which has overheads besides its tasks
                      `optimum`: of a problem with further constraints, which no schedule without them exceeds

Each instance is a backlog for a crew. No schedule is shorter than max(longest chain, work / agents), and a list
schedule is no longer than work / agents + (1 - 1 / agents) * longest chain (Graham 1969). Both hold to the microsecond.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from planner.errors import InputError
from planner.planning import forecast
from planner.workflow import read_workflow
from suites.common import (
    DATA,
    BadDataError,
    Measure,
    Report,
    Row,
    amount,
    grouped,
    median,
    positive,
    table,
    whole,
    word,
)

FILES = (DATA / "graphs_tasks.csv.gz", DATA / "graphs_instances.csv")
LEAST = 2e-6
"""What a task takes at least, of what the longest takes: sizes of a backlog are above 0 and at most so far apart."""

EXACT = 1e-6
"""Seconds by which rounding of each task may move a completion time; and a share that is no difference."""


@dataclass(frozen=True)
class Task:
    """Seconds, and what it needs."""

    seconds: float
    needs: Sequence[str]


Graph = Mapping[str, Task]


def run(files: Sequence[Path]) -> Report:
    """Schedule every instance."""
    if len(files) != 2:
        raise BadDataError("graphs takes two files: tasks and instances")
    tasks = table(files[0], {"instance": word, "task": word, "seconds": amount, "needs": str.split})
    columns = {"instance": word, "source": word, "agents": whole, "seconds": positive, "meaning": word}
    graphs: dict[str, Graph] = {
        name: {row["task"]: Task(max(LEAST * _longest(found), row["seconds"]), row["needs"]) for row in found}
        for name, found in grouped(tasks, lambda row: row["instance"]).items()
    }
    rows = []
    for instance in table(files[1], columns):
        name = instance["instance"]
        if name not in graphs:
            raise BadDataError(f"{files[1]}: '{name}' has no tasks in {files[0]}")
        rows.append(_row(instance, graphs[name]))
    outside = [row for row in rows if not row["within bounds"]]
    measures = [
        Measure("instances outside of the bounds", len(outside), goal="none", met=not outside),
        Measure("completion time over the lower bound, largest", max(row["over bound"] for row in rows)),
        Measure("completion time over the lower bound, median", median([row["over bound"] for row in rows])),
    ]
    for source, own in grouped(rows, lambda row: (row["source"], row["meaning"])).items():
        ratios = [row["measured / predicted"] for row in own]
        below = [row for row in own if row["measured / predicted"] < 1 - EXACT]
        measures += [
            Measure(f"{source[0]}: {source[1]} over predicted, median", median(ratios)),
            Measure(f"{source[0]}: {source[1]} over predicted, largest", max(ratios)),
            Measure(f"{source[0]}: {source[1]} below predicted", len(below), goal="none", met=not below),
        ]
    return Report("graphs", measures, rows, (
        "Runs of workflow systems take longer than their tasks: queues, staging and start-up are not in the graphs, "
        "and a plan without them is a lower bound. The problems of PSPLIB have four resources, of which tasks take "
        "several units. Workflow files cannot say that: planned without them, they too are lower bounds.",
    ))  # fmt: skip


def _longest(tasks: Sequence[Row]) -> float:
    """Seconds of the longest task; where none takes any, 1."""
    return max(row["seconds"] for row in tasks) or 1.0


def _row(instance: Row, graph: Graph) -> Row:
    agents = min(instance["agents"], len(graph))
    chain, work = longest(graph, instance["instance"]), sum(task.seconds for task in graph.values())
    least, most = max(chain, work / agents), work / agents + (1 - 1 / agents) * chain
    found = plan(graph, agents, instance["instance"])
    slack = EXACT * (len(graph) + least)
    return {
        "instance": instance["instance"], "source": instance["source"], "tasks": len(graph), "agents": agents,
        "lower bound": least, "predicted": found, "upper bound": most, "measured": instance["seconds"],
        "over bound": found / least - 1, "measured / predicted": instance["seconds"] / found,
        "within bounds": least - slack <= found <= most + slack, "meaning": instance["meaning"],
    }  # fmt: skip


def longest(graph: Graph, name: str) -> float:
    """Seconds of the longest chain of tasks. Raises BadDataError where tasks need each other in a circle."""
    ends: dict[str, float] = {}
    open_ = dict(graph)
    while open_:
        ready = [task for task, one in open_.items() if all(need in ends for need in one.needs)]
        if not ready:
            raise BadDataError(f"'{name}': tasks need each other in a circle, or a task that is not there")
        for task in ready:
            one = open_.pop(task)
            ends[task] = one.seconds + max((ends[need] for need in one.needs), default=0.0)
    return max(ends.values())


def plan(graph: Graph, agents: int, name: str) -> float:
    """Completion time by the planner."""
    ids = {task: number for number, task in enumerate(graph)}
    backlog = "".join(
        f"{ids[task]},{one.seconds:.9g},{' '.join(str(ids[need]) for need in one.needs)}\n"
        for task, one in graph.items()
    )
    mean = sum(one.seconds for one in graph.values()) / len(graph)
    workflow = (
        f"workflow: graph\ncrews: {{machines: {{agents: {agents}}}}}\nsteps:\n"
        "  work:\n    for_each: {file: tasks.csv, size: seconds, needs: needs}\n    crew: machines\n"
        f"    tool: {{time: {mean:.12g}s, sized: true}}\n"
    )
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "tasks.csv").write_text(f"id,seconds,needs\n{backlog}", encoding="utf-8")
        path = Path(folder, "graph.yaml")
        path.write_text(workflow, encoding="utf-8")
        try:
            return forecast(read_workflow(path), samples=1).result.seconds.p50
        except InputError as error:
            raise BadDataError(f"'{name}': {error.problems[0].message}") from None
