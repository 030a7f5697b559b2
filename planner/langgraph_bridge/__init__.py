"""Workflows in; runs on the real LangGraph, and LangGraph applications, out. Only this package imports LangGraph."""

from typing import TYPE_CHECKING

from planner._lazy import export

if TYPE_CHECKING:
    from planner.langgraph_bridge.export.application import application_source as application_source
    from planner.langgraph_bridge.rehearse.rehearsal import rehearse as rehearse
    from planner.langgraph_bridge.rehearse.rehearsal import run_virtually as run_virtually

export(
    __name__,
    {
        "export.application": ["application_source"],
        "rehearse.rehearsal": ["rehearse", "run_virtually"],
    },
)
