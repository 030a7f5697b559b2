"""Modifiers of steps in an exported application: fan-outs with their coordination, rounds, copies."""

from __future__ import annotations

from dataclasses import replace

from planner.expansion.build.size_limits import most_drawn
from planner.expansion.graph.task_graph import LEAD
from planner.langgraph_bridge.export.parts import ExportContext, Node, Parts
from planner.langgraph_bridge.export.source import call, docstring, text
from planner.reading.estimates.estimate import Estimate
from planner.workflow.crews import Coordination
from planner.workflow.declaration import Step


class Modifiers(Parts):
    """Each wraps the node that does a step once, and returns the node that takes its place."""

    def items(self, function: str, node: Node, here: ExportContext, step: Step) -> Node:
        """A fan-out: a Send for each item, each with the coordination of its crew."""
        assert step.for_each is not None
        name, declared = here.path[-1], step.for_each
        if isinstance(declared.count, Estimate):
            number, shown = most_drawn(declared, here.values, self.agents(here)), f"{declared.count} items"
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
            nodes.insert(0, Node("ramp_up", ramp))
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
        return Node(name, function)

    def coordinated(self, node: Node, here: ExportContext, declared: Coordination) -> Node:
        """An item with what its crew does around it: a brief, messages, a report, a merge."""
        crew, agents, name = here.crew or LEAD, self.agents(here), here.path[-1]
        stages = (
            ("brief", "the lead briefs an agent", LEAD, 1),
            ("", "", "", 0),
            ("sync", "messages to and from peers", crew, agents),
            ("report", "the agent reports", crew, agents),
            ("merge", "merged, one at a time", f"{crew} merge", 1),
        )
        nodes: list[Node] = []
        for stage, about, pool, size in stages:
            if not stage:
                nodes.append(replace(node, name="work"))
            elif getattr(declared, stage) is not None:
                own = self.own(here, stage)
                self.mechanism(own, f"{name}: {about}.", declared, stage, pool, size)
                nodes.append(Node(stage, own))
                if stage == "report":
                    read = self.own(here, "read_report")
                    self.function(read, f"{name}: the lead reads the report.", self.holding(LEAD, 1, "read_report"))
                    nodes.append(Node("read_report", read))
        if len(nodes) == 1:
            return node
        function = self.own(here, "coordinated")
        edges: list[str] = []
        for before, after in zip(["START", *(text(one.name) for one in nodes)], nodes, strict=False):
            edges += call("    graph.add_edge(", [before, text(after.name)])
        self.build(function, f"{name}: an item, from its brief to its merge.", nodes, edges)
        self.within(function, f"{name}: an item.")
        return Node(name, function)

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

    def rounds(self, function: str, node: Node, here: ExportContext, step: Step) -> Node:
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
        nodes = [Node("one_round", one)]
        self.routed(function, f"{name}: its rounds.", nodes, router, ["START", '"one_round"'])
        self.within(function, f"{name}: {about}.")
        return Node(name, function)

    def copies(self, function: str, node: Node, here: ExportContext, step: Step) -> Node:
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
            return Node(name, function)
        number = self.count(step.best_of, here)
        self.imports.add("Send")
        sends = self.own(here, "sends")
        self.add(
            f"def {sends}(state: State) -> list[Send]:", *docstring(f"{name}: {number} copies."),
            f'    return [Send("one_copy", state) for _ in range({number})]',
        )  # fmt: skip
        self.routed(function, f"{name}: its copies side by side.", [replace(node, name="one_copy")], sends, ["START"])
        self.within(function, f"{name}: the best of {number} copies.", [f"all_of={number}"])
        return Node(name, function)
