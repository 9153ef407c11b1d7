"""The history as Anthropic takes it: user and assistant in turns, the user first, nothing blank."""

from ccproxy.conversation.facts import ModelFacts
from ccproxy.conversation.losses import Loss, RequestError
from ccproxy.conversation.parts import JsonObject, Text, ToolCall
from ccproxy.conversation.repair import repaired
from ccproxy.conversation.request import Request, Turn
from ccproxy.formats.anthropic.encode_blocks import BlockWriter, text_block
from ccproxy.formats.anthropic.paths import path

_THINKING = ("thinking", "redacted_thinking")


def messages(
    request: Request, facts: ModelFacts, prefill: bool, writer: BlockWriter, losses: list[Loss]
) -> list[JsonObject]:
    """`messages`; with `prefill` the last one may be the assistant's, to be continued."""
    turns, repairs = repaired(request.turns)
    losses += repairs
    drafts: list[JsonObject] = []
    for turn in turns:
        _add(drafts, *_draft(turn, drafts, facts, writer, losses))
    drafts = _without_dangling_thoughts(drafts)
    if not drafts:
        raise RequestError(path(request.wire, "turns"), "must hold at least one message with content")
    if drafts[0]["role"] != "user":
        drafts.insert(0, {"role": "user", "content": [{"type": "text", "text": "."}]})
        losses.append(Loss(_first_path(turns), "Claude wants the user to speak first.", "prepended"))
    for draft in drafts:
        draft["content"].sort(key=lambda block: block["type"] != "tool_result")
    return _ended(drafts, turns[-1].path, prefill, losses)


def calls(request: Request) -> list[ToolCall]:
    """Every tool call of the history, in order."""
    return [part for turn in request.turns for part in turn.parts if isinstance(part, ToolCall)]


def is_missing_thoughts(history: list[JsonObject]) -> bool:
    """Whether the last assistant turn calls tools without its thinking before: a budget is refused then."""
    last = next((message for message in reversed(history) if message["role"] == "assistant"), None)
    if last is None or not any(block["type"] == "tool_use" for block in last["content"]):
        return False
    return last["content"][0]["type"] not in _THINKING


def _draft(
    turn: Turn, drafts: list[JsonObject], facts: ModelFacts, writer: BlockWriter, losses: list[Loss]
) -> tuple[str, list[JsonObject]]:
    if turn.role == "user":
        return "user", writer.user(turn.parts, turn.path)
    if turn.role == "assistant":
        return "assistant", writer.assistant(turn.parts, turn.path)
    texts = [part.text for part in turn.parts if isinstance(part, Text) and part.text.strip()]
    if facts.system_turns and drafts and drafts[-1]["role"] in ("user", "system"):
        return "system", [{"type": "text", "text": text} for text in texts]
    if not texts:
        return "user", []
    losses.append(Loss(turn.path, "A system message amid the history went as text of the user.", "wrapped"))
    reminder = "<system-reminder>\n{}\n</system-reminder>".format("\n\n".join(texts))
    return "user", [{"type": "text", "text": reminder}]


def _add(drafts: list[JsonObject], role: str, content: list[JsonObject]) -> None:
    """Neighbours of one role are one turn; a turn without content is none."""
    if content and drafts and drafts[-1]["role"] == role:
        drafts[-1]["content"] += content
    elif content:
        drafts.append({"role": role, "content": content})


def _without_dangling_thoughts(drafts: list[JsonObject]) -> list[JsonObject]:
    """Thinking may not be the last thing in a turn."""
    kept: list[JsonObject] = []
    for draft in drafts:
        content = draft["content"]
        while draft["role"] == "assistant" and content and content[-1]["type"] in _THINKING:
            content.pop()
        _add(kept, draft["role"], content)
    return kept


def _ended(drafts: list[JsonObject], last: str, prefill: bool, losses: list[Loss]) -> list[JsonObject]:
    """A history that ends with the assistant is continued if the model can, else by a word of the user."""
    if drafts[-1]["role"] != "assistant":
        return drafts
    if not prefill:
        losses.append(Loss(last, "The model does not continue a text of its own.", "continued"))
        return [*drafts, {"role": "user", "content": [{"type": "text", "text": "Continue."}]}]
    block = drafts[-1]["content"][-1]
    if block["type"] == "text":
        drafts[-1]["content"][-1] = text_block(block["text"].rstrip())
    return drafts


def _first_path(turns: tuple[Turn, ...]) -> str:
    return next((turn.path for turn in turns if turn.parts), "")
