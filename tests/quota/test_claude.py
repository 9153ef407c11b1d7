from datetime import UTC, datetime, timedelta

import pytest

from ccproxy.quota.claude import from_headers
from ccproxy.quota.windows import Window
from ccproxy.simulator.anthropic import limits

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
RESET = NOW + timedelta(hours=3)
SECONDS = str(int(RESET.timestamp()))
START = "anthropic-ratelimit-unified"


def test_both_windows_and_the_one_that_binds() -> None:
    seen = from_headers(limits.headers("oauth", clock=NOW.timestamp), NOW)
    assert seen
    five, seven = seen.windows
    assert (five.name, five.used, five.status) == ("5h", limits.FIVE_HOUR_USED, "allowed")
    assert (seven.name, seven.used, seven.status) == ("7d", limits.SEVEN_DAY_USED, "allowed")
    assert five.resets_at == datetime(2026, 11, 22, 14, tzinfo=UTC)
    assert seven.resets_at == datetime(2026, 11, 26, tzinfo=UTC)
    assert (seen.binding, seen.seen_at) == ("5h", NOW)


def test_a_plan_that_is_used_up() -> None:
    seen = from_headers(limits.headers("oauth", limited=True, clock=NOW.timestamp), NOW)
    assert seen
    assert (seen.windows[0].used, seen.windows[0].status) == (1.0, "rejected")


def test_an_api_key_has_no_plan() -> None:
    assert from_headers(limits.headers("key", clock=NOW.timestamp), NOW) is None
    assert from_headers({}, NOW) is None


def test_names_are_spelled_in_more_than_one_way() -> None:
    seen = from_headers({"Anthropic-Ratelimit-Unified-5h-Utilization": "0.5"}, NOW)
    assert seen
    assert seen.windows == (Window("5h", 0.5),)


def test_a_window_for_one_line_of_models() -> None:
    seen = from_headers(
        {
            f"{START}-7d-utilization": "0.3",
            f"{START}-7d_oi-status": "rejected",
            f"{START}-7d_oi-reset": SECONDS,
        },
        NOW,
    )
    assert seen
    assert seen.windows == (Window("7d", 0.3), Window("7d", None, RESET, "rejected", "oi"))


@pytest.mark.parametrize(
    ("claim", "binding", "window"),
    [
        ("seven_day", "7d", Window("7d", None, RESET, "allowed")),
        ("seven_day_opus", "7d_opus", Window("7d", None, RESET, "allowed", "opus")),
        ("overage", "overage", Window("overage", None, RESET, "allowed")),
        ("fortnight", "fortnight", Window("fortnight", None, RESET, "allowed")),
    ],
)
def test_a_claim_without_headers_of_its_own(claim: str, binding: str, window: Window) -> None:
    headers = {
        f"{START}-status": "allowed",
        f"{START}-reset": SECONDS,
        f"{START}-representative-claim": claim,
        f"{START}-5h-utilization": "0.1",
    }
    seen = from_headers(headers, NOW)
    assert seen
    assert seen.binding == binding
    assert seen.windows == (Window("5h", 0.1), window)


def test_overage_is_a_window_only_where_it_can_be_bought() -> None:
    headers = {f"{START}-overage-status": "allowed", f"{START}-overage-reset": SECONDS}
    seen = from_headers(headers, NOW)
    assert seen
    assert seen.windows == (Window("overage", None, RESET, "allowed"),)
    assert from_headers({**headers, f"{START}-overage-disabled-reason": "org_level_disabled"}, NOW) is None


def test_broken_values_are_left_out_one_by_one() -> None:
    seen = from_headers(
        {
            f"{START}-5h-utilization": "much",
            f"{START}-5h-reset": SECONDS,
            f"{START}-5h-status": "allowed",
            f"{START}-7d-utilization": "0.2",
            f"{START}-7d-reset": "tomorrow",
            f"{START}-7d-status": "\x1b[2J",
            f"{START}-1h-utilization": "-3",
            f"{START}-representative-claim": "",
        },
        NOW,
    )
    assert seen
    assert seen.windows == (Window("5h", None, RESET, "allowed"), Window("7d", 0.2))
    assert seen.binding is None
