"""A price as written in a catalogue in; its prices over time out, each with the days on which it holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from planner.catalogue.builtin_files import ListedPrice, listed_price
from planner.catalogue.declaration import is_fact, refers_to_table


@dataclass(frozen=True)
class DatedPrice:
    """A price, and the days on which it holds.

    price : amounts in US dollars by key, such as `input` and `output`
    element : index of the price in the profile's own list of prices; None if the profile has no list
    about : provenance of the price as written: keys such as `source` and `kind`, with their values
    listed : entry of the planner's price table, from which the price is taken; None if the profile itself has the price
    holds_from : first day on which the price holds; None: it holds on every day before `holds_until`
    holds_until : first day on which the price no longer holds; None: unknown
    """

    price: Any
    element: int | None
    about: dict[str, Any]
    listed: ListedPrice | None
    holds_from: date | None
    holds_until: date | None


def dated_prices(value: Any) -> list[DatedPrice]:
    """Return all prices of a profile, the earliest first.

    value : value of the profile's key `price`: a price, a reference to the price table, or a list of these
    """
    prices: list[DatedPrice] = []
    for position, element in enumerate(value if isinstance(value, list) else [value]):
        about = {key: text for key, text in element.items() if key != "value"} if is_fact(element) else {}
        plain = element["value"] if is_fact(element) else element
        start, end = _day(about.get("holds_from")), _day(about.get("holds_until"))
        place = position if isinstance(value, list) else None
        if refers_to_table("price", plain):
            listed = listed_price(plain)
            prices.append(DatedPrice(listed.price, place, about, listed, start, end))
            prices += [DatedPrice(price, place, about, listed, day, end) for day, price in listed.later]
        else:
            prices.append(DatedPrice(plain, place, about, None, start, end))
    ends = [*(price.holds_from for price in prices[1:]), None]
    return [replace(price, holds_until=end or price.holds_until) for price, end in zip(prices, ends, strict=True)]


def in_force(prices: Sequence[DatedPrice], day: date) -> DatedPrice:
    """Return the price that holds on a day. If none holds yet, return the first."""
    return [price for price in prices if price.holds_from is None or price.holds_from <= day or price is prices[0]][-1]


def _day(text: Any) -> date | None:
    return None if text is None else date.fromisoformat(text)
