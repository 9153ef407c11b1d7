from dataclasses import asdict
from typing import Any

import pytest

from ccproxy.credentials.oauth.constants import (
    Redirect,
    claude_constants,
    codex_constants,
    siwc_constants,
)
from ccproxy.settings import Settings
from ccproxy.settings.tree import ClaudeOAuth, CodexOAuth, CodexSiwc
from tests.credentials.oauth.browser import Browser


def settings(**tables: Any) -> Settings:
    return Settings.model_validate(tables)


def hosts(constants: Any) -> set[str]:
    return {
        value.split("/")[2] for name, value in asdict(constants).items() if name.endswith("_url") and value
    }


def test_the_providers_own() -> None:
    claude, codex = claude_constants(Settings()), codex_constants(Settings())
    siwc = siwc_constants(Settings())

    assert hosts(claude) == {"claude.ai", "platform.claude.com", "api.anthropic.com"}
    assert hosts(codex) == {"auth.openai.com"}
    assert siwc.issuer == "https://auth.openai.com"
    assert claude.redirect == Redirect("localhost", "/callback")
    assert codex.redirect.uri(1455) == "http://localhost:1455/auth/callback"
    assert siwc.redirect.uri(9) == "http://127.0.0.1:9/auth/callback"
    assert siwc.plan_scope in siwc.scope.split()


@pytest.mark.parametrize("origin", ["http://127.0.0.1:8100", "http://localhost:8100", "http://[::1]:8100"])
def test_one_setting_puts_a_stand_in_in_place(origin: str) -> None:
    changed = settings(
        claude={"token_url": f"{origin}/v1/oauth/token"}, codex={"token_url": f"{origin}/oauth/token"}
    )
    claude, codex = claude_constants(changed), codex_constants(changed)

    assert hosts(claude) | hosts(codex) == {origin.removeprefix("http://")}
    assert claude.profile_url == f"{origin}/api/oauth/profile"
    assert codex.device_redirect_url == f"{origin}/deviceauth/callback"
    assert siwc_constants(changed).issuer == origin
    assert claude.code_page == claude_constants(Settings()).code_page


def test_a_token_url_elsewhere_takes_nothing_with_it() -> None:
    other = "https://console.anthropic.com/v1/oauth/token"
    changed, own = claude_constants(settings(claude={"token_url": other})), claude_constants(Settings())

    assert changed.token_url == other
    assert asdict(changed) | {"token_url": own.token_url} == asdict(own)


@pytest.mark.parametrize(
    ("table", "model"),
    [("claude.oauth", ClaudeOAuth), ("codex.oauth", CodexOAuth), ("codex.siwc", CodexSiwc)],
)
def test_every_key_of_the_settings_is_obeyed(table: str, model: Any) -> None:
    outer, inner = table.split(".")
    read: Any = {
        "claude.oauth": claude_constants,
        "codex.oauth": codex_constants,
        "codex.siwc": siwc_constants,
    }[table]
    values = {name: f"https://{name.replace('_', '-')}.example/x" for name in model.model_fields}
    changed = settings(**{outer: {inner: values, "token_url": "http://127.0.0.1:1/t"}})

    assert asdict(read(changed)).items() >= values.items()


def test_every_url_has_its_key() -> None:
    """Token URLs have had theirs before, in the table above."""
    claude, codex = claude_constants(Settings()), codex_constants(Settings())

    assert {name for name in asdict(claude) if name.endswith("_url")} - {"token_url"} <= set(
        ClaudeOAuth.model_fields
    )
    assert {name for name in asdict(codex) if name.endswith("_url")} - {"token_url"} <= set(
        CodexOAuth.model_fields
    )


async def test_the_simulators_paths_are_the_providers(browser: Browser) -> None:
    claude, codex = claude_constants(browser.settings), codex_constants(browser.settings)
    urls = [v for c in (claude, codex) for n, v in asdict(c).items() if n.endswith("_url")]
    for url in [*urls, f"{siwc_constants(browser.settings).issuer}/.well-known/openid-configuration"]:
        answers = [await browser.web.get(url), await browser.web.post(url)]
        assert {answer.status_code for answer in answers} != {404}, url
