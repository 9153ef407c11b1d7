"""What filters ask of a body: its models, the tools that the model calls, its tokens."""

from collections.abc import Iterator
from dataclasses import dataclass

from ccproxy.conversation.parts import JsonObject, Wire
from ccproxy.formats.sse import Reader
from ccproxy.inspector import figures
from ccproxy.inspector.layout import as_object, items, mapping, string
from ccproxy.inspector.recognise import wire_of_answer
from ccproxy.inspector.streams import collected


@dataclass(frozen=True, slots=True)
class Facts:
    """`tools` are the names of the tools that are called; `tokens` is 0 when none are known."""

    models: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
    tokens: int = 0

    def __add__(self, other: "Facts") -> "Facts":
        return Facts(self.models + other.models, self.tools + other.tools, self.tokens + other.tokens)


def request_facts(body: bytes) -> Facts:
    """Of a request: the model that it asks for. Tools that are offered are not called."""
    model = string((as_object(body) or {}).get("model"))
    return Facts((model,)) if model else Facts()


def answer_facts(path: str, body: bytes) -> Facts:
    """Of an answer in any format, JSON or a stream, as far as it came."""
    wire = wire_of_answer(path, body)
    if wire is None:
        return Facts()
    whole = as_object(body) if body.lstrip()[:1] == b"{" else None
    return _facts(wire, whole or collected(wire, (event.data for event in Reader().feed(body))).answer)


def frame_facts(frame: bytes) -> Facts:
    """Of one frame of a WebSocket in Responses mode."""
    event = as_object(frame) or {}
    if event.get("type") == "response.create":
        return request_facts(frame)
    if isinstance(event.get("item"), dict):
        return Facts(tools=tuple(_called("responses", {"output": [event["item"]]})))
    return _facts("responses", mapping(event.get("response"))) if "response" in event else Facts()


def _facts(wire: Wire, answer: JsonObject) -> Facts:
    reader = figures.read(wire, answer)
    tokens = (reader.usage.input or 0) + (reader.usage.output or 0)
    return Facts((reader.model,) if reader.model else (), tuple(_called(wire, answer)), tokens)


def _called(wire: Wire, answer: JsonObject) -> Iterator[str]:
    """The names of the tools; of those that have none, as a provider's own, the kind: `web_search`."""
    match wire:
        case "anthropic":
            blocks = map(mapping, items(answer.get("content")))
            calls = [block for block in blocks if string(block.get("type")).endswith("tool_use")]
        case "chat":
            messages = [mapping(mapping(one).get("message")) for one in items(answer.get("choices"))]
            made = [mapping(call) for message in messages for call in items(message.get("tool_calls"))]
            calls = [mapping(call.get("function") or call.get("custom")) for call in made]
            calls += [mapping(message.get("function_call")) for message in messages]
        case "responses":
            output = map(mapping, items(answer.get("output")))
            calls = [item for item in output if string(item.get("type")).endswith("_call")]
    for call in calls:
        if name := string(call.get("name")) or string(call.get("type")).removesuffix("_call"):
            yield name
