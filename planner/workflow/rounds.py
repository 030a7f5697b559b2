"""Rounds and attempts of a step (docs/reference/workflow.md)."""

from typing import ClassVar, Self

from pydantic import model_validator

from planner.reading.estimates.counts import CountValue
from planner.reading.estimates.estimate import NOTHING
from planner.reading.units import BadValueError
from planner.reading.validation import (
    Chance,
    Count,
    Declared,
    Duration,
    Seconds,
    raised,
)


class Repeat(Declared):
    """Rounds of a step, one after another: `times` of them, or `until` one is accepted, `at_most` so many."""

    example: ClassVar[str] = "{times: 3} or {until: 70%, at_most: 3}"

    times: Count | None = None
    until: Chance | None = None
    at_most: Count | None = None

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        if self.times is None and (self.until is None or self.at_most is None):
            raise raised(BadValueError("a repeat takes times, or until and at_most", f"as in repeat: {self.example}"))
        if self.times is not None and (self.until is not None or self.at_most is not None):
            raise raised(BadValueError("a repeat takes times, or until and at_most, not both", "take 'times' away"))
        if self.until == 0:
            message = "a round that is accepted in 0% of cases never ends it"
            raise raised(BadValueError(message, "raise 'until', or write times", at=("until",)))
        return self

    @property
    def most(self) -> CountValue:
        """The largest number of rounds."""
        most = self.at_most if self.times is None else self.times
        assert most is not None
        return most


class Retry(Declared):
    """Attempts of a step, until one does not fail: by `chance`, or because it takes longer than `timeout`.

    at_most : attempts, the first included
    wait : seconds before each attempt but the first
    timeout : seconds after which an attempt is given up
    """

    example: ClassVar[str] = "{chance: 5%, at_most: 3, wait: 2s}"

    chance: Chance = 0.0
    at_most: Count
    wait: Duration = NOTHING
    timeout: Seconds | None = None

    @model_validator(mode="after")
    def _can_fail(self) -> Self:
        if self.chance == 0 and self.timeout is None:
            message = "a retry takes the chance that an attempt fails, or a timeout, or both"
            raise raised(BadValueError(message, f"as in retry: {self.example}"))
        if self.timeout == 0:
            raise raised(BadValueError("a timeout must be above 0", "as in timeout: 2min", at=("timeout",)))
        return self
