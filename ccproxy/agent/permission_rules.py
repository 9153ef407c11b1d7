"""Rules that decide before a person is asked: `Read`, `Bash(git status:*)`, `Edit(src/**)`, `mcp__server`.

They are written as in Claude Code's settings (code.claude.com/docs/en/permissions, read 2026-11-22). In doubt
a rule that allows does not match, so that a person is asked, and a rule that denies does.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from ccproxy.agent.permission_commands import Command
from ccproxy.agent.permission_paths import Place, path_matcher

READING = frozenset({"Read", "Grep", "Glob", "LS", "NotebookRead"})
"""Tools that a `Read` rule is for; what searches names one directory."""

EDITING = frozenset({"Edit", "MultiEdit", "Write", "NotebookEdit"})
"""Tools that an `Edit` rule is for."""

HIDDEN = READING | {"Edit", "MultiEdit", "Write"}
"""What a `Read(path)` that denies stops: what may not be read may not be written either."""

SHAPE = re.compile(r"(?P<tool>[A-Za-z0-9_*.-]+)(?:\((?P<specifier>.*)\))?", re.DOTALL)
SERVER = re.compile(r"mcp__((?:(?!__)[A-Za-z0-9_.-])+)(?:__(?P<tool>[A-Za-z0-9_*.-]+))?")
DOMAIN = re.compile(r"domain:\s*([A-Za-z0-9*.-]+)\s*")
INSTEAD = {**dict.fromkeys(EDITING - {"Edit"}, "Edit"), **dict.fromkeys(READING - {"Read"}, "Read")}


class BadRule(ValueError):
    """A rule that cannot be understood; the text says which, and what to write."""


@dataclass(frozen=True, slots=True)
class Call:
    """A tool call that somebody asks for. `places` are the files it names (`permission_paths.places`)."""

    tool: str
    input: Any
    places: tuple[Place, ...] = ()


Matches = Callable[[Call], bool]


@dataclass(frozen=True, slots=True)
class Rule:
    """`text` is the rule as it was written."""

    text: str
    matches: Matches


@dataclass(frozen=True, slots=True)
class Verdict:
    allowed: bool
    rule: str


class Rules:
    """What is allowed and what is denied; denying is stronger. Raises BadRule."""

    def __init__(self, allow: Iterable[str] = (), deny: Iterable[str] = ()) -> None:
        self._deny = [parse(text, allows=False) for text in deny]
        self._allow = [parse(text, allows=True) for text in allow]

    def verdict(self, call: Call) -> Verdict | None:
        """What the first rule that matches says, None when a person has to be asked."""
        for allowed, rules in ((False, self._deny), (True, self._allow)):
            for rule in rules:
                if rule.matches(call):
                    return Verdict(allowed, rule.text)
        return None


def parse(text: str, *, allows: bool) -> Rule:
    """The rule that is written here. Raises BadRule."""
    found = SHAPE.fullmatch(text.strip())
    if not found:
        raise _bad(text, allows, "write Tool or Tool(what), such as Read or Bash(git status:*)")
    tool, specifier = found["tool"], found["specifier"]
    try:
        _spelt_right(tool)
        if "*" in tool or tool.startswith("mcp__"):
            matches = _named(tool, specifier, allows)
        elif specifier is None or (tool == "Bash" and specifier.strip() in ("*", ":*")):
            matches = _whole(tool)
        else:
            matches = _specified(tool, specifier.strip(), allows)
    except ValueError as problem:
        raise _bad(text, allows, str(problem)) from None
    return Rule(text.strip(), matches)


def _spelt_right(tool: str) -> None:
    """A rule for `bash` would match nothing, and nobody would be told."""
    known = {*EDITING, *READING, "Bash", "Agent", "Task", "Skill", "WebFetch", "WebSearch"}
    meant = next((name for name in known if name.lower() == tool.lower() and name != tool), None)
    if meant:
        raise ValueError(f"the tool is called {meant}")


def _bad(text: str, allows: bool, problem: str) -> BadRule:
    return BadRule(f"permissions.{'allow' if allows else 'deny'}: {text!r} is not a rule: {problem}")


def _whole(tool: str) -> Matches:
    """Any use of a tool; `Edit` and `Read` stand for all tools that edit or read files."""
    tools = {"Edit": EDITING, "Read": READING}.get(tool, frozenset({tool}))
    return lambda call: call.tool in tools


def _named(tool: str, specifier: str | None, allows: bool) -> Matches:
    """The tools of an MCP server, and patterns of names."""
    if specifier is not None:
        raise ValueError("a tool of an MCP server, or a pattern of names, takes nothing in brackets")
    found = SERVER.fullmatch(tool)
    if allows and not found:
        raise ValueError("to allow a pattern of names, it has to begin with a server: mcp__server__*")
    if tool.startswith("mcp__") and "*" not in tool and not found:
        raise ValueError("write mcp__server or mcp__server__tool")
    if found and not found["tool"]:
        return lambda call: call.tool.startswith(f"{tool}__")
    return lambda call: _is_like(call.tool, tool)


def _specified(tool: str, specifier: str, allows: bool) -> Matches:
    if not specifier:
        raise ValueError(f"the brackets are empty; {tool} alone stands for every use of it")
    match tool:
        case "Bash":
            return _commands(specifier, allows)
        case "Read" | "Edit":
            return _files(tool, specifier, allows)
        case "WebFetch":
            return _domains(specifier, allows)
    if tool in INSTEAD:
        raise ValueError(f"paths are written {INSTEAD[tool]}({specifier}), for all tools of that kind")
    raise ValueError("only Bash, Read, Edit and WebFetch take something in brackets")


def _commands(specifier: str, allows: bool) -> Matches:
    """Commands of the shell: as they stand, or with `*` for any text; `:*` at the end is ` *`."""
    pattern = specifier.removesuffix(":*") + " *" if specifier.endswith(":*") else specifier
    if not pattern.replace("*", "").strip():
        raise ValueError("Bash alone stands for every command")
    bare = pattern[:-2] if pattern.endswith(" *") and pattern.count("*") == 1 else None

    def meant(text: str) -> bool:
        return _is_like(text, pattern) or text == bare

    def matches(call: Call) -> bool:
        text = call.input.get("command") if isinstance(call.input, dict) else None
        if call.tool != "Bash" or not isinstance(text, str):
            return False
        if not allows:
            return any(meant(spelling) for spelling in Command(text).spellings())
        # a rule without * is a whole command that somebody has read
        return meant(text.strip()) and ("*" not in pattern or Command(text).is_plain)

    return matches


def _files(tool: str, specifier: str, allows: bool) -> Matches:
    matcher = path_matcher(specifier, allows=allows)
    # Glob's own pattern can lead out of the directory that it names
    read = READING - {"Glob"} if allows else HIDDEN
    tools = EDITING if tool == "Edit" else read
    together = all if allows else any
    return lambda call: (
        call.tool in tools and bool(call.places) and together(matcher(place) for place in call.places)
    )


def _domains(specifier: str, allows: bool) -> Matches:
    """Hosts: `*.` in front is any depth of subdomains, any other `*` is a part of one name."""
    found = DOMAIN.fullmatch(specifier)
    if not found:
        raise ValueError("write WebFetch(domain:example.com)")
    domain = found[1].rstrip(".").lower()
    rest = re.escape(domain.removeprefix("*.")).replace(r"\*", "[^.]*")
    pattern = re.compile(".+" if domain == "*" else f"(?:.+\\.){rest}" if domain.startswith("*.") else rest)

    def matches(call: Call) -> bool:
        url = call.input.get("url") if isinstance(call.input, dict) else None
        if call.tool != "WebFetch" or not isinstance(url, str):
            return False
        host = _plain_host(url) if allows else _host(url)
        return bool(host) and pattern.fullmatch(host) is not None

    return matches


def _plain_host(url: str) -> str:
    """The host of an address that every reader reads alike, else nothing."""
    found = re.fullmatch(r"https?://([A-Za-z0-9.-]+)(?::\d+)?(?:[/?#][!-\[\]-~]*)?", url.strip())
    return found[1].rstrip(".").lower() if found else ""


def _host(url: str) -> str:
    try:
        return (urlsplit(url.strip()).hostname or "").rstrip(".")
    except ValueError:
        return ""


def _is_like(text: str, pattern: str) -> bool:
    """Whether `*` in the pattern can stand for what is in its place. Takes time in proportion to the text."""
    first, *others = pattern.split("*")
    if not others:
        return text == pattern
    *middle, last = others
    if not text.startswith(first):
        return False
    position = len(first)
    for piece in middle:
        position = text.find(piece, position)
        if position < 0:
            return False
        position += len(piece)
    return len(text) - len(last) >= position and text.endswith(last)
