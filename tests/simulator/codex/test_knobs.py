import httpx

from ccproxy.simulator.state import Simulator


async def test_knobs_are_turned_and_reset(sim: Simulator, base: str) -> None:
    async with httpx.AsyncClient(base_url=base) as client:
        turned = await client.post("/_simulator/codex", json={"websocket": False})
        assert turned.json()["websocket"] is False
        assert turned.json()["workspace_backend_origin"] == "https://chatgpt.com"

        sim.reset()
        assert (await client.get("/_simulator/codex")).json()["websocket"] is True
        assert (await client.post("/_simulator/codex", json={"explode": True})).status_code == 400
