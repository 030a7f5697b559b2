"""Wording of notes and problems: codes and values in, sentences out.

`planner.planning` and the layers below it return codes and values. This module turns them into sentences.
The sentences name arguments as the front end does: as options of the command line, or as arguments in Python.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from planner.errors import InputError, Note, Problem
from planner.report.wording import quantities

Values = Mapping[str, Any]


@dataclass(frozen=True)
class Names:
    """Names of arguments in a front end, which is either the command line or Python.

    argument : function that returns the name of an argument, such as `--speed`
    crew : function that returns the text that selects a crew, such as `crew='reviewers'`
    parameter : function that returns the text that sets a parameter, such as `--set modules=240`
    refusals : code of an error → message in this front end. Errors with the same message in all front ends are left out
    """

    argument: Callable[[str], str]
    crew: Callable[[str], str]
    parameter: Callable[[str, float], str]
    refusals: Mapping[str, str]


_OPTIONS = {"crew": "--agents", "parameters": "--set", "models": "--model", "speeds": "--speed"}
"""Options whose names differ from the arguments' names."""

OPTIONS = Names(
    lambda argument: _OPTIONS.get(argument, f"--{argument.replace('_', '-')}"),
    lambda crew: f"--agents {crew}=1,2,4",
    lambda name, value: f"--set {name}={value}",
    {
        "agents-twice": "--agents: given twice; name the crews, for example --agents coders=4 --agents testers=2",
        "crew-twice": "--agents: crew '{crew}' is named twice; name each crew once, with commas between its numbers",
        "crews-without-name": "--agents: a number has no crew; write for example --agents coders=4 --agents testers=2",
        "crew-and-names": "--agents: the crews are named already",
        "needs-setup": "this option needs --setup, for example --runs 200 --setup 2h,$500",
        "one-deadline": "give one deadline: --p50, --p90 or --p95, for example --p90 4h",
        "deadline-or-budget": "give a budget or a deadline, for example --budget 40 or --p90 4h",
        "time-above-0": "expected a time above 0s, such as {example}",
    },
)
"""Notation of the command line."""

ARGUMENTS = Names(
    lambda argument: argument,
    lambda crew: f"crew='{crew}'",
    lambda name, value: f"parameters={{'{name}': {value}}}",
    {
        "agents-twice": "agents: given twice",
        "crew-twice": "agents: crew '{crew}' is named twice; name each crew once",
        "crews-without-name": "agents: a number has no crew; write for example {{'coders': 4, 'testers': 2}}",
        "crew-and-names": "agents names its crews already; omit crew",
        "needs-setup": "this argument needs a setup, such as setup='2h,$500'",
        "one-deadline": "give one deadline: p50, p90 or p95, for example p90='4h'",
        "deadline-or-budget": "give a budget or a deadline, for example budget=40 or p90='4h'",
        "time-above-0": "expected a time above 0, in seconds or as '{example}'",
    },
)
"""Notation of Python calls."""


class Sentence(str, Note):
    """A note in words: a string that also has the code and the values of the note."""

    def __new__(cls, text: str, note: Note | None = None) -> Sentence:
        return super().__new__(cls, text)

    def __init__(self, text: str, note: Note | None = None) -> None:
        if note is not None:
            Note.__init__(self, note.code, note.values)


def worded(notes: Iterable[Note], names: Names = OPTIONS) -> tuple[Sentence, ...]:
    """Convert notes to sentences. A note that is already a `Sentence` stays unchanged.

    names : names of arguments in the front end
    """
    return tuple(note if isinstance(note, Sentence) else Sentence(words(note, names), note) for note in notes)


def worded_error(error: InputError, names: Names) -> InputError:
    """Return a copy of an error for a front end.

    The messages of the copy name arguments as the front end does. The hints of the copy are sentences.
    """
    return InputError((_worded_problem(problem, names) for problem in error.problems), error.more)


def _worded_problem(problem: Problem, names: Names) -> Problem:
    message, hint = problem.message, problem.hint
    if problem.argument is not None:
        message = f"{names.argument(problem.argument)}: {message}"
    if problem.remedy is not None:
        hint = words(problem.remedy, names)
    return replace(problem, message=message, hint=hint, argument=None, remedy=None)


def words(note: Note, names: Names) -> str:
    """Return the sentence for a note, from the note's code and values.

    names : names of arguments in the front end
    """
    wording = names.refusals.get(note.code) or _WORDING[note.code]
    if not isinstance(wording, str):
        return wording(note.values, names)
    return wording.format_map(
        {key: ", ".join(value) if key == "models" else value for key, value in note.values.items()}
    )


