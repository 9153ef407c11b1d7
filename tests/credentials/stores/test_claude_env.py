import pytest

from ccproxy.credentials.credential import CredentialError
from ccproxy.credentials.oauth.tokens import Tokens
from ccproxy.credentials.stores.claude_env import VARIABLE, ClaudeEnvStore


async def test_a_token_that_nobody_can_renew() -> None:
    login = await ClaudeEnvStore({VARIABLE: " sk-ant-oat01-long \n"}).read()
    assert login
    assert (login.access_token, login.refresh_token, login.expires_at) == ("sk-ant-oat01-long", None, None)


@pytest.mark.parametrize("environ", [{}, {VARIABLE: ""}, {VARIABLE: "  "}])
async def test_no_token(environ: dict[str, str]) -> None:
    assert await ClaudeEnvStore(environ).read() is None


async def test_the_environment_is_the_users() -> None:
    store = ClaudeEnvStore({})
    with pytest.raises(CredentialError, match=VARIABLE):
        await store.write(Tokens("a", None, None, None, (), None, {}))
    with pytest.raises(CredentialError, match=VARIABLE):
        await store.clear()
