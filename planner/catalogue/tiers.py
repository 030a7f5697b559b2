"""Find the faster tiers of a profile: other profiles that serve the same model at a higher speed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from planner.reading.profiles import ProfileDeclaration

if TYPE_CHECKING:
    from planner.catalogue.catalogue import Catalogue

MOST = 3
"""Most tiers that are returned."""


def faster_tiers(name: str, own: Mapping[str, ProfileDeclaration], catalogue: Catalogue | None) -> list[str]:
    """Return the names of a profile's faster tiers, the slowest tier first. At most `MOST` names are returned.

    A faster tier is based on the profile or on the profile's base. Its median factor on the output speed is larger than
    that of the profile. Retired tiers are left out.

    If there are too many tiers, tiers with limited availability are dropped first. Then the fastest tiers are dropped.

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
    """Return the names of all profiles in the catalogue that may be based on one of `bases`.

    These are all of the user's profiles, and the built-in profiles that are based on one of `bases`.
    """
    if catalogue is None:
        return []
    from planner.catalogue import builtin_files  # a file that declares its profiles needs none of them

    builtin = {name for base in bases for name in builtin_files.based_on(base)}
    return [name for name in catalogue.names if name in builtin or catalogue.is_own(name)]


def _speed(tier: ProfileDeclaration) -> float:
    """Return the median factor of a tier on the output speed."""
    return 1.0 if tier.speed is None else tier.speed.quantile(0.5)
