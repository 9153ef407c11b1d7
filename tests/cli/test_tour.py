import httpx

from ccproxy.cli.tour import SHOWN, take


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
