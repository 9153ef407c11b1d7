from datetime import UTC, datetime, timedelta

from ccproxy.credentials.stores.login import Login


def test_a_login_ends_and_its_secrets_are_not_in_its_text() -> None:
    now = datetime.now(UTC)
    login = Login("the-access", "the-refresh", now, "someone@example.com")
    assert login.expired(now)
    assert not login.expired(now - timedelta(seconds=1))
    assert not Login("a").expired()
    assert "the-" not in repr(login)
