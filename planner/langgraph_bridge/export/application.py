"""Export a workflow as the source code of a LangGraph application. The application runs unedited, and has TODOs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from planner.expansion.graph.order import in_order, needs, sorted_by_name
from planner.expansion.supersteps.runtime import Runtime
from planner.langgraph_bridge.export.builder import (
    AGENTS,
    CLASSES,
    IMPORTS,
    KEYS,
    MAIN,
    RETRIED,
    ExportContext,
    Node,
)
from planner.langgraph_bridge.export.modifiers import ModifierWriter
from planner.langgraph_bridge.export.source import (
    call,
    comment,
    docstring,
    estimates,
    text,
    tuple_of,
)
from planner.workflow.declaration import Step, Workflow

TURNS = 3
"""Number of turns of an agent in the unedited application. A few turns are enough to show the loop."""

_SUFFIXES = {"items": "item", "rounds": "round", "copies": "copy"}

_BODIES = {
    "llm": ("one request", "call the model"),
    "tool": ("a tool", "call the tool"),
    "human": ("a person", "wait for the person, as with interrupt()"),
}


def application_source(workflow: Workflow, sizes: Mapping[str, int]) -> str:
    """Return the Python source of a LangGraph application that runs the workflow.

    sizes : number of agents of each crew
    """
    return _ApplicationWriter(workflow, sizes).module()


class _ApplicationWriter(ModifierWriter):
    """Writes the source of an application. The functions of inner steps come first."""

    def module(self) -> str:
        """Return the source of the whole application, which is one module."""
        workflow = self.workflow
        context = ExportContext((), workflow.model, None, held=False, values=workflow.parameters)
        self.graph("workflow", context, workflow.steps, f"The workflow '{workflow.workflow}'.")
        if any("RetryPolicy(" in section for section in self.sections):
            self.imports.add("RetryPolicy")
        constants = [*([RETRIED] if "RetryPolicy" in self.imports else []), *self._agent_numbers()]
        head = "\n".join([*self._about(), "", self._imports()])
        first = "\n".join([head, *constants]) if constants else head.rstrip("\n")
        return "\n\n\n".join([first, CLASSES, *([AGENTS] if self.pools else []), *self.sections, self._main()])

    def _about(self) -> list[str]:
        """Return the docstring of the application, as lines of source code."""
        omitted = list(omissions(self.workflow, self.sizes))
        lines = [
            "A skeleton: replace each TODO with your code. Estimates are copied from the plan.",
            "Nodes that run in parallel wait for each other: a superstep ends with its last node.",
            *([f"Left out: {'; '.join(omitted)}."] if omitted else []),
        ]
        return docstring(f"{self.workflow.workflow}: {self.workflow.description or 'a workflow.'}", lines, indent="")

    def _imports(self) -> str:
        uses_end = any(re.search(r"\bEND\b", section) for section in self.sections)
        imports = IMPORTS if uses_end else IMPORTS.replace("import END, START", "import START")
        types = f"from langgraph.types import {', '.join(sorted(self.imports))}\n" if self.imports else ""
        return imports + types

    def _agent_numbers(self) -> list[str]:
        """Return the source lines of the constant `AGENTS`: the number of agents of each pool.

        Return an empty list if there are no pools.
        """
        if not self.pools:
            return []
        about = "Agents of each pool in the plan. Each agent does one step at a time."
        sizes = [f"{text(name)}: {size}" for name, size in self.pools.items()]
        return [*comment(about), *call("AGENTS = {", sizes, "}")]

    def _main(self) -> str:
        """Return the source of the function `main`, which runs the workflow, and of the code that calls `main`."""
        limit = Runtime.of(self.workflow).limit
        config = ([] if limit is None else [f'"max_concurrency": {limit}']) + ['"recursion_limit": 10_000']
        invoked = call("    found = await workflow_graph().ainvoke(", ["{}", f"{{{', '.join(config)}}}"])
        handled = [text(name) for name, step in self.workflow.steps.items() if step.otherwise]
        failed = 'found.get("failed", [])'
        if handled:
            failed = f"[one for one in {failed} if one not in {tuple_of(handled)}]"
        returned = call("    return {", ['"log": found.get("log", [])', f'"failed": {failed}'], "}")
        return MAIN.format(invoked="\n".join(invoked), returned="\n".join(returned))

    # Graphs

    def graph(self, function: str, context: ExportContext, steps: Mapping[str, Step], about: str) -> None:
        """Write the function that builds the graph of a group of steps.

        The steps of a held item run one after another. Outside of held items, a step runs after the steps that it
        needs.
        """
        order = in_order(steps if context.held else sorted_by_name(steps))
        children = {name: self.step(context, name, steps) for name in order}
        step_needs = needs(steps)
        edges: list[str] = []
        for position, name in enumerate(order):
            sources = order[position - 1 : position] if context.held else step_needs[name]
            names = [text(children[source].name) for source in sources]
            start = f"[{', '.join(names)}]" if len(names) > 1 else (names or ["START"])[0]
            edges += call("    graph.add_edge(", [start, text(children[name].name)])
        self.graph_function(function, about, list(children.values()), edges)

    # Steps

    def step(self, outer: ExportContext, name: str, steps: Mapping[str, Step], choice: bool = False) -> Node:
        """Write the functions of a step and of its modifiers, such as `repeat`. Return the node that runs the step.

        choice : whether the step is a branch of a choice
        """
        step = steps[name]
        context = replace(
            outer, path=(*outer.path, name), model=step.model or outer.model, crew=step.crew or outer.crew,
            held=outer.held if step.for_each is None else step.is_held(outer.crew),
        )  # fmt: skip
        failing = next((other for other in steps if steps[other].otherwise == name), None)
        tests = []
        if step.chance is not None and not choice:
            tests.append((f"not decide({text(name)}, {step.chance:.6g})", f"with a chance of {100 * step.chance:.3g}%"))
        if failing is not None:
            tests.append((f'{text(failing)} not in state.get("failed", [])', f"if '{failing}' fails"))
        layers = [
            layer
            for layer, declared in (
                (self.items, step.for_each), (self.rounds, step.repeat), (self.copies, step.best_of or step.first_of),
            )
            if declared is not None
        ]  # fmt: skip
        outermost = self.names.unique(*context.path)
        names = [outermost, self.step_name(context, "then")] if tests else [outermost]
        names += [self.step_name(context, _SUFFIXES[layer.__name__]) for layer in layers]
        copies_of_request = step.llm is not None and (step.best_of or step.first_of) is not None
        node = Node(name, names[-1], self.body(names[-1], replace(context, shared=copies_of_request), step))
        for layer, function in reversed(list(zip(layers, names[len(names) - len(layers) - 1 :], strict=False))):
            node = layer(function, node, context, step)
        if tests:
            body = [f"    if {' or '.join(test for test, _ in tests)}:", '        return {"log": []}']
            reasons = " and ".join(reason for _, reason in tests)
            self.function(outermost, f"{name}: runs {reasons}.", [*body, f"    return await {node.function}(state)"])
            node = Node(name, outermost, node.policy)
        return replace(node, name=f"{name}_" if name in (*KEYS, "__start__", "__end__") else name)

    def body(self, function: str, context: ExportContext, step: Step) -> tuple[str, ...]:
        """Write the function that runs a step once, without its modifiers.

        Return further arguments for the call of `add_node`, such as a retry policy.
        """
        name = context.path[-1]
        if step.agent is not None:
            self.agent(function, context, step)
        elif step.choose is not None:
            self.choice(function, context, step)
        elif step.within:
            inner = context if step.used is None else replace(
                context, model=step.used.model or context.model, values=step.used.parameters
            )  # fmt: skip
            self.graph(function, inner, step.within, f"{name}: its steps.")
            handled = [text(other) for other, inner_step in step.within.items() if inner_step.otherwise]
            options = [f"handled={tuple_of(handled)}"] if handled else []
            self.subgraph_node(function, f"{name}: a group of steps.", options)
        else:
            about, todo = _BODIES[step.kind]
            async_with = list(self.async_with(context, step))
            indent = "        " if async_with else "    "
            lines = [*async_with, f"{indent}await asyncio.sleep(0)  # TODO: {todo}", *self.outcome(name, step)]
            self.function(function, f"{name}: {about}.", lines, list(estimates(step, context.model)))
        if step.retry is None:
            return ()
        attempts = self.count(step.retry.at_most, context)
        return (f"retry_policy=RetryPolicy(max_attempts={attempts}, retry_on=RETRIED)",)

    @staticmethod
    def outcome(name: str, step: Step) -> Iterator[str]:
        """Yield the source lines that decide whether a step succeeds, and that return the step's result."""
        if step.success is not None:
            yield f"    if not decide({text(name)}, {step.success:.6g}):"
            yield from call("        return {", [f'"log": [{text(name)}]', f'"failed": [{text(name)}]'], "}")
        yield from call("    return {", [f'"log": [{text(name)}]'], "}")

    def async_with(self, context: ExportContext, step: Step) -> Iterator[str]:
        """Yield the source line `async with …:`, which waits for a step's agent and sets the step's timeout.

        Yield nothing if the step needs no agent and has no timeout.
        """
        agent = self.agent_for(context, step)
        managers = [agent] if agent is not None else []
        if step.retry is not None and step.retry.timeout is not None:
            managers.append(f"asyncio.timeout({step.retry.timeout:g})")
        if managers:
            yield f"    async with {', '.join(managers)}:"

    def agent(self, function: str, context: ExportContext, step: Step) -> None:
        """Write the functions of a step that is an agent. Its graph is a loop: a model and its tools take turns."""
        name = context.path[-1]
        model, tools, router = (self.step_name(context, part) for part in ("model", "tools", "goes_on"))
        turn = call("    return {", [f'"log": [{text(name)}]', '"turns": state.get("turns", 0) + 1'], "}")
        self.function(
            model,
            f"{name}: a turn of the model.",
            ["    await asyncio.sleep(0)  # TODO: call the model", *turn],
            to="State",
        )
        called = ["    await asyncio.sleep(0)  # TODO: call the tools", '    return {"log": []}']
        self.function(tools, f"{name}: the tools that the model calls, in parallel.", called, to="State")
        self.add(
            f"def {router}(state: State) -> str:",
            *docstring(f"{name}: continue if the model calls tools. TODO: check its answer."),
            f'    return "tools" if state.get("turns", 0) < {TURNS} else END',
        )
        edges = [
            '    graph.add_edge(START, "model")',
            *call("    graph.add_conditional_edges(", ['"model"', router, '["tools", END]']),
            '    graph.add_edge("tools", "model")',
        ]
        self.graph_function(
            function, f"{name}: a model and its tools.", [Node("model", model), Node("tools", tools)], edges
        )
        async_with = list(self.async_with(context, step))
        indent = "        " if async_with else "    "
        lines = [*async_with, *call(f"{indent}found = await within(", [f"{function}_graph()", text(name), "state"])]
        if step.success is not None:
            lines += [
                f"    if not decide({text(name)}, {step.success:.6g}):",
                f'        found["failed"] = [{text(name)}]',
            ]
        about = list(estimates(step, context.model))
        self.function(function, f"{name}: a loop of a model and its tools.", [*lines, "    return found"], about)

    def choice(self, function: str, context: ExportContext, step: Step) -> None:
        """Write the functions of a step that is a choice. Its graph has a conditional edge to one of the branches."""
        branches = sorted_by_name(step.choose or {})
        name, router = context.path[-1], self.step_name(context, "way")
        nodes = [self.step(context, branch, branches, choice=True) for branch in branches]
        targets = f"[{', '.join(text(node.name) for node in nodes)}]"
        chances = f"[{', '.join(f'{branch.chance or 0.0:.6g}' for branch in branches.values())}]"
        self.add(
            f"def {router}(state: State) -> str:",
            *docstring(f"{name}: choose a branch. TODO: decide by the state."),
            *call("    return random.choices(", [targets, chances], ")[0]"),
        )
        self.routed_graph(function, f"{name}: one of its branches.", nodes, router, ["START"])
        handled = [text(other) for other, branch in branches.items() if branch.otherwise]
        self.subgraph_node(function, f"{name}: a choice.", [f"handled={tuple_of(handled)}"] if handled else [])


