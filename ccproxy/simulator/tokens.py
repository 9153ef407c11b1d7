"""Token counts of the simulator: an estimate, but the same one everywhere.

A client, the proxy and the simulator's own usage figures can be compared to the token, because every
figure comes from `estimate`. It makes no claim about a real tokenizer.
"""

BYTES_PER_TOKEN = 4


def estimate(text: str | bytes) -> int:
    """Tokens of `text`: one per four UTF-8 bytes, rounded up; 0 for nothing."""
    data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    return -(-len(data) // BYTES_PER_TOKEN)


def cut(text: str, tokens: int) -> str:
    """The longest beginning of `text` that `estimate` counts as at most `tokens`, at a character border."""
    return text.encode("utf-8", "surrogatepass")[: tokens * BYTES_PER_TOKEN].decode("utf-8", "ignore")
