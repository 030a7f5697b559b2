"""A workflow in, a readable and runnable application of LangGraph's out, to be filled in."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from planner.expansion.graph.order import in_order, needs, sorted_by_name
from planner.expansion.supersteps.runtime import Runtime
from planner.langgraph_bridge.export.modifiers import Modifiers
from planner.langgraph_bridge.export.parts import (
    AGENTS,
    FRAME,
    IMPORTS,
    KEYS,
    MAIN,
    ExportContext,
    Node,
)
from planner.langgraph_bridge.export.source import (
    call,
    comment,
    docstring,
    estimates,
    text,
)
from planner.workflow.declaration import Step, Workflow

TURNS = 3
"""Turns of an agent loop in the application as it stands: enough to see it loop."""

ONE = {"items": "item", "rounds": "round", "copies": "copy"}

WHAT = {
    "llm": ("one request", "ask the model"),
    "tool": ("a tool", "call the tool"),
    "human": ("a person", "wait for the person, as with interrupt()"),
}


def exported(workflow: Workflow, sizes: Mapping[str, int]) -> str:
    """The source of the application, whose crews have these sizes."""
    return _Writer(workflow, sizes).module()


class _Writer(Modifiers):
    """Writes steps, the innermost first."""

    def module(self) -> str:
        workflow, limit = self.workflow, Runtime.of(self.workflow).limit
        around = ExportContext((), workflow.model, None, False, workflow.parameters)
        self.graph("workflow", around, workflow.steps, f"The workflow '{workflow.workflow}'.")
        without = list(left_out(workflow, self.sizes))
        about = docstring(
            f"{workflow.workflow}: {workflow.description or 'a workflow.'}",
            [
                "A skeleton: what stands behind TODO is to be filled in. The estimates are those of the plan.",
                "Nodes that run side by side wait for each other before the graph goes on.",
                *([f"Left out: {'; '.join(without)}."] if without else []),
            ],
            indent="",
        )
        types = f"from langgraph.types import {', '.join(sorted(self.imports))}\n" if self.imports else ""
        frame = FRAME if "RetryPolicy" in self.imports else FRAME.split("\n\n\n", 1)[1]
        queues = []
        if self.queues:
            about_agents = "Agents of the plan, each at one thing at a time. More do more side by side."
            sizes = [f"{text(name)}: {size}" for name, size in self.queues.items()]
            queues = [*comment(about_agents), *call("AGENTS = {", sizes, "}")]
        config = ([] if limit is None else [f'"max_concurrency": {limit}']) + ['"recursion_limit": 10_000']
        invoked = call("    found = await workflow_graph().ainvoke(", ["{}", f"{{{', '.join(config)}}}"])
        handled = [text(name) for name, step in workflow.steps.items() if step.otherwise]
        failed = 'found.get("failed", [])'
        if handled:
            failed = f"[one for one in {failed} if one not in ({', '.join(handled)},)]"
        returned = call("    return {", ['"log": found.get("log", [])', f'"failed": {failed}'], "}")
        ends = any(re.search(r"\bEND\b", section) for section in self.sections)
        imports = IMPORTS if ends else IMPORTS.replace("import END, START", "import START")
        head = "\n".join([*about, "", imports + types])
        frame = frame.rstrip("\n")
        constants, _, classes = frame.partition("\n\n\n") if frame.startswith("RETRIED") else ("", "", frame)
        constants = "\n".join([*([constants] if constants else []), *queues])
        first = f"{head}\n{constants}" if constants else head.rstrip("\n")
        main = MAIN.format(invoked="\n".join(invoked), returned="\n".join(returned))
        return "\n\n\n".join([first, classes, *([AGENTS] if queues else []), *self.sections, main])

    # Graphs

    def graph(self, function: str, around: ExportContext, steps: Mapping[str, Step], about: str) -> None:
        """A function that builds the graph of a group; an item's steps come one after the other."""
        order = in_order(steps if around.item else sorted_by_name(steps))
        children = {name: self.step(around, name, steps) for name in order}
        wanted = needs(steps)
        edges: list[str] = []
        for at, name in enumerate(order):
            before = order[at - 1 : at] if around.item else wanted[name]
            sources = [text(children[need].name) for need in before]
            start = f"[{', '.join(sources)}]" if len(sources) > 1 else (sources or ["START"])[0]
            edges += call("    graph.add_edge(", [start, text(children[name].name)])
        self.build(function, about, list(children.values()), edges)

    # Steps

    def step(self, around: ExportContext, name: str, steps: Mapping[str, Step], choice: bool = False) -> Node:
        """A step with its modifiers, the innermost first."""
        step = steps[name]
        here = replace(
            around, path=(*around.path, name), model=step.model or around.model, crew=step.crew or around.crew,
            item=around.item or step.for_each is not None,
        )  # fmt: skip
        failing = next((other for other in steps if steps[other].otherwise == name), None)
        tests = []
        if step.chance is not None and not choice:
            tests.append((f"not decide({text(name)}, {step.chance:.6g})", f"in {100 * step.chance:.3g}% of cases"))
        if failing is not None:
            tests.append((f'{text(failing)} not in state.get("failed", [])', f"where '{failing}' fails"))
        layers = [
            layer
            for layer, declared in (
                (self.items, step.for_each), (self.rounds, step.repeat), (self.copies, step.best_of or step.first_of),
            )
            if declared is not None
        ]  # fmt: skip
        outer = self.names.of(*here.path)
        names = [outer, self.own(here, "then")] if tests else [outer]
        names += [self.own(here, ONE[layer.__name__]) for layer in layers]
        node = Node(name, names[-1], self.body(names[-1], here, step))
        for layer, own in reversed(list(zip(layers, names[len(names) - len(layers) - 1 :], strict=False))):
            node = layer(own, node, here, step)
        if tests:
            body = [f"    if {' or '.join(test for test, _ in tests)}:", '        return {"log": []}']
            reasons = " and ".join(reason for _, reason in tests)
            self.function(outer, f"{name}: done {reasons}.", [*body, f"    return await {node.function}(state)"])
            node = Node(name, outer, node.policy)
        return replace(node, name=f"{name}_" if name in (*KEYS, "__start__", "__end__") else name)

    def body(self, function: str, here: ExportContext, step: Step) -> tuple[str, ...]:
        """The function that does a step once; returns its policy as a node."""
        name = here.path[-1]
        if step.agent is not None:
            self.agent(function, here, step)
        elif step.choose is not None:
            self.choice(function, here, step)
        elif step.within:
            inner = here if step.used is None else replace(
                here, model=step.used.model or here.model, values=step.used.parameters
            )  # fmt: skip
            self.graph(function, inner, step.within, f"{name}: its steps.")
            handled = [text(other) for other, one in step.within.items() if one.otherwise]
            of = [f"handled=({', '.join(handled)},)"] if handled else []
            self.within(function, f"{name}: a group of steps.", of)
        else:
            what, todo = WHAT[step.kind]
            context = list(self.context(here, step))
            indent = "        " if context else "    "
            lines = [*context, f"{indent}await asyncio.sleep(0)  # TODO: {todo}", *self.outcome(name, step)]
            self.function(function, f"{name}: {what}.", lines, list(estimates(step, here.model)))
        if step.retry is None:
            return ()
        self.imports.add("RetryPolicy")
        attempts = self.count(step.retry.at_most, here)
        return (f"retry_policy=RetryPolicy(max_attempts={attempts}, retry_on=RETRIED)",)

    @staticmethod
    def outcome(name: str, step: Step) -> Iterator[str]:
        if step.success is not None:
            yield f"    if not decide({text(name)}, {step.success:.6g}):"
            yield from call("        return {", [f'"log": [{text(name)}]', f'"failed": [{text(name)}]'], "}")
        yield from call("    return {", [f'"log": [{text(name)}]'], "}")

    def context(self, here: ExportContext, step: Step) -> Iterator[str]:
        """A line that takes an agent and watches the clock, around what is done."""
        found = []
        asks = step.kind in ("llm", "agent")
        held = here.item and step.kind == "tool" and step.hold and step.for_each is None
        if asks or step.crew is not None or held:
            found.append(self.queue(*self.pool(here)))
        if step.retry is not None and step.retry.timeout is not None:
            found.append(f"asyncio.timeout({step.retry.timeout:g})")
        if found:
            yield f"    async with {', '.join(found)}:"

    def agent(self, function: str, here: ExportContext, step: Step) -> None:
        """A loop of a model and its tools."""
        name = here.path[-1]
        model, tools, router = (self.own(here, part) for part in ("model", "tools", "goes_on"))
        turn = call("    return {", [f'"log": [{text(name)}]', '"turns": state.get("turns", 0) + 1'], "}")
        self.function(
            model,
            f"{name}: a turn of the model.",
            ["    await asyncio.sleep(0)  # TODO: ask the model", *turn],
            to="State",
        )
        called = ["    await asyncio.sleep(0)  # TODO: call the tools", '    return {"log": []}']
        self.function(tools, f"{name}: the tools that the model calls, side by side.", called, to="State")
        self.add(
            f"def {router}(state: State) -> str:",
            *docstring(f"{name}: whether the model has called tools. TODO: look at its answer."),
            f'    return "tools" if state.get("turns", 0) < {TURNS} else END',
        )
        edges = [
            '    graph.add_edge(START, "model")',
            *call("    graph.add_conditional_edges(", ['"model"', router, '["tools", END]']),
            '    graph.add_edge("tools", "model")',
        ]
        self.build(function, f"{name}: a model and its tools.", [Node("model", model), Node("tools", tools)], edges)
        context = list(self.context(here, step))
        indent = "        " if context else "    "
        lines = [*context, *call(f"{indent}found = await within(", [f"{function}_graph()", text(name), "state"])]
        if step.success is not None:
            lines += [
                f"    if not decide({text(name)}, {step.success:.6g}):",
                f'        found["failed"] = [{text(name)}]',
            ]
        about = list(estimates(step, here.model))
        self.function(function, f"{name}: a loop of a model and its tools.", [*lines, "    return found"], about)

    def choice(self, function: str, here: ExportContext, step: Step) -> None:
        """Branches, of which a conditional edge takes one."""
        branches = sorted_by_name(step.choose or {})
        name, router = here.path[-1], self.own(here, "way")
        nodes = [self.step(here, branch, branches, choice=True) for branch in branches]
        ways = f"[{', '.join(text(node.name) for node in nodes)}]"
        chances = f"[{', '.join(f'{branch.chance or 0.0:.6g}' for branch in branches.values())}]"
        self.add(
            f"def {router}(state: State) -> str:",
            *docstring(f"{name}: which way. TODO: decide by what the state holds."),
            *call("    return random.choices(", [ways, chances], ")[0]"),
        )
        self.routed(function, f"{name}: one of its branches.", nodes, router, ["START"])
        handled = [text(other) for other, one in branches.items() if one.otherwise]
        self.within(function, f"{name}: a choice.", [f"handled=({', '.join(handled)},)"] if handled else [])


