from pathlib import Path

import pytest
from pydantic import ValidationError

from ccproxy.settings.watching import Inspector, Observability


def test_one_switch_for_what_is_not_switched_itself() -> None:
    off, on = Observability(), Observability(enabled=True, logs=False)
    assert (off.metrics_on, off.logs_on, off.dashboard_on) == (False, False, False)
    assert (on.metrics_on, on.logs_on, on.dashboard_on) == (True, False, True)
    assert Observability(metrics=True).metrics_on


def test_both_limits_of_the_inspector_can_be_switched_off() -> None:
    off = Inspector.model_validate({"max_bytes": "0", "max_age_seconds": 0})
    assert (off.max_bytes, off.max_age_seconds) == (0, 0)
    with pytest.raises(ValidationError):
        Inspector(max_bytes=-1)


def test_the_access_log_lies_in_the_data_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    monkeypatch.setenv("HOME", "/home/ada")
    assert Observability().duckdb_path == Path("/home/ada/.local/share/ccproxy/access.duckdb")
