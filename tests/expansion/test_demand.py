"""Tokens and seconds of requests and agent loops, compared with sums by hand or in closed form."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from planner.engine import Samples
from planner.expansion import (
    EVERY,
    Demand,
    DemandCache,
    DemandDraws,
    Layers,
    Loop,
    Occurrence,
    ServingTraits,
    Work,
    expand,
)
from planner.expansion.draw.demand import OccurrenceInputs
from planner.expansion.draw.occurrence_demand import occurrence_demand
from planner.reading import DURATION, NOTHING, TOKENS, TURNS, Estimate, parse_estimate
from planner.timing.pipeline import Pipeline
from planner.workflow import AgentLoop, Llm, Tool, Workflow
from tests.conftest import PLAIN

CACHED = ServingTraits(caches=True)
UNCACHED = ServingTraits()


def tokens(text: Any) -> Estimate:
    return parse_estimate(text, TOKENS)


def demand(body: Llm | AgentLoop, service: ServingTraits, rows: int = 1, kind: str = "agent") -> Demand:
    loops = (Loop(rows, "items"),) if rows > 1 else ()
    work = Work("step", kind, body, "model", loops)
    index = (EVERY,) if rows > 1 else ()
    return occurrence_demand(Occurrence(Samples(1, 0, 256), Layers(), work, service, index, OccurrenceInputs()))


def loop(turns: Any, tool: Tool | None = None, **values: Any) -> AgentLoop:
    named: dict[str, Any] = {"prompt": NOTHING, "thinking": NOTHING}
    named |= {key: tokens(value) for key, value in values.items()}
    return AgentLoop.model_construct(turns=parse_estimate(turns, TURNS), tool=tool, **named)


def tool(time: Any, result: Any) -> Tool:
    return Tool.model_construct(time=parse_estimate(time, DURATION), result=tokens(result))


def only(values: np.ndarray) -> float:
    """The value, equal for all items and samples."""
    assert values.min() == values.max()
    return float(values.max())


def test_a_loop_without_a_cache_reads_everything_again() -> None:
    """Turn i reads prompt + (i − 1)(output + result): over n turns n·P + n(n − 1)/2 · (O + R)."""
    n, p, o, r = 7, 1000, 200, 300
    found = demand(loop(n, tool("2s", r), prompt=p, output=o), UNCACHED)
    assert only(found.input) == n * p + n * (n - 1) / 2 * (o + r)
    assert only(found.cache_read) == 0
    assert only(found.prefill) == only(found.input)
    assert only(found.output) == only(found.decode) == n * o
    assert only(found.requests) == n
    assert only(found.seconds) == 2 * (n - 1)  # after each turn but the last
    assert only(found.largest) == p + (n - 1) * (o + r) + o


def test_a_loop_with_a_cache_prefills_only_what_is_new() -> None:
    n, p, o, r = 7, 1000, 200, 300
    found = demand(loop(n, tool("2s", r), prompt=p, output=o), CACHED)
    assert only(found.input) == p + (n - 1) * (o + r)
    assert only(found.input) + only(found.cache_read) == n * p + n * (n - 1) / 2 * (o + r)
    assert only(found.written) == only(found.input)


def test_thinking_is_decoded_and_billed_but_not_read_again() -> None:
    found = demand(loop(3, prompt=100, output=10, thinking=50), UNCACHED)
    assert only(found.output) == only(found.decode) == 3 * 60
    assert only(found.input) == 100 + 110 + 120


def test_a_tool_that_outlasts_the_cache_makes_the_next_prompt_cold() -> None:
    n, p, o, r = 4, 1000, 200, 300
    for time, cold in (("60s", False), ("61s", True)):
        found = demand(loop(n, tool(time, r), prompt=p, output=o), ServingTraits(caches=True, cache_ttl=60.0))
        everything = n * p + n * (n - 1) / 2 * (o + r)
        assert only(found.input) == (everything if cold else p + (n - 1) * (o + r))


def test_one_turn_calls_no_tool() -> None:
    found = demand(loop(1, tool("9s", 500), prompt=100, output=10), UNCACHED)
    assert only(found.seconds) == 0
    assert only(found.input) == 100


def test_turns_that_vary_keep_their_own_sums() -> None:
    """The sums of each sample are those for its number of turns."""
    found = demand(loop("2 to 9", tool("2s", 30), prompt=100, output=10), UNCACHED, rows=50)
    n = found.requests  # without jitter, the number of turns
    assert n.min() >= 1
    assert len(np.unique(n)) > 5
    assert np.array_equal(found.input, n * 100 + n * (n - 1) / 2 * 40)
    assert np.array_equal(found.seconds, 2 * (n - 1))
    assert np.array_equal(found.largest, 100 + (n - 1) * 40 + 10)


def test_the_mean_of_random_loops_meets_its_closed_form() -> None:
    """Uncached input of 4 turns: E = 4P + 6(E[O] + E[R]); the mean of N lognormals is known to sd/√N."""
    body = loop(4, tool("1s", "100 to 400"), prompt=1000, output="50 to 500")
    found = demand(body, UNCACHED, rows=2000)
    means = [estimate.scale * np.exp(estimate.sigma**2 / 2) for estimate in (body.output, body.tool.result)]  # type: ignore[union-attr]
    expected = 4 * 1000 + 6 * sum(means)
    error = found.input.std() / np.sqrt(found.input.size)
    assert (
        abs(found.input.mean() - expected) < 5 * error + 6
    )  # rounding to whole tokens moves a mean by less than 1/2 each


def test_jitter_weights_time_and_not_tokens() -> None:
    """A lognormal with median 1 and log-sd 0.2 has the mean exp(0.02)."""
    body = Llm.model_construct(input=tokens(1000), cached=NOTHING, thinking=NOTHING, output=tokens(100))
    found = demand(body, ServingTraits(jitter=0.2), rows=4000, kind="llm")
    assert only(found.output) == 100
    assert np.allclose(found.decode, 100 * found.requests)
    assert np.allclose(found.prefill, 1000 * found.requests)
    error = found.requests.std() / np.sqrt(found.requests.size)
    assert abs(found.requests.mean() - np.exp(0.02)) < 5 * error


def test_cached_tokens_count_only_where_the_profile_caches() -> None:
    body = Llm.model_construct(input=tokens(1000), cached=tokens(5000), thinking=NOTHING, output=tokens(100))
    assert only(demand(body, CACHED, kind="llm").input) == 0  # at most the whole prompt
    assert only(demand(body, CACHED, kind="llm").cache_read) == 1000
    assert only(demand(body, UNCACHED, kind="llm").input) == 1000


def test_a_demand_is_drawn_once_for_all_graphs(declare: Callable[..., Workflow]) -> None:
    header = f"{PLAIN}crews: {{team: {{agents: 2, coordination: {{brief: {{output: 10}}}}}}}}"
    workflow = declare("  a: {for_each: 3, crew: team, agent: {turns: 2 to 9, output: 10}}", header)
    known: DemandCache = {}
    found = []
    for agents in (1, 1, 2):
        graph = expand(workflow, {"team": agents})
        drawing = DemandDraws(
            Samples(1, 0, 256), Layers(), graph, {"plain": UNCACHED}, lambda work, demand: demand.seconds, known
        )
        mark = next(mark for mark in graph.works if mark.subject.kind == "agent")
        ((_, demand, _),) = drawing.demands(mark)
        found.append(demand)
    assert found[0] is found[1]
    assert found[2] is not found[0]  # it reads a brief


CHAT = ["      say: {llm: {continues: say, input: 200, output: 100}}", "      look: {tool: {time: {values: [1s, 9s]}}}"]


@pytest.mark.parametrize("steps", [CHAT, CHAT[::-1]])
def test_of_steps_that_a_request_does_not_need_those_of_the_round_before_lie_between(
    declare: Callable[..., Workflow], steps: list[str]
) -> None:
    """Of two rounds the second reads 300 tokens uncached if the look in the first took 9 s, in any order of the file."""
    header = PLAIN.replace("jitter: 0", "jitter: 0, cache_ttl: 5s, price: {input: 1, output: 1}")
    workflow = declare("\n".join(["  chat:", "    repeat: {times: 2}", "    steps:", *steps]), header)
    times = Pipeline.of(workflow, expand(workflow, {})).draw(Samples(1, 0, 64), detailed=True).times
    works = {totals.work.step: totals for totals in times.works}
    first_look = works["chat.look"].occurrences[0].fixed[0]
    assert set(first_look) == {1, 9}
    assert works["chat.say"].billed.prompt.tolist() == np.where(first_look > 5, 700, 400).tolist()


@pytest.mark.parametrize("rows", [1, 3])
def test_known_numbers_take_no_room(rows: int) -> None:
    body = Llm.model_construct(input=tokens(1000), cached=tokens(0), thinking=NOTHING, output=tokens(100))
    found = demand(body, CACHED, rows, kind="llm")
    assert found.input.shape == (1, 1)


@pytest.mark.parametrize("name", ["input", "cache_read", "output", "written"])
def test_a_share_of_billed_tokens_is_rounded_half_up(name: str) -> None:
    tokens = np.array([[1.0, 2.0, 3.0, 5.0, 10.0]])
    share = getattr(Demand(**{name: tokens}).times(0.25), name)
    assert share.tolist() == [[0, 1, 1, 1, 3]]
