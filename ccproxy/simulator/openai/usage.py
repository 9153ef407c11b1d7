"""Counting what a request costs, with the automatic prompt cache of the API.

The cache works on prefixes: a request reads what an earlier one with the same beginning has written, from
1024 tokens on and in steps of 128 (prompt caching guide, read 2026-11-22). A test sees by the cached tokens
whether two turns of a conversation began with the same bytes.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from ccproxy.simulator import tokens
from ccproxy.simulator.openai.catalogue import Model
from ccproxy.simulator.openai.errors import ApiError
from ccproxy.simulator.state import Simulator

SMALLEST_PREFIX = 1024
STEP = 128


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of the prompt (the tools, one message): what it is made of, and what it counts."""

    content: bytes
    tokens: int


@dataclass(frozen=True, slots=True)
class InputTokens:
    """`cached` and `written` are parts of `total`."""

    total: int
    cached: int
    written: int


def check_context(segments: Iterable[Segment], model: Model, param: str) -> None:
    """Raises ApiError for a prompt that does not fit into the model's context."""
    total = sum(piece.tokens for piece in segments)
    if total > model.context:
        message = f"This model's maximum context length is {model.context} tokens; your input has {total}."
        raise ApiError(400, message, param=param, code="context_length_exceeded")


def segment(content: bytes, texts: Iterable[str], more: int = 0) -> Segment:
    return Segment(content, sum(tokens.estimate(text) for text in texts) + more)


def measure(sim: Simulator, scope: str, segments: Iterable[Segment]) -> InputTokens:
    """Counts the prompt and remembers its prefixes. Only requests of one `scope` share a cache."""
    chain = hashlib.sha256(f"openai {scope}".encode())
    total = cached = 0
    fresh: list[bytes] = []
    for piece in segments:
        chain.update(len(piece.content).to_bytes(8, "big") + piece.content)
        total += piece.tokens
        prefix = chain.digest()
        if prefix in sim.cached_prefixes:
            cached = total
        fresh.append(prefix)
    sim.cached_prefixes.update(fresh)
    cacheable = total // STEP * STEP if total >= SMALLEST_PREFIX else 0
    cached = min(cached // STEP * STEP, cacheable) if cached >= SMALLEST_PREFIX else 0
    return InputTokens(total, cached, cacheable - cached)
