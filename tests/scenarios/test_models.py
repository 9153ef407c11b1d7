"""The list of models comes in the shape that the client reads, whoever answers."""

import anthropic
import httpx
import openai
import pytest

from tests.support.processes import Proxy


def test_each_sdk_lists_each_backends_models(proxy: Proxy) -> None:
    for path, known in (("/api", "claude-opus-4-8"), ("/openai", "gpt-5.5")):
        with anthropic.Anthropic(base_url=f"{proxy.url}{path}", api_key="x", max_retries=0) as claude:
            listed = list(claude.models.list(limit=1000))
            assert known in [model.id for model in listed]
            assert all(model.type == "model" and model.display_name for model in listed)
            assert claude.models.retrieve(known).id == known
        with openai.OpenAI(base_url=f"{proxy.url}{path}/v1", api_key="x", max_retries=0) as client:
            models = list(client.models.list())
            assert known in [model.id for model in models]
            assert all(model.object == "model" and model.owned_by for model in models)
            assert client.models.retrieve(known).id == known


def test_the_header_decides(proxy: Proxy) -> None:
    plain = httpx.get(f"{proxy.url}/api/models", trust_env=False).json()
    assert plain["object"] == "list"
    for headers in (
        {"anthropic-version": "2023-06-01"},
        {"x-api-key": "x", "anthropic-version": "2023-06-01"},
    ):
        assert "has_more" in httpx.get(f"{proxy.url}/api/models", headers=headers, trust_env=False).json()
    with openai.OpenAI(base_url=f"{proxy.url}/api/v1", api_key="x", max_retries=0) as client:
        with pytest.raises(openai.NotFoundError):
            client.models.retrieve("nobody")
