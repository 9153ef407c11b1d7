import pytest
from pydantic import SecretStr

from ccproxy.settings.layout import LEAVES, TABLES, Kind
from ccproxy.settings.tree import Rule, Settings


def test_tables_and_leaves_are_apart() -> None:
    assert TABLES[""] is Settings
    assert "claude.pool" in TABLES
    assert not TABLES.keys() & LEAVES.keys()
    leaf = LEAVES["claude.pool.size"]
    assert (leaf.table, leaf.name) == ("claude.pool", "size")


@pytest.mark.parametrize(
    ("key", "phrase"),
    [
        ("server.web", "true or false"),
        ("server.port", "a whole number from 0 to 65535"),
        ("retries.keepalive_seconds", "a number above 0 up to 604800"),
        ("server.log_level", "debug, info, warning or error"),
        ("observability.metrics", "true or false"),
        ("claude.options.model", "text"),
        ("permissions.allow", "a list of texts"),
        ("claude.options.add_dirs", "a list, each entry a path"),
        ("claude.options.env", "a table of texts"),
        ("claude.options.mcp_servers", "a table"),
        ("models.rules", "a list, each entry a table with match, target, and if need be backend, effort"),
        ("claude.token_url", "an https URL, or an http URL of a loopback address"),
    ],
)
def test_what_is_allowed_in_words(key: str, phrase: str) -> None:
    assert LEAVES[key].kind.allowed == phrase


def test_looking_inside_a_value() -> None:
    rules = LEAVES["models.rules"].kind
    assert rules.inside(0) == Kind(Rule)
    assert rules.inside(0).inside("target").base is str
    assert LEAVES["intercept.hosts"].kind.inside("example.com").allowed.startswith("observe, credentials")


def test_what_is_secret() -> None:
    secret = {key for key, leaf in LEAVES.items() if leaf.secret}
    assert secret == {
        "security.auth_token",
        "claude.api_key",
        "openai.api_key",
        "claude.options.env",
        "claude.options.mcp_servers",
    }
    assert LEAVES["claude.api_key"].kind.base is SecretStr


def test_what_may_be_unset() -> None:
    assert LEAVES["claude.token_url"].optional
    assert LEAVES["claude.token_url"].unset == "the provider's own"
    assert not LEAVES["server.port"].optional
    assert LEAVES["server.port"].unset is None
