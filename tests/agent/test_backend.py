from ccproxy.agent.backend import sdk_backend
from ccproxy.backends.target import Target
from ccproxy.settings import load


async def test_it_is_the_local_app() -> None:
    local = Target("http", "127.0.0.1", 4321, "")
    backend = sdk_backend(load({}, environ={}).settings, local, ("x-secret", "hush"))
    assert (backend.name, backend.target) == ("sdk", Target("http", "127.0.0.1", 4321, "/_agent"))
    assert backend.wire_for("chat") == backend.wire_for("responses") == "anthropic"
    assert backend.hosts == ()
    secret = await backend.credential.secret()
    assert secret is not None
    assert secret.headers == (("x-secret", "hush"),)
