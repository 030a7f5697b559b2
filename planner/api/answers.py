"""Results of Python calls: each can be printed and shown in a notebook, and converts to plain data or a pandas table.

Each class is a subclass of a result of `planner.planning`, and can be used instead of that result.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sized
from dataclasses import fields
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from planner.api.arguments import in_python
from planner.api.checks import Checks
from planner.catalogue import catalogue, listing
from planner.planning import comparison_result, forecast_result
from planner.planning.sensitivity import tornado
from planner.planning.target import search as target_search
from planner.planning.tier import search as tier_search
from planner.report.data import comparisons as comparisons_data
from planner.report.data import forecasts as forecasts_data
from planner.report.data import models as models_data
from planner.report.data import searches as searches_data
from planner.report.data import sensitivities as sensitivities_data
from planner.report.html import comparisons as comparisons_html
from planner.report.html import elements as html_elements
from planner.report.html import forecasts as forecasts_html
from planner.report.html import searches as searches_html
from planner.report.html import sensitivities as sensitivities_html
from planner.report.text.advice import first_screen
from planner.report.text.comparisons import comparison_text
from planner.report.text.forecast_screen import forecast_screen
from planner.report.text.forecasts import forecast_text
from planner.report.text.layout import without_colour
from planner.report.text.models import models_text
from planner.report.text.searches import target_screen, target_text, tier_screen, tier_text
from planner.report.text.sensitivities import sensitivity_text
from planner.report.wording import quantities as words
from planner.report.wording.notes import ARGUMENTS, Sentence, worded

if TYPE_CHECKING:
    import pandas

Answer = TypeVar("Answer")

_MORE = "text(everything=True)"
"""Call that returns all of a result as text."""


class Shown:
    """Base class of results and catalogues. An instance can be shown as text, as HTML and as a pandas DataFrame."""

    @abstractmethod
    def _label(self) -> str: ...

    @abstractmethod
    def _text(self, everything: bool) -> str: ...

    @abstractmethod
    def _rows(self) -> list[dict[str, Any]]: ...

    @abstractmethod
    def _repr_html_(self) -> str: ...

    @abstractmethod
    def to_dict(self) -> dict[str, Any]: ...

    def to_frame(self) -> pandas.DataFrame:
        """Return the table rows of a result or a catalogue as a pandas DataFrame. Unknown values become NaN.

        Raises ImportError if pandas is not installed.
        """
        return _frame(self._rows())

    def text(self, *, everything: bool = False) -> str:
        """Return the text that `print` shows.

        everything : whether to include all tables and notes, like the option `--all` of the command line
        """
        return without_colour(self._text(everything)).removesuffix("\n")

    def __str__(self) -> str:
        return self.text()

    def __repr__(self) -> str:
        return f"<{self._label()}>"

    def _repr_pretty_(self, printer: _Printer, cycle: bool) -> None:
        printer.text(str(self))


class _Printer(Protocol):
    """The printer that IPython passes to `_repr_pretty_`."""

    def text(self, text: str) -> None: ...


class Forecast(Shown, forecast_result.Forecast):
    """Forecast of the completion time and the cost of one scenario.

    `print` shows the forecast as text. A notebook shows the forecast as HTML.
    """

    notes: tuple[Sentence, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the forecast as a dict, with the data of `planner forecast --json` (see docs/reference/json.md).

        Times are in seconds, and costs are in US dollars.
        """
        return forecasts_data.forecast_data(self)

    def _text(self, everything: bool) -> str:
        return forecast_text(self) if everything else forecast_screen(self, _MORE)

    def _rows(self) -> list[dict[str, Any]]:
        return forecasts_data.forecast_rows(self)

    def _repr_html_(self) -> str:
        return forecasts_html.forecast_html(self)

    def _label(self) -> str:
        one = self.result.scenario
        return (
            f"Forecast of {self.workflow}: {words.agents(one.agents)} at {words.factor(one.speed)}, "
            f"p50 {words.seconds(self.result.seconds.p50)}, {words.samples(self.samples)}"
        )


