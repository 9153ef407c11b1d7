"""The `response` object: what was asked for, said back, and what came of it."""

from dataclasses import dataclass
from typing import Any, Literal

from ccproxy.simulator.openai.catalogue import Model
from ccproxy.simulator.openai.chat_answer import CREATED, TIERS
from ccproxy.simulator.openai.responses_request import JsonSchemaFormat, ResponsesRequest
from ccproxy.simulator.openai.responses_tools import FunctionTool, Tool
from ccproxy.simulator.openai.schemas import strict_problem
from ccproxy.simulator.openai.usage import InputTokens
from ccproxy.simulator.script import Script

type Status = Literal["queued", "in_progress", "completed", "incomplete", "failed"]

INCOMPLETE = {
    "max_tokens": "max_output_tokens",
    "pause_turn": "content_filter",  # no counterpart here: stands in for the reason that has none there
}


@dataclass(frozen=True, slots=True)
class ResponseObject:
    """What every state of one response is written from."""

    id: str
    request: ResponsesRequest
    model: Model
    script: Script
    input: InputTokens

    @property
    def final_status(self) -> Status:
        return "incomplete" if self.script.stop in INCOMPLETE else "completed"

    @property
    def usage(self) -> dict[str, Any]:
        output = self.script.output_tokens
        written = self.input.written if self.model.cache_writes else 0
        return {
            "input_tokens": self.input.total,
            "input_tokens_details": {"cached_tokens": self.input.cached, "cache_write_tokens": written},
            "output_tokens": output,
            "output_tokens_details": {"reasoning_tokens": self.script.thinking_tokens},
            "total_tokens": self.input.total + output,
        }

    def state(
        self, status: Status, output: list[dict[str, Any]], error: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        done = status in ("completed", "incomplete")
        reason = INCOMPLETE.get(self.script.stop) if status == "incomplete" else None
        return {
            "id": self.id,
            "object": "response",
            "created_at": CREATED,
            "status": status,
            "completed_at": CREATED + 1 if status == "completed" else None,
            "error": error,
            "incomplete_details": {"reason": reason} if reason else None,
            "output": output,
            "usage": self.usage if done else None,
            **self._said_back(),
        }

    def _said_back(self) -> dict[str, Any]:
        asked = self.request
        return {
            "background": bool(asked.background),
            "instructions": asked.instructions,
            "max_output_tokens": asked.max_output_tokens,
            "max_tool_calls": asked.max_tool_calls,
            "metadata": asked.metadata or {},
            "model": asked.model,
            "parallel_tool_calls": asked.parallel_tool_calls is not False,
            "previous_response_id": asked.previous_response_id,
            "prompt_cache_key": asked.prompt_cache_key,
            "reasoning": self._reasoning(),
            "safety_identifier": asked.safety_identifier,
            "service_tier": TIERS.get(asked.service_tier or "", "default"),
            "store": asked.stored,
            "temperature": 1.0 if asked.temperature is None else asked.temperature,
            "text": self._text(),
            "tool_choice": self._tool_choice(),
            "tools": [_tool(tool) for tool in asked.tools or ()],
            "top_logprobs": asked.top_logprobs or 0,
            "top_p": 1.0 if asked.top_p is None else asked.top_p,
            "truncation": asked.truncation or "disabled",
            "user": asked.user,
        }

    def _reasoning(self) -> dict[str, Any]:
        asked = self.request.reasoning
        default = "medium" if self.model.reasons else None
        summary = (asked.summary or asked.generate_summary) if asked is not None else None
        return {"effort": self.request.effort or default, "summary": summary}

    def _text(self) -> dict[str, Any]:
        asked = self.request.text
        shape: dict[str, Any] = {"type": "text"}
        if asked is not None and asked.format is not None:
            shape = asked.format.model_dump(exclude_unset=True)
            if isinstance(asked.format, JsonSchemaFormat):
                shape = {"description": None, "strict": False} | shape
        return {"format": shape, "verbosity": (asked.verbosity if asked else None) or "medium"}

    def _tool_choice(self) -> Any:
        choice = self.request.tool_choice
        if choice is None or isinstance(choice, str):
            return choice or "auto"
        return choice.model_dump(exclude_unset=True)


def _tool(tool: Tool) -> dict[str, Any]:
    """A function is strict when its schema allows, unless the request says otherwise."""
    said: dict[str, Any] = tool.model_dump(exclude_unset=True)
    if not isinstance(tool, FunctionTool):
        return said
    strict = tool.strict
    if strict is None:
        strict = tool.parameters is not None and strict_problem(tool.parameters) is None
    return {"description": None, "parameters": None} | said | {"strict": strict}
