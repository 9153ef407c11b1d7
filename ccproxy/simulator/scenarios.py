"""What the simulator answers: the prompt chooses, with a marker in any user text of the conversation.

    sim:[gzip ][once ]<name> [arguments up to the end of the line]

The newest marker decides; without one the answer is `echo`. `choose` is pure: the same prompt gives the
same `Script`, a neutral description that each upstream writes down in its own wire format. Scenarios that
call a tool look for the tool's result in the history and then end with a text that quotes it, so the tool
loop of a real agent comes to an end without any state here.

    echo                        repeat the newest user text (also the answer without a marker)
    text <words>                say exactly that
    tool [Name] [input]         call one tool: the named or the first one offered; input as given (JSON, or
                                free text for a tool without a schema), else made from the tool's schema
    tools [n] [Name]            some text, then n calls at once (default 2), of tools whose names begin so
    thinking [tool ...]         think, then answer or call a tool
    long [n]                    n words (default 2000)
    slow [n] [seconds]          n pieces with a pause before each (default 5 pieces, 0.2 s)
    unicode                     several scripts, emoji, CRLF
    empty                       no content at all
    stop <reason>               end with max_tokens, refusal, pause_turn or stop_sequence
    error <status> [type] [s]   an error instead of an answer; s = seconds in retry-after
    error200 [n]                a 200 stream that turns into an error after n events (default 5)
    cut [n]                     the connection breaks after n events (default 5; 0 = right after the headers)
    silence [seconds]           headers and the first events, then nothing (for that long, else for ever)
    mute [seconds]              the request is taken and not answered (for that long, else for ever)
    drop                        the connection is closed without one byte of an answer

`once` limits a fault to the first time a conversation is seen (the next try succeeds); `gzip` compresses
the answer although nobody asked.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from ccproxy.simulator import tokens
from ccproxy.simulator.samples import sample
from ccproxy.simulator.script import (
    Cut,
    Drop,
    Fault,
    HttpError,
    Message,
    Part,
    Prompt,
    Script,
    Silence,
    StreamError,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolResult,
    pieces,
    said,
)

ECHO_LENGTH = 200  # characters of a user text or tool result that are quoted
FAULT_AFTER = 5  # events before a stream goes wrong, when the marker names no number
# Umlauts, CJK, a skin-tone and a joined emoji, a combining accent, a Unicode line separator, Hebrew, CRLF.
UNICODE = (
    "Gr\u00fc\u00dfe, \u4e16\u754c! \U0001f44b\U0001f3fd \U0001f469\u200d\U0001f680 e\u0301 \u2028 "
    "\u05e9\u05dc\u05d5\u05dd\r\nsecond line\r\n\t\U0001f389"
)
THOUGHT = Thinking(pieces("Let me think about this step by step before I answer."))

# --- choosing ----------------------------------------------------------------------------------------

MARKER = re.compile(r"(?<![\w:/.-])sim:(?P<line>[a-z][^\r\n]*)")


@dataclass(frozen=True, slots=True)
class Marker:
    """Where a scenario was asked for: `at` is the index of the message, -1 without a marker."""

    name: str
    arguments: str
    at: int
    gzip: bool = False
    once: bool = False


def choose(prompt: Prompt) -> Script:
    """The answer to `prompt`."""
    marker = find_marker(prompt)
    play = SCENARIOS.get(marker.name)
    if play is None:
        script = Script((said(f"Unknown scenario {marker.name!r}. Known: {', '.join(SCENARIOS)}."),))
    else:
        script = play(prompt, marker)
    script = _within_limits(_as_asked(script, prompt), prompt)
    return replace(script, gzip=marker.gzip, once=marker.once)


def find_marker(prompt: Prompt) -> Marker:
    """The newest marker of the user's texts."""
    for at, message in reversed(list(enumerate(prompt.messages))):
        if message.role != "user":
            continue
        for text in reversed(message.texts):
            if found := list(MARKER.finditer(text)):
                return _parse(found[-1]["line"], at)
    return Marker("echo", "", -1)


def _parse(line: str, at: int) -> Marker:
    flags = {"gzip": False, "once": False}
    name, _, rest = line.partition(" ")
    while name in flags:
        flags[name] = True
        name, _, rest = rest.strip().partition(" ")
    return Marker(name.strip() or "echo", rest.strip(), at, **flags)


