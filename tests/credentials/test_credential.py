import pytest

from ccproxy.credentials.credential import CredentialError, CredentialStatus, Secret, State


@pytest.mark.parametrize(
    ("state", "usable"),
    [
        ("valid", True),
        ("renewable", True),
        ("client", True),
        ("expired", False),
        ("missing", False),
        ("off", False),
    ],
)
def test_usable(state: State, usable: bool) -> None:
    assert CredentialStatus("k", "s", state).usable is usable


def test_a_secret_is_not_in_its_text() -> None:
    assert "hush" not in repr(Secret((("x-api-key", "hush"),)))


def test_the_token_of_a_secret() -> None:
    assert Secret((("authorization", "Bearer t"), ("chatgpt-account-id", "a"))).bearer == "t"
    assert Secret((("x-api-key", "k"),)).bearer is None


def test_an_error_knows_whether_it_expired() -> None:
    assert not CredentialError("x").expired
    assert CredentialError("x", expired=True).expired
