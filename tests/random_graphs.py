"""Random graphs of LangGraph's kind, each with its routing and the seconds of its nodes, drawn from hashes."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

from planner.engine import TICK
from planner.expansion import GraphForm, GraphRun, Key, Node, Option, Routing, Sending, play
from planner.expansion.graph.graph_form import END, START

WIDTH = 3
"""Most Sends of one conditional edge."""

MOST_RUNS = 40
"""Runs of nodes in a graph that is tried."""

ROUNDS = 3
"""Runs of a node whose conditional edges still lead somewhere, so that loops end."""


@dataclass(eq=False)
class Case:
    """A random graph.

    limit : `max_concurrency`, or None
    whole : seconds are small whole numbers, so that many nodes end together
    """

    seed: int
    form: GraphForm = field(init=False)
    limit: int | None = field(init=False)

    def __post_init__(self) -> None:
        random = Random(self.seed)
        self.whole = random.random() < 0.3
        self.limit = random.choice([None, None, 1, 2, 3, 5])
        self.form = graph(random, 0, "")

    def drawn(self, *what: object) -> Random:
        return Random(repr((self.seed, *what)))

    def seconds(self, key: Key) -> float:
        random = self.drawn("seconds", key)
        return float(random.randint(0, 4)) if self.whole else round(random.uniform(0.5, 9) / TICK) * TICK

    def route(self, form: GraphForm, key: Key, name: str) -> Routing:
        if name != START and key[-1][1] >= ROUNDS:
            return Routing()
        targets: list[str] = []
        sends: list[str] = []
        for number, branch in enumerate(form.branches[name]):
            random = self.drawn("route", key, name, number)
            (option,) = random.choices(branch, [one.chance for one in branch])
            targets += option.targets
            for sending in option.sends:
                assert isinstance(sending.width, int)
                sends += [sending.node] * random.randint(0, sending.width)
        return Routing(tuple(targets), tuple(sends))

    def play(self) -> GraphRun | None:
        """What the token game makes of it; None where it has too many runs. It ends: only routes lead back."""
        found = play(self.form, self.route)
        return found if sum(1 for _ in found.runs()) <= MOST_RUNS else None


def graph(random: Random, depth: int, prefix: str) -> GraphForm:
    """Single edges, list joins, deferred nodes, conditional edges that may loop, Sends, nested graphs."""
    count = random.randint(2, 4 if depth else 7)
    names = [prefix + letter for letter in random.sample("abcdefghijklmnopqrstuvwxyz", count)]
    nodes = {
        name: Node(
            graph=graph(random, depth + 1, f"{name}_") if depth < 2 and random.random() < 0.15 else None,
            defer=random.random() < 0.15,
        )
        for name in names
    }
    edges = [(START, name) for name in random.sample(names, random.randint(1, min(3, count)))]
    edges += [(names[at], names[to]) for at in range(count) for to in range(at + 1, count) if random.random() < 0.35]
    joins = [
        (tuple(sorted(random.sample(names[:to], random.randint(2, min(3, to))))), names[to])
        for to in range(2, count)
        if random.random() < 0.4
    ]
    if random.random() < 0.1:
        joins.append(((names[0],), names[-1]))
    branches = {name: tuple(branch(random, names) for _ in range(random.choice([1, 1, 2])))
                for name in [START, *names] if random.random() < (0.1 if name == START else 0.3)}  # fmt: skip
    return GraphForm(nodes, tuple(edges), tuple(joins), branches)


def branch(random: Random, names: list[str]) -> tuple[Option, ...]:
    """A conditional edge of two options and one that ends the path."""

    def option(chance: float) -> Option:
        targets = tuple(random.sample(names, random.randint(0, min(2, len(names)))))
        sends = tuple(Sending(random.choice(names), WIDTH) for _ in range(random.choice([0, 0, 0, 1, 1, 2])))
        return Option(chance, targets, sends)

    return (option(0.5), option(0.3), Option(0.2, (END,)))
