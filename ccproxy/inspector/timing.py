"""When what happened, in seconds since the request came. Plain values, so that flow files can keep them."""

import re
from collections.abc import Iterable, Mapping
from itertools import pairwise

from ccproxy.conversation.parts import Wire
from ccproxy.conversation.usage import Usage
from ccproxy.exchange import Exchange
from ccproxy.formats.sse import Reader
from ccproxy.inspector import figures
from ccproxy.inspector.frames import Turn
from ccproxy.inspector.layout import items, size

Span = list[float]
"""When something began, and how long it took."""

Times = dict[str, float | int | Span | list[Span]]

STALL = 1.0
"""Seconds of silence in the middle of an answer that a person notices."""

MOST_STALLS = 10

SHORTEST = 0.1
"""Seconds below which the speed of an answer says nothing: it came in one go."""

_MOMENTS = {
    "sent": "Sent",
    "first_byte": "First byte",
    "first_text": "First text",
    "last_byte": "Last byte",
    "ended": "Ended",
}
_PHASES = {"thinking": "Thinking", "arguments": "Arguments"}
_SPANS = {"connect": "Connecting", "tls": "TLS", "gap": "Longest gap"}

_CHAT_DELTA = r'"delta"\s*:\s*\{.*'

_SAYS: dict[Wire, dict[str, re.Pattern[str]]] = {
    "anthropic": {
        "thinking": re.compile(r'"thinking_delta"'),
        "text": re.compile(r'"text_delta"'),
        "arguments": re.compile(r'"input_json_delta"'),
    },
    "chat": {
        "thinking": re.compile(_CHAT_DELTA + r'"reasoning(?:_content)?"\s*:\s*"[^"]', re.DOTALL),
        "text": re.compile(_CHAT_DELTA + r'"content"\s*:\s*"[^"]', re.DOTALL),
        "arguments": re.compile(_CHAT_DELTA + r'"tool_calls"\s*:\s*\[', re.DOTALL),
    },
    "responses": {
        "thinking": re.compile(r'"response\.reasoning(?:_summary)?_text\.delta"'),
        "text": re.compile(r'"response\.(?:output_text|refusal)\.delta"'),
        "arguments": re.compile(r'"response\.(?:function_call_arguments|custom_tool_call_input)\.delta"'),
    },
}
"""What only events of that kind have: in the texts that they carry a quote has a backslash before it."""


def times_of(exchange: Exchange) -> Times:
    """What an exchange knows of its times, as far as there is something to know."""
    moments = {name: getattr(exchange, name) for name in _MOMENTS}
    times: Times = {name: moment - exchange.started for name, moment in moments.items() if moment is not None}
    if exchange.longest_gap:
        times["gap"] = exchange.longest_gap
    if exchange.retries:
        times["retries"] = exchange.retries
    if exchange.bytes_out:
        times["bytes"] = exchange.bytes_out
    return times


def stream_times(wire: Wire | None, heard: list[tuple[float, bytes]], usage: Usage) -> Times:
    """What the pieces that a client got of a stream tell: phases, stalls and speed."""
    times: Times = {}
    stalls = [[at, then - at] for (at, _), (then, _) in pairwise(heard) if then - at > STALL]
    if stalls:
        times["stalls"] = stalls[:MOST_STALLS]
    phases = _phases(wire, heard) if wire else {}
    text, arguments, thinking = (phases.get(name) for name in ("text", "arguments", "thinking"))
    speaks = min((phase[0] for phase in (text, arguments) if phase), default=None)
    if thinking:
        until = speaks if speaks is not None and speaks >= thinking[0] else thinking[1]
        times["thinking"] = [thinking[0], until - thinking[0]]
    if arguments:
        times["arguments"] = [arguments[0], arguments[1] - arguments[0]]
    if speed := _speed(phases, speaks, usage):
        times["speed"] = speed
    return times


def _phases(wire: Wire, heard: Iterable[tuple[float, bytes]]) -> dict[str, tuple[float, float]]:
    """For each kind of content, when the first and the last piece of it came."""
    phases: dict[str, tuple[float, float]] = {}
    reader = Reader()
    for at, piece in heard:
        for event in reader.feed(piece):
            for kind, pattern in _SAYS[wire].items():
                if pattern.search(event.data):
                    phases[kind] = (phases.get(kind, (at, at))[0], at)
    return phases


def _speed(phases: Mapping[str, tuple[float, float]], speaks: float | None, usage: Usage) -> float | None:
    """Tokens per second since the answer began to flow: with its thinking, where that is not told apart."""
    if usage.output is None or speaks is None:
        return None
    thought = usage.reasoning is None and "thinking" in phases
    begin = min(speaks, phases["thinking"][0]) if thought else speaks
    took = max(end for _, end in phases.values()) - begin
    return (usage.output - (usage.reasoning or 0)) / took if took >= SHORTEST else None


def timing_text(times: Mapping[str, object]) -> str:
    """The times, one a line: moments in their order, then spans, counts and stalls."""
    known = [
        (at, label, f"at {figures.seconds(at)}")
        for name, label in _MOMENTS.items()
        if isinstance(at := times.get(name), int | float)
    ]
    for name, label in _PHASES.items():
        if said := _span(times.get(name)):
            known.append((said[0], label, _during(said)))
    lines = [f"{label:<14}{said}" for _, label, said in sorted(known)]
    for name, label in _SPANS.items():
        if isinstance(span := times.get(name), int | float):
            lines.append(f"{label:<14}{figures.seconds(span)}")
    if isinstance(speed := times.get("speed"), int | float):
        lines.append(f"{'Speed':<14}{speed:.0f} tokens/s")
    if isinstance(retries := times.get("retries"), int):
        lines.append(f"{'Retries':<14}{retries}")
    if isinstance(count := times.get("bytes"), int):
        lines.append(f"{'Received':<14}{size(count)}")
    stalls = [span for stall in items(times.get("stalls")) if (span := _span(stall))]
    lines += [f"{'' if number else 'Stalls':<14}{_during(stall)}" for number, stall in enumerate(stalls)]
    return "\n".join(lines) or "No times are known."


def turns_text(turns: Iterable[Turn], began: float) -> str:
    """The turns on a socket that was opened at `began`, one a line; their times count from their requests."""
    return "\n".join(f"Turn {n:<9}{_turn(turn, began)}" for n, turn in enumerate(turns, 1)) or "No turns."


def _turn(turn: Turn, began: float) -> str:
    moments = [frame.at for frame in turn.answer]
    asked = turn.request.at if turn.request else moments[0]
    told = [f"at {figures.seconds(asked - began)}"]
    if moments:
        told.append(f"first event {figures.seconds(moments[0] - asked)}")
    text = _SAYS["responses"]["text"]
    spoke = (frame.at for frame in turn.answer if text.search(frame.content.decode("utf-8", "replace")))
    if (first := next(spoke, None)) is not None:
        told.append(f"first text {figures.seconds(first - asked)}")
    told.append(f"ended {figures.seconds(moments[-1] - asked)}" if turn.ended else "not ended")
    if gaps := [then - at for at, then in pairwise(moments)]:
        told.append(f"longest gap {figures.seconds(max(gaps))}")
    return ", ".join(told)


def _span(value: object) -> Span | None:
    numbers = [number for number in items(value) if isinstance(number, int | float)]
    return numbers if len(numbers) == 2 else None


def _during(span: Span) -> str:
    return f"at {figures.seconds(span[0])}, for {figures.seconds(span[1])}"
