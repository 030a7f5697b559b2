"""Names of models in, profiles out, with source and date of every number."""

from typing import TYPE_CHECKING

from planner._lazy import export

if TYPE_CHECKING:
    from planner.catalogue.benchmarks import import_results as import_results
    from planner.catalogue.catalogue import Catalogue as Catalogue
    from planner.catalogue.premium import Premium as Premium
    from planner.catalogue.profile import JITTER as JITTER
    from planner.catalogue.profile import Price as Price
    from planner.catalogue.profile import Profile as Profile
    from planner.catalogue.profile import resolve as resolve

export(
    __name__,
    {
        "benchmarks": ["import_results"],
        "catalogue": ["Catalogue"],
        "premium": ["Premium"],
        "profile": ["JITTER", "Price", "Profile", "resolve"],
    },
)
