"""Results in, text, HTML, JSON and CSV out. These functions return strings and data; they print nothing."""

from typing import TYPE_CHECKING

from planner._lazy import export

if TYPE_CHECKING:
    from planner.report.data.comparisons import comparison_json as comparison_json
    from planner.report.data.forecasts import forecast_json as forecast_json
    from planner.report.data.models import model_json as model_json
    from planner.report.progress import Progress as Progress
    from planner.report.text.explanation import explanation_text as explanation_text
    from planner.report.text.forecasts import forecast_text as forecast_text
    from planner.report.text.gantt import gantt as gantt
    from planner.report.text.layout import without_colour as without_colour
    from planner.report.text.models import model_text as model_text
    from planner.report.text.models import models_text as models_text
    from planner.report.text.rehearsal import ahead_text as ahead_text
    from planner.report.text.searches import target_text as target_text
    from planner.report.text.searches import tier_text as tier_text
    from planner.report.text.sensitivities import sensitivity_text as sensitivity_text

export(
    __name__,
    {
        "data.models": ["model_json"],
        "data.comparisons": ["comparison_json"],
        "data.forecasts": ["forecast_json"],
        "progress": ["Progress"],
        "text.explanation": ["explanation_text"],
        "text.gantt": ["gantt"],
        "text.layout": ["without_colour"],
        "text.models": ["model_text", "models_text"],
        "text.rehearsal": ["ahead_text"],
        "text.forecasts": ["forecast_text"],
        "text.searches": ["target_text", "tier_text"],
        "text.sensitivities": ["sensitivity_text"],
    },
)
