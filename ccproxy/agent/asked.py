"""A request to Claude Code, taken apart: what it asks of a process, and what it says."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ccproxy.agent.history import fingerprints
from ccproxy.conversation.losses import RequestError
from ccproxy.conversation.parts import JsonObject
from ccproxy.routes import SESSION as SESSION_ID

ATTRIBUTION = "x-anthropic-billing-header:"
"""How Claude Code, as a client, begins a system block that is meant for its own provider (2.1.330)."""

SESSION, OWN_SESSION, FORMAT = "x-ccproxy-session", "x-ccproxy-session-id", "x-ccproxy-format"
REQUEST = "x-ccproxy-request-id"
"""Headers in which the proxy says what the path and the client's headers said."""


_NAME = re.compile(SESSION_ID)


@dataclass(frozen=True, slots=True)
class Asked:
    """One request. `messages` are the client's, in the Messages API's form, and `prints` their fingerprints.

    `session` is the conversation that the client names, if it does. `joined` says that its format puts the
    texts of an answer together without anything between them.
    """

    model: str | None
    effort: str | None
    system: str
    tools: tuple[JsonObject, ...]
    messages: tuple[JsonObject, ...]
    prints: tuple[str, ...]
    session: str | None
    stream: bool
    joined: bool

    @property
    def has_history(self) -> bool:
        """Whether the client has brought what was said before, and not its new turn alone."""
        return any(message["role"] == "assistant" for message in self.messages)


def read(body: JsonObject, headers: Mapping[str, str]) -> Asked:
    """A body of the Messages API, with the proxy's headers in lower case. Raises RequestError."""
    messages = _messages(body.get("messages"))
    model, config = body.get("model"), body.get("output_config")
    effort = config.get("effort") if isinstance(config, dict) else None
    return Asked(
        model if isinstance(model, str) and model else None,
        effort if isinstance(effort, str) else None,
        _system(body.get("system")),
        _tools(body),
        messages,
        fingerprints(messages),
        headers.get(SESSION) or _session_of(body) or _own_session(headers),
        body.get("stream") is True,
        headers.get(FORMAT, "anthropic") != "anthropic",
    )


def _messages(given: Any) -> tuple[JsonObject, ...]:
    if not isinstance(given, list) or not given:
        raise RequestError("messages", "Give a list with at least one message.")
    for at, message in enumerate(given):
        if not isinstance(message, dict) or message.get("role") not in ("user", "assistant", "system"):
            raise RequestError(f"messages.{at}", "A message is an object with a role and a content.")
        content = message.get("content")
        if not isinstance(content, str) and not (
            isinstance(content, list) and all(isinstance(block, dict) for block in content)
        ):
            raise RequestError(f"messages.{at}.content", "Give a text or a list of content blocks.")
    if given[-1]["role"] == "assistant":
        raise RequestError(
            f"messages.{len(given) - 1}",
            "Claude Code cannot go on with an answer that the client has begun: end with a user message.",
        )
    return tuple(given)


def _system(given: Any) -> str:
    blocks = [{"text": given}] if isinstance(given, str) else given if isinstance(given, list) else []
    texts = [
        block["text"] for block in blocks if isinstance(block, dict) and isinstance(block.get("text"), str)
    ]
    return "\n\n".join(text for text in texts if text.strip() and not text.startswith(ATTRIBUTION))


def _tools(body: JsonObject) -> tuple[JsonObject, ...]:
    """The tools that the client runs itself; those of the provider have a type of their own."""
    choice, given = body.get("tool_choice"), body.get("tools")
    if not isinstance(given, list) or (isinstance(choice, dict) and choice.get("type") == "none"):
        return ()
    own = [tool for tool in given if isinstance(tool, dict) and tool.get("type", "custom") == "custom"]
    for at, tool in enumerate(own):
        if not isinstance(tool.get("name"), str) or not tool["name"]:
            raise RequestError(f"tools.{at}.name", "A tool needs a name.")
    return tuple(own)


def _session_of(body: JsonObject) -> str | None:
    metadata = body.get("metadata")
    found = metadata.get("session_id") if isinstance(metadata, dict) else None
    if not isinstance(found, str) or not found:
        return None
    if not _NAME.fullmatch(found):
        message = "Name a session with up to 128 letters, digits, dots, hyphens and underscores."
        raise RequestError("metadata.session_id", message)
    return found


def _own_session(headers: Mapping[str, str]) -> str | None:
    """What the client calls its session. Claude Code, as a client, holds several conversations under one such
    name and always sends all of their history, so it has none to go on with."""
    if headers.get("user-agent", "").startswith("claude-cli/"):
        return None
    return headers.get(OWN_SESSION) or None
