import httpx
import pytest
from anthropic import AsyncAnthropic, NotFoundError

from ccproxy.simulator.anthropic.catalogue import models


async def test_the_sdk_reads_all_pages(sdk: AsyncAnthropic) -> None:
    found = [model async for model in sdk.models.list(limit=5)]
    assert [model.id for model in found] == [model.id for model in models()]
    assert found[0].capabilities is not None
    assert found[0].capabilities.thinking.types.adaptive.supported
    assert found[0].line == "fable"


async def test_claude_code_asks_for_a_thousand(http: httpx.AsyncClient) -> None:
    page = (await http.get("/v1/models?limit=1000")).json()
    assert (len(page["data"]), page["has_more"]) == (len(models()), False)
    assert (page["first_id"], page["last_id"]) == (page["data"][0]["id"], page["data"][-1]["id"])


async def test_forwards_and_backwards(http: httpx.AsyncClient) -> None:
    names = [model.id for model in models()]
    after = (await http.get("/v1/models", params={"limit": 2, "after_id": names[2]})).json()
    assert ([row["id"] for row in after["data"]], after["has_more"]) == (names[3:5], True)
    before = (await http.get("/v1/models", params={"limit": 2, "before_id": names[3]})).json()
    assert ([row["id"] for row in before["data"]], before["has_more"]) == (names[1:3], True)
    end = (await http.get("/v1/models", params={"after_id": names[-1]})).json()
    assert end == {"data": [], "has_more": False, "first_id": None, "last_id": None}


async def test_by_lifecycle(http: httpx.AsyncClient) -> None:
    page = (await http.get("/v1/models", params={"lifecycle[]": "deprecated"})).json()
    assert page["data"]
    assert {row["lifecycle"] for row in page["data"]} == {"deprecated"}


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=1001", "limit=x", "after_id=nobody", "after_id=a&before_id=b"]
)
async def test_a_wrong_question(http: httpx.AsyncClient, query: str) -> None:
    answer = await http.get(f"/v1/models?{query}")
    assert (answer.status_code, answer.json()["error"]["type"]) == (400, "invalid_request_error")


async def test_one_model(sdk: AsyncAnthropic) -> None:
    model = await sdk.models.retrieve("claude-opus-4-5")
    assert (model.id, model.max_tokens) == ("claude-opus-4-5-20251101", 64_000)
    with pytest.raises(NotFoundError, match="gpt-6"):
        await sdk.models.retrieve("gpt-6")


async def test_the_list_wants_a_credential(url: str) -> None:
    async with httpx.AsyncClient(base_url=url) as http:
        assert (await http.get("/v1/models")).status_code == 401
