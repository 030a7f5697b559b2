"""Export the modifiers of steps: fan-outs with their coordination, rounds, and copies."""

from __future__ import annotations

from dataclasses import replace

from planner.expansion.build.size_limits import most_drawn
from planner.expansion.graph.task_graph import LEAD
from planner.langgraph_bridge.export.builder import ExportContext, Node, SourceBuilder
from planner.langgraph_bridge.export.source import call, docstring, text
from planner.reading.estimates.estimate import Estimate
from planner.workflow.crews import Coordination
from planner.workflow.declaration import Step


class ModifierWriter(SourceBuilder):
    """Writes the source of modifiers: fan-outs, rounds and copies.

    The methods `items`, `rounds` and `copies` take the node of a step. Each returns a node that replaces this node.
    """

    def items(self, function: str, node: Node, context: ExportContext, step: Step) -> Node:
        """Write the functions of a fan-out, which has one `Send` for each item. Return the node of the fan-out.

        If the crew has coordination, write the functions of the coordination too.
        """
        assert step.for_each is not None
        name, declared = context.path[-1], step.for_each
        if isinstance(declared.count, Estimate):
            number, count_text = most_drawn(declared, context.values, self.agents(context)), f"{declared.count} items"
        else:
            number = self.count(declared.count, context)
            count_text = f"{number} items" + (f", the rows of {declared.file}" if declared.file else "")
        size = f", each {declared.size} of the mean size" if declared.size is not None else ""
        coordination = Coordination()
        agents = self.agents(context) or 1
        if context.held and context.crew in self.workflow.crews and agents > 1 and number > 1:
            coordination = self.workflow.crews[context.crew].coordination
        item = self.coordinated(node, context, coordination)
        ahead = []
        nodes = [replace(item, name="one_item")]
        if coordination.ramp_up is not None:
            ramp = self.step_name(context, "ramp_up")
            crew = context.crew or LEAD
            self.mechanism(ramp, f"{name}: an agent ramps up.", coordination, "ramp_up", crew, agents)
            nodes.insert(0, Node("ramp_up", ramp))
            ahead = [f'    ahead = [Send("ramp_up", state) for _ in range({min(number, agents)})]']
        self.imports.add("Send")
        sends = self.step_name(context, "sends")
        items = call("    items = [", [f'Send("one_item", {{"item": item}}) for item in range({number})'], "]")
        about = docstring(f"{name}: {count_text}{size}. TODO: send each item its input.")
        returned = f"    return {'[*ahead, *items]' if ahead else 'items'}"
        self.add(f"def {sends}(state: State) -> list[Send]:", *about, *ahead, *items, returned)
        self.routed_graph(function, f"{name}: its items, in parallel.", nodes, sends, ["START"])
        self.subgraph_node(function, f"{name}: a fan-out of {count_text}.")
        return Node(name, function)

    def coordinated(self, node: Node, context: ExportContext, declared: Coordination) -> Node:
        """Write the functions that coordinate an item: brief, messages, report and merge.

        Return a node that runs the item with its coordination.
        """
        crew, agents, name = context.crew or LEAD, self.agents(context) or 1, context.path[-1]
        stages = (
            ("brief", "the lead briefs an agent", LEAD, 1),
            ("", "", "", 0),
            ("sync", "exchange messages with peers", crew, agents),
            ("report", "the agent reports", crew, agents),
            ("merge", "merge, one item at a time", f"{crew} merge", 1),
        )
        nodes: list[Node] = []
        for stage, about, pool, size in stages:
            if not stage:
                nodes.append(replace(node, name="work"))
            elif getattr(declared, stage) is not None:
                function = self.step_name(context, stage)
                self.mechanism(function, f"{name}: {about}.", declared, stage, pool, size)
                nodes.append(Node(stage, function))
                if stage == "report":
                    read = self.step_name(context, "read_report")
                    self.function(read, f"{name}: the lead reads the report.", self.agent_body(LEAD, 1, "read_report"))
                    nodes.append(Node("read_report", read))
        if len(nodes) == 1:
            return node
        function = self.step_name(context, "coordinated")
        edges: list[str] = []
        for before, after in zip(["START", *(text(node.name) for node in nodes)], nodes, strict=False):
            edges += call("    graph.add_edge(", [before, text(after.name)])
        self.graph_function(function, f"{name}: an item with its coordination.", nodes, edges)
        self.subgraph_node(function, f"{name}: an item.")
        return Node(name, function)

    def mechanism(self, function: str, about: str, declared: Coordination, kind: str, pool: str, size: int) -> None:
        """Write the function of a node that runs one coordination mechanism.

        kind : name of the mechanism, such as ``brief``
        pool, size : name and size of the pool of agents that the mechanism uses
        """
        body = getattr(declared, kind)
        lines = [
            f"{field}: {value}" for field in type(body).model_fields
            if str(value := getattr(body, field)) not in ("0", "None")
        ]  # fmt: skip
        if kind == "merge" and declared.conflict is not None:
            conflict = f"chance {declared.conflict.chance:.3g} for each peer, rework {declared.conflict.rework:.3g}"
            lines.append(f"conflict: {conflict} of the item")
        self.function(function, about, self.agent_body(pool, size, kind), lines)

    def agent_body(self, pool: str, size: int, work: str) -> list[str]:
        """Return the source lines of a function's body. The body holds an agent of a pool while the work is done.

        work : name of the work
        """
        todo = f"        await asyncio.sleep(0)  # TODO: {work}"
        return [f"    async with {self.agent_of(pool, size)}:", todo, f'    return {{"log": [{text(work)}]}}']

    def rounds(self, function: str, node: Node, context: ExportContext, step: Step) -> Node:
        """Write the functions of a loop of rounds. Return the node of the loop.

        A conditional edge starts the next round. The loop ends when a round is accepted, or after the last round.
        """
        assert step.repeat is not None
        name, most, until = context.path[-1], self.count(step.repeat.most, context), step.repeat.until
        one_round, router = self.step_name(context, "next"), self.step_name(context, "again")
        lines = [f"    found = await {node.function}(state)", '    number = state.get("round", 0) + 1']
        if until is None:
            result = ['"log": found.get("log", [])', '"failed": found.get("failed", [])', '"round": number']
            test, about = f'state.get("round", 0) < {most}', f"{most} rounds"
        else:
            lines.append(f'    accepted = not found.get("failed") and decide({text(name)}, {until:.6g})')
            lines.append(f"    failed = [] if accepted or number < {most} else [{text(name)}]")
            result = ['"log": found.get("log", [])', '"failed": failed', '"round": number', '"accepted": accepted']
            test = f'not state.get("accepted") and state.get("round", 0) < {most}'
            about = f"rounds until one is accepted (chance {100 * until:.3g}%), at most {most}"
        self.function(one_round, f"{name}: a round.", [*lines, *call("    return {", result, "}")], to="State")
        self.add(
            f"def {router}(state: State) -> str:", *docstring(f"{name}: {about}."),
            f"    goes_on = {test}", '    return "one_round" if goes_on else END',
        )  # fmt: skip
        nodes = [Node("one_round", one_round)]
        self.routed_graph(function, f"{name}: its rounds.", nodes, router, ["START", '"one_round"'])
        self.subgraph_node(function, f"{name}: {about}.")
        return Node(name, function)

    def copies(self, function: str, node: Node, context: ExportContext, step: Step) -> Node:
        """Write the functions of parallel copies of a step. Return the node of the copies.

        With `best_of`, the node waits for all copies. With `first_of`, the first copy to finish cancels the rest. If
        the step is an `llm`, a single agent makes the requests of all copies.
        """
        name = context.path[-1]
        agent = self.agent_for(context, step) if step.llm is not None else None
        if step.best_of is None:
            assert step.first_of is not None
            number = self.count(step.first_of, context)
            head = [] if agent is None else [f"    async with {agent}:"]
            indent = "    " if agent is None else "        "
            started = [f"asyncio.ensure_future({node.function}(state)) for _ in range({number})"]
            waited = ["copies", "return_when=asyncio.FIRST_COMPLETED"]
            lines = [
                *head,
                *call(f"{indent}copies = [", started, "]"),
                *call(f"{indent}done, late = await asyncio.wait(", waited),
                "    for copy in late:",
                "        copy.cancel()",
                "    return done.pop().result()",
            ]
            self.function(
                function, f"{name}: {number} copies; the first result is used, the others are cancelled.", lines
            )
            return Node(name, function)
        number = self.count(step.best_of, context)
        self.imports.add("Send")
        sends = self.step_name(context, "sends")
        self.add(
            f"def {sends}(state: State) -> list[Send]:", *docstring(f"{name}: {number} copies."),
            f'    return [Send("one_copy", state) for _ in range({number})]',
        )  # fmt: skip
        self.routed_graph(
            function, f"{name}: its copies, in parallel.", [replace(node, name="one_copy")], sends, ["START"]
        )
        self.subgraph_node(function, f"{name}: the best of {number} copies.", [f"all_of={number}"], agent)
        return Node(name, function)
