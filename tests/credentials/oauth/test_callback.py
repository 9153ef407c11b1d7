import pytest

from ccproxy.credentials.oauth.callback import Callback, read_query, state_in
from ccproxy.credentials.oauth.tokens import LoginError


def test_a_code_and_its_state() -> None:
    assert read_query("code=c%2F1&state=s") == Callback("c/1", "s")
    assert read_query("state=s&code=c&client_id=oaiapp_1&x=y") == Callback("c", "s", "oaiapp_1")
    assert "c1" not in repr(Callback("c1", "s1"))
    assert "s1" not in repr(Callback("c1", "s1"))


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("error=access_denied&state=s", "access_denied"),
        ("error=server_error&code=c&state=s", "server_error"),
        ("error=<script>&state=s", "unknown_error"),
        ("code=c", "incomplete"),
        ("state=s", "incomplete"),
        ("code=c&state=", "incomplete"),
        ("code=c&code=d&state=s", "incomplete"),
        ("&".join(["code=c&state=s"] + ["x=1"] * 60), "incomplete"),
        ("", "incomplete"),
    ],
)
def test_what_is_no_code(query: str, code: str) -> None:
    with pytest.raises(LoginError) as caught:
        read_query(query)

    assert caught.value.code == code
    assert "<" not in str(caught.value)


@pytest.mark.parametrize(
    ("query", "state"),
    [("error=x&state=s", "s"), ("state=s&state=s", ""), ("code=c", ""), ("state=", ""), ("state=%41", "A")],
)
def test_the_state_of_any_query(query: str, state: str) -> None:
    assert state_in(query) == state
