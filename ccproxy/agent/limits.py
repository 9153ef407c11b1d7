"""What a client can ask of a model, and not of Claude Code: it sets these things itself.

Carried are: the model, effort levels, the system prompt (behind Claude Code's own), the client's own tools,
text, images and documents.
"""

from collections.abc import Iterator

from ccproxy.conversation.losses import Loss
from ccproxy.conversation.request import HostedTool, Request, Tool, WebSearch
from ccproxy.formats.anthropic.paths import path

_SETS_ITSELF = "Claude Code sets this itself."
_HARMLESS = frozenset({"metadata", "diagnostics", "safeguards"})
"""What Messages clients say about themselves, and not about the answer."""


def losses(request: Request) -> tuple[Loss, ...]:
    """What of the request Claude Code does not get, by the names of the client's own fields."""
    return (*_params(request), *_thinking(request), *_tools(request), *_others(request))


def _params(request: Request) -> Iterator[Loss]:
    """`max_tokens` of a Messages request is no wish: every one has to name it."""
    params = request.params
    service = "speed" if request.wire == "anthropic" and params.service_tier == "priority" else "service_tier"
    said = {
        "temperature": params.temperature not in (None, 1),
        "top_p": params.top_p not in (None, 1),
        "top_k": params.top_k is not None,
        "stop": bool(params.stop),
        "max_tokens": params.max_tokens is not None and request.wire != "anthropic",
        "output": params.output is not None,
        service: params.service_tier not in (None, "auto"),
    }
    for field, is_said in said.items():
        if is_said:
            yield Loss(path(request.wire, field), _SETS_ITSELF)


def _thinking(request: Request) -> Iterator[Loss]:
    wanted = request.params.thinking
    why = "Claude Code decides when to think; an effort level is what it takes."
    if wanted.budget is not None:
        yield Loss(path(request.wire, "budget"), why)
    elif wanted.mode == "disabled":
        yield Loss(path(request.wire, "thinking"), why)
    elif wanted.effort == "none":
        yield Loss(path(request.wire, "effort"), why)


def _tools(request: Request) -> Iterator[Loss]:
    choice = request.tool_choice
    if choice and (choice.mode not in ("auto", "none") or choice.allowed is not None):
        yield Loss("tool_choice", "Claude Code decides which tool to call.")
    if request.params.parallel_tool_calls is False:
        yield Loss(path(request.wire, "parallel_tool_calls"), "Claude Code calls tools as it likes.")
    for tool in request.tools:
        match tool:
            case WebSearch() | HostedTool():
                yield Loss(tool.path, "Claude Code has tools of its own instead of the provider's.")
            case Tool() if tool.strict:
                yield Loss(f"{tool.path}.strict", "Nothing enforces the schema of a tool.")


def _others(request: Request) -> Iterator[Loss]:
    """What only the Messages API understands. In other formats the translation has said so already."""
    if request.wire != "anthropic":
        return
    for at in request.others:
        if at.partition(".")[0] not in _HARMLESS:
            yield Loss(at, "Claude Code has nothing like it.")
