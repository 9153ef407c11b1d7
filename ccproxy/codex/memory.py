"""What a backend that stores nothing has said, kept in memory so that a conversation can go on.

The ChatGPT plan backend answers with `store: false` only and refuses `previous_response_id` over HTTP (Codex
client's source, read 2026-11-22), so whoever goes on from a response has to send everything before it again.
"""

import json
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

from ccproxy.conversation.parts import JsonObject

LONGEST_ID = 64
"""Characters; the backend refuses an item with a longer id."""

OVERHEAD = 300
"""Bytes that an item or a response costs beside its JSON, about."""

OUTPUT_TYPES = frozenset(
    {
        "apply_patch_call",
        "code_interpreter_call",
        "compaction",
        "computer_call",
        "custom_tool_call",
        "file_search_call",
        "function_call",
        "image_generation_call",
        "local_shell_call",
        "mcp_approval_request",
        "mcp_call",
        "mcp_list_tools",
        "program",
        "reasoning",
        "shell_call",
        "tool_search_call",
        "web_search_call",
    }
)
"""Items that the model says; so is a message of the assistant (OpenAI SDK 3.54.0, read 2026-11-22)."""

_WITHOUT_STATUS = frozenset(
    (
        "message",
        "reasoning",
        "function_call",
        "function_call_output",
        "custom_tool_call",
        "custom_tool_call_output",
    )
)
"""Items that lose their `status`; the call of a hosted tool has to say how it went."""


