"""How a hook finds its addons when nothing but our chain runs."""

from collections.abc import Callable
from typing import Any

from mitmproxy import exceptions, hooks
from mitmproxy.addonmanager import AddonManager, safecall
from mitmproxy.master import Master


class LeanAddons(AddonManager):
    """mitmproxy's addon manager, which remembers who listens to which hook.

    The stock one asks every addon about every hook of every request. The order is the same, and so is what
    becomes of an addon that raises. A hook that an addon gains later is not seen.
    """

    def __init__(self, master: Master) -> None:
        self.listening: dict[str, list[Callable[..., Any]]] = {}
        super().__init__(master)  # type: ignore[no-untyped-call]

    def add(self, *addons: object) -> None:
        super().add(*addons)  # type: ignore[no-untyped-call]
        self.listening.clear()

    def remove(self, addon: object) -> None:
        super().remove(addon)  # type: ignore[no-untyped-call]
        self.listening.clear()

    async def trigger_event(self, event: hooks.Hook) -> None:
        listening = self.listening.get(event.name)
        if listening is None:
            listening = [hook for addon in self.chain for _, hook in self._iter_hooks(addon, event)]
            self.listening[event.name] = listening
        if not listening:
            return
        values = event.args()
        for hook in listening:
            try:
                with safecall():
                    result = hook(*values)
                    if hasattr(result, "__await__"):
                        await result
            except exceptions.AddonHalt:
                return