def _as_asked(script: Script, prompt: Prompt) -> Script:
    """What the request's own switches change: a forced tool, one call at a time, thinking on or off."""
    parts = script.parts
    if script.fault is None and script.stop == "end" and prompt.forced is not None:
        parts = (_call(prompt, prompt.forced, ""),)
    if not prompt.thinking:
        parts = tuple(part for part in parts if not isinstance(part, Thinking))
    elif prompt.must_think and parts and not isinstance(parts[0], Thinking):
        parts = (THOUGHT, *parts)
    if not prompt.parallel:
        calls = [part for part in parts if isinstance(part, ToolCall)]
        parts = tuple(part for part in parts if part not in calls[1:] or part is calls[0])
    calls_tool = any(isinstance(part, ToolCall) for part in parts)
    stop = "tool_use" if calls_tool and script.stop == "end" else script.stop
    return replace(script, parts=parts, stop=stop)


def _within_limits(script: Script, prompt: Prompt) -> Script:
    """The answer ends at the first stop sequence in its text, and at `max_tokens`."""
    parts: list[Part] = []
    left = prompt.max_tokens
    for part in script.parts:
        if isinstance(part, Text) and (met := _first_met(part.text, prompt.stop_sequences)):
            before = _beginning(part, part.text.index(met))
            shorter = replace(script, parts=(*parts, before), stop="stop_sequence", stop_sequence=met)
            return _within_limits(shorter, replace(prompt, stop_sequences=()))
        if left is not None:
            cost = tokens.estimate(part.text) + (
                tokens.estimate(part.name) if isinstance(part, ToolCall) else 0
            )
            if cost > left:
                if not isinstance(part, ToolCall) and left:
                    parts.append(_beginning(part, len(tokens.cut(part.text, left))))
                return replace(script, parts=tuple(parts), stop="max_tokens", stop_sequence=None)
            left -= cost
        parts.append(part)
    if prompt.max_tokens == 0:
        return replace(script, parts=(), stop="max_tokens", stop_sequence=None)
    return replace(script, parts=tuple(parts))


def _beginning[P: Text | Thinking](part: P, length: int) -> P:
    """The first `length` characters of a part, in the pieces it had."""
    kept: list[str] = []
    for piece in part.pieces:
        kept.append(piece[:length])
        length -= len(kept[-1])
    return replace(part, pieces=tuple(piece for piece in kept if piece))


def _first_met(text: str, sequences: tuple[str, ...]) -> str | None:
    return min((s for s in sequences if s and s in text), key=text.index, default=None)


# --- the scenarios -----------------------------------------------------------------------------------


def _echo(prompt: Prompt, marker: Marker) -> Script:
    last = prompt.messages[-1] if prompt.messages else Message("user")
    if last.results:
        return _quote_results(last.results)
    if prompt.json_schema is not None:
        return Script((said(json.dumps(sample(prompt.json_schema), ensure_ascii=False)),))
    newest = next(
        (text for m in reversed(prompt.messages) if m.role == "user" for text in reversed(m.texts)), ""
    )
    return Script((said(_short(newest.strip()) or "(no text)"),))


def _text(prompt: Prompt, marker: Marker) -> Script:
    return Script((said(marker.arguments or "(no text)"),))


def _tool(prompt: Prompt, marker: Marker) -> Script:
    if results := _results_after(prompt, marker.at):
        return _quote_results(results)
    name, given = _split_call(marker.arguments)
    if not prompt.tools:
        return Script((said("No tool was offered."),))
    if name and name not in {tool.name for tool in prompt.tools}:
        return Script((said(f"No tool {name!r} was offered."),))
    return Script((_call(prompt, name or prompt.tools[0].name, given),))


def _tools(prompt: Prompt, marker: Marker) -> Script:
    if results := _results_after(prompt, marker.at):
        return _quote_results(results)
    number, _, start = marker.arguments.partition(" ")
    names = [tool.name for tool in prompt.tools if tool.name.startswith(start.strip())]
    if not names:
        return Script((said("No tool was offered."),))
    count = _int(number, 2)
    calls = tuple(_call(prompt, names[n % len(names)], "") for n in range(count))
    return Script((said(f"I will call {count} tools."), *calls))


def _thinking(prompt: Prompt, marker: Marker) -> Script:
    first, _, rest = marker.arguments.partition(" ")
    if first == "tool":
        script = _tool(prompt, replace(marker, arguments=rest.strip()))
        return replace(script, parts=(THOUGHT, *script.parts))
    return Script((THOUGHT, said(marker.arguments or "I have thought about it.")))


def _long(prompt: Prompt, marker: Marker) -> Script:
    return Script((said(" ".join(f"word{n}" for n in range(1, _int(marker.arguments, 2000) + 1))),))


def _slow(prompt: Prompt, marker: Marker) -> Script:
    count, _, seconds = marker.arguments.partition(" ")
    words = tuple(f"piece {n} " for n in range(1, _int(count, 5) + 1))
    return Script((Text(words),), pause=_seconds(seconds, 0.2))


