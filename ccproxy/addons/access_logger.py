"""Gives every exchange that has ended to the access log and to who listens, where that is switched on."""

from ccproxy.conversation.parts import JsonObject
from ccproxy.exchange import Exchange
from ccproxy.records.feed import Feed
from ccproxy.records.row import is_logged, row_of
from ccproxy.records.store import AccessLog
from ccproxy.settings.watching import Observability


class AccessLogger:
    """`log` is None where the settings leave it off."""

    name = "ccproxy_access_logger"

    def __init__(self, settings: Observability) -> None:
        self.log = AccessLog(settings.duckdb_path, settings.retention_days) if settings.logs_on else None
        self.feed = Feed()

    def running(self) -> None:
        if self.log:
            self.log.start()

    def keep(self, exchange: Exchange) -> None:
        if self.log and is_logged(exchange):
            row = row_of(exchange)
            self.log.put(row)
            self.feed.tell(row)

    def status(self) -> JsonObject | None:
        """What the log tells of itself; None where it is off."""
        return self.log.status() if self.log else None

    def done(self) -> None:
        """At the very end, when what the drain has cut off is written down as well."""
        if self.log:
            self.log.close()
