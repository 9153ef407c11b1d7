from ccproxy.backends.backend import backends
from ccproxy.settings import load


def test_each_backend_is_where_the_settings_say() -> None:
    settings = load({"claude.base_url": "http://127.0.0.1:1/x"}, environ={}).settings
    found = backends(settings)
    assert found["api"].target.prefix == "/x"
    assert found["openai"].target.origin == "https://api.openai.com"
    assert found["openai"].target.prefix == "/v1"
    assert found["api"].formats == ("anthropic",)
    assert found["api"].wire_for("chat") == "anthropic"
    assert found["openai"].wire_for("chat") == "chat"
    assert found["openai"].wire_for("anthropic") == "responses"


def test_paths_of_the_public_host() -> None:
    found = backends(load({}, environ={}).settings)
    assert found["api"].path_below("/v1/messages?beta=true") == "/v1/messages?beta=true"
    assert found["openai"].path_below("/v1/responses") == "/responses"
    assert found["openai"].path_below("/v10/responses") is None
    assert found["openai"].path_below("/dashboard") is None
