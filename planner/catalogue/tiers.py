"""A profile in, the profiles out that serve the same model faster: tiers that can be bought instead."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from planner.catalogue import builtin_files
from planner.reading.profiles import ProfileDeclaration

if TYPE_CHECKING:
    from planner.catalogue.catalogue import Catalogue

MOST = 3
"""Most tiers that are returned."""


def faster_tiers(name: str, own: Mapping[str, ProfileDeclaration], catalogue: Catalogue | None) -> list[str]:
    """Return the names of the profiles that are faster tiers of a profile, the slowest first, at most `MOST`.

    A faster tier is based on the profile, or on the same base with a larger median factor on the output speed. Retired
    tiers are left out. Tiers that everybody can buy come before limited ones if there are too many.

    own : profiles that the workflow's file declares
    catalogue : catalogue with further profiles; None: there are none
    """

    def declared(profile: str) -> ProfileDeclaration | None:
        if profile in own:
            return own[profile]
        return catalogue.declared[profile] if catalogue is not None and profile in catalogue.declared else None

    profile = declared(name)
    if profile is None:
        return []
    bases = {name: 1.0}
    if profile.based_on is not None and profile.output_speed is None:
        bases[profile.based_on] = _speed(profile)
    found = {}
    for candidate in dict.fromkeys((*own, *_candidates(bases, catalogue))):
        tier = declared(candidate)
        if tier is None or candidate == name or tier.based_on not in bases or tier.speed is None:
            continue
        if tier.output_speed is None and _speed(tier) > bases[tier.based_on] and tier.available != "retired":
            found[candidate] = tier
    first = sorted(found, key=lambda candidate: (found[candidate].available == "limited", _speed(found[candidate])))
    return sorted(first[:MOST], key=lambda candidate: _speed(found[candidate]))


def _candidates(bases: Iterable[str], catalogue: Catalogue | None) -> list[str]:
    """Return the names of profiles of the catalogue that may be based on one of `bases`. Few of them are read."""
    if catalogue is None:
        return []
    builtin = {name for base in bases for name in builtin_files.based_on(base)}
    return [name for name in catalogue.names if name in builtin or catalogue.is_own(name)]


def _speed(tier: ProfileDeclaration) -> float:
    """Return the median factor of a tier on the output speed."""
    return 1.0 if tier.speed is None else tier.speed.quantile(0.5)
