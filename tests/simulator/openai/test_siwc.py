from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from ccproxy.simulator.oauth.control import plain_grant
from ccproxy.simulator.openai.siwc import REFUSED
from ccproxy.simulator.state import Simulator

BODY = {"model": "gpt-6.1-sol", "input": "hi", "stream": True, "store": False}


@pytest.fixture
async def plan(sim: Simulator, url: str) -> AsyncIterator[httpx.AsyncClient]:
    token = sim.tokens.issue(plain_grant("siwc")).access_token
    headers = {"authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=url, headers=headers) as client:
        yield client


async def test_a_streamed_response(plan: httpx.AsyncClient) -> None:
    answer = await plan.post("/responses", json=BODY)

    assert answer.status_code == 200
    assert "event: response.completed" in answer.text


@pytest.mark.parametrize("param", REFUSED)
async def test_refused_parameters(plan: httpx.AsyncClient, param: str) -> None:
    error = (await plan.post("/responses", json=BODY | {param: "x"})).json()["error"]

    assert (error["code"], error["param"]) == ("subscription_sharing_unsupported_capability", param)


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"stream": False}, "stream"),
        ({"store": True}, "store"),
        ({"input": [{"role": "system", "content": "x"}]}, "input[0].role"),
        ({"tools": [{"type": "code_interpreter"}]}, "tools[0].type"),
        ({"tool_choice": {"type": "function", "name": "ls"}}, "tool_choice"),
    ],
)
async def test_refused_values(plan: httpx.AsyncClient, change: dict[str, Any], param: str) -> None:
    answer = await plan.post("/responses", json=BODY | change)

    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == param


async def test_chat_completions_are_not_for_plans(plan: httpx.AsyncClient) -> None:
    answer = await plan.post("/chat/completions", json={})

    assert answer.status_code == 403
    assert answer.json()["error"]["code"] == "subscription_sharing_route_not_supported"


async def test_the_model_list_has_another_shape(plan: httpx.AsyncClient) -> None:
    body = (await plan.get("/models")).json()

    assert "data" not in body
    assert "gpt-6.1-sol" in [model["slug"] for model in body["models"]]
