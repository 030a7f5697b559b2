"""How many agents of a crew could work at once at most: the widest fan-out, with copies and with steps side by side."""

from __future__ import annotations

from collections.abc import Mapping

from planner.expansion.build.counts import count_at, most_drawn
from planner.expansion.graph.order import in_order, most_beside, needs
from planner.expansion.graph.task_graph import DEFAULT_CREW, LEAD
from planner.reading.estimates.estimate import Estimate
from planner.workflow.declaration import Step, Workflow


def widest(workflow: Workflow, sizes: Mapping[str, int], crew: str) -> int:
    """Most agents of a crew that could be busy at once, at least 1; more than these wait for work."""
    start = DEFAULT_CREW if not workflow.crews else LEAD
    return max(1, _Width(sizes, crew).group(workflow.steps, workflow.parameters, start, inside=False))


class _Width:
    def __init__(self, sizes: Mapping[str, int], crew: str) -> None:
        self.sizes = sizes
        self.crew = crew

    def group(self, steps: Mapping[str, Step], values: Mapping[str, float], crew: str, inside: bool) -> int:
        """Of steps by what they need; the steps of an item run one after another."""
        wide = {name: self.step(steps[name], values, crew, inside) for name in in_order(steps)}
        return max(wide.values(), default=0) if inside else most_beside(wide, needs(steps))

    def step(self, step: Step, values: Mapping[str, float], crew: str, inside: bool) -> int:
        crew = step.crew or crew
        agents = self.sizes.get(crew, 1)
        width = self.body(step, values, crew, inside or step.for_each is not None)
        for copies in (step.best_of, step.first_of):
            if copies is not None:
                width *= count_at(copies, values, agents)
        if step.for_each is not None:
            items = step.for_each.count
            if isinstance(items, Estimate):
                width *= most_drawn(step.for_each, values, agents)
            else:
                width *= count_at(items, values, agents)
        return width

    def body(self, step: Step, values: Mapping[str, float], crew: str, inside: bool) -> int:
        if step.used is not None:
            return self.group(step.used.steps, step.used.parameters, crew, inside)
        if step.choose is not None:
            return max((self.step(branch, values, crew, inside) for branch in step.choose.values()), default=0)
        if step.steps is not None:
            found = self.group(step.steps, values, crew, inside)
            return max(found, int(inside and crew == self.crew))
        return int(crew == self.crew and (step.kind in ("llm", "agent") or step.crew is not None or inside))
