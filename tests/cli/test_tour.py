import httpx

from ccproxy.cli.tour import SHOWN, take, where_claude_is


async def test_a_step_that_fails_says_how() -> None:
    async def ask(client: httpx.AsyncClient) -> str:
        raise httpx.ConnectError("nobody there")

    async with httpx.AsyncClient(trust_env=False) as client:
        step = await take("GET /", ask, client)
    assert not step.passed
    assert step.result == "ConnectError: nobody there"


async def test_long_answers_are_cut() -> None:
    async def ask(client: httpx.AsyncClient) -> str:
        return "x" * 1000

    async with httpx.AsyncClient(trust_env=False) as client:
        step = await take("GET /", ask, client)
    assert step.passed
    assert len(step.result) == SHOWN


async def test_without_claude_code_its_steps_are_left_out() -> None:
    async def ask(client: httpx.AsyncClient) -> str:
        return "asked"

    for ready, reason, result in ((False, "install it", "left out: install it"), (True, None, "asked")):
        status = httpx.Response(200, json={"ready": ready, "reason": reason})
        transport = httpx.MockTransport(lambda request, status=status: status)
        async with httpx.AsyncClient(transport=transport, base_url="http://local") as client:
            step = await take("POST /sdk", where_claude_is(ask), client)
        assert (step.passed, step.result) == (True, result)
