import httpx
import pytest
from openai import AsyncOpenAI, NotFoundError

from ccproxy.simulator.openai.catalogue import check_effort, find, models
from ccproxy.simulator.openai.errors import ApiError


def test_a_dated_id_is_its_model() -> None:
    assert find("gpt-5-2025-08-07") is find("gpt-5")


def test_an_unknown_model() -> None:
    with pytest.raises(ApiError) as raised:
        find("gpt-99")

    assert (raised.value.status, raised.value.code) == (404, "model_not_found")


@pytest.mark.parametrize(
    ("model", "effort", "code"),
    [("gpt-5", "xhigh", "unsupported_value"), ("gpt-4o", "low", "unsupported_parameter")],
)
def test_not_every_model_takes_every_effort(model: str, effort: str, code: str) -> None:
    check_effort(find("gpt-6.1-sol"), effort, "reasoning_effort")
    with pytest.raises(ApiError) as raised:
        check_effort(find(model), effort, "reasoning_effort")

    assert raised.value.code == code


async def test_the_sdk_reads_the_list(sdk: AsyncOpenAI) -> None:
    listed = await sdk.models.list()

    assert [model.id for model in listed.data] == list(models())
    assert (await sdk.models.retrieve("gpt-5")).owned_by == "openai"
    with pytest.raises(NotFoundError):
        await sdk.models.retrieve("gpt-99")


async def test_elsewhere_is_404_in_the_api_s_shape(http: httpx.AsyncClient) -> None:
    answer = await http.get("/embeddings")

    assert answer.status_code == 404
    assert answer.json()["error"]["type"] == "invalid_request_error"
