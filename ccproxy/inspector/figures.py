"""Tokens, costs and times: read off an answer, and in words."""

import msgspec

from ccproxy.conversation.parts import JsonObject, Wire
from ccproxy.conversation.usage import Usage
from ccproxy.tap import READERS, UsageReader


def read(wire: Wire, answer: JsonObject) -> UsageReader:
    """What a whole answer says of its model, tokens and end."""
    reader = READERS[wire]()
    reader.reply(msgspec.json.encode(answer))
    return reader


def tokens(usage: Usage) -> str:
    """`812 in (600 from the cache), 45 out (20 reasoning)`; "" when nothing is known."""
    parts = []
    if usage.input is not None:
        cache = [
            f"{count} {what}"
            for count, what in ((usage.cache_read, "from the cache"), (usage.cache_write, "written to it"))
            if count
        ]
        parts.append(f"{usage.input} in" + (f" ({', '.join(cache)})" if cache else ""))
    if usage.output is not None:
        parts.append(f"{usage.output} out" + (f" ({usage.reasoning} reasoning)" if usage.reasoning else ""))
    return ", ".join(parts)


def cost(usage: Usage) -> str:
    """`$0.0123`; "" when the upstream did not say it."""
    return "" if usage.cost is None else f"${usage.cost:.4f}"


def seconds(value: float) -> str:
    """`0.42 s`, and milliseconds for what is shorter than a tenth."""
    return f"{value * 1000:.0f} ms" if value < 0.1 else f"{value:.2f} s"
