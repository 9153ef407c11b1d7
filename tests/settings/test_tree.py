import os
from typing import Any

import pytest
from pydantic import ValidationError

from ccproxy.settings import Settings
from ccproxy.settings.layout import LEAVES
from ccproxy.settings.tree import Models, Rule, Security, Server

# Keys and defaults that programs and people rely on: a change here is a change of the product.
PROMISED: dict[str, dict[str, Any]] = {
    "server": {"host": "127.0.0.1", "port": 8000, "proxy_port": 8080, "web": False, "log_level": "info"}
    | {"body_limit": "64m", "drain_seconds": 10},
    "security": {
        "auth_token": None,
        "allowed_hosts": ["localhost", "127.0.0.1", "::1"],
        "allowed_origins": [],
    },
    "claude": {"base_url": "https://api.anthropic.com", "credentials": "auto", "api_key": None}
    | {"credentials_path": None, "token_url": None, "sdk_message_mode": "forward", "pretty_format": True}
    | {"cli_path": None},
    "claude.oauth": {"client_id": None, "authorize_url": None, "profile_url": None, "usage_url": None},
    "claude.options": {"cwd": None, "permission_mode": None, "model": None, "allowed_tools": []}
    | {"disallowed_tools": [], "append_system_prompt": None, "max_turns": None, "add_dirs": []}
    | {"mcp_servers": {}, "env": {}},
    "claude.pool": {"enabled": False, "size": 3, "max_uses": None},
    "claude.sessions": {"idle_seconds": 600, "max": 32, "wait_seconds": 60},
    "codex": {"enabled": True, "base_url": "https://chatgpt.com/backend-api/codex", "credentials": "auto"}
    | {"auth_path": None, "instructions": "captured", "token_url": None, "websocket": "on"},
    "codex.oauth": {"client_id": None, "authorize_url": None, "revoke_url": None, "device_code_url": None}
    | {"device_token_url": None, "device_page_url": None, "device_redirect_url": None},
    "codex.siwc": {"issuer": None},
    "codex.sessions": {"max": 256, "idle_seconds": 86_400, "memory": "64m"},
    "openai": {"base_url": "https://api.openai.com/v1", "api_key": None},
    "models": {"default_backend": "api", "rules": []},
    "translation": {"losses": "warn", "reasoning": "reasoning_content"},
    "intercept": {"hosts": dict.fromkeys(["api.anthropic.com", "api.openai.com", "chatgpt.com"], "observe")},
    "permissions": {"timeout_seconds": 120, "allow": [], "deny": []},
    "retries": {"attempts": 2, "max_wait_seconds": 8, "idle_timeout_seconds": 300, "keepalive_seconds": 15},
    "inspector": {"max_bytes": "256m", "max_age_seconds": 7200},
    "observability": {"enabled": False, "metrics": None, "logs": None, "dashboard": None}
    | {"duckdb_path": "/data/ccproxy/access.duckdb", "retention_days": None, "capture_bodies": "off"}
    | {"otlp_endpoint": None},
}


def test_the_promised_keys_and_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "XDG_DATA_HOME", "/data")
    dumped = Settings().model_dump(mode="json")
    for table, keys in PROMISED.items():
        found = dumped
        for name in table.split("."):
            found = found[name]
        assert {key: value for key, value in found.items() if f"{table}.{key}" not in PROMISED} == keys
    assert set(LEAVES) == {f"{table}.{key}" for table, keys in PROMISED.items() for key in keys}


def test_every_key_is_described_in_one_line() -> None:
    for leaf in LEAVES.values():
        assert leaf.field.description, leaf.key
        assert "\n" not in leaf.field.description
    assert all(field.description for field in Rule.model_fields.values())


def test_two_trees_share_nothing() -> None:
    Settings().permissions.allow.append("Read")
    Settings().intercept.hosts["example.com"] = "api"
    assert Settings().permissions.allow == []
    assert "example.com" not in Settings().intercept.hosts


@pytest.mark.parametrize(
    "values", [{"port": "abc"}, {"port": 70000}, {"port": True}, {"port": 8000.0}, {"nope": 1}]
)
def test_strictness(values: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Server.model_validate(values)


def test_an_empty_text_unsets_what_may_be_unset() -> None:
    settings = Settings.model_validate(
        {"claude": {"api_key": "", "cli_path": "", "pool": {"max_uses": ""}}, "observability": {"logs": ""}}
    )
    assert settings == Settings()
    with pytest.raises(ValidationError):
        Settings.model_validate({"server": {"port": ""}})


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "myhost"])
def test_beyond_loopback_a_token_is_needed(host: str) -> None:
    with pytest.raises(ValidationError, match=r"security\.auth_token.*127\.0\.0\.1"):
        Settings(server=Server(host=host))
    assert (
        Settings.model_validate({"server": {"host": host}, "security": {"auth_token": "t"}}).server.host
        == host
    )


def test_an_empty_token_is_none() -> None:
    assert Security.model_validate({"auth_token": ""}).auth_token is None
    with pytest.raises(ValidationError):
        Settings.model_validate({"server": {"host": "0.0.0.0"}, "security": {"auth_token": ""}})


def test_rules_keep_their_order() -> None:
    models = Models.model_validate(
        {"rules": [{"match": "b*", "target": "x"}, {"match": "a*", "target": "y", "effort": "low"}]}
    )
    assert [(rule.match, rule.target, rule.backend, rule.effort) for rule in models.rules] == [
        ("b*", "x", None, None),
        ("a*", "y", None, "low"),
    ]


def test_secrets_are_not_in_the_repr() -> None:
    settings = Settings.model_validate(
        {
            "claude": {
                "api_key": "sk-hush",
                "options": {"env": {"A": "sk-hush"}, "mcp_servers": {"m": {"x": "sk-hush"}}},
            }
        }
    )
    assert "sk-hush" not in repr(settings)
    assert settings.claude.api_key is not None
    assert settings.claude.api_key.get_secret_value() == "sk-hush"


def test_the_schema_knows_tables_choices_and_secrets() -> None:
    schema = Settings.model_json_schema()
    tables = schema["$defs"]
    assert set(schema["properties"]) == {table for table in PROMISED if "." not in table}
    assert tables["Server"]["additionalProperties"] is False
    assert tables["Server"]["properties"]["port"]["maximum"] == 65535
    assert tables["Server"]["properties"]["log_level"]["enum"] == ["debug", "info", "warning", "error"]
    assert {"type": "string", "pattern": "^[0-9]+[kmgKMG]?$"} in tables["Server"]["properties"]["body_limit"][
        "anyOf"
    ]
