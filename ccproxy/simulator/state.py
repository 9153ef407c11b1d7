"""What one simulator holds in memory. Everything else is a function of the request."""

import hashlib
from collections.abc import Callable
from dataclasses import replace

from ccproxy.simulator.ledger import Ledger
from ccproxy.simulator.oauth.store import TokenStore
from ccproxy.simulator.scenarios import choose
from ccproxy.simulator.script import Prompt, Script

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


class Simulator:
    """The ledger, the counter behind the ids, and what was seen before (prompt caches, `once` faults)."""

    def __init__(self) -> None:
        self.ledger = Ledger()
        self.tokens = TokenStore()
        self.cached_prefixes: set[bytes] = set()
        self._struck: set[bytes] = set()
        self._number = 0
        self._resets: list[Callable[[], None]] = []

    def on_reset(self, action: Callable[[], None]) -> None:
        """`action` puts an upstream's own state back to the beginning."""
        self._resets.append(action)

    def reset(self) -> None:
        """Back to the state after the start: the same requests get the same bytes again."""
        self.ledger.clear()
        self.cached_prefixes.clear()
        self._struck.clear()
        self._number = 0
        for action in self._resets:
            action()

    def new_id(self, prefix: str, content: bytes, length: int = 24) -> str:
        """A fresh id, made from the request's content and a counter: `msg_` and 24 letters or digits."""
        self._number += 1
        digest = hashlib.sha512(self._number.to_bytes(8, "big") + content).digest()
        return prefix + "".join(ALPHABET[byte % len(ALPHABET)] for byte in digest[:length])

    def script(self, prompt: Prompt) -> Script:
        """The answer to `prompt`; a `once` fault strikes only the first time its conversation is seen."""
        script = choose(prompt)
        if script.fault is None or not script.once:
            return script
        conversation = hashlib.sha256(repr(prompt.messages).encode("utf-8", "surrogatepass")).digest()
        if conversation in self._struck:
            return replace(script, fault=None)
        self._struck.add(conversation)
        return script
