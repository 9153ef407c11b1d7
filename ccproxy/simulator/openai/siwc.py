"""What a token of Sign in with ChatGPT may do on the public API: stream Responses that nothing stores.

Sources: OpenAI's developer pages on Sign in with ChatGPT and programs built on them, read 2026-11-22.
"""

from typing import Any

from ccproxy.simulator.openai.catalogue import models
from ccproxy.simulator.openai.errors import ApiError

REFUSED = (
    "background",
    "conversation",
    "max_output_tokens",
    "max_tool_calls",
    "metadata",
    "moderation",
    "multi_agent",
    "prompt",
    "prompt_cache_key",
    "prompt_cache_options",
    "prompt_cache_retention",
    "safety_identifier",
    "service_tier",
    "temperature",
    "top_logprobs",
    "top_p",
    "truncation",
    "user",
)
REFUSED_TOOLS = frozenset({"code_interpreter", "file_search", "image_generation", "mcp", "tool_search"})
CODE = "subscription_sharing_unsupported_capability"


def refuse_route() -> ApiError:
    message = "This endpoint is not available with plan usage."
    return ApiError(403, message, code="subscription_sharing_route_not_supported")


def check_body(data: dict[str, Any]) -> None:
    """Raises ApiError for what a plan does not pay for. Looks at the body as it was sent."""
    for param in REFUSED:
        if data.get(param) is not None:
            raise _unsupported(param)
    for param, wanted in (("stream", True), ("store", False)):
        if data.get(param) is not wanted:
            raise _unsupported(param, f"must be {str(wanted).lower()}")
    items = data.get("input")
    for number, item in enumerate(items if isinstance(items, list) else []):
        if isinstance(item, dict) and item.get("role") == "system":
            raise _unsupported(f"input[{number}].role", "cannot be system")
    tools = data.get("tools")
    for number, tool in enumerate(tools if isinstance(tools, list) else []):
        if isinstance(tool, dict) and str(tool.get("type")) in REFUSED_TOOLS:
            raise _unsupported(f"tools[{number}].type")
    if isinstance(data.get("tool_choice"), dict):
        raise _unsupported("tool_choice", "cannot name one tool")


def _unsupported(param: str, why: str = "is not supported") -> ApiError:
    return ApiError(400, f"'{param}' {why} with plan usage.", param=param, code=CODE)


def model_list() -> dict[str, Any]:
    """The catalogue as this route has it: not the shape of `GET /models` with a key."""
    return {
        "models": [
            {"slug": model.id, "display_name": model.id} for model in models().values() if model.phases
        ]
    }
