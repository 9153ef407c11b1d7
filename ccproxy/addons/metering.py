"""Metrics of what the addons know, where they are switched on."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from ccproxy.addons.access_logger import AccessLogger
from ccproxy.addons.forgetter import Forgetting
from ccproxy.addons.recorder import Recorder
from ccproxy.conversation.parts import JsonObject
from ccproxy.quota.windows import Quota
from ccproxy.settings.watching import Observability

if TYPE_CHECKING:
    from ccproxy.records.metrics import Metrics


def metering(
    settings: Observability,
    recorder: Recorder,
    quota: Quota,
    agent: Callable[[], JsonObject],
    forgetting: Forgetting,
    access: AccessLogger,
) -> "Metrics | None":
    """Metrics that the recorder tells of every exchange; None where they are off. `agent` as for the app."""
    if not settings.metrics_on:
        return None
    # only who wants them waits for the library and has it in memory
    from ccproxy.records.metrics import Metrics
    from ccproxy.records.readings import Readings

    readings = Readings(
        recorder.under_way.values,
        quota,
        agent,
        lambda: forgetting.kept,
        access.status,
    )
    metrics = Metrics(readings)
    recorder.told.append(metrics.keep)
    return metrics
