"""A workflow and crew sizes in; a `TaskGraph` and the demands of its tasks for every sample out.

`graph` has the data structures and joins fragments. `build` makes fragments of declared steps. `supersteps` orders
steps as LangGraph does. `draw` draws demands and conditions."""

from typing import TYPE_CHECKING

from planner._lazy import export

if TYPE_CHECKING:
    from planner.expansion.draw.condition_draws import ConditionDraws as ConditionDraws
    from planner.expansion.draw.demand import Demand as Demand
    from planner.expansion.draw.demand import Layers as Layers
    from planner.expansion.draw.demand import ServingTraits as ServingTraits
    from planner.expansion.draw.demand_draws import DemandCache as DemandCache
    from planner.expansion.draw.demand_draws import DemandDraws as DemandDraws
    from planner.expansion.draw.estimates import draw_estimate as draw_estimate
    from planner.expansion.draw.occurrence import Occurrence as Occurrence
    from planner.expansion.expand import expand as expand
    from planner.expansion.graph.conditions import EVERY as EVERY
    from planner.expansion.graph.conditions import Guard as Guard
    from planner.expansion.graph.conditions import Index as Index
    from planner.expansion.graph.conditions import Loop as Loop
    from planner.expansion.graph.graph_form import GraphForm as GraphForm
    from planner.expansion.graph.graph_form import Node as Node
    from planner.expansion.graph.graph_form import Option as Option
    from planner.expansion.graph.graph_form import Sending as Sending
    from planner.expansion.graph.order import in_order as in_order
    from planner.expansion.graph.task_graph import DEFAULT_CREW as DEFAULT_CREW
    from planner.expansion.graph.task_graph import TaskGraph as TaskGraph
    from planner.expansion.graph.task_graph import crew_sizes as crew_sizes
    from planner.expansion.graph.task_graph import draw_key_function as draw_key_function
    from planner.expansion.graph.task_graph import resized as resized
    from planner.expansion.graph.work import Work as Work
    from planner.expansion.supersteps.runtime import Runtime as Runtime
    from planner.expansion.supersteps.runtime import on_runtime as on_runtime
    from planner.expansion.supersteps.token_game import GraphRun as GraphRun
    from planner.expansion.supersteps.token_game import Key as Key
    from planner.expansion.supersteps.token_game import Routing as Routing
    from planner.expansion.supersteps.token_game import play as play

export(
    __name__,
    {
        "draw.condition_draws": ["ConditionDraws"],
        "draw.demand": ["Demand", "Layers", "ServingTraits"],
        "draw.demand_draws": ["DemandCache", "DemandDraws"],
        "draw.estimates": ["draw_estimate"],
        "draw.occurrence": ["Occurrence"],
        "expand": ["expand"],
        "graph.conditions": ["EVERY", "Guard", "Index", "Loop"],
        "graph.graph_form": ["GraphForm", "Node", "Option", "Sending"],
        "graph.order": ["in_order"],
        "graph.task_graph": ["DEFAULT_CREW", "TaskGraph", "crew_sizes", "draw_key_function", "resized"],
        "graph.work": ["Work"],
        "supersteps.runtime": ["Runtime", "on_runtime"],
        "supersteps.token_game": ["GraphRun", "Key", "Routing", "play"],
    },
)
