from datetime import UTC, datetime

import jwt
import pytest

from ccproxy.credentials.oauth.claims import claims, moment


def test_the_claims_of_any_token() -> None:
    token = jwt.encode({"sub": "u", "exp": 1}, "k" * 32, algorithm="HS256")

    assert claims(token) == {"sub": "u", "exp": 1}


@pytest.mark.parametrize("token", [None, 1, "", "a.b.c", "sk-ant-oat01-x", "é", {}])
def test_what_is_no_token_has_no_claims(token: object) -> None:
    assert claims(token) == {}


def test_moments() -> None:
    assert moment(1_800_000_000) == datetime(2027, 1, 15, 8, tzinfo=UTC)
    for nonsense in (None, True, "1", 1e30, float("nan"), float("inf")):
        assert moment(nonsense) is None
