import time
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest

from ccproxy.credentials.oauth.tokens import TokenError, Tokens, known, read_tokens

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def read(**answer: Any) -> Tokens:
    return read_tokens({"access_token": "at", **answer}, NOW, account={})


def test_everything_there_is() -> None:
    tokens = read(
        refresh_token="rt",
        id_token="it",
        scope="a b",
        expires_in=60,
        earliest_refresh_at="2026-11-22T13:00:30+01:00",
    )

    assert (tokens.access_token, tokens.refresh_token, tokens.id_token) == ("at", "rt", "it")
    assert tokens.scopes == ("a", "b")
    assert tokens.expires_at == NOW + timedelta(seconds=60)
    assert tokens.earliest_refresh_at == NOW + timedelta(seconds=30)


def test_what_is_not_there() -> None:
    tokens = read()

    assert (tokens.refresh_token, tokens.id_token, tokens.scopes) == (None, None, ())
    assert (tokens.expires_at, tokens.earliest_refresh_at) == (None, None)


def test_tokens_are_not_shown() -> None:
    tokens = read(access_token="secret-1", refresh_token="secret-2", id_token="secret-3")

    assert "secret" not in repr(tokens)


@pytest.mark.parametrize("nonsense", [None, "soon", -1, float("inf"), float("nan"), [], {}, 1e30])
def test_nonsense_for_a_lifetime(nonsense: object) -> None:
    assert read(expires_in=nonsense).expires_at is None
    assert read_tokens(
        {"access_token": "at", "expires_in": nonsense}, NOW, lifetime=5, account={}
    ).expires_at == NOW + timedelta(seconds=5)


def test_a_lifetime_in_a_text() -> None:
    assert read(expires_in="60").expires_at == NOW + timedelta(seconds=60)


def test_a_token_that_says_itself_when_it_ends() -> None:
    ends = int(time.time()) + 100
    token = jwt.encode({"exp": ends}, "k" * 32, algorithm="HS256")

    assert read(access_token=token).expires_at == datetime.fromtimestamp(ends, UTC)
    assert read(access_token=token, expires_in=60).expires_at == NOW + timedelta(seconds=60)


@pytest.mark.parametrize("nonsense", [None, 17, "tomorrow", "2026-13-01"])
def test_nonsense_for_the_earliest_refresh(nonsense: object) -> None:
    assert read(earliest_refresh_at=nonsense).earliest_refresh_at is None


def test_a_time_without_a_zone_is_utc() -> None:
    assert read(earliest_refresh_at="2026-11-22T12:00:00").earliest_refresh_at == NOW


@pytest.mark.parametrize("nonsense", [None, "", 1, []])
def test_without_an_access_token_there_are_none(nonsense: object) -> None:
    with pytest.raises(TokenError) as caught:
        read_tokens({"access_token": nonsense, "refresh_token": "rt-secret"}, NOW, account={})

    assert (caught.value.code, caught.value.terminal) == ("bad_answer", False)
    assert "secret" not in str(caught.value)


def test_known_facts_are_texts() -> None:
    assert known(email="a@example.com", plan=None, organization="", user_id=7) == {"email": "a@example.com"}
