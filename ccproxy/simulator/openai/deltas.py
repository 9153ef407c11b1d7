"""What a streamed piece of text can carry beside its text."""

from typing import Any

LETTERS = "Qe7XbTz1RkWm0uYp"
BLOCK = 16


def padding(text: str) -> str:
    """Obfuscation: letters that fill `text` up to a multiple of 16 characters, and hide its length so."""
    return (LETTERS * 2)[: BLOCK - len(text) % BLOCK]


def certain_tokens(pieces: list[str], *, alternatives: bool) -> list[dict[str, Any]]:
    """Log probabilities: each piece counts as one token, and as a certain one."""
    tokens = [
        {"token": piece, "logprob": -0.01, "bytes": list(piece.encode("utf-8", "surrogatepass"))}
        for piece in pieces
    ]
    return [{**token, "top_logprobs": [token] if alternatives else []} for token in tokens]
