"""Reads from answers how much of a plan is used, as they pass."""

from collections.abc import Callable
from datetime import UTC, datetime

from mitmproxy import http

from ccproxy.addons.exchanges import exchange_of
from ccproxy.conversation.parts import JsonObject
from ccproxy.quota import claude
from ccproxy.quota.codex import CodexReader
from ccproxy.quota.windows import Provider, ProviderQuota, Quota


def utc_now() -> datetime:
    return datetime.now(UTC)


class Quotas:
    """Tells the quota what the providers say; it changes no answer."""

    name = "ccproxy_quota"

    def __init__(self, quota: Quota, clock: Callable[[], datetime] = utc_now) -> None:
        self.quota = quota
        self.clock = clock
        self.codex = CodexReader()

    def responseheaders(self, flow: http.HTTPFlow) -> None:
        exchange = exchange_of(flow)
        if exchange is None or exchange.sent is None or flow.response is None:
            return
        if exchange.backend == "api":
            self.saw("claude", claude.from_headers(flow.response.headers, self.clock()))
        elif exchange.backend == "codex":
            self.saw("codex", self.codex.headers(flow.response.headers, self.clock()))

    def event(self, data: JsonObject) -> None:
        """A `codex.rate_limits` event that came in a stream of Codex's."""
        self.saw("codex", self.codex.event(data, self.clock()))

    def saw(self, provider: Provider, news: ProviderQuota | None) -> None:
        if news:
            self.quota.saw(provider, news)
