"""The real Claude Code behind `/sdk`, and the official SDKs as its clients."""

from collections.abc import Iterator

import anthropic
import openai
import pytest

from tests.conftest import Proxies
from tests.support.processes import Proxy
from tests.support.sdk import sdk_settings


@pytest.fixture
def sdk(proxies: Proxies) -> Proxy:
    """A proxy with Claude Code; skips where that is not installed."""
    return proxies.get(settings=sdk_settings(CLAUDE__SESSIONS__WAIT_SECONDS="3"))


@pytest.fixture
def sdk_claude(sdk: Proxy) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(base_url=f"{sdk.url}/sdk", api_key="client", max_retries=0) as made:
        yield made


@pytest.fixture
def sdk_openai(sdk: Proxy) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{sdk.url}/sdk/v1", api_key="client", max_retries=0) as made:
        yield made
