from ccproxy.simulator.codex.limits import event, headers, usage

NOW = 1_800_000_000.0


def test_headers_event_and_usage_tell_the_same() -> None:
    said, told, used = headers(NOW), event(NOW, "pro"), usage(NOW, "pro")

    for name in ("primary", "secondary"):
        window, spent = told["rate_limits"][name], used["rate_limit"][f"{name}_window"]
        assert float(said[f"x-codex-{name}-used-percent"]) == window["used_percent"] == spent["used_percent"]
        assert int(said[f"x-codex-{name}-reset-at"]) == window["reset_at"] == spent["reset_at"] > NOW
        assert int(said[f"x-codex-{name}-window-minutes"]) * 60 == spent["limit_window_seconds"]


def test_the_reset_is_the_end_of_the_running_window() -> None:
    reset = int(headers(NOW)["x-codex-primary-reset-at"])

    assert reset % (300 * 60) == 0
    assert int(headers(NOW + 60)["x-codex-primary-reset-after-seconds"]) == reset - NOW - 60


def test_a_used_up_window() -> None:
    said = headers(NOW, exhausted_until=int(NOW) + 90)

    assert said["x-codex-primary-used-percent"] == "100"
    assert said["x-codex-primary-reset-after-seconds"] == "90"
    assert said["x-codex-secondary-used-percent"] == "40"
