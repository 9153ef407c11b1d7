from datetime import UTC, datetime, timedelta

import pytest

from ccproxy.quota.windows import (
    Credits,
    ProviderQuota,
    Quota,
    Window,
    lower,
    moment,
    number,
    share,
    text,
)

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
SOON, LATER = NOW + timedelta(hours=1), NOW + timedelta(days=3)


def test_a_provider_never_seen_is_null() -> None:
    assert Quota().as_json() == {"claude": None, "codex": None}


def test_the_shape_that_programs_rely_on() -> None:
    quota = Quota()
    windows = (Window("5h", 0.42, SOON, "allowed"), Window("7d", None, None, None, "opus"))
    quota.saw("claude", ProviderQuota(windows, NOW, "5h"))
    assert quota.as_json() == {
        "claude": {
            "windows": [
                {"name": "5h", "used": 0.42, "resets_at": "2026-11-22T13:00:00+00:00", "status": "allowed"},
                {"name": "7d", "used": None, "resets_at": None, "status": None, "model": "opus"},
            ],
            "binding": "5h",
            "seen_at": "2026-11-22T12:00:00+00:00",
        },
        "codex": None,
    }


def test_plan_and_credits_are_there_when_they_are_known() -> None:
    quota = Quota()
    quota.saw("codex", ProviderQuota((), NOW, None, "plus", Credits(True, False, "4.25")))
    seen = quota.as_json()["codex"]
    assert seen["plan"] == "plus"
    assert seen["credits"] == {"has_credits": True, "unlimited": False, "balance": "4.25"}


def test_what_an_answer_does_not_speak_of_stays_until_it_is_over() -> None:
    quota = Quota()
    first = (
        Window("5h", 0.1, SOON),
        Window("7d", 0.2, LATER),
        Window("7d", 0.9, LATER, model="opus"),
        Window("overage", 0.5),
    )
    quota.saw("claude", ProviderQuota(first, NOW, "7d_opus", "max", Credits(balance="1")))
    again = NOW + timedelta(hours=2)
    news = Window("7d", 0.3, LATER)
    quota.saw("claude", ProviderQuota((news,), again))
    # the five hours are over, and of the overage nobody knows until when it holds
    expected = ProviderQuota(
        (news, Window("7d", 0.9, LATER, model="opus")), again, "7d_opus", "max", Credits(balance="1")
    )
    assert quota.last == {"claude": expected}


def test_windows_for_all_models_come_first() -> None:
    quota = Quota()
    windows = (Window("7d", 0.9, model="opus"), Window("5h", 0.1), Window("7d", 0.2))
    quota.saw("claude", ProviderQuota(windows, NOW))
    assert [window.label for window in quota.last["claude"].windows] == ["5h", "7d", "7d_opus"]


@pytest.mark.parametrize(
    ("value", "found"),
    [("0", 0), ("12.5", 12.5), (3, 3), (0.25, 0.25), ("1e3", 1000)],
)
def test_numbers(value: object, found: float) -> None:
    assert number(value) == found


@pytest.mark.parametrize("value", [None, "", "x", "nan", "inf", -1, "-0.5", True, [], {}, 10**400, "9" * 400])
def test_what_is_no_number(value: object) -> None:
    assert number(value) is None
    assert share(value) is None
    assert moment(value) is None


def test_a_share_stays_between_0_and_1() -> None:
    assert [share("0"), share("0.42"), share(1.3), share(40.3, 100), share("250", 100)] == [
        0,
        0.42,
        1,
        0.403,
        1,
    ]


def test_moments() -> None:
    assert moment("1795348800") == NOW
    assert moment(1795348800.0) == NOW
    assert moment(0) is None
    assert moment(1e15) is None


def test_texts_that_can_be_shown() -> None:
    assert text("GPT-5.3-Codex-Spark") == "GPT-5.3-Codex-Spark"
    for value in ("", "a\x1b[2J", "\udcff", "x" * 101, 3, None):
        assert text(value) is None


def test_headers_in_lower_case() -> None:
    assert lower({"X-A": " 1 "}) == {"x-a": "1"}
