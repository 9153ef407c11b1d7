"""Thinking: what a request may ask for, and signatures that show whether a block came back unchanged."""

import base64
import binascii
import hashlib
import hmac

from ccproxy.simulator.anthropic.blocks import (
    RedactedThinkingBlock,
    ThinkingBlock,
    ToolResultBlock,
    ToolUseBlock,
)
from ccproxy.simulator.anthropic.catalogue import Model
from ccproxy.simulator.anthropic.conversation import Turn, turns
from ccproxy.simulator.anthropic.errors import invalid
from ccproxy.simulator.anthropic.request import Conversation, EnabledThinking, MessagesRequest

KEY = b"ccproxy simulator"  # not a secret: it only has to be the same in every process
DIGEST = 16  # bytes


def sign(thought: str, shown: str) -> str:
    """The signature of a thinking block that shows `shown` of `thought` (nothing, when it is omitted)."""
    digest = hashlib.sha256(thought.encode()).digest()[:DIGEST]
    return base64.b64encode(digest + _seal(digest, shown)).decode()


def is_authentic(block: ThinkingBlock) -> bool:
    try:
        raw = base64.b64decode(block.signature, validate=True)
    except (binascii.Error, ValueError):
        return False
    return hmac.compare_digest(raw[DIGEST:], _seal(raw[:DIGEST], block.thinking))


def _seal(digest: bytes, shown: str) -> bytes:
    return hmac.digest(KEY, digest + shown.encode("utf-8", "surrogatepass"), "sha256")


def is_on(request: Conversation) -> bool:
    return request.thinking is not None and request.thinking.type != "disabled"


def check(request: Conversation, model: Model) -> None:
    """Raises `ApiError` for the first rule about thinking and effort that is broken."""
    _check_config(request, model)
    order = turns(request)
    for turn in order:
        for path, block in turn.of(ThinkingBlock):
            if not is_authentic(block):
                raise invalid(f"{path}: Invalid `signature` in `thinking` block")
    _check_kept(request, order)


def _check_config(request: Conversation, model: Model) -> None:
    effort = request.output_config.effort if request.output_config is not None else None
    if effort is not None and effort not in model.effort:
        if not model.effort:
            raise invalid("This model does not support the effort parameter.")
        raise invalid(f"output_config.effort: '{effort}' is not supported on this model")
    if request.thinking is None:
        return
    kind = request.thinking.type
    if kind not in model.thinking:
        raise invalid(f"thinking.type: '{kind}' is not supported on this model")
    budget = request.thinking.budget_tokens if isinstance(request.thinking, EnabledThinking) else 0
    if isinstance(request, MessagesRequest) and 0 < request.max_tokens <= budget:
        raise invalid("`max_tokens` must be greater than `thinking.budget_tokens`.")
    if kind == "disabled":
        return
    if request.tool_choice is not None and request.tool_choice.type in ("any", "tool"):
        raise invalid("Thinking may not be enabled when tool_choice forces tool use.")
    if isinstance(request, MessagesRequest):
        _check_sampling(request)


def _check_sampling(request: MessagesRequest) -> None:
    if request.temperature is not None and request.temperature != 1:
        raise invalid("`temperature` may only be set to 1 when thinking is enabled.")
    if request.top_p is not None and request.top_p < 0.95:
        raise invalid("`top_p` must be greater than or equal to 0.95 when thinking is enabled.")
    if request.top_k is not None:
        raise invalid("`top_k` must be unset when thinking is enabled.")


def _check_kept(request: Conversation, order: list[Turn]) -> None:
    """With a thinking budget, the turn whose tool calls are being answered still begins with its thoughts."""
    if not isinstance(request.thinking, EnabledThinking) or len(order) < 2:
        return
    asked, answered = order[-2], order[-1]
    if not any(answered.of(ToolResultBlock)) or not any(asked.of(ToolUseBlock)):
        return
    index, message = asked.messages[0]
    first = message.content[0]
    if not isinstance(first, ThinkingBlock | RedactedThinkingBlock):
        raise invalid(
            f"messages.{index}.content.0.type: Expected `thinking` or `redacted_thinking`, but found "
            f"`{first.type}`. When `thinking` is enabled, a final `assistant` message must start with a "
            "thinking block."
        )
