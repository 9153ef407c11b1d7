"""A conversation as a request to OpenAI's Responses API (API reference, read 2026-11-22)."""

from collections.abc import Iterable, Iterator

from ccproxy.conversation.facts import ModelFacts
from ccproxy.conversation.losses import Loss, RequestError
from ccproxy.conversation.parts import JsonObject, ToolCall
from ccproxy.conversation.repair import repaired
from ccproxy.conversation.request import Request, Tool
from ccproxy.formats.codec import Encoded
from ccproxy.formats.names import Renamer
from ccproxy.formats.responses.encode_items import encode_items
from ccproxy.formats.responses.encode_params import encode_params
from ccproxy.formats.responses.encode_tools import encode_choice, encode_tools

NAME_LIMIT = 64


def encode_request(request: Request, facts: ModelFacts) -> Encoded:
    """For `facts.id`; nothing is stored, and reasoning comes back encrypted. Raises RequestError."""
    turns, losses = repaired(request.turns)
    names = Renamer(NAME_LIMIT, _known(request))
    items, lost_parts = encode_items(turns, names)
    if not items:
        raise RequestError("input" if request.wire == "responses" else "messages", "holds nothing to answer")
    tools, lost_tools = encode_tools(request.tools, names)
    params, lost_params = encode_params(request, facts)
    body: JsonObject = {"model": facts.id}
    if instructions := "\n\n".join(text.text for text in request.system if text.text):
        body["instructions"] = instructions
    body["input"] = items
    body |= _with_tools(request, tools, names)
    body |= params
    lost_others = _put_back(body, request)
    return Encoded(body, (*losses, *lost_parts, *lost_tools, *lost_params, *lost_others), names.names())


def _known(request: Request) -> Iterator[str]:
    yield from (tool.name for tool in request.tools if isinstance(tool, Tool))
    yield from (part.name for turn in request.turns for part in turn.parts if isinstance(part, ToolCall))


def _with_tools(request: Request, tools: list[JsonObject], names: Renamer) -> JsonObject:
    choice = request.tool_choice
    if not tools:
        if choice and choice.mode in ("required", "tool"):
            raise RequestError("tool_choice", "asks for a tool, and there is none")
        return {}
    body: JsonObject = {"tools": tools}
    if choice:
        body["tool_choice"] = encode_choice(choice, request.tools, names)
    if request.params.parallel_tool_calls is not None:
        body["parallel_tool_calls"] = request.params.parallel_tool_calls
    return body


def _put_back(body: JsonObject, request: Request) -> Iterable[Loss]:
    """What only this format can say goes back to where it stood; what others said is lost."""
    if request.wire != "responses":
        return [Loss(path, "OpenAI's Responses API has no such field.") for path in request.others]
    for path, value in request.others.items():
        group, _, name = path.partition(".")
        if name and group in ("reasoning", "text"):
            body[group] = {**body.get(group, {}), name: value}
        else:
            body[path] = value
    return ()
