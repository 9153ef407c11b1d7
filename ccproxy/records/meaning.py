"""What a request means: all of it but what differs between two runs of the same client.

What real clients change from run to run was measured with Claude Code 2.1.330 and Codex 0.169 (2026-11-23).
What a person wrote is compared word for word. What programs write (system prompts, reminders, outputs of
tools) is compared without times, ids and what they say of the machine. Paths below the working directory
and the home are compared without these.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from ccproxy.conversation.parts import JsonObject
from ccproxy.inspector.layout import items, mapping, string

ABOUT_THE_RUN = frozenset(
    (
        "metadata",
        "client_metadata",
        "diagnostics",
        "user",
        "safety_identifier",
        "prompt_cache_key",
        "prompt_cache_retention",
    )
)
"""Fields of a request that name who asks, and when, or that only caches read."""

MARKS = frozenset(("cache_control", "internal_chat_message_metadata_passthrough"))
"""Fields of any part that say nothing to the model."""

IDS = frozenset(("id", "call_id", "tool_use_id", "tool_call_id", "item_id", "approval_request_id"))
"""Fields of a conversation's parts that only tie them together: their order counts, not what they say."""

FREE = frozenset(("input_schema", "parameters", "schema"))
"""Fields whose inner names are somebody else's."""

RESULTS = frozenset(
    ("tool_result", "function_call_output", "custom_tool_call_output", "local_shell_call_output")
)
CALLS = frozenset(("tool_use", "server_tool_use", "mcp_tool_use", "custom_tool_call"))

_DIRECTORY = (
    re.compile(r"(?i)working directory: (/[^\n]+|[A-Za-z]:\\[^\n]+)"),
    re.compile(r"<cwd>(/[^<]+|[A-Za-z]:\\[^<]+)</cwd>"),
)
_HOME = re.compile(r"(/[^\s`'\"<>]*?)/\.(?:claude|codex)/")
_BILLING = re.compile(r"^x-anthropic-billing-header:.*", re.DOTALL)
_ASIDE = re.compile(r"<(system-reminder|environment_context)>.*?</\1>", re.DOTALL)
"""What clients put beside a person's words."""

_RUN = (
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"), "<id>"),
    (
        re.compile(r"\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?\b"),
        "<time>",
    ),
    (re.compile(r"(?m)^((?:- | - )?(?:OS Version|Platform|Shell): ).*$"), r"\1<machine>"),
    (re.compile(r"(?mi)(working directory: )/$"), r"\1<cwd>"),
    (re.compile(r"<cwd>/</cwd>"), "<cwd><cwd></cwd>"),
    (re.compile(r"(/\.claude/projects/)-/"), r"\1<cwd>/"),
    (re.compile(r"<(shell|timezone)>[^<]*</\1>"), r"<\1><machine></\1>"),
    (re.compile(r"(?m)^(Wall time:? )[\d.]+( seconds)"), r"\1<time>\2"),
    (re.compile(r"(?m)^(Chunk ID: )\S+"), r"\1<id>"),
    (
        re.compile(
            r"(?s)This is the git status at the start of the conversation.*?Recent commits:(\n[^\n]+)*"
        ),
        "<git>",
    ),
)
"""What programs write of one run, in their own texts only."""


def meaning(request: JsonObject) -> JsonObject:
    """A request's body without what belongs to one run. What is left keeps its place."""
    walk = _Walk(_places(request))
    return {
        name: walk.top(name, request[name])
        for name in sorted(request)
        if name not in ABOUT_THE_RUN and request[name] is not None
    }


