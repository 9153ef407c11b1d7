"""A conversation as people read it: who said what, which tools were called, how it ended, what it took.

Texts are shown in full, bytes as type and size. A credential that a request carries in its body (for the
server of somebody else's tools) is hidden; nothing else is. Nothing here raises: what cannot be read is
shown as it came.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ccproxy.conversation.parts import JsonObject, Wire
from ccproxy.formats.sse import Reader
from ccproxy.inspector import chat, figures, messages, responses
from ccproxy.inspector.frames import Frame, Turn, turns
from ccproxy.inspector.layout import (
    Lines,
    apart,
    as_object,
    items,
    mapping,
    pretty,
    section,
    settings,
    shown,
    string,
    text_lines,
)
from ccproxy.inspector.streams import ENDS, Collected, collected


@dataclass(frozen=True, slots=True)
class _Words:
    """How one format's conversations are told."""

    name: str
    request: Callable[[JsonObject], Lines]
    answer: Callable[[JsonObject], Lines]


_WORDS: dict[Wire, _Words] = {
    "anthropic": _Words("Messages", messages.request_lines, messages.answer_lines),
    "chat": _Words("Chat Completions", chat.request_lines, chat.answer_lines),
    "responses": _Words("Responses", responses.request_lines, responses.answer_lines),
}


def conversation_text(wire: Wire, request: bytes | None = None, answer: bytes | None = None) -> str:
    """A request, its answer (JSON or a stream of events), or one after the other."""
    told = []
    if request is not None:
        told.append(_safely(lambda: _request(wire, request), request))
    if answer is not None:
        told.append(_safely(lambda: _answer(wire, answer), answer))
    return "\n\n".join(told)


def frame_text(frame: bytes, before: Sequence[bytes] = ()) -> str:
    """A frame of a WebSocket in Responses mode; `before` are the server's frames of the same turn.

    The last frame of a turn tells the whole answer.
    """
    return _safely(lambda: _frame(frame, before), frame)


def socket_text(frames: Sequence[Frame]) -> str:
    """The whole conversation on a WebSocket in Responses mode, turn after turn; "" where there is none."""
    return "\n\n".join(_turn(number, turn) for number, turn in enumerate(turns(frames), 1))


def _turn(number: int, turn: Turn) -> str:
    asked = frame_text(turn.request.content) if turn.request else "What was asked is not kept."
    events = [frame.content.decode("utf-8", "replace") for frame in turn.answer]
    answer = "\n".join(events).encode()
    said = _safely(lambda: _told("responses", collected("responses", events)), answer) if events else ""
    blocks = [text.split("\n") for text in (asked, said) if text]
    return "\n".join(section(f"Turn {number}", apart(blocks)))


def _safely(lines: Callable[[], Lines | list[str]], body: bytes) -> str:
    try:
        return "\n".join(lines())
    except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError):
        return body.decode("utf-8", "replace")


def _request(wire: Wire, body: bytes) -> Lines | list[str]:
    value = as_object(body)
    return _WORDS[wire].request(value) if value is not None else text_lines(body.decode("utf-8", "replace"))


def _answer(wire: Wire, body: bytes) -> Lines | list[str]:
    value = as_object(body)
    if value is not None:
        return _told(wire, Collected(value, ended=True))
    events = [event.data for event in Reader().feed(body)]
    if not events:
        return text_lines(body.decode("utf-8", "replace"))
    return _told(wire, collected(wire, events))


def _told(wire: Wire, whole: Collected) -> Lines:
    """An answer: its content, and below it how it ended."""
    answer, words = whole.answer, _WORDS[wire]
    error = whole.error or answer.get("error")
    model = f" from {answer['model']}" if answer.get("model") else ""
    which = f" ({answer['id']})" if answer.get("id") else ""
    yield f"{words.name} answer{model}{which}"
    yield ""
    said = list(words.answer(answer)) if _has_content(answer) else []
    yield from apart(
        [
            section("Assistant", said) if said else [],
            _others(answer) if whole.ended and not (said or error) else [],
            _error(error) if error else [],
            _end(wire, whole),
        ]
    )


def _has_content(answer: JsonObject) -> bool:
    return any(answer.get(name) for name in ("content", "choices", "output"))


_TOLD = frozenset(("id", "type", "role", "model", "object", "created", "created_at", "usage", "error")) | {
    "content",
    "choices",
    "output",
    "input_tokens",
}
"""Fields of an answer that are told elsewhere, or tell nothing."""


def _others(answer: JsonObject) -> Lines:
    """What an answer without a conversation says: a count of tokens, something new."""
    return settings({name: value for name, value in answer.items() if name not in _TOLD})


def _end(wire: Wire, whole: Collected) -> Lines:
    answer = whole.answer
    if not whole.ended and not whole.error:
        yield "The stream broke off: this is what came."
    reader = figures.read(wire, answer)
    reasons = [choice.get("finish_reason") for choice in map(mapping, items(answer.get("choices")))]
    reason = ", ".join(map(str, reasons)) if len(reasons) > 1 else reader.stop_reason
    if reason:
        sequence = f" at {shown(answer['stop_sequence'])}" if answer.get("stop_sequence") else ""
        yield f"Ended: {reason}{sequence}"
    if details := mapping(answer.get("stop_details")):
        yield f"Because: {shown(details)}"
    if used := figures.tokens(reader.usage):
        yield f"Tokens: {used}"
    if cost := figures.cost(reader.usage):
        yield f"Cost: {cost}"


def _error(error: object) -> Lines:
    value = mapping(error)
    name = f" {value['type']}" if value.get("type") not in (None, "error") else ""
    code = f" ({value['code']})" if value.get("code") else ""
    others = {key: inner for key, inner in value.items() if key not in ("type", "code", "message")}
    message = string(value.get("message"))
    said = [*(text_lines(message) if message else []), *settings({k: v for k, v in others.items() if v})]
    yield from section(f"Error{name}{code}", said or pretty(error))


def _frame(frame: bytes, before: Sequence[bytes]) -> Lines | list[str]:
    event = as_object(frame)
    if event is None:
        return text_lines(frame.decode("utf-8", "replace"))
    kind = string(event.get("type"))
    rest = {name: value for name, value in event.items() if name not in ("type", "sequence_number")}
    if kind == "response.create":
        return responses.request_lines(rest)
    if kind in ENDS or kind == "error":
        data = [one.decode("utf-8", "replace") for one in (*before, frame)]
        return _told("responses", collected("responses", data))
    if kind == "response.output_item.done":
        return section(kind, responses.item_lines(event.get("item"), {}))
    if response := mapping(event.get("response")):
        return [f"{kind}  ({response.get('id')})"]
    if kind.endswith(".delta"):
        return [f"{kind}  {shown(event.get('delta'))}"]
    return section(kind, settings(rest)) if kind else settings(rest)
