"""Names of models in, declarations of their profiles out, with source, date, kind and age of each number."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property, partial
from os import PathLike
from pathlib import Path
from typing import Any, Self

from planner.catalogue import builtin_files
from planner.catalogue.builtin_files import origin
from planner.catalogue.dated import DatedPrice, dated_prices, in_force
from planner.catalogue.declaration import NUMBERS, FactDeclaration, is_fact
from planner.catalogue.facts import Caveat, CaveatKind, Fact, as_text, price_caveats
from planner.catalogue.profile import Profile, resolve
from planner.catalogue.user_file import (
    UserCatalogue,
    find_user_file,
    merge_entries,
    read_user_file,
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
"""Age in days above which a number is stale."""

CLAIMED = {
    "ttft": "the time to the first token",
    "prefill_speed": "the prefill speed",
    "output_speed": "the output speed",
    "speed": "the factor on the output speed",
}
"""Key → name in caveats, for the numbers that depend on batch, hardware and load."""


@dataclass(frozen=True)
class _Entry:
    declaration: ProfileDeclaration
    facts: Mapping[str, Fact]


class _LazyDeclarations(Mapping[str, ProfileDeclaration]):
    """Declarations of profiles by name. Each declaration is read when it is first used."""

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
    """All profiles that a workflow can use by name: the built-in profiles and the user's profiles."""

    def __init__(self, user_file: UserCatalogue | None = None, today: date | None = None) -> None:
        self._own = user_file
        self._read: dict[str, _Entry] = {}
        self.today = today or date.today()

    @classmethod
    def load(cls, user_file: str | PathLike[str] | None = None, today: date | None = None) -> Self:
        """Return a catalogue of the built-in profiles and the profiles in `user_file`.

        user_file : path of the user's catalogue file; None: only built-in profiles
        today : date that decides whether a profile is retired; None: the current date

        Raises InputError with every problem of the user's file.
        """
        if user_file is None:
            return cls(None, today)
        entries = {name: partial(_plain, name) for name in builtin_files.names()}
        return cls(read_user_file(Path(user_file), entries), today)

    @classmethod
    def of(cls, user_file: Path | None, folder: Path) -> Self:
        """Return a catalogue of the built-in profiles and the profiles in the user's file, if there is one.

        The path of the user's file is the first of these: `user_file`, the environment variable `PLANNER_CATALOGUE`,
        and `catalogue.yaml` in `folder`.

        Raises InputError with every problem of the user's file.
        """
        return cls.load(find_user_file(user_file, folder))

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of all profiles in the catalogue. The user's profiles come first."""
        own = self._own.entries if self._own else {}
        return (*own, *(name for name in builtin_files.names() if name not in own))

    @cached_property
    def offered(self) -> tuple[str, ...]:
        """Names of all profiles in the catalogue, to suggest in error messages.

        The names of retired profiles are marked, so that messages prefer other names.
        """
        return tuple(CandidateName.of(name, partial(self._retired, name)) for name in self.names)

    def is_own(self, name: str) -> bool:
        """Return whether the user's catalogue file declares the profile `name`."""
        return self._own is not None and name in self._own.entries

    def _retired(self, name: str) -> bool:
        return self.available(name) == "retired"

    @cached_property
    def declared(self) -> Mapping[str, ProfileDeclaration]:
        """Declarations of all profiles by name, as written. Each declaration is read when it is first used."""
        return _LazyDeclarations(self.names, self._entry)

    def profile(self, name: str) -> Profile:
        """Return the profile `name`. Missing values are taken from its bases.

        Raises InputError if the name is unknown.
        """
        return resolve(self.known(name), self.declared)

    def known(self, name: str) -> str:
        """Return `name` if a profile of the catalogue has this name.

        Raises InputError if the name is unknown. The error suggests similar names.
        """
        if isinstance(name, str) and name in self.declared:
            return name
        hint = model_hint(str(name), self.offered)
        raise InputError([Problem("unknown-model", f"unknown model '{printable(str(name))[:100]}'", None, hint)])

    def available(self, name: str) -> str | None:
        """Return the availability of a profile today: ``general``, ``limited`` or ``retired``.

        Return None if the profile does not declare its availability. Raises InputError if the name is unknown.
        """
        return self.declared[self.known(name)].available

    def facts(self, name: str) -> Mapping[str, Fact]:
        """Return the numbers of a profile with their provenance, by key.

        Numbers that the profile does not declare itself are taken from its bases.

        Raises InputError if the name is unknown.
        """
        facts: dict[str, Fact] = {}
        current: str | None = self.known(name)
        while current is not None:
            entry = self._entry(current)
            for key, fact in entry.facts.items():
                multiplied = {"speed": "output_speed", "price_multiplier": "price"}.get(key)
                applies = current == name or key in NUMBERS
                if applies and key not in facts and (multiplied is None or multiplied not in facts):
                    facts[key] = fact
            current = entry.declaration.based_on
        measured = facts.get("measured_output")
        if measured and any(facts[key].profile != measured.profile for key in ("ttft", "output_speed")):
            del facts["measured_output"]
        return facts

    def stale(self, name: str) -> list[Fact]:
        """Return the numbers of a profile that are older than `STALE` days.

        Raises InputError if the name is unknown.
        """
        return [fact for fact in self.facts(name).values() if (fact.age(self.today) or 0) > STALE]

    def caveats(self, name: str) -> list[Caveat]:
        """Return warnings for users of a profile. Raises InputError if the name is unknown."""
        facts = self.facts(name)
        caveats: list[Caveat] = []

        def add(kind: CaveatKind, text: str) -> None:
            caveats.append(Caveat(kind, name, text))

        sold = facts.get("available")
        state = self.available(name)
        if state == "retired":
            add(
                "sale",
                f"{name} was withdrawn on {sold.retired_on}"
                if sold and sold.retired_on
                else f"{name} is no longer sold",
            )
        elif sold and sold.retired_on:
            add("sale", f"{name} is sold until {sold.retired_on} only")
        if sold and sold.holds_from and sold.holds_from > self.today:
            add("sale", f"{name} is sold from {sold.holds_from} on")
        elif state == "limited":
            add("sale", f"{name} is not sold to everybody")
        if sold and sold.conditions:
            add("sale", f"{name} is sold under this condition: {sold.conditions}")
        for key, title in CLAIMED.items():
            fact = facts.get(key)
            if fact is None:
                continue
            if fact.kind == "vendor claim" and not fact.conditions:
                add(
                    "claim",
                    f"{title} of {fact.profile}, {fact.text}, is a claim without conditions: "
                    "batch, hardware and load are unknown",
                )
            elif fact.kind == "estimate":
                add("estimate", f"{title} of {fact.profile}, {fact.text}, is an estimate: {fact.conditions}")
            curve = isinstance(getattr(self.declared[fact.profile], key), Curve)
            if curve and fact.conditions and fact.kind != "estimate":
                status = "measured" if fact.kind == "measured" else "claimed"
                add(
                    "measured" if status == "measured" else "claim",
                    f"{title} of {fact.profile} is {status} for: {fact.conditions}",
                )
            if fact.up_to:
                where = f"; {fact.conditions}" if fact.conditions and not curve else ""
                add("claim", f"{title} of {fact.profile} is the most that is claimed: 'up to {fact.text}'{where}")
        if "price" in facts:
            for text in price_caveats(name, facts["price"], self.today):
                add("price", text)
        return caveats

    def _entry(self, name: str) -> _Entry:
        """Return the entry of a profile. The entry is read when it is first requested.

        Raises KeyError if the name is unknown.
        """
        if name not in self._read:
            own = self._own.entries.get(name) if self._own else None
            builtin = builtin_files.entry(name)
            if own is None and builtin is None:
                raise KeyError(name)
            self._read[name] = self._parsed(name, builtin, own)
        return self._read[name]

    def _parsed(self, name: str, builtin: dict[str, Any] | None, own: Mapping[str, Any] | None) -> _Entry:
        plain: dict[str, Any] = {}
        facts = {}
        if builtin is not None and own is not None and "price" in own and "price" in builtin:
            builtin = {**builtin, "price": in_force(dated_prices(builtin["price"]), self.today).price}
        for key, value in merge_entries(builtin, own or {}).items():
            from_user = own is not None and key in own
            if key == "price":
                prices = dated_prices(value)
                current = in_force(prices, self.today)
                plain[key] = current.price
                others = tuple(self._price_fact(name, other, from_user) for other in prices if other is not current)
                facts[key] = replace(self._price_fact(name, current, from_user), others=others)
                continue
            plain[key] = value["value"] if is_fact(value) else value
            if key in NUMBERS or key == "available":
                about = {field: text for field, text in value.items() if field != "value"} if is_fact(value) else {}
                facts[key] = self._fact(key, name, plain[key], about, from_user)
        declaration = ProfileDeclaration.model_validate(plain)
        sold = facts.get("available")
        if sold is not None and sold.retired_on is not None and sold.retired_on <= self.today:
            declaration = declaration.model_copy(update={"available": "retired"})
        elif sold is not None and sold.holds_from is not None and sold.holds_from > self.today:
            declaration = declaration.model_copy(update={"available": "limited"})
        return _Entry(declaration, facts)

    def _price_fact(self, name: str, price: DatedPrice, from_user: bool) -> Fact:
        if price.listed is not None:
            title, day, url = origin()
            fact = Fact("price", name, as_text(price.price), title, day, "vendor claim", url=url)
            fact = replace(fact, above=price.listed.above)
        else:
            fact = self._fact("price", name, price.price, price.about, from_user)
        return replace(fact, holds_from=price.holds_from, holds_until=price.holds_until)

    def _fact(self, key: str, name: str, plain: Any, provenance: Mapping[str, Any], from_user: bool) -> Fact:
        """Return a number with its provenance.

        plain : the number as written
        provenance : keys and values for a `FactDeclaration`, as written in the file
        """
        own = self._own if from_user else None
        about = FactDeclaration.model_validate(dict(provenance))
        named = about.source or ""
        source = (own.facts.sources.get(named) if own else None) or builtin_files.source(named)
        return Fact(
            key,
            name,
            as_text(plain),
            source.title if source else named or (own.file if own else ""),
            about.as_of or (source.as_of if source else None),
            about.kind,
            about.conditions,
            bool(about.up_to),
            source.url if source else None,
            source.verified if source else None,
            retired_on=about.retired_on,
            holds_from=about.holds_from,
            holds_until=about.holds_until,
        )


def _plain(name: str) -> dict[str, Any]:
    """Return the entry of a built-in profile, without the provenance of its values.

    If the profile has several prices for different days, the entry contains only the last of them.
    """
    entry = builtin_files.entry(name) or {}
    plain = {key: value["value"] if is_fact(value) else value for key, value in entry.items() if key != "price"}
    return plain | ({"price": dated_prices(entry["price"])[-1].price} if "price" in entry else {})