def _not_converged(values: Values, names: Names) -> str:
    samples, needed = values["samples"], values["needed"]
    target = f"{100 * values['target']:.3g}%"
    more = "more of them" if needed is None else f"about {float(f'{needed:.2g}'):,.0f}"
    more += f" (allow them by {names.argument('samples')})" if values["beyond_limit"] else ""
    taken = "1 sample" if samples == 1 else f"{samples:,} samples"
    return (
        f"Not converged: after {taken} p50 or p90 is not yet known to ± {target} (95% interval). "
        f"A precision of {target} takes {more}."
    )


def _hypothetical_speeds(values: Values, names: Names) -> str:
    fitted = ", as tiers of the catalogue are on average" if values["fitted"] else ""
    exponent = values["exponent"]
    law = f"speed^{exponent:.3g} times the price at 1x{fitted}" if exponent else "the price at 1x"
    return f"Speeds other than 1x are hypothetical: above it they cost {law} ({names.argument('premium')})."


def _over_context(values: Values, names: Names) -> str:
    share = values["share"]
    often = f"{share:.0%}" if share >= 0.005 else "under 1%"
    model, context = values["model"], values["context"]
    return (
        f"In {often} of the runs, a request exceeds the context of {model} ({context:,.0f} tokens) and would fail. "
        "Times and costs ignore this."
    )


def _outside_curve(values: Values, names: Names) -> str:
    least, most, below, above = (values[key] for key in ("least", "most", "below", "above"))
    subject = values["model"] if values["curve"] is None else f"{values['curve']} of {values['model']}"
    measured = f"{least:,}" if least == most else f"{least:,} to {most:,}"
    taken = [f"{_some(below)} {_verb('take', below)} the numbers at {least:,}"] if below else []
    taken += [f"{_some(above)} {_verb('share', above)} the total of {most:,}"] if above else []
    return f"{subject}: known for {measured} requests at a time, not measured elsewhere: {'; '.join(taken)}."


def _constant_concurrency(values: Values, names: Names) -> str:
    return (
        f"Speeds by concurrency are those of {_some(values['requests'])} requests at a time, as if every agent always "
        "had one open; while tools run there are fewer, which makes times too long rather than too short."
    )


def _langgraph_runtime(values: Values, names: Names) -> str:
    most = values["max_concurrency"]
    limit = "" if most is None else f", max_concurrency {most:,} in each graph"
    return f"Runtime: LangGraph{limit}. A step waits for all steps of the superstep before it."


def _caveat(values: Values, names: Names) -> str:
    text: str = values["text"]
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _verb(verb: str, numbers: Sequence[int]) -> str:
    return verb if len(numbers) > 1 else f"{verb}s"


def _some(numbers: Sequence[int]) -> str:
    """Return numbers as text: `1, 2 and 4`. For more than three numbers, return the first and the last: `2 to 16`."""
    texts = [f"{number:,}" for number in numbers]
    if len(texts) > 3:
        return f"{texts[0]} to {texts[-1]}"
    return " and ".join(part for part in (", ".join(texts[:-1]), texts[-1]) if part)


def _places(values: Values) -> str:
    """Return the steps that a note is about. For more than three, return two steps and the number of the others."""
    names = [f"'{place['step']}'" for place in values["places"]]
    names = names if len(names) < 4 else [*names[:2], f"{len(names) - 2:,} others"]
    return " and ".join(part for part in (", ".join(names[:-1]), names[-1]) if part)


def _without_cache(values: Values) -> str:
    models = sorted({f"'{place['model']}'" for place in values["places"]})
    return f"the profile {models[0]} does not cache" if len(models) == 1 else f"{', '.join(models)} do not cache"


def _most(values: Values) -> int:
    return int(max(place["count"] for place in values["places"]))


def _copies(place: Values) -> str:
    agents = "1 agent" if place["agents"] == 1 else f"{place['agents']:,} agents"
    return f"{_number_of(place)} on {agents}"


def _crew_without_effect(values: Values) -> str:
    """Return one sentence for each reason why the crew of a group has no effect."""
    named = [place for place in values["places"] if place["named_inside"]]
    others = [place for place in values["places"] if not place["named_inside"]]
    sentences = []
    if others:
        reason = f"no step inside takes an agent of this crew{_crew_on_the_step(others)}"
        sentences.append(f"'crew' has no effect on {_places({'places': others})}: {reason}.")
    if named:
        reason = "each step inside that takes an agent names its crew itself"
        sentences.append(f"'crew' has no effect on {_places({'places': named})}: {reason}.")
    return " ".join(sentences)


def _crew_on_the_step(places: Sequence[Values]) -> str:
    """Return the remedy for a group whose crew does nothing, or an empty text if no step can name the crew."""
    place = next((place for place in places if place["person_or_tool"] is not None), None)
    return "" if place is None else f"; write 'crew: {place['crew']}' on '{place['person_or_tool']}' instead"


