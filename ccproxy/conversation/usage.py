"""Token usage, normalised once for every format."""

from dataclasses import dataclass


@dataclass(slots=True)
class Usage:
    """Tokens of one answer.

    `input` is the whole prompt, cache included, in every format; `output` includes reasoning. A figure that
    the upstream did not give is None, never 0.
    """

    input: int | None = None
    output: int | None = None
    cache_read: int | None = None
    cache_write: int | None = None
    reasoning: int | None = None
