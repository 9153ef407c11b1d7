"""A conversation as a Chat Completions request."""

from collections.abc import Iterator

from ccproxy.conversation.facts import ModelFacts
from ccproxy.conversation.losses import RequestError
from ccproxy.conversation.parts import JsonObject, ToolCall
from ccproxy.conversation.repair import repaired
from ccproxy.conversation.request import Request, Tool
from ccproxy.formats.chat.encode_messages import MessageEncoder
from ccproxy.formats.chat.encode_params import ParamsEncoder
from ccproxy.formats.chat.encode_tools import NAME_LIMIT, encode_tools
from ccproxy.formats.codec import Encoded
from ccproxy.formats.names import Renamer


def encode_request(request: Request, facts: ModelFacts) -> Encoded:
    """For the model `facts.id`. Raises RequestError for what must not be dropped."""
    renamer = Renamer(NAME_LIMIT, _known_names(request))
    # tools come first, so that a name does not change when the history grows
    tools, tool_losses = encode_tools(request, renamer)
    params = ParamsEncoder(request, facts)
    messages = MessageEncoder("developer" if facts.reasoning else "system", renamer)
    turns, repairs = repaired(request.turns)
    written: list[JsonObject] = [message for turn in turns for message in messages.turn(turn)]
    if not written:
        raise RequestError("input" if request.wire == "responses" else "messages", "holds nothing to answer")
    system = [part.text for part in request.system] + ([params.instruction] if params.instruction else [])
    if system:
        written.insert(0, messages.system("\n\n".join(system)))
    body = {"model": facts.id, "messages": written, **tools, **params.fields}
    losses = (*repairs, *messages.losses, *tool_losses, *params.losses)
    return Encoded(body, losses, renamer.names())


def _known_names(request: Request) -> Iterator[str]:
    yield from (tool.name for tool in request.tools if isinstance(tool, Tool))
    yield from (part.name for turn in request.turns for part in turn.parts if isinstance(part, ToolCall))