def _pay_of_idle_crew(values: Values) -> str:
    """Return the end of a sentence on a crew that does nothing: whether its agents are paid nevertheless."""
    pay = {"always": ", but they are paid all the same", "busy": ", and cost nothing"}
    return pay.get(values["paid"], "")


def _key_of_crew(place: Values) -> str:
    return f"'{place['key']}' of the crew '{place['step']}'"


def _key_of_used_file(place: Values) -> str:
    return f"'{place['key']}' of the file of '{place['step']}'"


def _declared_default(place: Values) -> str:
    return f"'{place['key']}: {place['value']}'" + (f" of '{place['step']}'" if place["step"] else "")


def _listed(noun: str, names: Sequence[str]) -> str:
    """Return a noun and up to four names, such as `the models 'a' and 'b'`. Further names are counted."""
    shown = [f"'{name}'" for name in (names if len(names) < 5 else names[:3])]
    shown += [f"{len(names) - 3:,} others"] if len(names) > 4 else []
    text = " and ".join(part for part in (", ".join(shown[:-1]), shown[-1]) if part)
    return f"the {noun} {text}" if len(names) == 1 else f"the {noun}s {text}"


def _number_of(place: Values) -> str:
    return f"{place['copies']:,} of '{place['step']}'"


def _keys(values: Values) -> str:
    return "; ".join(f"{', '.join(place['keys'])} of '{place['step']}'" for place in values["places"])


def _not_in_file(subject: str, given: str, argument: str) -> str:
    return f"{subject} is not part of a workflow; {given} as '{argument}'"