def left_out(workflow: Workflow, sizes: Mapping[str, int]) -> Iterator[str]:
    """Each as something that is left out; crews of one agent coordinate nothing."""
    for name, crew in workflow.crews.items():
        declared = crew.coordination
        if sizes[name] > 1:
            for what, there in (
                (f"the lockstep of '{name}'", crew.lockstep),
                (f"the stagger of '{name}'", declared.stagger > 0),
                (f"the redundancy of '{name}'", declared.redundancy > 0),
                (f"rework after conflicts in '{name}'", declared.conflict is not None),
            ):
                if there:
                    yield what
    for path, step in workflow.walk():
        fan_out = step.for_each
        if fan_out is None:
            continue
        if fan_out.backlog is not None and any(fan_out.backlog.needs):
            yield f"what rows of '{'.'.join(path)}' need of each other"
        if sum(_takes_agent(inner) for inner in _leaves(step)) > 1:
            yield f"that an item of '{'.'.join(path)}' keeps its agent from step to step"


def _leaves(step: Step) -> Iterator[Step]:
    """What is done in a step, outside of fan-outs within."""
    for inner in step.within.values():
        if inner.for_each is None:
            yield from _leaves(inner) if inner.within else (inner,)


def _takes_agent(step: Step) -> bool:
    return step.kind in ("llm", "agent") or (step.kind == "tool" and step.hold)