def _unicode(prompt: Prompt, marker: Marker) -> Script:
    return Script((said(UNICODE),))


def _empty(prompt: Prompt, marker: Marker) -> Script:
    return Script(())


def _stop(prompt: Prompt, marker: Marker) -> Script:
    reason = marker.arguments.partition(" ")[0]
    text = said("This answer ends early.")
    if reason == "pause_turn" and prompt.messages[-1].role == "assistant":
        return Script((said("The paused turn is now finished."),))  # its content was sent back
    match reason:
        case "max_tokens" | "refusal" | "pause_turn":
            return Script((text,), stop=reason)
        case "stop_sequence":
            met = prompt.stop_sequences[0] if prompt.stop_sequences else "STOP"
            return Script((text,), stop="stop_sequence", stop_sequence=met)
    return Script((said(f"Unknown stop reason {reason!r}."),))


def _error(prompt: Prompt, marker: Marker) -> Script:
    words = [*marker.arguments.split(), "", "", ""]
    status = _int(words[0], 500)
    seconds = next((word for word in words[1:] if _is_number(word)), None)
    kind = words[1] if words[1] and not _is_number(words[1]) else None
    return _faulty(prompt, marker, HttpError(status, kind, float(seconds) if seconds else None))


def _error200(prompt: Prompt, marker: Marker) -> Script:
    return _faulty(prompt, marker, StreamError(_int(marker.arguments, FAULT_AFTER)))


def _cut(prompt: Prompt, marker: Marker) -> Script:
    return _faulty(prompt, marker, Cut(_int(marker.arguments, FAULT_AFTER)))


def _silence(prompt: Prompt, marker: Marker) -> Script:
    return _faulty(prompt, marker, Silence(FAULT_AFTER, _seconds(marker.arguments, None)))


def _mute(prompt: Prompt, marker: Marker) -> Script:
    return _faulty(prompt, marker, Silence(None, _seconds(marker.arguments, None)))


def _drop(prompt: Prompt, marker: Marker) -> Script:
    return _faulty(prompt, marker, Drop())


SCENARIOS: dict[str, Callable[[Prompt, Marker], Script]] = {
    "echo": _echo,
    "text": _text,
    "tool": _tool,
    "tools": _tools,
    "thinking": _thinking,
    "long": _long,
    "slow": _slow,
    "unicode": _unicode,
    "empty": _empty,
    "stop": _stop,
    "error": _error,
    "error200": _error200,
    "cut": _cut,
    "silence": _silence,
    "mute": _mute,
    "drop": _drop,
}


# --- helpers -----------------------------------------------------------------------------------------


def _faulty(prompt: Prompt, marker: Marker, fault: Fault) -> Script:
    text = f"This is the whole answer of the scenario {marker.name!r}, long enough for several events."
    return Script((said(text),), fault=fault)


def _call(prompt: Prompt, name: str, given: str) -> ToolCall:
    tool = next((tool for tool in prompt.tools if tool.name == name), Tool(name, {}))
    schema = tool.schema
    if schema is None:
        return ToolCall(name, given or tool.example)
    if given.startswith("{"):
        # Clients wrap a prompt in text of their own: what follows the object on the line is theirs.
        try:
            value, _ = json.JSONDecoder().raw_decode(given)
        except json.JSONDecodeError:
            value = {"malformed": given}
        return ToolCall(name, value)
    value = sample(schema)
    return ToolCall(name, value if isinstance(value, dict) else {})


def _split_call(arguments: str) -> tuple[str, str]:
    """`Name {json}` -> (name, rest); a leading `{` means that no name was given."""
    if arguments.startswith("{"):
        return "", arguments
    name, _, rest = arguments.partition(" ")
    return name, rest.strip()


def _results_after(prompt: Prompt, at: int) -> tuple[ToolResult, ...]:
    newest = [message.results for message in prompt.messages[at + 1 :] if message.results]
    return newest[-1] if newest else ()


def _quote_results(results: tuple[ToolResult, ...]) -> Script:
    lines = [f"{'Tool error' if r.is_error else 'Tool result'}: {_short(r.text.strip())}" for r in results]
    return Script((said("\n".join(lines)),))


def _short(text: str) -> str:
    return text if len(text) <= ECHO_LENGTH else text[:ECHO_LENGTH] + "…"


def _is_number(word: str) -> bool:
    return re.fullmatch(r"\d+(\.\d+)?", word) is not None


def _int(word: str, default: int) -> int:
    first = word.partition(" ")[0]
    return int(first) if first.isdigit() else default


def _seconds[T](word: str, default: T) -> float | T:
    first = word.partition(" ")[0]
    return float(first) if _is_number(first) else default
