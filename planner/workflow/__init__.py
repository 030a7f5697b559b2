"""A workflow file in, a validated `Workflow` out, or the problems of this file and of the files that it uses."""

from typing import TYPE_CHECKING

from planner._lazy import export

if TYPE_CHECKING:
    from planner.workflow.backlog import Backlog as Backlog
    from planner.workflow.bodies import AgentLoop as AgentLoop
    from planner.workflow.bodies import Llm as Llm
    from planner.workflow.bodies import Tool as Tool
    from planner.workflow.crews import PRESETS as PRESETS
    from planner.workflow.declaration import RUNTIMES as RUNTIMES
    from planner.workflow.declaration import ForEach as ForEach
    from planner.workflow.declaration import Step as Step
    from planner.workflow.declaration import Workflow as Workflow
    from planner.workflow.reader import read_workflow as read_workflow

export(
    __name__,
    {
        "backlog": ["Backlog"],
        "bodies": ["AgentLoop", "Llm", "Tool"],
        "crews": ["PRESETS"],
        "declaration": ["RUNTIMES", "ForEach", "Step", "Workflow"],
        "reader": ["read_workflow"],
    },
)
