import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccproxy.settings import Settings, load
from ccproxy.settings.layout import LEAVES
from ccproxy.settings.printing import MASK, effective, nested, plain, starter, toml_value

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
VALUES = st.recursive(
    st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS,
    lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner),
)


@given(VALUES)
def test_toml_reads_back_what_is_written(value: object) -> None:
    assert tomllib.loads(f"a = {toml_value(value)}") == {"a": value}


def test_nothing_is_the_empty_text() -> None:
    assert toml_value(None) == '""'


def test_secrets_are_masked_and_unset_ones_are_not_there() -> None:
    env = {"ANTHROPIC_API_KEY": "sk-hush"}
    servers = {"m": {"type": "http", "headers": {"authorization": "sk-hush"}}}
    settings = Settings.model_validate(
        {"security": {"auth_token": "sk-hush"}, "claude": {"options": {"env": env, "mcp_servers": servers}}}
    )
    values = plain(settings)
    assert values["security.auth_token"] == MASK
    assert values["claude.options.env"] == {"ANTHROPIC_API_KEY": MASK}
    assert values["claude.options.mcp_servers"] == {"m": MASK}
    assert values["claude.api_key"] is None
    assert "sk-hush" not in effective(settings)


def test_plain_values() -> None:
    settings = Settings.model_validate(
        {
            "server": {"body_limit": 1024, "drain_seconds": 2.0},
            "retries": {"max_wait_seconds": 0.5},
            "claude": {"options": {"cwd": "/x"}},
            "models": {"rules": [{"match": "a", "target": "b"}]},
        }
    )
    values = plain(settings)
    assert values.keys() == LEAVES.keys()
    assert values["server.body_limit"] == "1k"
    assert repr(values["server.drain_seconds"]) == "2"
    assert values["retries.max_wait_seconds"] == 0.5
    assert values["claude.options.cwd"] == "/x"
    assert values["models.rules"] == [{"match": "a", "target": "b"}]


def test_nested() -> None:
    assert nested({"a.b.c": 1, "a.b.d": 2, "e": 3}) == {"a": {"b": {"c": 1, "d": 2}}, "e": 3}


def test_the_effective_settings_are_a_file_that_gives_them(tmp_path: Path) -> None:
    environ = {
        "SERVER__PORT": "5",
        "INTERCEPT__HOSTS": '{"a.example": "sdk"}',
        "MODELS__RULES": '[{"match": "a\\"*", "target": "b", "effort": "low"}]',
        "CODEX__INSTRUCTIONS": "./x.md",
        "HOME": "/home/ada",
    }
    settings = load(environ=environ, cwd=tmp_path).settings
    (tmp_path / "ccproxy.toml").write_text(effective(settings))
    assert load(environ={}, cwd=tmp_path).settings == settings


def test_every_key_has_a_line_with_its_source(tmp_path: Path) -> None:
    loaded = load(environ={"SERVER__PORT": "5"}, cwd=tmp_path)
    text = effective(loaded.settings, loaded.sources)
    lines = [line for line in text.splitlines() if line and not line.startswith("[")]
    assert len(lines) == len(LEAVES)
    assert "port = 5                                        # environment SERVER__PORT" in lines
    assert "# metrics is not set (as `enabled`)             # default" in lines
    assert tomllib.loads(text)["server"]["port"] == 5


@pytest.mark.parametrize("uncommented", [False, True])
def test_the_starter_file_changes_nothing(uncommented: bool, tmp_path: Path) -> None:
    lines = starter().splitlines()
    if uncommented:
        lines = [line[1:] if line.startswith("#") and line[1] != " " else line for line in lines]
    (tmp_path / "ccproxy.toml").write_text("\n".join(lines))
    loaded = load(environ={}, cwd=tmp_path)
    assert loaded.settings == Settings()
    given_keys = {key for key, source in loaded.sources.items() if source != "default"}
    assert given_keys == (set(LEAVES) if uncommented else set())
