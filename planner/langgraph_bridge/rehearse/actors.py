"""Chat models, tools and people that do nothing for as long as they are told."""

from __future__ import annotations

import asyncio
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.tools import StructuredTool


class TimedModel(BaseChatModel):
    """Answers after the `seconds` that it is called with."""

    name: str = "model"

    @property
    def _llm_type(self) -> str:
        return "timed"

    def _generate(
        self, messages: list[BaseMessage], stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None, **kwargs: Any,
    ) -> ChatResult:  # fmt: skip
        raise NotImplementedError("call it with ainvoke: it waits on the clock of an event loop")

    async def _agenerate(
        self, messages: list[BaseMessage], stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None, **kwargs: Any,
    ) -> ChatResult:  # fmt: skip
        await asyncio.sleep(kwargs["seconds"])
        return ChatResult(generations=[ChatGeneration(message=AIMessage("done"))])


async def _tool(seconds: float) -> str:
    await asyncio.sleep(seconds)
    return "done"


MODEL = TimedModel()
TOOL = StructuredTool.from_function(coroutine=_tool, name="tool", description="Takes so many seconds.")


async def ask(seconds: float) -> None:
    """A request."""
    await MODEL.ainvoke("go on", seconds=seconds)


async def call(seconds: float) -> None:
    """A go of a tool."""
    await TOOL.ainvoke({"seconds": seconds})


async def wait(seconds: float) -> None:
    """A person, or something else without a model."""
    await asyncio.sleep(seconds)
