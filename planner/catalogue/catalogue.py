"""The catalogue: names in, declarations of profiles out, and for each number its source, date, kind and age."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property, partial
from os import PathLike
from pathlib import Path
from typing import Any, Self

from planner.catalogue import builtin_files
from planner.catalogue.builtin_files import Listed, listed, origin
from planner.catalogue.declaration import (
    NUMBERS,
    FactDeclaration,
    is_fact,
    is_listed,
)
from planner.catalogue.profile import Profile, resolve
from planner.catalogue.user_file import (
    Own,
    find,
    merged,
    read_own,
)
from planner.errors import (
    CandidateName,
    InputError,
    Problem,
    model_hint,
    printable,
)
from planner.reading.estimates.curves import Curve
from planner.reading.profiles import ProfileDeclaration

STALE = 90
"""Days after which a number is old."""

CLAIMED = {
    "ttft": "the time to the first token",
    "prefill_speed": "the prefill speed",
    "output_speed": "the output speed",
    "speed": "the factor on the output speed",
}
"""Numbers that depend on batch, hardware and load, and what they are called."""


@dataclass(frozen=True)
class Fact:
    """One number of a profile and where it comes from.

    profile : that gives it: the one asked for, or one that it is based on
    text : the value as written
    source : its title; of a user's own file, the file
    as_of, kind, conditions : None where a user's own file does not say
    up_to : it is the most that is claimed
    above : of a price: a longer prompt, in tokens, costs more
    """

    key: str
    profile: str
    text: str
    source: str
    as_of: date | None = None
    kind: str | None = None
    conditions: str | None = None
    up_to: bool = False
    url: str | None = None
    verified: str | None = None
    above: int | None = None
    retired_on: date | None = None

    def age(self, today: date) -> int | None:
        """Days since the day it holds for."""
        return None if self.as_of is None else (today - self.as_of).days


@dataclass(frozen=True)
class _Entry:
    declaration: ProfileDeclaration
    facts: Mapping[str, Fact]


class _Lazily(Mapping[str, ProfileDeclaration]):
    """Declarations, each of which is read when it is asked for."""

    def __init__(self, names: tuple[str, ...], read: Callable[[str], _Entry]) -> None:
        self._names = dict.fromkeys(names)
        self._read = read

    def __getitem__(self, name: str) -> ProfileDeclaration:
        if name not in self._names:
            raise KeyError(name)
        return self._read(name).declaration

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


class Catalogue:
    """Profiles that workflows may use without declaring them: those that come with the planner, and the user's."""

    def __init__(self, own: Own | None = None, today: date | None = None) -> None:
        self._own = own
        self._read: dict[str, _Entry] = {}
        self.today = today or date.today()

    @classmethod
    def load(cls, user_file: str | PathLike[str] | None = None, today: date | None = None) -> Self:
        """The catalogue, with the user's file if there is one. Raises InputError with every problem of that file."""
        if user_file is None:
            return cls(None, today)
        entries = {name: partial(_plain, name) for name in builtin_files.names()}
        return cls(read_own(Path(user_file), entries), today)

    @classmethod
    def of(cls, user_file: Path | None, folder: Path) -> Self:
        """The catalogue, with the user's file: the one named, else that of the environment, else that of the folder."""
        return cls.load(find(user_file, folder))

    @cached_property
    def names(self) -> tuple[str, ...]:
        """All profiles: the user's own first."""
        own = self._own.entries if self._own else {}
        return (*own, *(name for name in builtin_files.names() if name not in own))

    @cached_property
    def offered(self) -> tuple[str, ...]:
        """The same, as names that know whether they can be bought, which is read when it is asked for."""
        return tuple(CandidateName.of(name, partial(self._retired, name)) for name in self.names)

    def _retired(self, name: str) -> bool:
        return self.available(name) == "retired"

    @cached_property
    def declared(self) -> Mapping[str, ProfileDeclaration]:
        """The profiles as declared, to be resolved. Each is read when it is asked for."""
        return _Lazily(self.names, self._entry)

    def profile(self, name: str) -> Profile:
        """The profile `name`, resolved. Raises InputError for an unknown name."""
        return resolve(self.known(name), self.declared)

    def known(self, name: str) -> str:
        """The name, if there is such a profile. Raises InputError with the nearest names."""
        if isinstance(name, str) and name in self.declared:
            return name
        hint = model_hint(str(name), self.offered)
        raise InputError([Problem("unknown-model", f"unknown model '{printable(str(name))[:100]}'", None, hint)])

    def available(self, name: str) -> str | None:
        """``general``, ``limited`` or ``retired``, today; None if it is not declared.

        Raises InputError for an unknown name.
        """
        return self.declared[self.known(name)].available

    def facts(self, name: str) -> Mapping[str, Fact]:
        """What holds for a profile, by key, with what it takes from those that it is based on.

        Raises InputError for an unknown name.
        """
        found: dict[str, Fact] = {}
        at: str | None = self.known(name)
        while at is not None:
            entry = self._entry(at)
            for key, fact in entry.facts.items():
                taken = {"speed": "output_speed", "price_multiplier": "price"}.get(key)
                inherits = at == name or key in NUMBERS
                if inherits and key not in found and (taken is None or taken not in found):
                    found[key] = fact
            at = entry.declaration.based_on
        together = found.get("measured_output")
        if together and any(found[key].profile != together.profile for key in ("ttft", "output_speed")):
            del found["measured_output"]
        return found

    def stale(self, name: str) -> list[Fact]:
        """Numbers that are older than `STALE` days."""
        return [fact for fact in self.facts(name).values() if (fact.age(self.today) or 0) > STALE]

    def caveats(self, name: str) -> list[str]:
        """What has to be said where the profile is used. Raises InputError for an unknown name."""
        facts = self.facts(name)
        found = []
        sold = facts.get("available")
        state = self.available(name)
        if state == "retired":
            found.append(
                f"{name} was withdrawn on {sold.retired_on}"
                if sold and sold.retired_on
                else f"{name} is no longer sold"
            )
        elif sold and sold.retired_on:
            found.append(f"{name} is sold until {sold.retired_on} only")
        if state == "limited":
            found.append(f"{name} is not sold to everybody")
        for key, title in CLAIMED.items():
            fact = facts.get(key)
            if fact is None:
                continue
            if fact.kind == "vendor claim" and not fact.conditions:
                found.append(
                    f"{title} of {fact.profile}, {fact.text}, is a claim without conditions: "
                    "batch, hardware and load are unknown"
                )
            elif fact.kind == "estimate":
                found.append(f"{title} of {fact.profile}, {fact.text}, is an estimate: {fact.conditions}")
            curve = isinstance(getattr(self.declared[fact.profile], key), Curve)
            if curve and fact.conditions and fact.kind != "estimate":
                known = "measured" if fact.kind == "measured" else "claimed"
                found.append(f"{title} of {fact.profile} is {known} for: {fact.conditions}")
            if fact.up_to:
                where = f"; {fact.conditions}" if fact.conditions and not curve else ""
                found.append(f"{title} of {fact.profile} is the most that is claimed: 'up to {fact.text}'{where}")
        price = facts.get("price")
        if price is not None and price.above:
            found.append(f"prompts of over {price.above:,} tokens cost more at {name} than is planned with")
        return found

    def _entry(self, name: str) -> _Entry:
        """What is known about a profile. Raises KeyError for an unknown name."""
        if name not in self._read:
            own = self._own.entries.get(name) if self._own else None
            known = builtin_files.entry(name)
            if own is None and known is None:
                raise KeyError(name)
            self._read[name] = self._made(name, known, own)
        return self._read[name]

    def _made(self, name: str, known: dict[str, Any] | None, own: Mapping[str, Any] | None) -> _Entry:
        plain, facts = {}, {}
        for key, value in merged(known, own or {}).items():
            mine = own is not None and key in own
            plain[key], price = _value(key, value)
            if key in NUMBERS or key == "available":
                facts[key] = self._fact(key, name, plain[key], value, mine, price)
        declaration = ProfileDeclaration.model_validate(plain)
        sold = facts.get("available")
        if sold is not None and sold.retired_on is not None and sold.retired_on <= self.today:
            declaration = declaration.model_copy(update={"available": "retired"})
        return _Entry(declaration, facts)

    def _fact(self, key: str, name: str, plain: Any, value: Any, mine: bool, price: Listed | None) -> Fact:
        if price is not None:
            title, day, url = origin()
            return Fact(key, name, _shown(plain), title, day, "vendor claim", url=url, above=price.above)
        own = self._own if mine else None
        about = own.facts.facts.get(name, {}).get(key) if own else None
        if about is None:
            said = value.items() if is_fact(value) else ()
            about = FactDeclaration.model_validate({one: other for one, other in said if one != "value"})
        named = about.source or ""
        source = (own.facts.sources.get(named) if own else None) or builtin_files.source(named)
        return Fact(
            key,
            name,
            _shown(plain),
            source.title if source else named or (own.file if own else ""),
            about.as_of or (source.as_of if source else None),
            about.kind,
            about.conditions,
            bool(about.up_to),
            source.url if source else None,
            source.verified if source else None,
            retired_on=about.retired_on,
        )


def _value(key: str, value: Any) -> tuple[Any, Listed | None]:
    """A value without what is said about it; a price from the table."""
    if is_fact(value):
        value = value["value"]
    if is_listed(key, value):
        price = listed(value)
        return price.price, price
    return value, None


def _plain(name: str) -> dict[str, Any]:
    """A shipped entry without what is said about its numbers."""
    return {key: _value(key, value)[0] for key, value in (builtin_files.entry(name) or {}).items()}


def _shown(value: Any) -> str:
    """A value in words: as it is written, but a curve as `55 at 1, 42 at 64`."""
    if isinstance(value, dict):
        return ", ".join(f"{one} at {key}" if key.isdecimal() else f"{key} {one}" for key, one in value.items())
    return str(value)
