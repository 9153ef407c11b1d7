"""What a model accepts, as far as translation has to know it."""

from dataclasses import dataclass

from ccproxy.conversation.request import Effort


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """Facts about one upstream model.

    `max_tokens` is the most it may be asked to write. `sampling` says whether temperature and top_p may be
    set, `efforts` which effort levels it takes (none: it has no levels), `budget`, `adaptive` and
    `disabled` which kinds of `thinking` it takes, `system_turns` whether a system turn may stand in the
    middle of the history, `prefill` whether the last turn may be the assistant's, `structured` whether it
    takes a JSON schema for its output, `reasoning` whether it is a reasoning model (OpenAI).
    """

    id: str
    max_tokens: int = 8192
    sampling: bool = True
    efforts: tuple[Effort, ...] = ()
    budget: bool = False
    adaptive: bool = False
    disabled: bool = False
    system_turns: bool = False
    prefill: bool = True
    structured: bool = True
    reasoning: bool = False
