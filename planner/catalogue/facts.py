"""A number of a profile together with its provenance: source, date, kind and conditions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from planner.errors import Note


@dataclass(frozen=True)
class Fact:
    """One number of a profile, with its provenance.

    key : name of the number, such as `ttft`
    profile : name of the profile that declares the number: the requested profile or one of its bases
    text : the number as written in the file
    source : title of the source, or the path of the user's file if the user gives no source
    as_of : day on which the number holds
    kind : how the number was obtained, such as ``measured``
    conditions : conditions under which the number was measured, claimed or estimated
    up_to : whether the number is an upper limit
    above : for a price, the prompt length in tokens above which requests cost more
    retired_on : for the availability, the day from which the profile is retired
    holds_from : for a price, the first day on which it holds. For the availability, the first day on which the profile
        is sold
    holds_until : for a price, the first day on which it no longer holds. This may be the first day of the next price
    others : for a price, the prices that hold on other days

    A value is None if the file does not give it.
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
    holds_from: date | None = None
    holds_until: date | None = None
    others: tuple[Fact, ...] = ()

    def age(self, today: date) -> int | None:
        """Return the age of the number in days. Return None if `as_of` is None."""
        return None if self.as_of is None else (today - self.as_of).days


CaveatKind = Literal["sale", "price", "estimate", "claim", "measured"]


class Caveat(str):
    """A warning for users of a profile: a sentence without a full stop.

    kind : topic of the warning. ``sale``: who can buy the profile, and until when. ``price``: a price. The other kinds
        warn about a speed: ``estimate``, ``claim`` (of a vendor) and ``measured`` (under certain conditions)
    profile : name of the profile
    """

    kind: CaveatKind
    profile: str

    def __new__(cls, kind: CaveatKind, profile: str, text: str) -> Caveat:
        caveat = super().__new__(cls, text)
        caveat.kind, caveat.profile = kind, profile
        return caveat

    @property
    def note(self) -> Note:
        """The warning as a note."""
        return Note("caveat", {"text": str(self), "kind": self.kind, "profile": self.profile})


def price_caveats(name: str, price: Fact, today: date) -> Iterator[str]:
    """Yield warnings about a price, as sentences.

    name : name of the profile that declares or inherits the price
    """
    if price.above:
        yield f"prompts of over {price.above:,} tokens cost more at {name} than is planned with"
    if price.holds_from and price.holds_from > today:
        yield f"the price of {price.profile} holds from {price.holds_from} on; no earlier price is known"
    following = [other for other in price.others if other.holds_from and other.holds_from > today]
    if following:
        first = following[0]
        yield f"the price of {price.profile} changes on {first.holds_from} to: {first.text}"
    elif price.holds_until and price.holds_until <= today:
        yield f"the price of {price.profile} held until {price.holds_until}; no later price is known"


def as_text(value: Any) -> str:
    """Format a value as text. For example, a curve becomes `55 at 1, 42 at 64`."""
    if isinstance(value, dict):
        return ", ".join(f"{inner} at {key}" if key.isdecimal() else f"{key} {inner}" for key, inner in value.items())
    return str(value)
