"""Rules of `messages` that no type can express: order, pairs of tool call and result, non-empty content.

Messages API reference, read 2026-11-22. The wordings are the short forms that clients match on.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from ccproxy.simulator.anthropic.blocks import (
    DocumentBlock,
    RedactedThinkingBlock,
    TextBlock,
    ThinkingBlock,
    ToolResultBlock,
    ToolUseBlock,
)
from ccproxy.simulator.anthropic.caller import NEW_VERSION, Caller
from ccproxy.simulator.anthropic.catalogue import Model
from ccproxy.simulator.anthropic.errors import invalid
from ccproxy.simulator.anthropic.request import Conversation, Message

ANY_ROLE = {"text", "connector_text", "compaction", "fallback", "mcp_tool_listing"}
BLOCKS = {
    "user": ANY_ROLE | {"image", "document", "search_result", "tool_result", "container_upload"},
    "assistant": ANY_ROLE
    | {"tool_use", "thinking", "redacted_thinking", "server_tool_use", "mcp_tool_use", "mcp_tool_result"}
    | {"web_search_tool_result", "web_fetch_tool_result", "code_execution_tool_result", "document"}
    | {"bash_code_execution_tool_result", "text_editor_code_execution_tool_result"}
    | {"tool_search_tool_result", "advisor_tool_result", "container_upload"},
    "system": {"text", "tool_addition", "tool_removal"},
}


@dataclass(frozen=True, slots=True)
class Turn:
    """Neighbouring messages of one role, as the model sees them. `at`: index of the last of them."""

    role: str
    messages: tuple[tuple[int, Message], ...]

    @property
    def at(self) -> int:
        return self.messages[-1][0]

    def of[B](self, kind: type[B]) -> Iterator[tuple[str, B]]:
        """The blocks of a type, each with its path."""
        for index, message in self.messages:
            for number, block in enumerate(message.content):
                if isinstance(block, kind):
                    yield f"messages.{index}.content.{number}", block


def turns(request: Conversation) -> list[Turn]:
    """The user's and the assistant's turns; `system` messages stand outside of them."""
    found: list[Turn] = []
    for index, message in enumerate(request.messages):
        if message.role == "system":
            continue
        if found and found[-1].role == message.role:
            found[-1] = Turn(message.role, (*found[-1].messages, (index, message)))
        else:
            found.append(Turn(message.role, ((index, message),)))
    return found


def check(request: Conversation, caller: Caller, model: Model) -> None:
    """Raises `ApiError` for the first rule that `messages` or `system` break."""
    if not request.messages:
        raise invalid("messages: at least one message is required")
    if request.messages[0].role != "user":
        raise invalid('messages: first message must use the "user" role')
    _check_system(request, model)
    last = len(request.messages) - 1
    for index, message in enumerate(request.messages):
        _check_message(index, message, is_last=index == last)
        if caller.version == NEW_VERSION:
            _check_new_version(index, message)
    order = turns(request)
    _check_prefill(request, order[-1], model)
    _check_turns(order)


def _check_system(request: Conversation, model: Model) -> None:
    for block in request.system or []:
        _check_text("system", block)
    before = None
    for index, message in enumerate(request.messages):
        if message.role == "system":
            if not model.system:
                raise invalid(f"messages.{index}: role 'system' is not supported on this model")
            if before == "assistant":
                raise invalid(f"messages.{index}: role 'system' must follow a user turn")
        before = message.role


def _check_message(index: int, message: Message, is_last: bool) -> None:
    if not message.content and not (is_last and message.role == "assistant"):
        raise invalid(
            f"messages.{index}: all messages must have non-empty content except for the optional final "
            "assistant message"
        )
    for number, block in enumerate(message.content):
        path = f"messages.{index}.content.{number}"
        if block.type not in BLOCKS[message.role]:
            raise invalid(f"{path}: `{block.type}` blocks are not allowed in `{message.role}` messages")
        if isinstance(block, TextBlock):
            _check_text("messages", block)
        elif isinstance(block, ToolResultBlock):
            for part in block.content or []:
                if isinstance(part, TextBlock):
                    _check_text("messages", part)


def _check_text(where: str, block: TextBlock) -> None:
    if not block.text:
        if block.cache_control is not None:
            raise invalid(f"{where}: cache_control cannot be set for empty text blocks")
        raise invalid(f"{where}: text content blocks must be non-empty")
    if not block.text.strip():
        raise invalid(f"{where}: text content blocks must contain non-whitespace text")


def _check_new_version(index: int, message: Message) -> None:
    """What 2026-10-21 took away (migration guide of that version)."""
    for number, block in enumerate(message.content):
        path = f"messages.{index}.content.{number}"
        if message.role == "assistant" and isinstance(block, DocumentBlock):
            raise invalid(f"{path}: `document` blocks are not allowed in `assistant` messages")
        texts = [block] if isinstance(block, TextBlock) else []
        if block.type == "search_result":
            texts = block.content
        if message.role == "user" and any(text.citations for text in texts):
            raise invalid(f"{path}: citations are not allowed on `text` blocks of `user` messages")


def _check_prefill(request: Conversation, last: Turn, model: Model) -> None:
    if last.role != "assistant":
        return
    content = request.messages[last.at].content
    if not content:
        return
    if content[-1].type.endswith("_tool_result") or content[-1].type == "server_tool_use":
        return  # a paused turn that is sent back to be continued
    if not any(last.of(ToolUseBlock)):
        if not model.prefill:
            raise invalid(
                "This model does not support assistant message prefill. The conversation must end with a "
                "user message."
            )
        if request.thinking is not None and request.thinking.type in ("enabled", "adaptive"):
            raise invalid("messages: prefill is not supported when thinking is enabled")
    if isinstance(content[-1], TextBlock) and content[-1].text != content[-1].text.rstrip():
        raise invalid("messages: final assistant content cannot end with trailing whitespace")


def _check_turns(order: list[Turn]) -> None:
    known: set[str] = set()
    before: Turn | None = None
    for turn, after in zip(order, [*order[1:], None], strict=True):
        if turn.role == "assistant":
            calls = [block.id for _, block in turn.of(ToolUseBlock)]
            if len(set(calls)) < len(calls) or known.intersection(calls):
                raise invalid(f"messages.{turn.at}: `tool_use` ids must be unique")
            known.update(calls)
            _check_last_block(turn)
            _check_answered(turn, calls, after)
        else:
            _check_expected(turn, before)
        before = turn


def _check_last_block(turn: Turn) -> None:
    index, message = turn.messages[-1]
    if message.content and isinstance(message.content[-1], ThinkingBlock | RedactedThinkingBlock):
        raise invalid(f"messages.{index}: the final block in an assistant message cannot be `thinking`")


def _check_answered(turn: Turn, calls: list[str], after: Turn | None) -> None:
    answered = _leading_results(after) if after is not None else set()
    missing = [call for call in calls if call not in answered]
    if missing:
        raise invalid(
            f"messages.{turn.at}: `tool_use` ids were found without `tool_result` blocks immediately after: "
            f"{', '.join(missing)}. Each `tool_use` block must have a corresponding `tool_result` block in "
            "the next message."
        )


def _leading_results(turn: Turn) -> set[str]:
    """The results at the beginning of a user turn: behind other content they do not count."""
    found: set[str] = set()
    for _, message in turn.messages:
        for block in message.content:
            if not isinstance(block, ToolResultBlock):
                return found
            found.add(block.tool_use_id)
    return found


def _check_expected(turn: Turn, before: Turn | None) -> None:
    calls = {block.id for _, block in before.of(ToolUseBlock)} if before is not None else set()
    seen: set[str] = set()
    for path, result in turn.of(ToolResultBlock):
        name = result.tool_use_id
        if name not in calls:
            raise invalid(
                f"{path}: unexpected `tool_use_id` found in `tool_result` blocks: {name}. Each `tool_result` "
                "block must have a corresponding `tool_use` block in the previous message."
            )
        if name in seen:
            raise invalid(
                f"{path}: each tool_use must have a single result. Found multiple `tool_result` blocks with "
                f"id: {name}"
            )
        seen.add(name)
