from ccproxy.backends.backend import backends
from ccproxy.settings import load


def test_each_backend_is_where_the_settings_say() -> None:
    settings = load({"claude.base_url": "http://127.0.0.1:1/x"}, environ={}).settings
    found = backends(settings)
    assert found["api"].target.prefix == "/x"
    assert found["openai"].target.origin == "https://api.openai.com"
    assert found["openai"].target.prefix == "/v1"
    assert found["api"].formats == {"anthropic"}
