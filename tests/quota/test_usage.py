from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ccproxy.quota.claude import from_headers
from ccproxy.quota.codex import CodexReader
from ccproxy.quota.usage import claude_from_usage, codex_from_usage
from ccproxy.quota.windows import Credits, ProviderQuota, Quota, Window
from ccproxy.simulator.anthropic import limits as claude_limits
from ccproxy.simulator.codex import limits as codex_limits

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
RESET = NOW + timedelta(hours=3)
SECONDS = int(RESET.timestamp())
ISO = "2026-11-22T16:00:00.000000+01:00"


def test_claudes_windows_are_those_of_its_headers() -> None:
    said = from_headers(claude_limits.headers("oauth", clock=NOW.timestamp), NOW)
    body = claude_limits.windows(NOW.timestamp)
    old = {name: value for name, value in body.items() if name != "limits"}
    for shape in (body, old, {"limits": body["limits"]}):
        asked = claude_from_usage(shape, NOW)
        assert said
        assert asked
        assert [(w.label, w.used, w.resets_at) for w in asked.windows] == [
            (w.label, w.used, w.resets_at) for w in said.windows
        ]
        assert (asked.binding, asked.seen_at) == (None, NOW)


def test_lines_of_models_in_both_shapes() -> None:
    scope = {"model": {"id": None, "display_name": "Opus"}}
    for shape in (
        {"five_hour": None, "seven_day_opus": {"utilization": 75.0, "resets_at": ISO}},
        {"limits": [{"kind": "weekly_scoped", "percent": 75, "resets_at": ISO, "scope": scope}]},
    ):
        asked = claude_from_usage(shape, NOW)
        assert asked
        assert asked.windows == (Window("7d", 0.75, RESET, model="opus"),)


def test_the_newer_shape_counts() -> None:
    asked = claude_from_usage(
        {
            "limits": [{"kind": "session", "percent": 2, "resets_at": ISO}],
            "five_hour": {"utilization": 1, "resets_at": ISO},
            "seven_day": {"utilization": 0, "resets_at": None},
        },
        NOW,
    )
    assert asked
    assert asked.windows == (Window("5h", 0.02, RESET), Window("7d", 0.0))


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"limits": None, "five_hour": None, "extra_usage": {"utilization": 3}},
        {"limits": {}, "five_hour": 3, "seven_day": {"utilization": "much", "resets_at": "soon"}},
        {"limits": [None, 1, {"kind": []}, {"kind": "session"}, {"kind": "fortnight", "percent": 1}]},
        {"limits": [{"kind": "weekly_scoped", "percent": 1, "scope": None}]},
        {"limits": [{"kind": "weekly_scoped", "percent": 1, "scope": {"model": {"display_name": "??"}}}]},
    ],
)
def test_claude_says_nothing(data: dict[str, Any]) -> None:
    assert claude_from_usage(data, NOW) is None


def test_which_window_decides_stays_as_the_headers_said() -> None:
    quota = Quota()
    quota.saw("claude", ProviderQuota((Window("5h", 0.1, RESET, "allowed"),), NOW, "5h"))
    asked = claude_from_usage({"five_hour": {"utilization": 20, "resets_at": ISO}}, NOW)
    assert asked
    quota.saw("claude", asked)
    assert quota.last["claude"] == ProviderQuota((Window("5h", 0.2, RESET),), NOW, "5h")


def test_codex_says_the_same_as_its_events() -> None:
    event = CodexReader().event(codex_limits.event(NOW.timestamp(), "plus"), NOW)
    assert codex_from_usage(codex_limits.usage(NOW.timestamp(), "plus"), NOW) == event


def test_limits_that_are_metered_by_themselves() -> None:
    window = {"used_percent": 90, "limit_window_seconds": 604800, "reset_after_seconds": 10800}
    asked = codex_from_usage(
        {
            "plan_type": "pro",
            "rate_limit": {"primary_window": {"used_percent": 5, "limit_window_seconds": 18000}},
            "additional_rate_limits": [
                {
                    "limit_name": "Bengalfox",
                    "metered_feature": "codex_bengalfox",
                    "rate_limit": {"primary_window": window, "secondary_window": None},
                },
                {"limit_name": "Nameless", "rate_limit": {"secondary_window": window}},
                {"rate_limit": {"primary_window": window}},
                {"metered_feature": "codex", "rate_limit": {"primary_window": window}},
                None,
            ],
            "credits": {"has_credits": True, "unlimited": False, "balance": "4.25"},
        },
        NOW,
    )
    assert asked
    assert asked.windows == (
        Window("5h", 0.05),
        Window("7d", 0.9, RESET, model="Bengalfox"),
        Window("7d", 0.9, RESET, model="Nameless"),
    )
    assert (asked.binding, asked.plan) == ("5h", "pro")
    assert asked.credits == Credits(True, False, "4.25")


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"plan_type": "plus"},
        {"rate_limit": None, "additional_rate_limits": None, "credits": None},
        {"rate_limit": {"primary_window": [], "secondary_window": {"limit_window_seconds": "x"}}},
        {"rate_limit": "much", "additional_rate_limits": {"rate_limit": {}}},
    ],
)
def test_codex_says_nothing(data: dict[str, Any]) -> None:
    assert codex_from_usage(data, NOW) is None
