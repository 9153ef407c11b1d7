import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path

from ccproxy.credentials.oauth.siwc import Registration
from ccproxy.credentials.oauth.tokens import Tokens
from ccproxy.credentials.stores.login import Login
from ccproxy.credentials.stores.siwc import SiwcStore

END, EARLIEST = datetime(2030, 1, 1, tzinfo=UTC), datetime(2029, 12, 31, 12, tzinfo=UTC)
WHO = {
    "client_id": "oaiapp_1",
    "issuer": "https://auth.example",
    "subject": "s-1",
    "email": "someone@example.com",
}


async def test_the_installation_gets_one_name_for_ever(tmp_path: Path) -> None:
    stores = [SiwcStore({"XDG_DATA_HOME": str(tmp_path)}) for _ in range(5)]
    found = await asyncio.gather(*(store.registration() for store in stores))
    assert len(set(found)) == 1
    assert found[0].host_id.startswith("urn:uuid:")
    assert (found[0].client_id, found[0].subject) == (None, None)
    content = json.loads((tmp_path / "ccproxy" / "siwc.json").read_text())
    assert content == {"ext_agent_host_id": found[0].host_id}
    assert await stores[0].read() is None


async def test_a_login_is_kept_with_its_registration(tmp_path: Path) -> None:
    store = SiwcStore({"XDG_DATA_HOME": str(tmp_path)})
    host_id = (await store.registration()).host_id
    login = await store.write(Tokens("a", "r", "i", END, ("x", "y"), EARLIEST, dict(WHO)))
    assert login == await store.read()
    assert login == Login("a", "r", END, "someone@example.com", None, ("x", "y"), EARLIEST)
    assert await store.registration() == Registration(host_id, "oaiapp_1", "s-1")

    await store.clear()
    assert await store.read() is None
    assert await store.registration() == Registration(host_id, "oaiapp_1", None)


async def test_a_renewal_keeps_what_it_does_not_say(tmp_path: Path) -> None:
    store = SiwcStore({"XDG_DATA_HOME": str(tmp_path)})
    await store.write(Tokens("a", "r", "i", END, ("x",), EARLIEST, dict(WHO)))
    async with store.lock():
        renewed = store.renew(Tokens("a2", None, None, None, (), None, {}), ["r"])
    assert renewed == Login("a2", "r", None, "someone@example.com", None, ("x",))
