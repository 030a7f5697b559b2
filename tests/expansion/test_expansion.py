"""The task graph of a workflow: tasks, pools and edges."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from random import Random

import numpy as np
import pytest

from planner.errors import InputError
from planner.expansion import TaskGraph, crew_sizes, draw_key_function, expand, resized
from planner.expansion.graph.order import max_concurrent_weight
from planner.measures import replay
from planner.workflow import Workflow, read_workflow
from tests.conftest import PLAIN, ROOT, Golden, amounts, read_example

Declare = Callable[..., Workflow]

CREW = PLAIN + "crews: {team: {agents: 3}}"
COORDINATED = (
    PLAIN + "crews: {team: {agents: 3, coordination: {brief: {output: 100}, report: {output: 200}, merge: 5s}}}"
)


def tasks(graph: TaskGraph, step: str, kind: str) -> list[int]:
    """Ids of the tasks of a work, in the order of its occurrences."""
    (found,) = [mark.tasks for mark in graph.works if (mark.subject.step, mark.subject.kind) == (step, kind)]
    return [int(task) for task in found.ravel()]


def pool(graph: TaskGraph, task: int) -> str:
    index = graph.graph.acquire[task]
    return graph.pools[index] if index >= 0 else ""


def successors(graph: TaskGraph, task: int) -> list[int]:
    inner = graph.graph
    return [int(after) for after in inner.successors[inner.successor_start[task] : inner.successor_start[task + 1]]]


def test_held_work_of_an_item_is_one_task() -> None:
    workflow = read_workflow(Path(__file__).resolve().parents[1] / "cases" / "eight_items.yaml")
    graph = expand(workflow, crew_sizes(workflow))
    items = tasks(graph, "build.think", "llm")
    assert len(items) == 48  # eight items, six rounds
    assert items == tasks(graph, "build.act", "tool")
    assert len(set(items)) == 8
    assert {pool(graph, item) for item in items} == {"workers"}
    # entry, plan, fan-out entry, eight items, fan-out exit, merge, approve, exit
    assert len(graph.graph) == 15


def test_steps_outside_of_crews_and_people_need_no_agent() -> None:
    workflow = read_workflow(Path(__file__).resolve().parents[1] / "cases" / "eight_items.yaml")
    graph = expand(workflow, crew_sizes(workflow))
    assert pool(graph, tasks(graph, "plan", "llm")[0]) == ""
    assert pool(graph, tasks(graph, "approve", "human")[0]) == ""


def test_without_crews_nobody_is_needed_unless_agents_are_limited(declare: Declare) -> None:
    workflow = declare("  a: {llm: {output: 1}}\n  b: {tool: 1s}\n  c: {for_each: 4, llm: {output: 1}}")
    graph = expand(workflow, {})
    assert graph.pools == ("lead",)
    assert set(graph.graph.acquire.tolist()) == {-1}
    graph = expand(workflow, {"agents": 5})
    assert graph.pools == ("lead", "agents")
    assert graph.graph.capacity.tolist() == [1, 5]
    assert pool(graph, tasks(graph, "a", "llm")[0]) == "agents"
    assert pool(graph, tasks(graph, "b", "tool")[0]) == ""
    assert {pool(graph, task) for task in tasks(graph, "c", "llm")} == {"agents"}


def test_a_fan_out_of_a_tool_holds_no_agent_unless_it_names_a_crew(declare: Declare) -> None:
    graph = expand(declare("  a: {for_each: 4, tool: 1s}"), {"agents": 1})
    assert {pool(graph, task) for task in tasks(graph, "a", "tool")} == {""}
    graph = expand(declare("  a: {for_each: 4, crew: team, tool: 1s}", CREW), {"team": 3})
    assert {pool(graph, task) for task in tasks(graph, "a", "tool")} == {"team"}


@pytest.mark.parametrize(
    ("release", "stretches"),
    [("tool: 1s", 1), ("tool: 1s, hold: false", 3), ("human: 1s", 3), ("crew: other, llm: {output: 1}", 3)],
)
def test_what_releases_an_item_s_agent_cuts_it_into_stretches(declare: Declare, release: str, stretches: int) -> None:
    header = PLAIN + "crews: {team: {agents: 3}, other: {agents: 2}}"
    steps = f"""  work:
    for_each: 2
    crew: team
    steps:
      one: {{llm: {{output: 1}}}}
      two: {{needs: one, {release}}}
      three: {{needs: two, llm: {{output: 1}}}}"""
    graph = expand(declare(steps, header), {"team": 3, "other": 2})
    kind = "human" if "human" in release else "llm" if "crew" in release else "tool"
    first = [tasks(graph, f"work.{name}", body)[0] for name, body in (("one", "llm"), ("two", kind), ("three", "llm"))]
    assert len(set(first)) == stretches
    assert [pool(graph, task) for task in (first[0], first[2])] == ["team", "team"]
    if stretches == 3:
        assert pool(graph, first[1]) == ("other" if "crew" in release else "")
        assert successors(graph, first[0]) == [first[1]]
        assert successors(graph, first[1]) == [first[2]]


def test_an_item_s_steps_follow_needs_then_the_file(declare: Declare) -> None:
    steps = """  work:
    for_each: 2
    crew: team
    steps:
      last: {needs: [a, b], human: 4s}
      b: {human: 2s}
      a: {human: 3s}"""
    graph = expand(declare(steps, CREW), {"team": 3})
    order = sorted((tasks(graph, f"work.{name}", "human")[0], name) for name in ("last", "a", "b"))
    assert [name for _, name in order] == ["b", "a", "last"]


def test_coordination_of_an_item(declare: Declare) -> None:
    """Brief by the lead, the item with its report by an agent, reading by the lead, merge in its own pool."""
    graph = expand(declare("  work: {for_each: 4, crew: team, llm: {output: 1}}", COORDINATED), {"team": 3})
    chain = [tasks(graph, "work", kind)[2] for kind in ("brief", "llm", "report", "reading", "merge")]
    assert [pool(graph, task) for task in chain] == ["lead", "team", "team", "lead", "team: merge"]
    assert chain[1] == chain[2]  # the report is written by the agent that holds the item
    path = [chain[0], chain[1], chain[3], chain[4]]
    assert [successors(graph, task) for task in path[:-1]] == [[task] for task in path[1:]]
    assert graph.graph.capacity[list(graph.pools).index("team: merge")] == 1
    briefs = tasks(graph, "work", "brief")
    assert briefs == sorted(briefs)  # in item order


@pytest.mark.parametrize(("agents", "items"), [(1, 4), (3, 1)])
def test_one_agent_or_one_item_needs_no_coordination(declare: Declare, agents: int, items: int) -> None:
    workflow = declare(f"  work: {{for_each: {items}, crew: team, llm: {{output: 1}}}}", COORDINATED)
    graph = expand(workflow, {"team": agents})
    assert {mark.subject.kind for mark in graph.works} == {"llm"}


def test_a_crew_of_one_is_not_the_lead(declare: Declare) -> None:
    steps = "  a: {crew: lead, llm: {output: 1}}\n  work: {for_each: 4, crew: team, llm: {output: 1}}"
    graph = expand(declare(steps, CREW), {"team": 1})
    assert graph.pools == ("lead", "team")
    assert graph.graph.capacity.tolist() == [1, 1]
    assert {pool(graph, task) for task in tasks(graph, "a", "llm")} == {"lead"}
    assert {pool(graph, task) for task in tasks(graph, "work", "llm")} == {"team"}
    workflow = declare(steps, CREW)
    structure = draw_key_function(workflow)
    assert structure({"team": 1}) != structure({"team": 2}) == structure({"team": 9})


def test_only_capacities_change_with_the_size_of_a_crew(declare: Declare) -> None:
    workflow = declare("  work: {for_each: 4, crew: team, llm: {output: 1}}", COORDINATED)
    two, nine = expand(workflow, {"team": 2}), expand(workflow, {"team": 9})
    again = resized(two, {"team": 9})
    assert again.graph.capacity.tolist() == nine.graph.capacity.tolist()
    assert again.graph.successors.tolist() == nine.graph.successors.tolist()
    assert again.graph.acquire.tolist() == nine.graph.acquire.tolist()


def test_a_nested_fan_out_releases_its_parent_s_agent(declare: Declare) -> None:
    steps = """  outer:
    for_each: 2
    crew: team
    steps:
      before: {llm: {output: 1}}
      inner: {needs: before, for_each: 3, llm: {output: 1}}
      after: {needs: inner, llm: {output: 1}}"""
    graph = expand(declare(steps, CREW), {"team": 3})
    assert len(tasks(graph, "outer.inner", "llm")) == 6
    assert len(set(tasks(graph, "outer.inner", "llm"))) == 6
    before, after = tasks(graph, "outer.before", "llm")[0], tasks(graph, "outer.after", "llm")[0]
    (entry,) = successors(graph, before)
    assert pool(graph, entry) == ""
    assert successors(graph, entry) == tasks(graph, "outer.inner", "llm")[:3]
    assert before != after


def test_a_repeated_group_runs_its_rounds_in_order(declare: Declare) -> None:
    steps = "  loop:\n    repeat: {times: 3}\n    steps:\n      a: {human: 1s}\n      b: {needs: a, human: 1s}"
    graph = expand(declare(steps), {"agents": 1})
    rounds = list(zip(tasks(graph, "loop.a", "human"), tasks(graph, "loop.b", "human"), strict=True))
    assert len(rounds) == 3
    assert all(successors(graph, a) == [b] for a, b in rounds)
    assert sum(rounds, ()) == tuple(sorted(sum(rounds, ())))


def test_too_many_tasks_are_refused_with_their_number_and_place(declare: Declare, golden: Golden) -> None:
    workflow = declare(
        "  work: {for_each: n, steps: {a: {human: 1s}, b: {human: 1s}}}", PLAIN + "parameters: {n: 3000000}"
    )
    with pytest.raises(InputError) as caught:
        expand(workflow, {"agents": 1})
    (problem,) = caught.value.problems
    assert problem.code == "too-large"
    golden(problem.message)
    assert problem.position is not None


def test_rounds_and_items_multiply_towards_the_limit(declare: Declare) -> None:
    steps = "  work: {for_each: 2000, repeat: {times: 2000}, llm: {output: 1}}"
    with pytest.raises(InputError, match="4,000,000"):
        expand(declare(steps), {"agents": 1})


@pytest.mark.parametrize(
    "steps",
    [
        "  f: {for_each: 2, steps: {r: {repeat: {times: 100}, steps: {z: {for_each: 1000000, llm: {output: 1}}}}}}",
        "\n".join(f"  s{index}: {{for_each: 1900000, llm: {{output: 5}}}}" for index in range(3)),
        "  f: {for_each: 1, repeat: {times: 900000}, steps: {a: {tool: 1s, hold: false}, b: {llm: {output: 5}}}}",
        "  c: {for_each: 700000, steps: {a: {choose: {x: {chance: 50%, tool: 1s}, y: {chance: 50%, tool: 2s}}}, b: {tool: 1s}}}",
    ], ids=["fan-outs in each other", "steps together", "pieces in an item", "branches"],
)  # fmt: skip
def test_sizes_are_counted_before_anything_is_built(
    declare: Declare, monkeypatch: pytest.MonkeyPatch, steps: str, golden: Golden
) -> None:
    monkeypatch.setattr(import_module("planner.expansion.expand"), "_Expansion", None)  # whoever builds fails
    with pytest.raises(InputError) as error:
        expand(declare(steps), {"agents": 1})
    assert {problem.code for problem in error.value.problems} == {"too-large"}
    golden(error.value)


@pytest.mark.parametrize(
    ("steps", "size"),
    [
        ("a: {for_each: 10000000, steps: {b: {for_each: 10000000, tool: 1s}}}", 10**14),
        ("a: {for_each: 3, steps: {b: {repeat: {times: 5}, steps: {c: {for_each: 9000000, tool: 1s}}}}}", 135_000_000),
        ("a: {best_of: 4, steps: {b: {tool: 1s}, c: {for_each: 9000000, tool: 1s}}}", 36_000_000),
        ("a: {for_each: 9, steps: {b: {repeat: {times: 20}, steps: {c: {best_of: 200000, tool: 1s}}}}}", 4_000_000),
        ("a: {repeat: {times: 9}, steps: {b: {for_each: 2, best_of: 200000, tool: 1s}}}", 1_800_000),
    ],
)
def test_a_size_is_the_whole_product(declare: Declare, steps: str, size: int) -> None:
    """Of tasks and of repetitions, over all loops around the step."""
    with pytest.raises(InputError) as error:
        expand(declare(f"  {steps}"), {"agents": 1})
    assert f"{size:,}" in amounts(error.value.problems[0].message)


def test_many_steps_are_put_in_order_quickly(declare: Declare) -> None:
    from planner.expansion import in_order

    count = 3000
    needs = [f"  s{index}: {{needs: s{index + 1}, tool: 1s}}" for index in range(count - 1)]
    steps = declare("\n".join([*needs, f"  s{count - 1}: {{tool: 1s}}"])).steps
    assert in_order(steps) == [f"s{index}" for index in reversed(range(count))]


# Requests that can be open at a time

ASK = "llm: {output: 10}"
THREE = PLAIN + "crews: {a: {agents: 8}, b: {agents: 5}, c: {agents: 3, coordination: {merge: {output: 5}}}}"
LOOP = "agent: {turns: 3, prompt: 1k, output: 10, tool: {time: 1s}}"


@pytest.mark.parametrize(
    ("steps", "header", "agents", "most"),
    [
        (f"  a: {{for_each: 200, {ASK}}}", PLAIN, 142, 142),
        (f"  a: {{for_each: 200, {ASK}}}", PLAIN, 500, 200),
        (f"  a: {{for_each: 20, best_of: 3, {ASK}}}", PLAIN, 500, 60),
        (f"  a: {{for_each: 20, best_of: 3, {ASK}}}", PLAIN, 4, 12),  # an agent makes the requests of its item at once
        (f"  a: {{for_each: 20, first_of: 3, {LOOP}}}", PLAIN, 500, 60),
        (f"  a: {{for_each: 20, first_of: 3, {LOOP}}}", PLAIN, 4, 4),  # a copy of a loop is an agent's
        ("  a: {for_each: 20, tool: 5s}", PLAIN, 8, 1),
        (f"  a: {{for_each: 20, steps: {{t: {{tool: 5s}}, l: {{needs: t, {ASK}}}}}}}", PLAIN, 8, 8),
        (f"  a: {{{ASK}}}\n  b: {{{ASK}}}\n  c: {{needs: [a, b], {ASK}}}", PLAIN, 9, 2),
        (f"  a: {{for_each: 6, repeat: {{times: 4}}, {ASK}}}\n  b: {{for_each: 3, {ASK}}}", PLAIN, 99, 9),
        (f"  a: {{choose: {{x: {{chance: 50%, {ASK}}}, y: {{chance: 50%, {ASK}}}}}}}", PLAIN, 9, 1),
        (f"  a: {{for_each: 9, crew: a, {ASK}}}\n  b: {{for_each: 9, crew: b, {ASK}}}", THREE, None, 13),
        (f"  a: {{for_each: 9, crew: a, {ASK}}}\n  b: {{needs: a, for_each: 9, crew: b, {ASK}}}", THREE, None, 8),
        (f"  a: {{for_each: 9, crew: c, {ASK}}}\n  b: {{needs: a, {ASK}}}", THREE, None, 4),  # three and a merge
        ("\n".join(f"  s{n}: {{for_each: {n}, {ASK}{f', needs: s{n - 1}' if n > 1 else ''}}}" for n in range(1, 15)),
         PLAIN, 99, 14),
    ],
)  # fmt: skip
def test_requests_that_can_be_open(declare: Declare, steps: str, header: str, agents: int | None, most: int) -> None:
    workflow = declare(steps, header)
    sizes = crew_sizes(workflow) if agents is None else {"agents": agents}
    graph = expand(workflow, sizes)
    assert graph.max_open_requests(sizes) == most
    other = expand(workflow, {name: min(2, size) for name, size in sizes.items()})
    assert other.max_open_requests(sizes) == most  # graphs are shared by sizes


@pytest.mark.parametrize("runtime", ["dataflow", "langgraph"])
@pytest.mark.parametrize("name", sorted(path.stem for path in (ROOT / "workflows").glob("*.yaml")))
def test_never_are_more_requests_open(name: str, runtime: str) -> None:
    """Every example with many agents: running tasks that make requests, including the times of their tools."""
    workflow = read_example(ROOT / "workflows" / f"{name}.yaml").model_copy(update={"runtime": runtime})
    for agents in (3, 1000):
        sizes = dict.fromkeys(crew_sizes(workflow), agents)
        try:
            graph = expand(workflow, sizes)
        except InputError:
            continue  # messages between so many agents are too many tasks
        asking = np.zeros(len(graph.graph), bool)
        for mark in graph.works:
            if mark.subject.model is not None:
                asking[mark.tasks.ravel()] = True
        for sample in range(2):
            schedule = replay(workflow, graph, 1, sample, 1.0, 1.0).schedule
            starts, ends = schedule.starts[0][asking], schedule.ends[0][asking]
            long = ends > starts
            times = np.concatenate([starts[long], ends[long]])
            change = np.repeat([1, -1], long.sum())
            order = np.lexsort((change, times))
            assert np.cumsum(change[order]).max(initial=0) <= graph.max_open_requests(sizes)


def test_more_steps_than_are_tried_are_put_into_rows() -> None:
    """Two independent chains of nine: 9 + 90. Then the first step of one waits for all of the other."""
    weights = {f"{row}{at}": at * {"a": 1, "b": 10}[row] for row in "ab" for at in range(1, 10)}
    needed = {name: [f"{name[0]}{int(name[1]) - 1}"] if name[1] != "1" else [] for name in weights}
    assert max_concurrent_weight(weights, needed) == 99
    assert max_concurrent_weight(weights, {**needed, "b1": ["a9"]}) == 90
    assert max_concurrent_weight(weights, {}) == 45 + 450


def test_steps_side_by_side_are_never_undercounted() -> None:
    """Compared with trying every set of steps, in 400 random orders of up to 13 steps."""
    random = Random(1)
    for _ in range(400):
        count = random.randint(1, 13)
        weights = {str(at): random.randint(0, 9) for at in range(count)}
        needed = {str(at): [str(other) for other in range(at) if random.random() < 0.3] for at in range(count)}
        before: dict[str, set[str]] = {}
        for name in weights:
            before[name] = {one for need in needed[name] for one in (need, *before[need])}
        sets = [()]  # type: list[tuple[str, ...]]
        for name in weights:
            sets += [(*some, name) for some in sets if before[name].isdisjoint(some)]
        most = max(sum(weights[name] for name in some) for some in sets)
        found = max_concurrent_weight(weights, needed)
        assert found == most if sum(map(bool, weights.values())) <= 10 else found >= most
        names = random.sample(list(weights), count)  # the bound is that of any order of the file
        assert found == max_concurrent_weight({name: weights[name] for name in names}, needed)


@pytest.mark.parametrize(("agents", "spare"), [(2, False), (3, False), (4, True)])
def test_only_a_crew_with_agents_to_spare_has_a_pool_of_those_that_have_ramped_up(
    declare: Declare, agents: int, spare: bool
) -> None:
    """Otherwise each agent has work, and its ramp-up is ahead of all items in the crew's own queue."""
    header = PLAIN + "crews: {team: {agents: 3, coordination: {stagger: 1s}}}"
    workflow = declare("  a: {for_each: 3, crew: team, tool: 1s}", header)
    assert any("ramped up" in pool for pool in expand(workflow, {"team": agents}).pools) is spare
