"""Hints for unknown keys: keys that other tools use, keys in the wrong place, and things that are not modelled.

A hint depends on the key and on the declaration that contains it. The tables compare keys without case, dashes and
underscores, so `dependsOn` is the same key as `depends_on`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from planner.errors import Note, did_you_mean, listed, nearest

_MEANT = {
    "needs": "depends_on depends depend dependencies dependency after requires require required_by wait_for waits_for "
    "upstream predecessors parents prerequisites run_after runs_after blocked_by",
    "for_each": "for strategy matrix map map_over with_items items each fan_out over batch",
    "until": "condition accept accepted stop_when",
    "repeat": "loop iterate iterations rounds while",
    "retry": "retries max_retries attempts retry_policy retry_on",
    "otherwise": "on_failure on_fail on_error fallback catch except else",
    "success": "success_rate pass_rate success_probability acceptance",
    "chance": "probability prob likelihood share",
    "parameters": "params variables vars inputs args arguments with",
    "description": "note notes comment summary doc docs",
    "models": "profiles llms model_profiles",
    "crews": "teams pools roles roster",
    "crew": "assignee assigned_to owner team pool role executor runs_on performed_by",
    "workflow": "name title",
    "steps": "tasks jobs services nodes stages subtasks substeps children group",
    "choose": "switch branches one_of branch router route conditional_edges",
    "use": "include import uses call subworkflow sub_workflow subgraph",
    "llm": "prompt request completion chat message llm_call model_call",
    "agent": "agent_loop react tool_loop",
    "tool": "command run script shell exec function action operator bash_command python_callable cmd entrypoint",
    "human": "person approval approve review manual interrupt",
    "input": "prompt prompt_tokens input_tokens tokens_in context",
    "prompt": "input prompt_tokens input_tokens tokens_in system",
    "output": "output_tokens completion_tokens tokens_out max_tokens max_output_tokens completion response",
    "cached": "cached_tokens cache cache_read prefix",
    "thinking": "thinking_tokens reasoning reasoning_tokens thoughts",
    "turns": "iterations steps rounds loops max_turns max_iterations requests",
    "context_limit": "context context_window max_context limit",
    "time": "duration latency delay wait seconds takes runtime",
    "calls": "count parallel concurrency number",
    "usd": "cost price dollars price_per_call cost_per_call",
    "agents": "size count number members workers people concurrency parallel parallelism max_concurrency capacity "
    "replicas",
    "ttft": "latency first_token time_to_first_token",
    "output_speed": "tps tokens_per_second tok_s output_tps throughput decode_speed",
    "prefill_speed": "prefill input_speed prompt_speed",
    "price": "prices pricing cost usd",
    "context": "context_window context_length max_context max_tokens",
    "cache_ttl": "cache ttl cache_time",
    "based_on": "extends base from inherits parent",
    "provider": "vendor company host",
    "note": "description comment notes",
    "per_hour": "hour hourly usd_per_hour",
    "cache_read": "cached cached_input cache_hit cache cache_reads",
    "cache_write": "cache_creation cache_miss cache_writes",
    "at_most": "times max attempts max_attempts tries retries max_retries limit",
    "times": "count iterations rounds number n",
    "wait": "delay backoff interval sleep retry_delay retry_interval initial_interval min_wait cooldown",
    "count": "number n length total",
    "file": "csv path rows source workflow",
}
"""For each key, the keys that other tools use for the same thing."""

_AT_A_TIME = (
    "agents workers worker parallel parallelism concurrency concurrent max_concurrency max_parallel max_workers "
    "num_agents n_agents threads replicas slots scale max_active_tasks max_active_runs max_tasks"
)

_SIDE_BY_SIDE, _IN_TURN = "parallel concurrent concurrency", "sequential sequence serial chain pipeline"
"""Keys that other tools use for groups of steps."""


@dataclass(frozen=True)
class _Remark:
    """A hint for unknown keys that cannot simply be renamed.

    marker : a valid key. The hint applies only to declarations that can have this key; "" means all declarations
    written : the unknown keys, separated by spaces
    hint : the hint; a `Note` if the hint reads differently on the command line and in Python
    """

    marker: str
    written: str
    hint: str | Note


_REMARKS = (
    _Remark("crew", "if when condition only_if", "conditions are not evaluated; write the chance that the condition is "
            "true, for example 'chance: 30%'"),
    _Remark("crew", "failure failure_rate fail_rate error_rate fails", "write the chance that the step succeeds, for "
            "example 'success: 90%'"),
    _Remark("crew", "cost price", "write the price of a call in the tool, for example 'tool: {time: 5min, usd: 0.50}'"),
    _Remark("crew", "name id title", "remove it: the name of a step is its key under 'steps'"),
    _Remark("crew", "type kind", "write the kind of the step as a key of its own, for example 'tool: 5min' or 'llm: "
            "{output: 500 to 2k}'"),
    _Remark("crew", "duration sleep delay latency", "write the time in the body of the step, for example 'tool: 5min'"),
    _Remark("crew", "trigger_rule", "a step starts when all steps in its 'needs' have ended; to run a step only after "
            "a failure, name this step in the 'otherwise' of the step that may fail"),
    _Remark("crew", "timeout timeout_minutes timeout_seconds execution_timeout step_timeout",
            "write the timeout into 'retry', for example 'retry: {timeout: 5min, at_most: 3}'"),
    _Remark("crew", "continue_on_error allow_failure ignore_errors fail_fast", "remove it: the steps that need a "
            "failed step still run"),
    _Remark("crew", "next then goto send downstream successors before", "write 'needs' on the step that comes "
            "next"),
    _Remark("crew", _IN_TURN, "write 'steps' instead, and name the previous step in the 'needs' of each step except "
            "the first"),
    _Remark("crews", "state state_schema checkpointer checkpoint store channels reducers recursion_limit finish_point "
            "volumes networks secrets permissions", "remove it: it has no effect on time and cost"),
    _Remark("crews", "entry_point start_node entry", "remove it: steps without 'needs' start first"),
    _Remark("crews", "defaults default default_args", "write these keys on each step; only 'model' can be at the top "
            "of the file, as the default for all steps"),
    _Remark("calls", "min max minimum maximum mean avg average median std stddev p99 p90", "write an estimate, for "
            "example '30s to 4min' or '{p50: 30s, p95: 4min}'"),
    _Remark("id", "items item list", "write the number of items, for example 'count: 2', or name a CSV file "
            "with a row for each item, for example 'file: rows.csv'"),
    _Remark("crews", "edges edge connections transitions graph flow dag", "write the edges as 'needs' of the steps"),
    _Remark("crews", "version schema api_version", "remove it: workflow files have no version"),
    _Remark("lockstep", "model llm", "write 'model' on the steps of the crew: each request uses the model of its step"),
    _Remark("until", "while", "write 'until' with the chance that a round is accepted, for example 'until: 70%'"),
    _Remark("continues", "turns tool tools max_turns", "only an agent has turns and tools; write for example 'agent: "
            "{turns: 6 to 14, output: 200 to 900}'"),
    _Remark("continues", "time duration latency seconds", "the time of a request follows from its tokens and its "
            "model; for a fixed time, write for example 'tool: 5s' instead of 'llm'"),
    _Remark("continues", "calls count n requests number", "for several requests, write 'for_each' next to 'llm'"),
    _Remark("", "rpm tpm rps qps itpm otpm max_rpm max_tpm rate_limit rate_limits limits quota throttle "
            "requests_per_minute tokens_per_minute requests_per_second", Note("rate-limit-in-file")),
    _Remark("", "hours working_hours office_hours business_hours opening_hours calendar timezone weekends holidays "
            "shift shifts availability", "working hours are not modelled; include nights and weekends in the time of "
            "the person, for example 'human: 10min to 16h'"),
    _Remark("", "schedule schedule_interval scheduled cron on trigger triggers start_at starts_at start start_time "
            "begin not_before", "triggers and times of day are not modelled; to delay a step, add a step such as "
            "'wait: {tool: 2h}', and write 'needs: wait' on the delayed step"),
    _Remark("", "priority priorities prio rank urgency importance", "priorities are not modelled; to do one step "
            "before another, use 'needs'"),
    _Remark("", "deadline deadlines due due_date due_by slo sla max_duration max_time time_limit target",
            Note("deadline-in-file")),
    _Remark("", "budget max_cost cost_limit max_budget max_usd", Note("budget-in-file")),
    *(_Remark("", key, Note("option-in-file", {"name": key})) for key in ("seed", "samples", "precision")),
    _Remark("", "temperature top_p top_k stop stop_sequences response_format",
            "remove it: it has no effect on time and cost"),
    _Remark("", "system system_prompt instructions goal backstory", "only the number of tokens matters: add them to "
            "'input', or let the planner count the text, for example with 'input: {text: You are a reviewer.}'"),
    _Remark("", "cpu cpus gpu gpus memory ram disk resources machine machines image container env "
            "environment deploy ports build healthcheck", "machines are not "
            "modelled; to limit how many steps run at the same time, declare a crew, and name it on these steps with "
            "'crew'"),
    _Remark("", "quality accuracy score", "quality is not modelled; instead, write 'success', the chance that a step "
            "succeeds"),
    _Remark("", "description comment comments note notes doc docs label labels tags metadata", "write it as a comment, "
            "after '#'"),
)  # fmt: skip
"""Hints for unknown keys that cannot simply be renamed. The first that applies is used."""


@dataclass(frozen=True)
class NearbyKeys:
    """The valid keys around an unknown key: at the same level, one level lower, and one level higher.

    Take an unknown key in `llm: {…}` of a step as an example.

    allowed : valid keys at the same level, such as the keys of `llm`
    inside : for each of these keys that contains further keys: the valid keys one level lower
    entries : those keys of `inside` that contain a mapping from names to declarations, such as `steps`
    name : key one level higher, such as `llm`. It is "" if there is no such key, or if a name is one level higher, such
        as the name of a step
    around : valid keys next to `name`, such as the keys of a step; empty if `name` is ""
    """

    allowed: Collection[str]
    inside: Mapping[str, Collection[str]]
    entries: Collection[str]
    name: str
    around: Collection[str]


def key_hint(key: str, value: Any, place: NearbyKeys) -> str | Note | None:
    """Return a hint that says what an unknown key may mean; None if the declaration has no keys.

    value : value of the key
    """
    other = likely_key(key, place.allowed)
    if other:
        return f"did you mean '{other}'?"
    return (
        _at_a_time(key, value, place.allowed)
        or next(_remarks(key, place.allowed), None)
        or _elsewhere(key, place)
        or did_you_mean(key, place.allowed, "key")
    )


def likely_key(key: str, allowed: Collection[str]) -> str | None:
    """Return the allowed key that means the same as `key` does in other tools. Return None if there is no such key."""
    return next((meant for meant, written in _MEANT.items() if meant in allowed and _among(key, written)), None)


def misspelt_key(key: str, allowed: Collection[str]) -> str | None:
    """Return the allowed key that `key` most likely stands for. Return None if there is no such key."""
    other = likely_key(key, allowed)
    if other or _at_a_time(key, None, allowed) or any(_remarks(key, allowed)):
        return other
    return nearest(key, allowed)


def means_group(key: str, value: Any) -> bool:
    """Whether an unknown key of a step stands for a group of steps, such as `parallel: {a: …, b: …}`."""
    return isinstance(value, dict | list) and (_among(key, _SIDE_BY_SIDE) or _among(key, _IN_TURN))


def _among(key: str, written: str) -> bool:
    return _plain(key) in _split(written)


@cache
def _split(written: str) -> frozenset[str]:
    return frozenset(map(_plain, written.split()))


def _plain(key: str) -> str:
    return key.casefold().replace("_", "").replace("-", "")


def _at_a_time(key: str, value: Any, allowed: Collection[str]) -> str | None:
    """Return a hint for a key such as `workers`, which other tools use to limit concurrency.

    Return None for any other key. Only steps, agents, fan-outs and the whole file have such hints.
    """
    if "turns" in allowed and _among(key, _AT_A_TIME):
        return "an agent loop is one agent; for several, write 'for_each' and 'crew' next to 'agent'"
    on_step = "crew" in allowed
    in_fan_out = "count" in allowed and "size" in allowed
    if not (on_step or in_fan_out or "crews" in allowed) or not _among(key, _AT_A_TIME):
        return None
    if on_step and isinstance(value, dict | list) and _among(key, _SIDE_BY_SIDE):
        return "write 'steps': the steps of a group run side by side, unless one needs another"
    if isinstance(value, bool):
        return f"remove '{key}': steps and items run side by side, unless one needs another"
    number = value if isinstance(value, int) and value > 0 else 4
    crew = f"'crews: {{team: {{agents: {number}}}}}'"
    if in_fan_out:
        return f"use 'crew': declare a crew, for example {crew}, and write 'crew: team' next to 'for_each'"
    if on_step:
        return f"use 'crew': declare a crew at the top of the file, for example {crew}, and write 'crew: team' here"
    return f"declare a crew, for example {crew}, and write 'crew: team' on its steps"


def _remarks(key: str, allowed: Collection[str]) -> Iterator[str | Note]:
    for remark in _REMARKS:
        if (not remark.marker or remark.marker in allowed) and _among(key, remark.written):
            yield remark.hint


def _elsewhere(key: str, place: NearbyKeys) -> str | None:
    """Return a hint for a key that belongs one level higher or lower. Return None for any other key."""
    if place.name and key in place.around:
        return f"write '{key}' next to '{place.name}', not inside it"
    inside = [name for name, keys in place.inside.items() if key in keys]
    entries = [name for name in inside if name in place.entries]
    if entries:
        return f"move '{key}' into an entry of {listed(entries, 'or')}"
    return f"move '{key}' into {listed(inside, 'or')}" if inside else None