class _Walk:
    """One way through a request: ids are numbered as they come."""

    def __init__(self, places: list[tuple[re.Pattern[str], str]]) -> None:
        self.places = places
        self.ids: dict[str, str] = {}

    def top(self, name: str, value: Any) -> Any:
        if name in ("messages", "input") and isinstance(value, list):
            return [self.turn(item) for item in value]
        if name in ("system", "instructions"):
            return self.part(value, program=True)
        return self.part(value, program=False)

    def turn(self, turn: Any) -> Any:
        written = mapping(turn).get("role") in ("system", "developer", "tool")
        return self.part(turn, program=written, ids=True)

    def part(self, value: Any, *, program: bool, ids: bool = False) -> Any:
        """A part of the request. `program`: a program wrote its texts; `ids`: it is one of a conversation."""
        if isinstance(value, str):
            return self.written(value) if program else self.said(value)
        if isinstance(value, list):
            return [self.part(inner, program=program, ids=ids) for inner in value]
        if not isinstance(value, dict):
            return value
        program = program or string(value.get("type")) in RESULTS
        return {
            name: self.field(name, value[name], value, program=program, ids=ids)
            for name in sorted(value)
            if name not in MARKS
        }

    def field(self, name: str, value: Any, around: JsonObject, *, program: bool, ids: bool) -> Any:
        if name in FREE or (name == "input" and string(around.get("type")) in CALLS):
            return free(value, self.placed)
        if ids and name in IDS and isinstance(value, str):
            return self.ids.setdefault(value, f"id-{len(self.ids) + 1}")
        return self.part(value, program=program, ids=ids)

    def placed(self, text: str) -> str:
        for pattern, name in self.places:
            text = pattern.sub(name, text)
        return text

    def written(self, text: str) -> str:
        """What a program wrote."""
        return without_run(self.placed(text))

    def said(self, text: str) -> str:
        """What a person or a model wrote, word for word, but for what the client put beside it."""
        return _ASIDE.sub(lambda aside: without_run(aside[0]), self.placed(text))


def without_run(text: str) -> str:
    """A program's text without what it says of one run."""
    text = _BILLING.sub("x-anthropic-billing-header", text)
    for pattern, name in _RUN:
        text = pattern.sub(name, text)
    return text


def free(value: Any, change: Any) -> Any:
    """The same value with its texts changed, and every name as it is."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [free(inner, change) for inner in value]
    if isinstance(value, dict):
        return {name: free(value[name], change) for name in sorted(value)}
    return value


def _places(request: JsonObject) -> list[tuple[re.Pattern[str], str]]:
    """Patterns for the directories of this run, as the client's own texts say them."""
    names: dict[str, str] = {}
    homes: set[str] = set()
    for text in _programs_texts(request):
        for pattern in _DIRECTORY:
            for path in pattern.findall(text):
                plain = path.strip().rstrip("/\\")
                names[plain] = "<cwd>"
                # Claude Code's name for what it keeps of a project
                names[re.sub(r"[^A-Za-z0-9]", "-", plain)] = "<cwd>"
        for path in _HOME.findall(text):
            names.setdefault(path, "<home>")
            homes.add(path)
    longest = sorted((name for name in names if len(name) > 1), key=len, reverse=True)
    # what a client keeps of itself is in the home, also where that is the working directory
    kept = [(name, r"(?=/\.(?:claude|codex)\b)", "<home>") for name in longest if name in homes]
    found = [*kept, *((name, r"(?![\w-]|\.\w)", names[name]) for name in longest)]
    return [(re.compile(rf"(?<![\w.]){re.escape(name)}{end}"), shown) for name, end, shown in found]


def _programs_texts(request: JsonObject) -> Iterator[str]:
    yield from _texts([request.get("system"), request.get("instructions")])
    for turn in map(mapping, [*items(request.get("messages")), *items(request.get("input"))]):
        if turn.get("role") in ("system", "developer"):
            yield from _texts([turn.get("content")])
        elif turn.get("role") == "user":
            for text in _texts([turn.get("content")]):
                yield from (aside[0] for aside in _ASIDE.finditer(text))


def _texts(values: Iterable[Any]) -> Iterator[str]:
    for value in values:
        if isinstance(value, str):
            yield value
        else:
            for part in items(value):
                yield string(mapping(part).get("text"))