class Forgotten(Exception):
    """Nobody knows this response any more, or nobody ever did; the text tells the client what to do."""

    def __init__(self, response_id: str) -> None:
        super().__init__(
            f"Previous response '{response_id[:LONGEST_ID]}' is not known: this proxy keeps conversations "
            "in memory only, and it has been restarted or has forgotten it. "
            "Send the whole conversation in `input`."
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Item:
    """One item as JSON, and the one before it: conversations that begin the same share their beginning."""

    before: "_Item | None"
    data: bytes


@dataclass(slots=True, eq=False)
class Conversation:
    """Everything up to a response and with it.

    `turn_state` is what the backend wants to see again while the turn goes on; whoever keeps the response
    sets it.
    """

    response_id: str
    session: str | None
    _last: _Item | None = field(repr=False)
    turn_state: str | None = None

    @property
    def items(self) -> list[JsonObject]:
        """Responses input items, ready to be sent; the caller's own copy."""
        found: list[JsonObject] = []
        item = self._last
        while item:
            found.append(json.loads(item.data.decode("utf-8", "surrogatepass")))
            item = item.before
        found.reverse()
        return found


@dataclass(slots=True, eq=False)
class _Tree:
    """One conversation with its forks. `items` are found by the digest of everything up to them."""

    session: str | None
    items: dict[bytes, _Item] = field(default_factory=dict)
    responses: dict[str, Conversation] = field(default_factory=dict)
    newest: Conversation | None = None
    size: int = 0
    used: float = 0.0


class Memory:
    """Bounded by bytes, idle time (seconds) and number; what was not used for longest goes first, in whole.

    A session is one conversation. Without one, a response belongs to the conversation with which it shares
    something that the model has said. Each item is kept once per conversation, however many turns repeat it.
    """

    def __init__(
        self,
        most_bytes: int,
        idle_seconds: float,
        most_conversations: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._most_bytes = most_bytes
        self._idle_seconds = idle_seconds
        self._most_conversations = most_conversations
        self._clock = clock
        self._trees: OrderedDict[int, _Tree] = OrderedDict()
        self._responses: dict[str, _Tree] = {}
        self._sessions: dict[str, _Tree] = {}
        self._said: dict[bytes, _Tree] = {}
        self._bytes = 0

    def keep(self, response_id: str, items: list[JsonObject], session: str | None) -> Conversation:
        """Remember a response; `items` is the whole conversation, its output included."""
        self._forget_idle()
        self._drop(response_id)
        path = list(_digested(replayable(items)))
        tree = self._tree_of(path, session)
        size = tree.size
        last: _Item | None = None
        for digest, data, said in path:
            item = tree.items.get(digest)
            if item is None:
                item = tree.items[digest] = _Item(last, data)
                tree.size += len(data) + OVERHEAD
            if said and session is None:
                self._said[digest] = tree
            last = item
        conversation = Conversation(response_id, session, last)
        tree.responses[response_id] = tree.newest = conversation
        tree.size += OVERHEAD
        self._responses[response_id] = tree
        self._bytes += tree.size - size
        self._use(tree)
        self._make_room(tree)
        return conversation

    def before(self, response_id: str) -> Conversation:
        """The conversation up to this response. Raises Forgotten."""
        self._forget_idle()
        tree = self._responses.get(response_id)
        if tree is None:
            raise Forgotten(response_id)
        self._use(tree)
        return tree.responses[response_id]

    def latest(self, session: str) -> Conversation | None:
        """The newest response of a session, or None when nothing of it is remembered."""
        self._forget_idle()
        tree = self._sessions.get(session)
        if tree is None:
            return None
        self._use(tree)
        return tree.newest

    def _tree_of(self, path: list[tuple[bytes, bytes, bool]], session: str | None) -> _Tree:
        if session is None:
            known = next(
                (self._said[digest] for digest, _, _ in reversed(path) if digest in self._said), None
            )
        else:
            known = self._sessions.get(session)
        tree = known or _Tree(session)
        if session is not None:
            self._sessions[session] = tree
        return tree

    def _use(self, tree: _Tree) -> None:
        tree.used = self._clock()
        self._trees[id(tree)] = tree
        self._trees.move_to_end(id(tree))

    def _make_room(self, newest: _Tree) -> None:
        if newest.size > self._most_bytes:
            self._forget(newest)
        while self._bytes > self._most_bytes or len(self._trees) > self._most_conversations:
            self._forget(next(iter(self._trees.values())))

    def _forget_idle(self) -> None:
        oldest = self._clock() - self._idle_seconds
        while self._trees and (tree := next(iter(self._trees.values()))).used < oldest:
            self._forget(tree)

    def _forget(self, tree: _Tree) -> None:
        del self._trees[id(tree)]
        self._bytes -= tree.size
        if tree.session is not None:
            del self._sessions[tree.session]
        for response_id in tree.responses:
            del self._responses[response_id]
        for digest in tree.items:
            if self._said.get(digest) is tree:
                del self._said[digest]

    def _drop(self, response_id: str) -> None:
        """Make way for another response with the same id."""
        if tree := self._responses.pop(response_id, None):
            del tree.responses[response_id]
            tree.size -= OVERHEAD
            self._bytes -= OVERHEAD


def _digested(items: Iterable[JsonObject]) -> Iterable[tuple[bytes, bytes, bool]]:
    """Of each item: the digest of everything up to it, its JSON, and whether the model said it."""
    digest = b""
    for item in items:
        text = json.dumps(item, ensure_ascii=False, separators=(",", ":"))
        data = text.encode("utf-8", "surrogatepass")
        digest = blake2b(digest + data, digest_size=16).digest()
        yield digest, data, said_by_model(item)


def continued(history: list[Any], given: list[Any]) -> list[Any]:
    """The input to send when a client with a session of its own sends `given`.

    A client that keeps the conversation itself gets no history in front: it repeats what the model said, or
    begins with the message that the conversation began with.
    """
    if any(said_by_model(item) for item in given):
        return given
    opening = _first_user_message(history)
    if opening is not None and opening == _first_user_message(given):
        return given
    return [*history, *given]


def replayable(items: list[Any]) -> list[Any]:
    """Output items among input items, as a backend takes them back that stores nothing.

    Reasoning goes back encrypted and in front of what it led to, or not at all. What it led to is then sent
    without its id: by the id the backend would ask for the reasoning.
    """
    found: list[Any] = []
    left_out = False
    for index, item in enumerate(items):
        if not isinstance(item, dict):
            found.append(item)
        elif _kind(item) == "reasoning" and not (item.get("encrypted_content") and _leads_on(items, index)):
            left_out = True
        else:
            drop = _marks(item)
            if left_out and said_by_model(item):
                drop.add("id")
            left_out = False
            kept = {name: value for name, value in item.items() if name not in drop}
            found.append(
                kept | {"summary": item.get("summary") or []} if _kind(item) == "reasoning" else kept
            )
    return found


def _marks(item: JsonObject) -> set[str]:
    """The fields that the item came with and must not go back with."""
    item_id = item.get("id")
    drop = {"id"} if not isinstance(item_id, str) or len(item_id) > LONGEST_ID else set()
    if _kind(item) in _WITHOUT_STATUS:
        drop.add("status")
    if _kind(item) == "reasoning":
        drop.add("content")
    return drop


def _leads_on(items: list[Any], index: int) -> bool:
    """Whether the model went on after this reasoning: with what, does not matter."""
    rest = (
        item for item in items[index + 1 :] if not (isinstance(item, dict) and _kind(item) == "reasoning")
    )
    return said_by_model(next(rest, None))


def said_by_model(item: object) -> bool:
    """Whether an item of an input is output of an earlier response."""
    if not isinstance(item, dict):
        return False
    kind = _kind(item)
    return item.get("role") == "assistant" if kind == "message" else kind in OUTPUT_TYPES


def _kind(item: JsonObject) -> str:
    """A message may leave its type out."""
    kind = item.get("type")
    return "message" if kind is None else str(kind)


def _first_user_message(items: list[Any]) -> list[Any] | None:
    """Its content as parts: a string is one text."""
    for item in items:
        if isinstance(item, dict) and item.get("role") == "user":
            content = item.get("content")
            if isinstance(content, str):
                return [("input_text", content)]
            return [_bare(part) for part in content] if isinstance(content, list) else []
    return None


def _bare(part: object) -> object:
    """Of a text nothing but its text counts."""
    if isinstance(part, dict) and isinstance(part.get("text"), str):
        return part.get("type"), part["text"]
    return part
