"""`ccproxy replay FILE --against …`: a recorded request, asked again elsewhere, and both answers."""

import contextlib
import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import httpx
import typer

from ccproxy.cli.run_proxy import NoProxyError, Where, find_running, own_proxy
from ccproxy.cli.running import headers
from ccproxy.conversation.parts import JsonObject, Wire
from ccproxy.records.answers import Told, told
from ccproxy.records.cassette import Answer, CassetteError, Recorded, pieces, read
from ccproxy.routes import BACKENDS, BackendName
from ccproxy.settings import SettingsError, load

WIRES: dict[str, tuple[Wire, str]] = {
    "messages": ("anthropic", "messages"),
    "chat": ("chat", "chat/completions"),
    "responses": ("responses", "responses"),
}
"""Operations that can be asked anywhere: their format, and the end of their route."""

ANTHROPIC_VERSION = "2023-06-01"
"""For requests whose client did not say it, because another backend answered."""

PATIENCE = httpx.Timeout(30, read=600)


class AgainstError(Exception):
    """It cannot be compared; the text says why."""


@dataclass(frozen=True)
class Asked:
    """What is asked where: a route of the proxy, and the body."""

    number: int
    recorded: Recorded
    wire: Wire
    path: str
    body: JsonObject


def run(cassette: Path, against: str, request: int | None, as_json: bool, config: Path | None) -> None:
    """Ask, and show both answers. Exits with 1 when there is nothing to ask, or the answer is an error."""
    try:
        asked = chosen(read(cassette), against, request)
        now = ask_again(asked, config)
    except (CassetteError, AgainstError, SettingsError, NoProxyError) as problem:
        typer.echo(problem, err=True)
        raise typer.Exit(1) from None
    before = told(asked.wire, asked.recorded.status, asked.recorded.answer)
    if as_json:
        both = {"request": asked.number, "recorded": asdict(before), "now": asdict(now)}
        typer.echo(json.dumps(both, ensure_ascii=False, indent=2))
    else:
        show(asked.number, before, now)
    raise typer.Exit(0 if now.status < 400 else 1)


def chosen(recorded: list[Recorded], against: str, number: int | None) -> Asked:
    """The request by this number, or the last one that a model was asked. Raises AgainstError."""
    numbers = [n for n, one in enumerate(recorded, 1) if one.operation in WIRES and one.request is not None]
    if not numbers or (number is not None and number not in numbers):
        which = ", ".join(map(str, numbers)) or "none"
        raise AgainstError(f"There is no such request to a model in the cassette; there are: {which}.")
    found = number or numbers[-1]
    one = recorded[found - 1]
    wire, ending = WIRES[one.operation]
    backend, model = target(against, one.path)
    body = {**(one.request or {}), **({"model": model} if model else {})}
    return Asked(found, one, wire, f"/{backend}/v1/{ending}", body)


def target(against: str, path: str) -> tuple[BackendName, str]:
    """The backend and the model ("" for the recorded one) that `--against` and the recorded path name.

    A model by itself stays with the recorded backend if that is of its maker; else its maker's API is asked.
    Raises AgainstError for what names neither.
    """
    head, _, model = against.partition("/")
    if head in BACKENDS:
        return head, model
    if not against or "/" in against:
        known = ", ".join(BACKENDS)
        raise AgainstError(
            f"--against {against!r}: give a MODEL, a BACKEND or BACKEND/MODEL; backends: {known}."
        )
    claude = against.startswith("claude-")
    makers: tuple[BackendName, ...] = ("api", "sdk") if claude else ("openai", "codex")
    before = recorded_backend(path)
    return (before if before in makers else makers[0]), against


def recorded_backend(path: str) -> BackendName | None:
    """The backend that a recorded path leads to, where it says so."""
    hosts: dict[str, BackendName] = {
        "https://api.anthropic.com": "api",
        "https://api.openai.com": "openai",
        "https://chatgpt.com": "codex",
    }
    for host, backend in hosts.items():
        if path.startswith(host + "/"):
            return backend
    first = path.removeprefix("/claude").strip("/").partition("/")[0]
    return next((name for name in BACKENDS if name == first), None)


def ask_again(asked: Asked, config: Path | None) -> Told:
    """The answer of today. Raises SettingsError, NoProxyError and AgainstError."""
    settings = load({}, config=config).settings
    token = settings.security.auth_token.get_secret_value() if settings.security.auth_token else None
    kept = {name: value for name, value in asked.recorded.headers.items() if name.startswith("anthropic-")}
    if asked.wire == "anthropic":
        kept = {"anthropic-version": ANTHROPIC_VERSION, **kept}
    running = find_running(settings, token, None)
    with proxy(running if running and asks_providers(running, token) else None, config) as url:
        began = time.monotonic()
        try:
            with httpx.stream(
                "POST",
                url + asked.path,
                json=asked.body,
                headers={**kept, **headers(token)},
                timeout=PATIENCE,
                trust_env=False,
            ) as answer:
                return told(asked.wire, answer.status_code, heard(answer, began))
        except httpx.HTTPError as problem:
            raise AgainstError(f"There was no answer: {problem}") from None


def asks_providers(running: Where, token: str | None) -> bool:
    """Whether it is no replay, which has no backends to tell of."""
    try:
        health = httpx.get(f"{running.url}/health", headers=headers(token), timeout=PATIENCE, trust_env=False)
        return bool(health.json()["checks"])
    except (httpx.HTTPError, ValueError, KeyError):
        return False


@contextlib.contextmanager
def proxy(running: Where | None, config: Path | None) -> Iterator[str]:
    """This proxy, or one for this question alone."""
    if running:
        yield running.url
        return
    own: dict[str, object] = {
        "server.host": "127.0.0.1",
        "server.port": 0,
        "server.web": False,
        "server.drain_seconds": 1,
    }
    with own_proxy(own, config) as where:
        yield where.url


def heard(answer: httpx.Response, began: float) -> Answer:
    events = answer.headers.get("content-type", "").startswith("text/event-stream")
    return pieces(((time.monotonic() - began, data) for data in answer.iter_bytes()), events=events)


def show(number: int, before: Told, now: Told) -> None:
    """A table that holds on 80 columns: long texts are broken inside their column."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title=f"Request {number}", expand=True)
    table.add_column("", no_wrap=True)
    table.add_column("recorded", ratio=1, overflow="fold")
    table.add_column("now", ratio=1, overflow="fold")
    for one, other in zip(before.rows(), now.rows(), strict=True):
        table.add_row(one[0], Text(one[1]), Text(other[1]))
    Console(highlight=False).print(table)
