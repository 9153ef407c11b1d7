"""`ccproxy quota`: how much of each plan is used, as the running server last saw it."""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ccproxy.cli.config import ConfigOption, failing_plainly
from ccproxy.cli.running import NoAnswerError, headers, server_url
from ccproxy.settings import Given, load

if TYPE_CHECKING:
    # imported where they are needed: `ccproxy serve` must not wait for them
    from rich.console import Console, RenderableType

REFRESH = 2
"""Seconds between two looks with `--watch`."""

PATIENCE = 20
"""Seconds to wait for the server, which may wait 10 for the providers."""

WIDTH = 80
BAR = 16
LONGEST_NAME = 24
PROVIDERS = {"claude": "Claude", "codex": "Codex"}
NOTHING = "Nothing seen yet: the figures come with the answers to requests on a plan."


def quota(
    as_json: Annotated[bool, typer.Option("--json", help="Print the server's JSON.")] = False,
    ask: Annotated[bool, typer.Option("--ask", help="Let the server ask the providers first.")] = False,
    watch: Annotated[
        bool, typer.Option("--watch", help="Look again every two seconds, until Ctrl-C.")
    ] = False,
    port: Annotated[int | None, typer.Option(help="Port of the server on this machine.")] = None,
    url: Annotated[
        str | None, typer.Option(help="Address of a server that the settings do not name.")
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Show how much of each plan is used, and when it starts anew, as the running server last saw it."""
    if url and port is not None:
        raise typer.BadParameter("--url has the port in it: give one of the two.", param_hint="--port")
    with failing_plainly():
        settings = load({"server.port": Given(port, "--port")} if port is not None else {}, config=config)
    token = settings.settings.security.auth_token
    address = url.rstrip("/") if url else server_url(settings.settings)

    def look() -> dict[str, Any]:
        return fetch(address, token.get_secret_value() if token else None, ask=ask)

    try:
        show(look, as_json=as_json, watch=watch)
    except NoAnswerError as problem:
        typer.echo(problem, err=True)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        return


def fetch(address: str, token: str | None, *, ask: bool = False) -> dict[str, Any]:
    """What the server at this address answers to `GET /quota`. Raises NoAnswerError."""
    import httpx

    query = "?ask=1" if ask else ""
    try:
        answer = httpx.get(
            f"{address}/quota{query}", headers=headers(token), timeout=PATIENCE, trust_env=False
        )
    except (httpx.HTTPError, httpx.InvalidURL):
        raise NoAnswerError(
            f"No ccproxy answers at {address}: start it with `ccproxy`, or name another with --port or --url."
        ) from None
    try:
        found = answer.json()
    except ValueError:
        found = None
    if answer.status_code == 200 and isinstance(found, dict) and found.keys() >= PROVIDERS.keys():
        return found
    if "x-ccproxy-error" in answer.headers and isinstance(found, dict):
        raise NoAnswerError(f"{address}: {found['error']['message']}")
    raise NoAnswerError(f"What answers at {address} is no ccproxy that knows the quota.")


def show(look: Callable[[], dict[str, Any]], *, as_json: bool, watch: bool) -> None:
    """Print what `look` sees, with `watch` again and again: a terminal shows it in one place."""
    from rich.console import Console
    from rich.live import Live

    console = Console(highlight=False)
    console.width = min(console.width, WIDTH)
    if watch and console.is_terminal and not as_json:
        with Live(console=console, auto_refresh=False) as live:
            while True:
                live.update(overview(look(), datetime.now(UTC), console), refresh=True)
                time.sleep(REFRESH)
    while True:
        seen = look()
        if as_json:
            print(json.dumps(seen, indent=2), flush=True)
        else:
            console.print(overview(seen, datetime.now(UTC), console))
            console.file.flush()
        if not watch:
            return
        time.sleep(REFRESH)


def overview(seen: dict[str, Any], now: datetime, console: "Console") -> "RenderableType":
    """Each provider's windows below its name."""
    from rich.console import Group
    from rich.text import Text

    parts: list[RenderableType] = []
    for name, title in PROVIDERS.items():
        if provider := seen[name]:
            parts += [Text(heading(title, provider)), windows(provider, now, console)]
    if not parts:
        parts.append(Text(NOTHING))
    if any(seen[name] and seen[name]["binding"] for name in PROVIDERS):
        parts.append(Text("* this window decides at present"))
    for name, problem in seen.get("problems", {}).items():
        parts.append(Text(f"{PROVIDERS.get(name, name)}: {problem}"))
    return Group(*parts)


def heading(title: str, provider: dict[str, Any]) -> str:
    """Who it is, the plan if it is known, and how old the figures are."""
    plan = f" ({provider['plan']})" if provider.get("plan") else ""
    paid = provider.get("credits") or {}
    balance = "unlimited" if paid.get("unlimited") else paid.get("has_credits") and paid.get("balance")
    credit = f", credits: {balance}" if balance else ""
    return f"{title}{plan}, seen {local(provider['seen_at']):%a %H:%M:%S}{credit}"


def windows(provider: dict[str, Any], now: datetime, console: "Console") -> "RenderableType":
    """A line for each window."""
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 1))
    for widest in (1, LONGEST_NAME, BAR, 4, None):
        table.add_column(no_wrap=True, overflow="ellipsis", max_width=widest)
    solid = console.is_terminal and console.encoding.startswith("utf")
    for window in provider["windows"]:
        model, used = window.get("model"), window["used"]
        binds = provider["binding"] == (f"{window['name']}_{model}" if model else window["name"])
        table.add_row(
            "*" if binds else " ",
            Text(f"{window['name']} {model or ''}".rstrip()),
            Text(bar(used, solid), colour(used)),
            "   ?" if used is None else f"{used:4.0%}",
            Text(reset(window, now)),
        )
    return table


def bar(used: float | None, solid: bool) -> str:
    """How full it is, in blocks or in ASCII."""
    full, empty = "█░" if solid else "#-"
    filled = round((used or 0) * BAR)
    return full * filled + empty * (BAR - filled)


def colour(used: float | None) -> str:
    if used is None or used < 0.75:
        return "green"
    return "yellow" if used < 0.9 else "red"


def reset(window: dict[str, Any], now: datetime) -> str:
    """When it starts anew, and the provider's word for its state where that is not the usual one."""
    status = window["status"] if window["status"] not in (None, "allowed") else ""
    if not window["resets_at"]:
        return status
    at = local(window["resets_at"])
    when = f"in {spoken(at - now)} ({at:%a %d %b %H:%M})" if at > now else "has started anew"
    return f"{when} {status}".rstrip()


def local(written: str) -> datetime:
    """A time of the server's on the clock of this machine."""
    return datetime.fromisoformat(written).astimezone()


def spoken(span: timedelta) -> str:
    """A length of time in its two largest units."""
    minutes = max(round(span.total_seconds() / 60), 1)
    days, hours = minutes // 1440, minutes // 60 % 24
    if days:
        return f"{days} d {hours} h"
    return f"{hours} h {minutes % 60} min" if hours else f"{minutes} min"
