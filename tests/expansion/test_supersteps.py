"""The rules of supersteps: cases by hand, laws, and 3,000 random graphs compared with LangGraph itself."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from itertools import combinations
from random import Random

import numpy as np
import pytest

from planner.engine import Samples
from planner.expansion import GraphForm, Key, Node, Option, Routing, Sending, play
from planner.expansion.graph.graph_form import END, START, form_from_needs
from planner.expansion.supersteps.subgraph_candidates import MOST_NODES, NodeSets, subgraph_candidates
from planner.expansion.supersteps.subgraphs import into_subgraph, may_be_subgraph
from planner.expansion.supersteps.token_game import EndlessError, Route, no_routes
from planner.langgraph_bridge.importing.graph_forecast import Routes, graph_barriers, graph_seconds, predicted
from planner.langgraph_bridge.importing.state_graph import run_on_virtual_clock
from planner.planning import Barriers
from planner.planning.barriers import MOST_TRIED, Subgraphs, recommend_subgraphs
from planner.workflow import Step, Workflow
from tests.random_graphs import Case


def names(form: GraphForm) -> list[list[str]]:
    return [[run.node for run in superstep] for superstep in play(form, no_routes).supersteps]


def seconds(form: GraphForm, each: Mapping[str, float], limit: int | None = None, barriers: bool = True) -> float:
    return predicted(play(form, no_routes), lambda key: each[key[-1][0]], limit, barriers)[1]


CHAIN = {"a": (), "b": ("a",), "c": ("b",), "x": ()}
EACH = {"a": 1.0, "b": 1.0, "c": 1.0, "x": 5.0, "j": 1.0}


# Single edges, joins, defer


def test_a_join_waits_for_the_barrier_beside_it() -> None:
    """Supersteps {a, x}, {b}, {c}, {j}: 5 + 1 + 1 + 1. Without barriers max(3, 5) + 1."""
    form = form_from_needs({**CHAIN, "j": ("c", "x")})
    assert names(form) == [["a", "x"], ["b"], ["c"], ["j"]]
    assert seconds(form, EACH) == 8
    assert seconds(form, EACH, barriers=False) == 6


def test_two_single_edges_trigger_twice_and_defer_once() -> None:
    edges = ((START, "a"), (START, "x"), ("a", "b"), ("b", "c"), ("c", "j"), ("x", "j"))
    nodes = dict.fromkeys("abcxj", Node())
    twice = GraphForm(nodes, edges)
    assert names(twice) == [["a", "x"], ["b", "j"], ["c"], ["j"]]
    spans, end = predicted(play(twice, no_routes), lambda key: EACH[key[-1][0]], None)
    assert end == 8
    assert (spans[("j", 0),], spans[("j", 1),]) == ((5, 6), (7, 8))
    once = GraphForm({**nodes, "j": Node(defer=True)}, edges)
    assert names(once) == [["a", "x"], ["b"], ["c"], ["j"]]


def test_a_join_with_a_node_that_never_runs_never_runs() -> None:
    form = GraphForm(dict.fromkeys("abj", Node()), ((START, "a"),), ((("a", "b"), "j"),))
    assert names(form) == [["a"]]


def test_sends_do_not_hold_a_deferred_node_back() -> None:
    """f triggers d (deferred) and sends w: d runs beside w, not after it."""
    sends = (Option(1.0, (), (Sending("w"),)),)
    form = GraphForm({"f": Node(), "d": Node(defer=True), "w": Node()}, ((START, "f"), ("f", "d")), (), {"f": (sends,)})
    game = play(form, lambda *_: Routing((), ("w",)))
    assert [[run.node for run in superstep] for superstep in game.supersteps] == [["f"], ["w", "d"]]


def test_chained_deferred_nodes_run_twice_where_another_edge_leads_in() -> None:
    form = GraphForm(
        {"a": Node(), "d1": Node(defer=True), "d2": Node(defer=True)},
        ((START, "a"), ("a", "d1"), ("a", "d2"), ("d1", "d2")),
    )
    assert names(form) == [["a"], ["d1", "d2"], ["d2"]]


def test_max_concurrency_is_of_each_graph() -> None:
    """Two concurrent subgraphs with two concurrent nodes each: 4 subgraphs of 2 nodes of 1 s take 2 s."""
    inner = form_from_needs({"p": (), "q": ()})
    form = GraphForm({name: Node(graph=inner) for name in "abcd"}, tuple((START, name) for name in "abcd"))
    assert seconds(form, {"p": 1, "q": 1}, 2) == 2
    assert seconds(form, {"p": 1, "q": 1}, 1) == 8
    assert seconds(form, {"p": 1, "q": 1}) == 1


def test_slots_go_to_tasks_in_the_order_of_names() -> None:
    form = form_from_needs({"a": (), "b": (), "c": ()})
    spans, end = predicted(play(form, no_routes), lambda key: {"a": 3, "b": 1, "c": 1}[key[-1][0]], 2)
    assert (spans[("b", 0),], spans[("c", 0),], end) == ((0, 1), (1, 2), 3)


def test_an_endless_graph_is_refused() -> None:
    form = GraphForm({"a": Node()}, ((START, "a"), ("a", "a")))
    with pytest.raises(EndlessError, match="10,000 supersteps"):
        play(form, no_routes)


@pytest.mark.parametrize(
    ("form", "message"),
    [
        (lambda: GraphForm({"a": Node()}, (("b", "a"),)), "begins at 'b'"),
        (lambda: GraphForm({"a": Node()}, (("a", "b"),)), "leads to 'b'"),
        (lambda: GraphForm({START: Node()}), "cannot be the name"),
        (lambda: GraphForm({"a": Node()}, (), (((START,), "a"),)), "waits for nodes"),
        (lambda: GraphForm({"a": Node()}, (), (), {"a": ((Option(0.5, ("a",)),),)}), "make 0.5, not 1"),
    ],
)
def test_forms_that_do_not_fit_together_are_refused(form: Callable[[], GraphForm], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        form()


# Wrapping


def tried(form: GraphForm) -> set[NodeSets]:
    return set(subgraph_candidates(form))


def test_wrapping_the_branch_wins_the_barrier_back() -> None:
    form = form_from_needs({**CHAIN, "j": ("c", "x")})
    assert (frozenset("abc"),) in tried(form)
    inner = into_subgraph(form, frozenset("abc"))
    assert set(inner.nodes) == {"a+b+c", "x", "j"}
    assert inner.joins == ((("a+b+c", "x"), "j"),)
    assert seconds(inner, EACH) == 6


def test_a_subgraph_waits_for_all_that_it_needs_and_is_waited_for_as_a_whole() -> None:
    """k needs b alone, and waits for c. Supersteps {abc, x}, {j, k}: max(3, 5) + 1."""
    form = form_from_needs({**CHAIN, "j": ("c", "x"), "k": ("b",)})
    assert (frozenset("abc"),) in tried(form)
    inner = into_subgraph(form, frozenset("abc"))
    assert dict(inner.edges)["a+b+c"] == "k"
    assert seconds(inner, {**EACH, "k": 1.0}) == 6
    late = form_from_needs({"w": (), "a": (), "b": ("a", "w"), "x": ("w",), "j": ("b", "x")})
    assert into_subgraph(late, frozenset("ab")).edges == (("__start__", "w"), ("w", "x"), ("w", "a+b"))


def test_what_a_way_leads_out_of_and_back_into_cannot_be_wrapped() -> None:
    form = form_from_needs(CHAIN)
    assert all(frozenset("ac") not in sets for sets in tried(form))
    with pytest.raises(ValueError, match="one way in"):
        into_subgraph(form, frozenset("ac"))


def test_branches_with_several_beginnings_are_wrapped() -> None:
    form = form_from_needs({"p": (), "a": ("p",), "b": ("p",), "c": ("a", "b"), "x": ("p",), "j": ("c", "x")})
    assert (frozenset("abc"),) in tried(form)
    assert seconds(into_subgraph(form, frozenset("abc")), {**EACH, "p": 1.0}) == 1 + 5 + 1


def test_nothing_is_tried_that_can_win_nothing() -> None:
    """In a chain nothing runs in parallel. Steps that do not follow each other take one superstep anyway."""
    assert tried(form_from_needs({"a": (), "b": ("a",), "c": ("b",)})) == set()
    assert tried(form_from_needs({"a": (), "b": (), "c": ()})) == set()
    chain = {f"s{n:03}": (f"s{n - 1:03}",) if n else () for n in range(MOST_NODES)}
    assert tried(form_from_needs({**chain, "x": ()})) == set()


def random_needs(seed: int) -> dict[str, tuple[str, ...]]:
    case = Case(seed)
    return {
        name: tuple(sorted({a for a, b in case.form.edges if b == name and a != START and a < name}))
        for name in sorted(case.form.nodes)
    }


@pytest.mark.parametrize("seed", range(60))
def test_what_is_tried_can_be_wrapped_and_nothing_starts_before_what_it_needs(seed: int) -> None:
    """Without barriers nothing starts sooner in a subgraph, and each node runs once, for as long as before."""
    case, needs = Case(seed), random_needs(seed)
    form = form_from_needs(needs)
    before = predicted(play(form, no_routes), case.seconds, None, barriers=False)[0]
    for sets in subgraph_candidates(form):
        now = form
        for nodes in sets:
            now = into_subgraph(now, nodes)
        after, _ = predicted(play(now, no_routes), lambda key: case.seconds(key[-1:]), None, False)
        spans = {key[-1:]: span for key, span in after.items() if key[-1][0] in form.nodes}
        assert spans.keys() == before.keys()
        for key, (start, end) in spans.items():
            assert start >= before[key][0]
            assert end - start == pytest.approx(before[key][1] - before[key][0], abs=1e-9)
            assert all(spans[(need, 0),][1] <= start for need in needs[key[0][0]])


def test_two_groups_are_found_though_several_steps_need_both() -> None:
    """{x1, x2}, {y1, y2}, {j, k}: 5 + 5 + 1 = 11. 6 + 1 = 7 with both groups wrapped, 6 + 1 + 1 and 6 + 5 + 1 with one."""
    form = form_from_needs({"x1": (), "y1": ("x1",), "x2": (), "y2": ("x2",), "j": ("y1", "y2"), "k": ("y1", "y2")})
    each = {"x1": 1.0, "y1": 5.0, "x2": 5.0, "y2": 1.0, "j": 1.0, "k": 1.0}
    one, other = frozenset({"x1", "y1"}), frozenset({"x2", "y2"})
    assert (
        seconds(form, each),
        seconds(into_subgraph(form, one), each),
        seconds(into_subgraph(form, other), each),
    ) == (11, 8, 12)
    found = recommended(form, each)
    assert (found.cost, found.cut) == (4, False)
    assert [(set(map(frozenset, step.steps)), step.seconds) for step in found.wrappings] == [({one, other}, 7)]


def recommended(form: GraphForm, each: Mapping[str, float]) -> Barriers:
    def lasting(chosen: Subgraphs, few: bool) -> float:
        now = form
        for nodes in chosen.get("", ()):
            now = into_subgraph(now, nodes)
        return seconds(now, each)

    return recommend_subgraphs({"": form}, lasting, seconds(form, each, barriers=False), 1)


@pytest.mark.parametrize("seed", range(30))
def test_no_set_of_steps_in_a_subgraph_is_better_than_what_is_recommended(seed: int) -> None:
    """Every set of steps that may be a subgraph, in small random graphs."""
    random = Random(seed)
    names = "abcdef"
    needs = {name: tuple(sorted(random.sample(names[:at], min(at, random.choice([0, 1, 1, 2])))))
             for at, name in enumerate(names)}  # fmt: skip
    form, each = form_from_needs(needs), {name: random.choice([1.0, 2.0, 5.0]) for name in names}
    found = recommended(form, each)
    best = found.wrappings[-1].seconds if found.wrappings else found.seconds
    for size in range(2, len(names)):
        for nodes in map(frozenset, combinations(names, size)):
            if may_be_subgraph(form, nodes):
                assert best <= max(seconds(into_subgraph(form, nodes), each), found.without + 0.01 * found.seconds)


def test_a_search_that_is_cut_says_so() -> None:
    random = Random(0)
    names = [f"s{n:02}" for n in range(40)]
    needs = {name: tuple(random.sample(names[max(0, at - 12) : at], min(at, 2))) for at, name in enumerate(names)}
    found = recommended(form_from_needs(needs), {name: random.choice([1.0, 9.0]) for name in names})
    assert (found.tried, found.cut) == (MOST_TRIED, True)
    assert found.cost > 0
    large = {f"s{n:03}": () if n == 0 else (f"s{n - 1:03}",) for n in range(MOST_NODES)}
    each = dict.fromkeys(large, 1.0) | {"x": 9.0, "j": 1.0}
    found = recommended(form_from_needs({**large, "x": (), "j": ("s099", "x")}), each)
    assert (found.tried, found.cut, found.wrappings) == (0, True, ())


# Chances, widths, seconds


def tool(time: str) -> Step:
    return Step.model_validate({"tool": time})


def plain() -> Workflow:
    return Workflow.model_validate({"workflow": "graph", "steps": {"a": {"tool": "1s"}}})


def two_stages() -> GraphForm:
    """A node sends two items to stage one, each of which sends itself on to stage two: 1 + 5 and 5 + 1 s."""

    def values(*seconds: float) -> Step:
        return Step.model_validate({"tool": {"values": [f"{value}s" for value in seconds]}})

    return GraphForm(
        {"f": Node(tool("1s")), "one": Node(values(1, 5)), "two": Node(values(5, 1)), "j": Node(tool("1s"))},
        ((START, "f"), ("two", "j")), (),
        {"f": ((Option(1.0, (), (Sending("one", 2),)),),), "one": ((Option(1.0, (), (Sending("two"),)),),)},
    )  # fmt: skip


def test_sends_of_two_stages_wait_for_each_other_unless_they_are_wrapped() -> None:
    """Stage one takes 1 and 5 s, stage two 5 and 1 s: 1 + 5 + 5 + 1 = 12 on LangGraph, 1 + 6 + 1 = 8 in a subgraph."""
    form = two_stages()
    each = {"one": (1.0, 5.0), "two": (5.0, 1.0)}

    def route(form: GraphForm, key: Key, name: str) -> Routing:
        (sending,) = form.branches[name][0][0].sends
        assert isinstance(sending.width, int)
        return Routing((), (sending.node,) * sending.width)

    def lasting(key: Key) -> float:
        name, number = key[-1]
        return each[name][number if len(key) == 1 else key[0][1]] if name in each else 1.0

    assert predicted(play(form, route), lasting, None)[1] == 12
    assert predicted(play(form, route), lasting, None, barriers=False)[1] == 8
    assert (frozenset({"one", "two"}),) in tried(form)
    assert (frozenset({"f", "one"}),) not in tried(form)  # it would send one item on, and not two
    inner = into_subgraph(form, {"one", "two"})
    assert predicted(play(inner, route), lasting, None)[1] == 8
    assert [run_on_virtual_clock(one, route, lasting, None)[1] for one in (form, inner)] == [12, 8]

    def seconds(chosen: Subgraphs, _: bool) -> float:
        sets = chosen.get("", ())
        return predicted(play(into_subgraph(form, sets[0]) if sets else form, route), lasting, None)[1]

    found = recommend_subgraphs({"": form}, seconds, without_barriers=8.0, samples=1)
    assert (found.seconds, found.cost) == (12, 4)
    assert [(one.steps, one.seconds) for one in found.wrappings] == [((("one", "two"),), 8)]


def test_the_branch_to_wrap_is_recommended_with_the_seconds_it_saves() -> None:
    """No sample takes longer with the branch in a subgraph, and the p50 falls to that without barriers."""
    found = graph_barriers(two_stages(), plain(), seed=1, samples=200)
    assert [(one.group, one.steps) for one in found.wrappings] == [("", (("one", "two"),))]
    assert found.seconds == 12
    assert found.wrappings[0].seconds == found.without
    form = two_stages()
    with_barriers = graph_seconds(form, plain(), 1, 200)
    wrapped_too = graph_seconds(into_subgraph(form, {"one", "two"}), plain(), 1, 200)
    assert np.array_equal(wrapped_too, graph_seconds(form, plain(), 1, 200, barriers=False))
    assert {8.0, 12.0} <= set(with_barriers)
    assert np.all(wrapped_too <= with_barriers)


def test_chances_are_those_of_the_conditional_edge_and_widths_are_drawn() -> None:
    """A loop that continues with 60 % has 1 / 0.4 = 2.5 rounds on average; its standard deviation is √0.6 / 0.4."""
    loop = GraphForm({"a": Node(tool("1s"))}, ((START, "a"),), (), {"a": ((Option(0.6, ("a",)), Option(0.4, (END,))),)})
    rounds = graph_seconds(loop, plain(), 1, 4000)
    error = np.sqrt(0.6) / 0.4 / np.sqrt(4000)
    assert rounds.mean() == pytest.approx(2.5, abs=4 * error)
    width = Step.model_validate({"agent": {"turns": {"values": [2, 4]}, "output": 1}}).agent
    assert width is not None
    fan = GraphForm(
        {"f": Node(), "w": Node(tool("1s"))},
        ((START, "f"),),
        (),
        {"f": ((Option(1.0, (), (Sending("w", width.turns),)),),)},
    )
    lasting = graph_seconds(fan, plain(), 1, 400, limit=1)
    assert set(lasting) == {2.0, 4.0}


class Drawn:
    """Routes drawn in the order of play, to be read in any order."""

    def __init__(self, route: Route) -> None:
        self.route = route
        self.drawn: dict[Key, Routing] = {}

    def __call__(self, form: GraphForm, key: Key, name: str) -> Routing:
        if key not in self.drawn:
            self.drawn[key] = self.route(form, key, name)
        return self.drawn[key]


def test_drawn_routes_take_the_same_time_on_langgraph() -> None:
    """A loop, a drawn number of Sends, a join in the loop, a deferred node: LangGraph follows the draws of each sample."""
    turns = Step.model_validate({"agent": {"turns": {"values": [1, 3, 4]}, "output": 1}}).agent
    assert turns is not None
    each = {"plan": 1.0, "work": 2.0, "check": 3.0, "fix": 4.0, "done": 5.0}
    form = GraphForm(
        {name: Node(tool(f"{each[name]:g}s"), defer=name == "done") for name in each},
        ((START, "plan"), ("plan", "check"), ("plan", "done"), ("work", "done")),
        ((("check", "work"), "fix"),),
        {
            "plan": ((Option(1.0, (), (Sending("work", turns.turns),)),),),
            "fix": ((Option(0.5, ("plan",)), Option(0.5, (END,))),),
            "check": ((Option(0.3, ("check",)), Option(0.7, ())),),
        },
    )
    samples = Samples(3, 0, 40)
    found = graph_seconds(form, plain(), 3, len(samples), limit=2)
    routes = Routes(samples)
    for row in range(len(samples)):
        drawn = Drawn(routes.of(row))
        play(form, drawn)
        assert found[row] == run_on_virtual_clock(form, drawn, lambda key: each[key[-1][0]], 2)[1]
    assert len(set(found)) > 10


# The real LangGraph

GRAPHS = int(os.environ.get("PLANNER_GRAPHS", "3000"))


def equal_to_langgraph(seed: int) -> tuple[int, str]:
    """Number of node runs in a random graph, and the differences from LangGraph."""
    case = Case(seed)
    game = case.play()
    if game is None:
        return 0, ""
    spans, end = predicted(game, case.seconds, case.limit)
    real, real_end = run_on_virtual_clock(case.form, case.route, case.seconds, case.limit)
    if end != real_end or spans != real:
        return len(spans), f"seed {seed}: {end} s, on LangGraph {real_end} s"
    return len(spans), ""


@pytest.mark.slow
def test_random_graphs_take_the_same_time_on_langgraph() -> None:
    """Every start and end of every node is equal to the bit. Graphs of over `MOST_RUNS` runs are left out."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(2, mp_context=context) as pool:
        found = list(pool.map(equal_to_langgraph, range(GRAPHS * 5 // 4), chunksize=50))
    compared = [(runs, wrong) for runs, wrong in found if runs]
    assert [wrong for _, wrong in compared if wrong] == []
    assert len(compared) >= GRAPHS
    assert sum(runs for runs, _ in compared) > 10 * GRAPHS


def test_random_graphs_have_all_that_graphs_can_have() -> None:
    def forms(form: GraphForm) -> list[GraphForm]:
        return [form, *(one for node in form.nodes.values() if node.graph for one in forms(node.graph))]

    cases = [Case(seed) for seed in range(200)]
    every = [form for case in cases for form in forms(case.form)]
    options = [option for form in every for routes in form.branches.values() for one in routes for option in one]
    assert sum(bool(form.joins) for form in every) > 50
    assert sum(node.defer for form in every for node in form.nodes.values()) > 50
    assert sum(node.graph is not None for form in every for node in form.nodes.values()) > 50
    assert sum(bool(option.sends) for option in options) > 50
    assert sum(START in form.branches for form in every) > 10
    assert sum(case.limit is not None for case in cases) > 50
    games = [game for case in cases if (game := case.play()) is not None]
    assert sum(any(run.number > 0 and not run.sent for _, run in game.runs()) for game in games) > 50
