"""Text of a file in, validated values with their positions out: YAML, units, estimates, model profiles."""

from typing import TYPE_CHECKING

from planner._lazy import export

if TYPE_CHECKING:
    from planner.reading.bind import bind as bind
    from planner.reading.estimates.context import FileContext as FileContext
    from planner.reading.estimates.counts import count_of as count_of
    from planner.reading.estimates.counts import parse_count as parse_count
    from planner.reading.estimates.counts import parse_item_count as parse_item_count
    from planner.reading.estimates.curves import Curve as Curve
    from planner.reading.estimates.estimate import LN20 as LN20
    from planner.reading.estimates.estimate import NOTHING as NOTHING
    from planner.reading.estimates.estimate import Z95 as Z95
    from planner.reading.estimates.estimate import Estimate as Estimate
    from planner.reading.estimates.forms import parse_estimate as parse_estimate
    from planner.reading.fields import Declared as Declared
    from planner.reading.profiles import ProfileDeclaration as ProfileDeclaration
    from planner.reading.units import CALLS as CALLS
    from planner.reading.units import DURATION as DURATION
    from planner.reading.units import RATE as RATE
    from planner.reading.units import SIZE as SIZE
    from planner.reading.units import TOKENS as TOKENS
    from planner.reading.units import TURNS as TURNS
    from planner.reading.units import BadValueError as BadValueError
    from planner.reading.units import Quantity as Quantity
    from planner.reading.yaml.parse import parse_yaml as parse_yaml

export(
    __name__,
    {
        "bind": ["bind"],
        "estimates.context": ["FileContext"],
        "estimates.counts": ["count_of", "parse_count", "parse_item_count"],
        "estimates.curves": ["Curve"],
        "estimates.estimate": ["LN20", "NOTHING", "Z95", "Estimate"],
        "estimates.forms": ["parse_estimate"],
        "fields": ["Declared"],
        "profiles": ["ProfileDeclaration"],
        "units": ["CALLS", "DURATION", "RATE", "SIZE", "TOKENS", "TURNS", "BadValueError", "Quantity"],
        "yaml.parse": ["parse_yaml"],
    },
)
