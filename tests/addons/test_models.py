import pytest
from mitmproxy import http
from mitmproxy.test import tflow

from ccproxy.addons.models import models_path, reshape
from ccproxy.backends.backend import Backend
from ccproxy.backends.target import Target
from ccproxy.credentials.openai import OpenAICredential
from ccproxy.exchange import Exchange
from ccproxy.formats import FormatName
from ccproxy.settings import Settings

PLAN = b'{"models":[{"slug":"gpt-a","visibility":"list"},{"slug":"gpt-b","visibility":"hide"}]}'


def backend(name: str) -> Backend:
    formats = {"api": ("anthropic",), "openai": ("responses", "chat"), "codex": ("responses",)}[name]
    return Backend(name, Target("https", "h", 443, ""), formats, OpenAICredential(Settings()), ())  # type: ignore[arg-type]


type Asked = tuple[str, http.Headers, Exchange]


def asked(name: str, client: FormatName, path: str = "/v1/models", originator: str = "") -> Asked:
    exchange = Exchange("reverse", "GET", "/", client)
    headers = http.Headers(accept_encoding="br", originator=originator)
    return models_path(headers, exchange, backend(name), path), headers, exchange


@pytest.mark.parametrize(("name", "client"), [("api", "anthropic"), ("openai", "chat")])
def test_the_providers_own_clients_ask_as_they_like(name: str, client: FormatName) -> None:
    path, headers, exchange = asked(name, client)
    assert (path, headers["accept-encoding"], exchange.reshaped) == ("/v1/models", "br", False)


@pytest.mark.parametrize(
    ("name", "client", "path", "version"),
    [("openai", "anthropic", "/v1/models", None), ("api", "chat", "/v1/models?limit=1000", "2023-06-01")],
)
def test_a_list_that_is_reshaped_has_to_be_readable(
    name: str, client: FormatName, path: str, version: str | None
) -> None:
    found, headers, exchange = asked(name, client)
    assert (found, headers["accept-encoding"], exchange.reshaped) == (path, "identity", True)
    assert headers.get("anthropic-version") == version


def test_the_plans_models_are_asked_for_with_a_version() -> None:
    path, headers, exchange = asked("codex", "chat", "/models/gpt%2Da")
    assert path.startswith("/models?client_version=0.")
    assert (headers["accept-encoding"], exchange.model_requested) == ("identity", "gpt-a")
    assert exchange.reshaped


def test_codex_itself_gets_its_list_as_it_is() -> None:
    path, _, exchange = asked("codex", "chat", "/models?client_version=0.98.0", originator="codex_exec")
    assert (path, exchange.reshaped) == ("/models?client_version=0.98.0", False)


def reshaped(body: bytes, client: FormatName, name: str = "api", wanted: str | None = None) -> http.Response:
    flow, exchange = tflow.tflow(resp=http.Response.make(200, body)), Exchange("reverse", "GET", "/", client)
    exchange.backend, exchange.model_requested = name, wanted  # type: ignore[assignment]
    assert flow.response
    reshape(flow, flow.response, exchange)
    return flow.response


def test_the_clients_shape() -> None:
    assert reshaped(b'{"data":[{"id":"claude-x"}]}', "chat").json()["object"] == "list"
    assert reshaped(b'{"data":[{"id":"gpt-x"}]}', "anthropic").json()["first_id"] == "gpt-x"


def test_the_plans_list_and_one_of_its_models() -> None:
    assert [model["id"] for model in reshaped(PLAN, "chat", "codex").json()["data"]] == ["gpt-a"]
    assert reshaped(PLAN, "chat", "codex", "gpt-a").json()["id"] == "gpt-a"
    missing = reshaped(PLAN, "chat", "codex", "gpt-z")
    assert (missing.status_code, missing.json()["error"]["code"]) == (404, "unknown_model")


def test_what_is_no_list_stays() -> None:
    assert reshaped(b"<html>", "chat").content == b"<html>"
