"""Workflows in, real LangGraph runs and applications out. Nothing else of ours imports LangGraph."""

from typing import TYPE_CHECKING

from planner._lazy import export

if TYPE_CHECKING:
    from planner.langgraph_bridge.export.application import exported as exported
    from planner.langgraph_bridge.rehearse.rehearsal import performed as performed
    from planner.langgraph_bridge.rehearse.rehearsal import rehearse as rehearse

export(
    __name__,
    {
        "export.application": ["exported"],
        "rehearse.rehearsal": ["performed", "rehearse"],
    },
)
