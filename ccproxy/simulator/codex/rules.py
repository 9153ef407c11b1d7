"""What the ChatGPT backend refuses although the public Responses API takes it (read 2026-11-22).

These checks look at the body as it was sent; what passes goes through the checks of the public API as well.
"""

from typing import Any

from ccproxy.simulator.codex.caller import Caller
from ccproxy.simulator.codex.errors import Detail
from ccproxy.simulator.openai.responses_request import without_internals

UNSUPPORTED = (
    "max_output_tokens",
    "max_completion_tokens",
    "max_tokens",
    "temperature",
    "top_p",
    "truncation",
    "user",
    "metadata",
    "safety_identifier",
    "prompt_cache_retention",
    "prompt_cache_options",
    "context_management",
    "background",
)
HTTP_ONLY = ("generate", "previous_response_id")
"""Refused over HTTP, where nothing is stored; good on a WebSocket."""
PUBLIC_OPTIONS = frozenset({"include_usage", "include_obfuscation"})
"""The stream options of the public API; the Codex client has others of its own."""
TIERS = (None, "priority")
TOOLS = frozenset(
    {"function", "custom", "web_search", "image_generation", "local_shell", "namespace", "tool_search"}
)
LITE_ON_SOCKET = "ws_request_header_x_openai_internal_codex_responses_lite"


def check_create(data: dict[str, Any], caller: Caller, *, websocket: bool = False) -> dict[str, Any]:
    """The body of a create request without what only the Codex client sends. Raises Detail."""
    for name in UNSUPPORTED if websocket else (*UNSUPPORTED, *HTTP_ONLY):
        if name in data:
            raise _unsupported(name)
    options = data.get("stream_options")
    if options is not None and (
        not isinstance(options, dict) or not options.keys().isdisjoint(PUBLIC_OPTIONS)
    ):
        raise _unsupported("stream_options")
    if not websocket and data.get("stream") is not True:
        raise Detail(400, "Stream must be set to true")
    if data.get("store") is not False:
        raise Detail(400, "Store must be set to false")
    if data.get("service_tier") not in TIERS:
        raise Detail(400, f"Unsupported service_tier: {data['service_tier']}")
    return check_prompt(data, caller)


def check_prompt(data: dict[str, Any], caller: Caller) -> dict[str, Any]:
    """The rules about instructions, input and tools, which compaction shares. Raises Detail."""
    items = data.get("input")
    if not isinstance(items, list):
        raise Detail(400, "Input must be a list")
    for item in items:
        _check_item(item)
    if not isinstance(data.get("instructions"), str) and not _instructed_by_input(data, items, caller):
        raise Detail(400, "Instructions are required")
    tools = data.get("tools")
    for tool in tools if isinstance(tools, list) else []:
        kind = tool.get("type") if isinstance(tool, dict) else None
        if str(kind) not in TOOLS:
            raise Detail(400, f"Unsupported tool type: {kind}")
    return without_internals({name: value for name, value in data.items() if name != "stream_options"})


def _instructed_by_input(data: dict[str, Any], items: list[Any], caller: Caller) -> bool:
    """Newer clients leave the field out and put their prompt into the input, for some models with a flag.

    On a WebSocket the flag is in the metadata of each message (Codex CLI 0.169).
    """
    if "instructions" in data:
        return False
    metadata = data.get("client_metadata")
    flagged = isinstance(metadata, dict) and metadata.get(LITE_ON_SOCKET) == "true"
    return caller.lite or flagged or any(item.get("role") == "developer" for item in items)


def _check_item(item: Any) -> None:
    if not isinstance(item, dict):
        raise Detail(400, "Input must be a list of items")
    if item.get("role") == "system":
        raise Detail(400, "System messages are not allowed")
    content = item.get("content")
    for part in content if isinstance(content, list) else []:
        if isinstance(part, dict) and "prompt_cache_breakpoint" in part:
            raise _unsupported("prompt_cache_breakpoint")


def _unsupported(name: str) -> Detail:
    return Detail(400, f"Unsupported parameter: {name}")