_WORDING: Mapping[str, str | Callable[[Values, Names], str]] = {
    # Notes on a result
    "not-converged": _not_converged,
    "few-samples": lambda values, _: (
        f"{quantities.samples(values['samples'])} are too few to be sure of a p{100 * values['percentile']:.0f}: it "
        f"takes {values['needed']}."
    ),
    "estimates-cut-short": "Time ran out before every number of the file was changed: the effects of some are unknown.",
    "estimates-refused": "Some effects are unknown, because a changed file would be too large or have a mistake.",
    "estimates-left-out": "Only {most} of the {numbers:,} numbers of the file were changed, in the order of the file.",
    "unused-crew": lambda values, _: (
        f"No step names the crew '{values['crew']}': its agents do nothing{_pay_of_idle_crew(values)}."
    ),
    "idle-crew": lambda values, _: (
        f"No step takes an agent of the crew '{values['crew']}': its agents do nothing{_pay_of_idle_crew(values)}."
    ),
    "unused-parameter": lambda values, _: f"Nothing uses {_listed('parameter', values['parameters'])}.",
    "unused-model": lambda values, names: (
        f"No request uses {_listed('model', values['models'])}; {names.argument('models')} would."
    ),
    "unused-default-model": "'model' at the top has no effect: no request uses it.",
    "unused-uncertainty": "'uncertainty' has no effect: no tokens and no tool times are ranges.",
    "overridden-key": lambda values, _: (
        f"The outermost file overrides {'; '.join(map(_key_of_used_file, values['places']))}."
    ),
    "default-declared": lambda values, _: (
        f"Has no effect, because it is the default: {'; '.join(map(_declared_default, values['places']))}."
    ),
    "items-in-turn": lambda values, _: f"The lead does all items of {_places(values)} in turn.",
    "copies-in-turn": lambda values, _: f"Copies run in turn: {'; '.join(map(_copies, values['places']))}.",
    "copies-on-one-agent": lambda values, _: (
        f"Copies of a request run in parallel on one agent: {', '.join(map(_number_of, values['places']))}."
    ),
    "copies-over-limit": lambda values, _: (
        f"Copies wait because of 'max_concurrency: {values['places'][0]['max_concurrency']}': "
        f"{', '.join(map(_number_of, values['places']))}."
    ),
    "many-people": lambda values, _: (
        f"No crew limits the people of {_places(values)}: up to {_most(values):,} work at the same time."
    ),
    "unpaid-people": lambda values, _: f"People are not paid in this plan: no 'usd' for {_places(values)}.",
    "unbounded-fan-out": lambda values, _: (
        f"No crew limits {_places(values)}: up to {_most(values):,} run at the same time."
    ),
    "crew-key-without-effect": lambda values, _: (
        f"No effect: {'; '.join(map(_key_of_crew, values['places']))}. It needs several agents that hold several items."
    ),
    "hold-without-effect": lambda values, _: f"'hold' has no effect on {_places(values)}: no agent holds the item.",
    "sized-without-effect": lambda values, _: f"'sized' has no effect on {_places(values)}: the items have no size.",
    "crew-without-effect": lambda values, _: _crew_without_effect(values),
    "agents-without-effect": lambda values, names: (
        f"{names.argument('agents')} has no effect: it limits requests, and "
        f"{'only the lead makes requests' if values['lead'] else 'no step makes requests'}."
    ),
    "crew-only-in-turn": lambda values, _: (
        f"'crew' on {_places(values)} only makes the steps of an item run in turn: none takes an agent of this crew"
        f"{_crew_on_the_step(values['places'])}."
    ),
    "model-without-effect": lambda values, _: (
        f"'model' has no effect on {_places(values)}: no request inside uses this model."
    ),
    "size-without-effect": lambda values, _: (
        f"'size' has no effect on {_places(values)}: all items have the same size, or nothing that it multiplies."
    ),
    "cached-without-effect": lambda values, _: (
        f"'cached' has no effect on {_places(values)}: {_without_cache(values)}."
    ),
    "tool-without-effect": lambda values, _: (
        f"'tool' has no effect on {_places(values)}: a loop of one turn calls no tool."
    ),
    "compaction-without-effect": lambda values, _: (
        f"'compaction' has no effect on {_places(values)}: a loop of one turn needs none."
    ),
    "cached-over-input": lambda values, _: (
        f"'cached' is more than 'input' on {_places(values)}: it is a part of it, and is cut."
    ),
    "size-of-plain-numbers": lambda values, _: f"'size' multiplies plain numbers too: {_keys(values)}.",
    "once-for-all-items": (
        "'{step}' is done once for all items of '{fan_out}' that fail; to do it for each, put both into the 'steps:' "
        "of the fan-out."
    ),
    "approximate-counts": "Numbers with ~ are approximate, from characters and the kind of text: {reason}.",
    "approximate-tokens": lambda values, _: (
        f"Tokens that could not be counted are approximate: {'; '.join(values['texts'])}."
    ),
    "other-tokenizer": (
        "Tokens of {models} are taken to be as many as those of {written_for}: a profile has no 'tokens'."
    ),
    "paid-by-the-hour": "{models}: paid by the hour for the whole run, so steps have no cost of their own.",
    "restricted-model": lambda values, _: (
        f"{values['model']} is {values['available']}: "
        f"{'it is no longer sold' if values['available'] == 'retired' else 'not everybody can buy it'}."
    ),
    "no-price": "Cost is unknown: no price for {models}.",
    "hypothetical-speeds": _hypothetical_speeds,
    "no-cache-read-price": "No cache_read price for {models}: reads from a cache cost what other input costs.",
    "tiny-price": "A price of {models} is below ${usd}: prices are per million tokens, not per token.",
    "no-prefill-speed": "No prefill_speed for {models}: prompts take no time beyond TTFT.",
    "no-cache-ttl": "No cache_ttl for {models}: each request reads its whole prompt anew.",
    "over-context": _over_context,
    "outside-curve": _outside_curve,
    "constant-concurrency": _constant_concurrency,
    "langgraph-runtime": _langgraph_runtime,
    "caveat": _caveat,
    "unsolved": (
        "Time was over before all needed speeds and agents were found: those marked ≤ are enough, less may be."
    ),
    "search-cut-short": "Time was over before the search was: there may be a better choice.",
    "search-not-exhaustive": "Steps are too many to try all choices: there may be a better one.",
    "steps-untried": "Time was over before each step was tried by itself: {steps} are left out.",
    "context-of-other-tier": "A request that continues a context of the other tier reads it uncached.",
    # Remedies of a problem
    "name-crew": lambda values, names: " or ".join(map(names.crew, values["crews"])),
    "fewer-agents-of-crews": lambda _, names: f"give {names.argument('agents')} fewer numbers of each crew",
    "price-or-no-budget": lambda _, names: f"give the profile a 'price', or leave {names.argument('budget')} away",
    "bind-agents": lambda values, names: (
        "name a crew with 'crew', or write a number"
        if values["crews"]
        else f"give the number of agents with {names.argument('agents')}, or declare a crew and name it with 'crew'"
    ),
    "rate-limit-in-file": lambda _, names: (
        "rate limits are not modelled; to limit how many requests run at the same time, use "
        f"'{names.argument('agents')}', or 'max_concurrency' together with 'runtime: langgraph'"
    ),
    "deadline-in-file": lambda _, names: _not_in_file(
        "a deadline", "search with 'target', which takes it", names.argument("p90")
    ),
    "budget-in-file": lambda _, names: _not_in_file(
        "a budget", "search with 'target', which takes it", names.argument("budget")
    ),
    "option-in-file": lambda values, names: _not_in_file(
        f"'{values['name']}'", "give it", names.argument(values["name"])
    ),
    "set-parameter": lambda values, names: (
        f"change the value of the parameter, for example with {names.parameter(values['name'], values['value'])}"
    ),
}
