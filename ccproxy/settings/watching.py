"""The tables of those who watch: what is kept of the traffic, in memory and on disk."""

import os
from typing import Annotated, Literal

from pydantic import Field

from ccproxy.settings.kinds import Count, FilePath, Seconds, SizeOrNone, Unset, Url
from ccproxy.settings.places import access_log_path
from ccproxy.settings.table import Table


class Inspector(Table):
    """What mitmweb and mitmproxy keep of flows. A plain `ccproxy serve` keeps none."""

    max_bytes: SizeOrNone = Field(
        default=256 * 1024**2,
        description="Most bytes of flows; beyond that the oldest lose their bodies. 0 for no limit.",
    )
    max_age_seconds: Seconds = Field(
        default=7200, description="Flows that ended so long ago leave the list; 0 for no limit."
    )


Switch = Annotated[bool | None, Unset("as `enabled`")]


class Observability(Table):
    """Metrics, access log and dashboard. All off by default."""

    enabled: bool = Field(default=False, description="One switch for metrics, logs and dashboard.")
    metrics: Switch = Field(default=None, description="Serve `/metrics`.")
    logs: Switch = Field(default=None, description="Keep the access log and serve `/logs`.")
    dashboard: Switch = Field(default=None, description="Serve `/dashboard`.")
    duckdb_path: Annotated[FilePath, Unset("`$XDG_DATA_HOME/ccproxy/access.duckdb`")] = Field(
        default_factory=lambda: access_log_path(os.environ), description="The access log's file."
    )
    retention_days: Annotated[Count | None, Unset("for ever")] = Field(
        default=None, description="How long rows of the access log are kept."
    )
    capture_bodies: Literal["off", "errors", "all"] = Field(
        default="off",
        description="Whose request and response bodies are kept: they hold what you and the model wrote.",
    )
    otlp_endpoint: Annotated[Url | None, Unset("no export")] = Field(
        default=None, description="OpenTelemetry collector (OTLP over HTTP) that metrics are sent to."
    )

    @property
    def metrics_on(self) -> bool:
        return self.enabled if self.metrics is None else self.metrics

    @property
    def logs_on(self) -> bool:
        return self.enabled if self.logs is None else self.logs

    @property
    def dashboard_on(self) -> bool:
        return self.enabled if self.dashboard is None else self.dashboard
