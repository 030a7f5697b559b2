"""A workflow in, a readable and runnable application of LangGraph's out, to be filled in."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from planner.expansion.counting import count_at, most_items
from planner.expansion.order import in_order, needs, sorted_by_name
from planner.expansion.runtime import Runtime
from planner.expansion.task_graph import LEAD, crew_sizes
from planner.langgraph_bridge.estimates_text import estimates
from planner.langgraph_bridge.export_frame import FRAME, IMPORTS, KEYS, MAIN, TAKEN
from planner.langgraph_bridge.source import Names, call, comment, docstring, text
from planner.reading.counts import CountValue
from planner.reading.estimates import Estimate
from planner.reading.settle import settled
from planner.workflow.crews import Coordination
from planner.workflow.declaration import Step, Workflow

TURNS = 3
"""Turns of an agent loop in the application as it stands: enough to see it loop."""

ONE = {"items": "item", "rounds": "round", "copies": "copy"}

WHAT = {
    "llm": ("one request", "ask the model"),
    "tool": ("a tool", "call the tool"),
    "human": ("a person", "wait for the person, as with interrupt()"),
}


def exported(workflow: Workflow) -> str:
    """The source of the application."""
    return _Writer(workflow).module()


@dataclass(frozen=True)
class _Around:
    """What is around a step: names of steps, model, crew, whether it is an item, values of parameters."""

    path: tuple[str, ...]
    model: str | None
    crew: str | None
    item: bool
    values: Mapping[str, float]


@dataclass(frozen=True)
class _Node:
    """A node to be put into a graph: its name there, the function that does it, and its policy."""

    name: str
    function: str
    policy: tuple[str, ...] = ()


class _Writer:
    def __init__(self, workflow: Workflow) -> None:
        self.workflow = workflow
        self.sizes = crew_sizes(workflow)
        self.names = Names(TAKEN)
        self.sections: list[str] = []
        self.queues: dict[str, tuple[str, int]] = {}  # name of a pool → its identifier, and its size
        self.imports: set[str] = set()

    def module(self) -> str:
        workflow, limit = self.workflow, Runtime.of(self.workflow).limit
        around = _Around((), workflow.model, None, False, workflow.parameters)
        self.graph("workflow", around, workflow.steps, f"The workflow '{workflow.workflow}'.")
        about = docstring(
            f"{workflow.workflow}: {workflow.description or 'a workflow.'}",
            [
                "A skeleton: what stands behind TODO is to be filled in. The estimates are those of the plan.",
                "Nodes that run side by side wait for each other before the graph goes on.",
            ],
            indent="",
        )
        types = f"from langgraph.types import {', '.join(sorted(self.imports))}\n" if self.imports else ""
        frame = FRAME if "RetryPolicy" in self.imports else FRAME.split("\n\n\n", 1)[1]
        queues = [f"{name} = asyncio.Semaphore({size})" for name, size in self.queues.values()]
        if queues:
            queues = [*comment("Who works is one of so many agents, and each does one thing at a time."), *queues]
        config = ([] if limit is None else [f'"max_concurrency": {limit}']) + ['"recursion_limit": 10_000']
        ends = any(re.search(r"\bEND\b", section) for section in self.sections)
        imports = IMPORTS if ends else IMPORTS.replace("import END, START", "import START")
        head = "\n".join([*about, "", imports + types])
        frame = frame.rstrip("\n")
        constants, _, classes = frame.partition("\n\n\n") if frame.startswith("RETRIED") else ("", "", frame)
        constants = "\n".join([*([constants] if constants else []), *queues])
        first = f"{head}\n{constants}" if constants else head.rstrip("\n")
        return "\n\n\n".join([first, classes, *self.sections, MAIN.format(config=", ".join(config))])

    def add(self, *lines: str) -> None:
        self.sections.append("\n".join(lines))

    def function(
        self, name: str, about: str, body: Sequence[str], lines: Sequence[str] = (), to: str = "Update"
    ) -> None:
        """An async function of the state."""
        self.add(f"async def {name}(state: State) -> {to}:", *docstring(about, lines), *body)

    def own(self, here: _Around, what: str) -> str:
        """The name of something that belongs to a step."""
        return self.names.of(*here.path[:-1], f"{here.path[-1]}_{what}")

    def count(self, declared: CountValue, here: _Around) -> int:
        return count_at(declared, here.values, self.agents(here))

    def agents(self, here: _Around) -> int:
        return self.sizes.get(here.crew, 1) if here.crew is not None else 1

    def queue(self, name: str, size: int) -> str:
        """The semaphore of a pool."""
        if name not in self.queues:
            self.queues[name] = (self.names.of(name).upper(), size)
        return self.queues[name][0]

    # Graphs

    def graph(self, function: str, around: _Around, steps: Mapping[str, Step], about: str) -> None:
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

    def build(self, function: str, about: str, nodes: Sequence[_Node], edges: Sequence[str]) -> None:
        lines = ["@cache", f"def {function}_graph() -> Graph:", *docstring(about)]
        lines.append("    graph = StateGraph(State, output_schema=Update)")
        for node in nodes:
            lines += call("    graph.add_node(", [text(node.name), node.function, *node.policy])
        self.add(*lines, *edges, *call("    return graph.compile(", [f"name={text(function)}"]))

    def routed(self, function: str, about: str, nodes: Sequence[_Node], router: str, sources: Sequence[str]) -> None:
        """A graph whose conditional edges all ask one function."""
        targets = f"[{', '.join([*(text(node.name) for node in nodes), 'END'])}]"
        edges = [
            line for source in sources for line in call("    graph.add_conditional_edges(", [source, router, targets])
        ]
        self.build(function, about, nodes, edges)

    def within(self, function: str, about: str, of: Sequence[str] = (), lines: Sequence[str] = ()) -> None:
        """A node that runs the graph of the same name."""
        arguments = [f"{function}_graph()", text(function), "state", *of]
        self.function(function, about, call("    return await within(", arguments), lines)

    # Steps

    def step(self, around: _Around, name: str, steps: Mapping[str, Step], choice: bool = False) -> _Node:
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
        node = _Node(name, names[-1], self.body(names[-1], here, step))
        for layer, own in reversed(list(zip(layers, names[len(names) - len(layers) - 1 :], strict=False))):
            node = layer(own, node, here, step)
        if tests:
            body = [f"    if {' or '.join(test for test, _ in tests)}:", '        return {"log": []}']
            reasons = " and ".join(reason for _, reason in tests)
            self.function(outer, f"{name}: done {reasons}.", [*body, f"    return await {node.function}(state)"])
            node = _Node(name, outer, node.policy)
        return replace(node, name=f"{name}_" if name in (*KEYS, "__start__", "__end__") else name)

    def body(self, function: str, here: _Around, step: Step) -> tuple[str, ...]:
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

    def context(self, here: _Around, step: Step) -> Iterator[str]:
        """A line that takes an agent and watches the clock, around what is done."""
        found = []
        asks = step.kind in ("llm", "agent")
        takes = asks or step.crew is not None or (here.item and step.kind == "tool" and step.hold)
        if takes and self.workflow.crews:
            several = here.crew is not None and self.sizes.get(here.crew, 1) > 1
            found.append(self.queue(here.crew or LEAD, self.agents(here)) if several else self.queue(LEAD, 1))
        if step.retry is not None and step.retry.timeout is not None:
            found.append(f"asyncio.timeout({step.retry.timeout:g})")
        if found:
            yield f"    async with {', '.join(found)}:"

    def agent(self, function: str, here: _Around, step: Step) -> None:
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
        self.build(function, f"{name}: a model and its tools.", [_Node("model", model), _Node("tools", tools)], edges)
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

    def choice(self, function: str, here: _Around, step: Step) -> None:
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

    # Modifiers

    def items(self, function: str, node: _Node, here: _Around, step: Step) -> _Node:
        """A fan-out: a Send for each item, each with the coordination of its crew."""
        assert step.for_each is not None
        name, declared = here.path[-1], step.for_each
        if isinstance(declared.count, Estimate):
            known = settled(declared, {**here.values, "agents": self.agents(here)}, None).count
            assert isinstance(known, Estimate)
            number, shown = most_items(known), f"{declared.count} items"
        else:
            number = self.count(declared.count, here)
            shown = f"{number} items" + (f", the rows of {declared.file}" if declared.file else "")
        size = f", each {declared.size} of the mean size" if declared.size is not None else ""
        coordination = Coordination()
        if here.crew in self.workflow.crews and self.agents(here) > 1 and number > 1:
            coordination = self.workflow.crews[here.crew].coordination
        one = self.coordinated(node, here, coordination)
        ahead = []
        nodes = [replace(one, name="one_item")]
        if coordination.ramp_up is not None:
            ramp = self.own(here, "ramp_up")
            self.mechanism(
                ramp, f"{name}: an agent ramps up.", coordination, "ramp_up", here.crew or LEAD, self.agents(here)
            )
            nodes.insert(0, _Node("ramp_up", ramp))
            ahead = [f'    ahead = [Send("ramp_up", state) for _ in range({min(number, self.agents(here))})]']
        self.imports.add("Send")
        sends = self.own(here, "sends")
        items = call("    items = [", [f'Send("one_item", {{"item": item}}) for item in range({number})'], "]")
        self.add(
            f"def {sends}(state: State) -> list[Send]:", *docstring(f"{name}: {shown}{size}. TODO: send each its own."),
            *ahead, *items, f"    return {'[*ahead, *items]' if ahead else 'items'}",
        )  # fmt: skip
        self.routed(function, f"{name}: its items side by side.", nodes, sends, ["START"])
        self.within(function, f"{name}: a fan-out of {shown}.")
        return _Node(name, function)

    def coordinated(self, node: _Node, here: _Around, declared: Coordination) -> _Node:
        """An item with what its crew does around it: a brief, messages, a report, a merge."""
        crew, agents, name = here.crew or LEAD, self.agents(here), here.path[-1]
        stages = (
            ("brief", "the lead briefs an agent", LEAD, 1),
            ("", "", "", 0),
            ("sync", "messages to and from peers", crew, agents),
            ("report", "the agent reports", crew, agents),
            ("merge", "merged, one at a time", f"{crew}_merge", 1),
        )
        nodes: list[_Node] = []
        for stage, about, pool, size in stages:
            if not stage:
                nodes.append(replace(node, name="work"))
            elif getattr(declared, stage) is not None:
                own = self.own(here, stage)
                self.mechanism(own, f"{name}: {about}.", declared, stage, pool, size)
                nodes.append(_Node(stage, own))
                if stage == "report":
                    read = self.own(here, "read_report")
                    self.function(read, f"{name}: the lead reads the report.", self.holding(LEAD, 1, "read_report"))
                    nodes.append(_Node("read_report", read))
        if len(nodes) == 1:
            return node
        function = self.own(here, "coordinated")
        edges: list[str] = []
        for before, after in zip(["START", *(text(one.name) for one in nodes)], nodes, strict=False):
            edges += call("    graph.add_edge(", [before, text(after.name)])
        self.build(function, f"{name}: an item, from its brief to its merge.", nodes, edges)
        self.within(function, f"{name}: an item.")
        return _Node(name, function)

    def mechanism(self, function: str, about: str, declared: Coordination, kind: str, pool: str, size: int) -> None:
        """A node that does a part of the coordination."""
        body = getattr(declared, kind)
        lines = [
            f"{field}: {value}" for field in type(body).model_fields
            if str(value := getattr(body, field)) not in ("0", "None")
        ]  # fmt: skip
        if kind == "merge" and declared.conflict is not None:
            again = f"chance {declared.conflict.chance:.3g} for each peer, rework {declared.conflict.rework:.3g}"
            lines.append(f"conflict: {again} of the item")
        self.function(function, about, self.holding(pool, size, kind), lines)

    def holding(self, pool: str, size: int, what: str) -> list[str]:
        queue = self.queue(pool, size)
        todo = f"        await asyncio.sleep(0)  # TODO: {what}"
        return [f"    async with {queue}:", todo, f'    return {{"log": [{text(what)}]}}']

    def rounds(self, function: str, node: _Node, here: _Around, step: Step) -> _Node:
        """A loop: a conditional edge leads back until a round is accepted, or so many are done."""
        assert step.repeat is not None
        name, most, until = here.path[-1], self.count(step.repeat.most, here), step.repeat.until
        one, router = self.own(here, "next"), self.own(here, "again")
        lines = [f"    found = await {node.function}(state)", '    number = state.get("round", 0) + 1']
        if until is None:
            result = ['"log": found.get("log", [])', '"failed": found.get("failed", [])', '"round": number']
            test, about = f'state.get("round", 0) < {most}', f"{most} rounds"
        else:
            lines.append(f'    accepted = not found.get("failed") and decide({text(name)}, {until:.6g})')
            lines.append(f"    failed = [] if accepted or number < {most} else [{text(name)}]")
            result = ['"log": found.get("log", [])', '"failed": failed', '"round": number', '"accepted": accepted']
            test = f'not state.get("accepted") and state.get("round", 0) < {most}'
            about = f"rounds until one is accepted, {100 * until:.3g}% of them are; at most {most}"
        self.function(one, f"{name}: a round.", [*lines, *call("    return {", result, "}")], to="State")
        self.add(
            f"def {router}(state: State) -> str:", *docstring(f"{name}: {about}."),
            f"    goes_on = {test}", '    return "one_round" if goes_on else END',
        )  # fmt: skip
        nodes = [_Node("one_round", one)]
        self.routed(function, f"{name}: its rounds.", nodes, router, ["START", '"one_round"'])
        self.within(function, f"{name}: {about}.")
        return _Node(name, function)

    def copies(self, function: str, node: _Node, here: _Around, step: Step) -> _Node:
        """Copies side by side: all are waited for, or the first, which cancels the others."""
        name = here.path[-1]
        if step.best_of is None:
            assert step.first_of is not None
            number = self.count(step.first_of, here)
            start = call(
                "    copies = [", [f"asyncio.ensure_future({node.function}(state)) for _ in range({number})"], "]"
            )
            waited = call("    done, late = await asyncio.wait(", ["copies", "return_when=asyncio.FIRST_COMPLETED"])
            lines = [
                *start,
                *waited,
                "    for copy in late:",
                "        copy.cancel()",
                "    return done.pop().result()",
            ]
            self.function(function, f"{name}: {number} copies, of which the first is taken.", lines)
            return _Node(name, function)
        number = self.count(step.best_of, here)
        self.imports.add("Send")
        sends = self.own(here, "sends")
        self.add(
            f"def {sends}(state: State) -> list[Send]:", *docstring(f"{name}: {number} copies."),
            f'    return [Send("one_copy", state) for _ in range({number})]',
        )  # fmt: skip
        self.routed(function, f"{name}: its copies side by side.", [replace(node, name="one_copy")], sends, ["START"])
        self.within(function, f"{name}: the best of {number} copies.", [f"all_of={number}"])
        return _Node(name, function)
