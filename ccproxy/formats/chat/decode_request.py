"""A Chat Completions request as a conversation."""

from ccproxy.conversation.parts import JsonObject
from ccproxy.conversation.request import Request
from ccproxy.formats.chat.decode_messages import decode_messages
from ccproxy.formats.chat.decode_params import decode_params, others
from ccproxy.formats.chat.decode_tools import decode_choice, decode_tools
from ccproxy.formats.codec import Decoded
from ccproxy.formats.reading import text


def decode_request(body: JsonObject) -> Decoded:
    """Raises RequestError for what is wrong or cannot be carried at all."""
    model = text(body.get("model"), "model")
    params = decode_params(body)
    tools = decode_tools(body)
    choice = decode_choice(body, tools)
    system, turns = decode_messages(body.get("messages"))
    return Decoded(Request("chat", model, turns, system, tools, choice, params, others(body)))
