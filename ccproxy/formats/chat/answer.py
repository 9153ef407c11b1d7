"""What a whole answer and a streamed one have in common."""

from ccproxy.conversation.events import StopReason
from ccproxy.conversation.request import Tool
from ccproxy.formats.codec import AnswerTo

DECLINED = "The model declined to answer."
"""The refusal of a model that gave no words for it."""


def answer_id(to: AnswerTo) -> str:
    return f"chatcmpl-{to.id}"


def wants_function_call(to: AnswerTo) -> bool:
    """Whether the client declared the deprecated `functions`, and so reads `function_call` alone."""
    return any(isinstance(tool, Tool) and tool.path.startswith("functions.") for tool in to.request.tools)


def refusal_of(stop: StopReason, explanation: str | None, has_said: bool) -> str | None:
    """The refusal to show when the model refused without a word."""
    return (explanation or DECLINED) if stop == "refusal" and not has_said else None
