"""One occurrence of a `Work` in; the demand of the occurrence out. Each kind of work has its own equation.

The equations are those of docs/model.md, "Requests", "Agent loops", "Tools" and "Conversations".
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from planner.engine.arrays import Bools, Floats
from planner.expansion.draw.agent_loop import AgentLoopDemand
from planner.expansion.draw.demand import NONE, Demand, RequestDraw
from planner.expansion.draw.occurrence import Occurrence
from planner.expansion.graph.work import Reading, Stagger, Syncing
from planner.workflow.bodies import AgentLoop, Call, Llm, Wait
from planner.workflow.crews import Merge, Message


def occurrence_demand(occurrence: Occurrence, active: Bools | None = None) -> Demand:
    """Return the demand of one occurrence of a work: its requests, tokens and seconds.

    The demand is computed as if the work were done in every sample.

    active : mask (items, samples) where the demand is required; None: everywhere. It saves time: the demand of an agent
        loop is 0 elsewhere. The demand of other work ignores it
    """
    match occurrence.body:
        case AgentLoop() as body:
            return AgentLoopDemand(body, occurrence, active).demand(occurrence.inputs.read)
        case Llm() as body:
            return _llm(occurrence, body)
        case Call() as body:
            return _call(occurrence, body)
        case Wait() as body:
            return Demand(seconds=_seconds(occurrence, body))
        case Message() as body:
            return _message(occurrence, body)
        case Merge() as body:
            return _merge(occurrence, body)
        case Syncing() as body:
            return _sync(occurrence, body)
        case Stagger(seconds=seconds):
            return Demand(seconds=seconds * np.arange(float(occurrence.shape[0]))[:, None])
        case Reading():
            return _request(occurrence, occurrence.inputs.read, NONE, NONE)
    raise TypeError(f"a work of kind {occurrence.work.kind} has no demand of its own")


def _llm(occurrence: Occurrence, body: Llm) -> Demand:
    """Return the demand of a request. If the request continues a context, its prompt begins with that context."""
    inputs, caches = occurrence.inputs, occurrence.service.caches
    prompt = inputs.context + occurrence.draw(body.input, "input") + inputs.read
    cached = NONE
    if caches:
        cached = np.minimum(inputs.context * inputs.warm + occurrence.draw(body.cached, "cached"), prompt)
    output = occurrence.draw(body.output, "output")
    thinking = occurrence.draw(body.thinking, "thinking")
    demand = _request(occurrence, prompt, cached, thinking + output, thinking)
    written = demand.input if occurrence.work.continued and caches else NONE
    return replace(demand, written=written, context=prompt + output)


def _call(occurrence: Occurrence, body: Call) -> Demand:
    seconds, _, calls = occurrence.tool_calls(body, "")
    if occurrence.trace is not None:
        occurrence.trace.append(RequestDraw(np.ones((1, 1)), seconds=seconds, calls=calls))
    return Demand(seconds=seconds, calls=calls)


def _seconds(occurrence: Occurrence, body: Wait) -> Floats:
    seconds = occurrence.draw(body.time, "time")
    if occurrence.trace is not None:
        occurrence.trace.append(RequestDraw(np.ones((1, 1)), seconds=seconds))
    return seconds


def _message(occurrence: Occurrence, body: Message | Merge) -> Demand:
    return _request(occurrence, occurrence.draw(body.input, "input"), NONE, occurrence.draw(body.output, "output"))


def _merge(occurrence: Occurrence, body: Merge) -> Demand:
    seconds = occurrence.draw(body.time, "time")
    if occurrence.trace is not None and (seconds.any() or not body.asks):
        occurrence.trace.append(RequestDraw(np.ones((1, 1)), seconds=seconds))
    if not body.asks:
        return Demand(seconds=seconds)
    return replace(_message(occurrence, body), seconds=seconds)


def _sync(occurrence: Occurrence, body: Syncing) -> Demand:
    """Return the demand of syncs for one item: an equal share of the demand of all syncs.

    At a sync, each agent reads the messages of all other agents and writes one message.
    """
    message = occurrence.draw(body.output, "output")
    agents = occurrence.inputs.agents
    return _request(occurrence, (agents - 1) * message, NONE, message).times(agents / body.every)


def _request(occurrence: Occurrence, prompt: Floats, cached: Floats, output: Floats, thinking: Floats = NONE) -> Demand:
    """Return the demand of a request. Its `uncached` tokens are `prompt - cached`.

    Its time is `jitter * (TTFT + uncached / prefill_speed + output / output_speed)`.

    thinking : part of `output` that later requests do not read
    """
    jitter = occurrence.jitter()
    uncached = prompt - cached
    if occurrence.trace is not None:
        occurrence.trace.append(RequestDraw(np.ones((1, 1)), prompt, uncached, output, jitter, thinking=thinking))
    return Demand(
        requests=jitter,
        prefill=jitter * uncached,
        decode=jitter * output,
        input=uncached,
        cache_read=cached,
        output=output,
        largest=prompt + output,
    )
