from openai.types.responses import Response

from ccproxy.conversation.usage import Usage
from ccproxy.formats.responses import decode_request
from ccproxy.formats.responses.response import response_object
from tests.formats.responses.judges import to


def test_the_least_that_is_told_is_a_whole_response() -> None:
    value = response_object(to(), "in_progress", [], Usage())
    response = Response.model_validate(value)
    assert (response.id, response.model, response.status) == ("resp_ab12", "gpt-alias", "in_progress")
    assert response.usage is None
    assert response.created_at == 1_700_000_000


def test_what_the_client_asked_is_repeated() -> None:
    body = {
        "model": "m",
        "input": "hi",
        "instructions": "be brief",
        "tools": [{"type": "function", "name": "look", "parameters": {}, "strict": False}],
        "tool_choice": "required",
        "temperature": 0.5,
        "metadata": {"a": "b"},
        "text": {"format": {"type": "json_object"}},
        "reasoning": {"effort": "low"},
        "parallel_tool_calls": False,
        "store": True,
    }
    value = response_object(to(decode_request(body).request), "completed", [], Usage(1, 2))
    Response.model_validate(value)
    kept = body.keys() - {"model", "input", "store"}
    assert {name: value[name] for name in kept} == {name: body[name] for name in kept}
    assert value["store"] is False
    assert value["usage"]["total_tokens"] == 3


def test_an_incomplete_and_a_failed_response() -> None:
    value = response_object(to(), "incomplete", [], Usage(), incomplete="max_output_tokens")
    assert value["incomplete_details"] == {"reason": "max_output_tokens"}
    value = response_object(to(), "failed", [], Usage(), {"code": "server_error", "message": "m"})
    assert value["error"] == {"code": "server_error", "message": "m"}
