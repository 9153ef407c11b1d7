"""What is read when somebody asks."""

from prometheus_client.metrics_core import Metric

from ccproxy.inspector.kept import Kept
from ccproxy.records.readings import Readings
from ccproxy.records.store_states import REASONS
from tests.support.metrics import AGENT, LOG, RESETS, exchange, readings, some_quota


def told(asked: Readings) -> dict[str, dict[tuple[str, ...], float]]:
    """The figures by metric and by the values of their labels."""
    return {family.name.removeprefix("ccproxy_"): figures(family) for family in asked()}


def figures(family: Metric) -> dict[tuple[str, ...], float]:
    return {tuple(sample.labels.values()): sample.value for sample in family.samples}


def test_requests_under_way() -> None:
    running = [exchange(), exchange(), exchange(backend=None), exchange(backend=None, operation="utility")]
    assert told(readings(running))["active_requests"] == {("api",): 2, ("none",): 1}


def test_windows_of_plans() -> None:
    found = told(readings(quota=some_quota()))
    assert found["quota_used_ratio"] == {("claude", "5h", "all"): 0.25, ("claude", "7d", "opus"): 0.5}
    assert set(found["quota_reset_timestamp_seconds"].values()) == {RESETS.timestamp()}
    assert found["quota_seen_timestamp_seconds"] == {("claude",): RESETS.timestamp()}


def test_processes_of_claude_code() -> None:
    found = told(readings(agent=AGENT))
    assert found["sdk_sessions"] == {("busy",): 2, ("idle",): 1}
    assert found["sdk_sessions_limit"] == {(): 32}
    assert found["sdk_pool_processes"] == {("ready",): 2, ("starting",): 1}
    assert found["sdk_pool_size"] == {(): 3}
    assert found["permissions_pending"] == {(): 1}


def test_flows_in_memory() -> None:
    found = told(readings(kept=Kept(1000, 10, 1)))
    assert found["inspector_kept_bytes"] == {(): 1000}
    assert found["inspector_kept_flows"] == {(): 10}
    assert found["inspector_dropped"] == {(): 1}


def test_the_access_log() -> None:
    found = told(readings(log=LOG))
    assert found["access_log_state"] == {(state,): float(state == "ok") for state in REASONS}
    assert found["access_log_rows"] == {("written",): 7, ("dropped",): 2}
    assert found["access_log_rows_waiting"] == {(): 1}
    assert found["access_log_size_bytes"] == {(): 4096}


def test_a_log_without_a_file() -> None:
    found = told(readings(log=LOG | {"bytes": None, "state": "locked"}))
    assert found["access_log_size_bytes"] == {}
    assert found["access_log_state"][("locked",)] == 1


def test_what_is_not_there_has_no_figure() -> None:
    assert {name: found for name, found in told(readings()).items() if found} == {
        "permissions_pending": {(): 0}
    }
