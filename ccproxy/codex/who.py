"""Who asks: Codex itself, which is answered as its backend answers, or anybody else; and in which session.

Header names are in lower case, or the mapping does not tell the cases apart.
"""

import re
from collections.abc import Mapping

from ccproxy.conversation.parts import JsonObject

_USER_AGENT = re.compile(r"codex[\w .-]*/\d", re.IGNORECASE)
"""`<originator>/<version> (<os>; <arch>) <terminal>` (Codex CLI's source and 0.169, read 2026-11-22)."""

_SESSION_HEADERS = ("session-id", "session_id", "conversation_id", "x-claude-code-session-id")
"""Codex from mid 2026, before that, in 2025; and Claude Code (read 2026-11-22)."""

_SESSION = re.compile(r"[A-Za-z0-9._-]{1,128}")


def is_codex(headers: Mapping[str, str]) -> bool:
    """Whether the client is Codex: its CLI, its TUI, or the extension of an editor."""
    if headers.get("originator", "").strip().lower().startswith("codex"):
        return True
    return _USER_AGENT.match(headers.get("user-agent", "").strip()) is not None


def session_from(headers: Mapping[str, str], body: JsonObject) -> str | None:
    """The id that the client itself has for its conversation: of its headers, else its cache key.

    It has 1 to 128 of the characters `A-Z a-z 0-9 . _ -`; anything else is none. An application may use one
    cache key for all of its conversations: only a header says that two requests belong together.
    """
    candidates = [headers.get(name, "").strip() for name in _SESSION_HEADERS]
    for value in (*candidates, body.get("prompt_cache_key")):
        if isinstance(value, str) and _SESSION.fullmatch(value):
            return value
    return None
