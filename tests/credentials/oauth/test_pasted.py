import pytest

from ccproxy.credentials.oauth.callback import Callback
from ccproxy.credentials.oauth.pasted import read_pasted
from ccproxy.credentials.oauth.tokens import LoginError


@pytest.mark.parametrize(
    "text",
    [
        "abc-1#xyz_2",
        "  abc-1#xyz_2\r\n",
        "abc-\n  1#xyz\n_2",
        "'abc-1#xyz_2'",
        "https://platform.claude.com/oauth/code/callback?code=abc-1&state=xyz_2",
        "http://localhost:1455/auth/callback?state=xyz_2&code=abc-1#",
        "http://localhost:1455/auth/callback?state=xyz_2&co\n de=abc-1",
        "<http://localhost:1455/auth/callback?code=abc-1&state=xyz_2>",
        "localhost:1455/auth/callback?code=abc-1&state=xyz_2",
        "?code=abc-1&state=xyz_2",
        "code=abc-1&state=xyz_2",
    ],
)
def test_what_people_copy(text: str) -> None:
    assert read_pasted(text) == Callback("abc-1", "xyz_2")


def test_the_issued_client_id_is_kept() -> None:
    pasted = read_pasted("http://127.0.0.1:1456/auth/callback?code=c&state=s&client_id=oaiapp_1")

    assert pasted.client_id == "oaiapp_1"


def test_a_code_that_looks_like_a_parameter() -> None:
    assert read_pasted("barcode=#state") == Callback("barcode=", "state")


@pytest.mark.parametrize(
    "text",
    ["", "   ", "abc", "abc#", "#xyz", "https://claude.ai/", "https://x/#frag", "http://localhost/?code=c"],
)
def test_what_is_not_all_of_it(text: str) -> None:
    with pytest.raises(LoginError) as caught:
        read_pasted(text)

    assert caught.value.code == "incomplete"


def test_an_address_that_says_no() -> None:
    with pytest.raises(LoginError, match="refused") as caught:
        read_pasted("http://localhost:1455/auth/callback?error=access_denied&state=s")

    assert caught.value.code == "access_denied"
