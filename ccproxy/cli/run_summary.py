"""What a client has used, in one line: the proxy's sums after it, less those before."""

import time
from collections.abc import Mapping

import httpx

from ccproxy.cli.running import headers

Sums = Mapping[str, float | None]

PATIENCE = 1.0
"""Seconds for what is under way when the client has ended."""


def fetch(url: str, token: str | None) -> Sums | None:
    """The sums of the proxy at this address (`GET /usage`); None when it has none to tell."""
    try:
        answer = httpx.get(f"{url}/usage", headers=headers(token), timeout=5, trust_env=False)
        found = answer.json() if answer.status_code == 200 else None
    except (httpx.HTTPError, ValueError):
        return None
    return found if isinstance(found, dict) and "requests" in found else None


def settled(url: str, token: str | None) -> Sums | None:
    """The same, once the client's last answers are counted, or will not be in time."""
    deadline = time.monotonic() + PATIENCE
    while (sums := fetch(url, token)) and sums.get("under_way") and time.monotonic() < deadline:
        time.sleep(0.05)
    return sums


def summary(before: Sums, after: Sums) -> str:
    """For people."""

    def used(name: str) -> float:
        return (after.get(name) or 0) - (before.get(name) or 0)

    requests, cached = used("requests"), used("cache_read_tokens")
    parts = [f"{requests:,.0f} {'request' if requests == 1 else 'requests'}"]
    if failed := used("failed"):
        parts[0] += f" ({failed:,.0f} failed)"
    parts.append(f"{used('tokens_input'):,.0f} tokens in")
    if cached:
        parts[-1] += f" ({cached:,.0f} from the cache)"
    parts.append(f"{used('tokens_output'):,.0f} out")
    if after.get("cost_usd") is not None and (cost := used("cost_usd")):
        parts.append(f"${cost:.4f}")
    return f"ccproxy: {', '.join(parts)}"