class Comparison(Shown, comparison_result.Comparison):
    """Comparison of the scenarios in a grid of speeds × agents.

    `print` shows the comparison as text. A notebook shows the comparison as HTML.
    """

    notes: tuple[Sentence, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the comparison as a dict, with the data of `planner compare --json` (see docs/reference/json.md).

        Times are in seconds, and costs are in US dollars.
        """
        return comparisons_data.comparison_data(self)

    def _text(self, everything: bool) -> str:
        return comparison_text(self) if everything else first_screen(self, _MORE)

    def _rows(self) -> list[dict[str, Any]]:
        return comparisons_data.comparison_rows(self)

    def _repr_html_(self) -> str:
        return comparisons_html.comparison_html(self)

    def _label(self) -> str:
        return f"Comparison of {self.workflow}: {_scenarios(self.results)}, {words.samples(self.samples)}"


class TargetResult(Shown, target_search.TargetResult):
    """Result of a search for the cheapest scenario that meets a target.

    `print` shows the result as text. A notebook shows the result as HTML.
    """

    notes: tuple[Sentence, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the result as a dict, with the data of `planner target --json` (see docs/reference/json.md).

        Times are in seconds, and costs are in US dollars. Chances are numbers from 0 to 1.
        """
        return searches_data.target_data(self)

    def _text(self, everything: bool) -> str:
        return target_text(self) if everything else target_screen(self)

    def _rows(self) -> list[dict[str, Any]]:
        return searches_data.target_rows(self)

    def _repr_html_(self) -> str:
        return searches_html.target_html(self)

    def _label(self) -> str:
        met = "not known to be met" if self.cheapest is None else "met"
        return f"TargetResult for {self.workflow}: {met}, {_scenarios(self.candidates)}, {words.samples(self.samples)}"


class TierResult(Shown, tier_search.TierResult):
    """Result of a search for the steps to put on a fast tier.

    `print` shows the result as text. A notebook shows the result as HTML.
    """

    notes: tuple[Sentence, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the result as a dict, with the data of `planner tier --json` (see docs/reference/json.md).

        Times are in seconds, and costs are in US dollars.
        """
        return searches_data.tier_data(self)

    def _text(self, everything: bool) -> str:
        return tier_text(self) if everything else tier_screen(self)

    def _rows(self) -> list[dict[str, Any]]:
        return searches_data.tier_rows(self)

    def _repr_html_(self) -> str:
        return searches_html.tier_html(self)

    def _label(self) -> str:
        fast = "nothing within the limits"
        if self.chosen is not None:
            fast = f"{len(self.chosen.steps)} of {len(self.steps)} fast"
        return f"TierResult of {self.workflow}: {fast}, {words.samples(self.samples)}"


class Sensitivity(Shown, tornado.Sensitivity):
    """Ranking of the numbers of a workflow's file by their effect on the p90 of the completion time.

    `print` shows the ranking as text. A notebook shows the ranking as HTML.
    """

    notes: tuple[Sentence, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the ranking as a dict, with the data of `planner sensitivity --json` (see docs/reference/json.md).

        Times are in seconds. Shares are numbers from 0 to 1.
        """
        return sensitivities_data.sensitivity_data(self)

    def _text(self, everything: bool) -> str:
        return sensitivity_text(self, everything=everything, more=_MORE)

    def _rows(self) -> list[dict[str, Any]]:
        return sensitivities_data.sensitivity_rows(self)

    def _repr_html_(self) -> str:
        return sensitivities_html.sensitivity_html(self)

    def _label(self) -> str:
        count = len(self.estimates)
        return f"Sensitivity of {self.workflow}: {count} number{_s(count)}, {words.samples(self.samples)}"


class Catalogue(Shown, catalogue.Catalogue):
    """Catalogue of model profiles: the planner's own profiles, and the profiles in the user's catalogue file.

    Load a catalogue with `Catalogue.load()` or `Catalogue.load("my-catalogue.yaml")`.
    """

    def to_dict(self) -> dict[str, Any]:
        """Return the profiles of the catalogue as a dict. Each key is the name of a profile."""
        return {row.pop("name"): row for row in self._rows()}

    def _text(self, everything: bool) -> str:
        return models_text(self._profiles())

    def _rows(self) -> list[dict[str, Any]]:
        return models_data.models_data(self, self._profiles())

    def _repr_html_(self) -> str:
        columns = ("name", "provider", "available", "speed_text", "ttft", "input", "output", "per_hour", "oldest")
        rows = [{key: row[key] for key in columns} for row in self._rows()]
        about = "Speeds in tokens/s, TTFT in seconds, US dollars per million tokens or per hour, age in days."
        return html_elements.rows_html(f"{len(rows)} profiles", rows, [about])

    def _label(self) -> str:
        return f"Catalogue of {len(self.names)} profiles"

    def _profiles(self) -> list[listing.ModelRow]:
        return listing.select_models(listing.model_rows(self), "name")


class _Request(Protocol):
    def run(self) -> Any: ...


def answered(kind: Callable[..., Answer], check: Checks, request: _Request) -> Answer:
    """Run a request, and convert its result to the class `kind`. The notes on the result become sentences.

    Raises InputError if `check` has recorded problems, or if the run finds problems.
    """
    with in_python():
        check.done()
        result = request.run()
    values = {field.name: getattr(result, field.name) for field in fields(result)}
    return kind(**{**values, "notes": worded(result.notes, ARGUMENTS)})


def _scenarios(listed: Sized) -> str:
    return f"{len(listed)} scenario{_s(len(listed))}"


def _s(count: int) -> str:
    return "" if count == 1 else "s"


def _frame(rows: list[dict[str, Any]]) -> pandas.DataFrame:
    try:
        import pandas
    except ImportError as error:
        message = "to_frame() needs pandas, which the planner does not install: pip install pandas; or use to_dict()"
        raise ImportError(message, name="pandas") from error
    nan = float("nan")
    return pandas.DataFrame([{key: nan if value is None else value for key, value in row.items()} for row in rows])
