from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from ccproxy.simulator.app import create_app
from ccproxy.simulator.oauth.claims import AUTH_CLAIM, read_claims
from ccproxy.simulator.oauth.control import plain_grant
from ccproxy.simulator.server import running
from ccproxy.simulator.state import Simulator


@pytest.fixture
def sim() -> Simulator:
    return Simulator()


@pytest.fixture
def token(sim: Simulator) -> str:
    """The access token of a Codex login."""
    return sim.tokens.issue(plain_grant("codex")).access_token


@pytest.fixture
def headers(token: str) -> dict[str, str]:
    claims: Any = read_claims(token)
    return {
        "authorization": f"Bearer {token}",
        "chatgpt-account-id": claims[AUTH_CLAIM]["chatgpt_account_id"],
        "originator": "test",
    }


@pytest.fixture
async def base(sim: Simulator) -> AsyncIterator[str]:
    async with running(create_app(sim)) as url:
        yield url


@pytest.fixture
async def http(base: str, headers: dict[str, str]) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody with a login, at `/backend-api`."""
    async with httpx.AsyncClient(base_url=f"{base}/backend-api", headers=headers) as client:
        yield client


@pytest.fixture
def body() -> dict[str, Any]:
    """The least that a request has to say."""
    return {
        "model": "gpt-6.1-sol",
        "instructions": "",
        "input": [message("hello")],
        "stream": True,
        "store": False,
    }


def message(text: str) -> dict[str, Any]:
    return {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}