def omissions(workflow: Workflow, sizes: Mapping[str, int]) -> Iterator[str]:
    """Yield a text for each feature of a workflow that the exported application leaves out.

    A crew of one agent needs no coordination. So no text says that its coordination is left out.
    """
    for name, crew in workflow.crews.items():
        declared = crew.coordination
        if sizes[name] > 1:
            for mechanism, is_declared in (
                (f"the lockstep of '{name}'", crew.lockstep),
                (f"the stagger of '{name}'", declared.stagger > 0),
                (f"the redundancy of '{name}'", declared.redundancy > 0),
                (f"rework after conflicts in '{name}'", declared.conflict is not None),
            ):
                if is_declared:
                    yield mechanism
    for path, step in workflow.walk():
        if step.for_each is not None and step.for_each.backlog is not None and any(step.for_each.backlog.needs):
            yield f"needs between the rows of '{'.'.join(path)}'"
        if step.retry is not None and (step.first_of or (step.repeat and not step.best_of)):
            yield f"the attempts of '{'.'.join(path)}'"  # only nodes have a retry policy
    for path, step in _held_fan_outs(workflow.steps, (), None):
        if sum(_takes_agent(inner) for inner in _leaves(step)) > 1:
            yield f"holding one agent for all steps of an item of '{'.'.join(path)}'"


def _held_fan_outs(
    steps: Mapping[str, Step], path: tuple[str, ...], crew: str | None
) -> Iterator[tuple[tuple[str, ...], Step]]:
    """Yield the path and the step of each fan-out whose items each hold one agent, who does all steps of the item.

    crew : crew of the step around `steps`; None: there is no such step, or it belongs to no crew
    """
    for name, step in steps.items():
        if step.for_each is not None and step.is_held(crew):
            yield (*path, name), step
        yield from _held_fan_outs(step.within, (*path, name), step.crew or crew)


def _leaves(step: Step) -> Iterator[Step]:
    """Yield the innermost steps inside a step. Inner fan-outs and their steps are left out."""
    for inner in step.within.values():
        if inner.for_each is None:
            yield from _leaves(inner) if inner.within else (inner,)


def _takes_agent(step: Step) -> bool:
    return step.kind in ("llm", "agent") or (step.kind == "tool" and step.hold is not False)
