"""`ccproxy serve`: our chain on the lean master, or inside mitmweb."""

import asyncio
import contextlib
import sys
from collections.abc import Callable
from pathlib import Path

import typer
from mitmproxy.master import Master

from ccproxy.addons.chain import make_chain
from ccproxy.addons.listeners import is_free, listener_modes
from ccproxy.addons.master import Chain, LeanMaster, web_master
from ccproxy.agent.credential import cli_status
from ccproxy.backends.backend import backends
from ccproxy.cli.logs import logs
from ccproxy.cli.tape import Tape, settings_for_tape
from ccproxy.cli.tape_chain import chain_with
from ccproxy.credentials.credential import CredentialStatus
from ccproxy.settings import Given, Loaded, Settings, SettingsError, load
from ccproxy.settings.kinds import host_for_url
from ccproxy.version import ccproxy_version

PORTS = {"server.port": "--port", "server.proxy_port": "--proxy-port"}


def run(given: dict[str, object], config: Path | None, tape: Tape | None = None) -> None:
    """Load the settings, check the ports, serve until a signal comes. Raises CassetteError."""
    chain = chain_with(tape)
    options: dict[str, object] = {key: Given(value, option_name(key)) for key, value in given.items()}
    options |= settings_for_tape(tape)
    try:
        loaded = load(options, config=config)
        modes = choose_modes(loaded)
    except (SettingsError, PortInUseError) as problem:
        typer.echo(str(problem), err=True)
        raise typer.Exit(1) from None
    try:
        with logs(loaded.settings.server.log_level), contextlib.suppress(KeyboardInterrupt):
            asyncio.run(
                serve(loaded.settings, modes, lambda master: announce(loaded.settings, master, tape), chain)
            )
    except SettingsError as problem:
        # a permission rule is understood only where it is used
        typer.echo(str(problem), err=True)
        raise typer.Exit(1) from None


class PortInUseError(Exception):
    """A port that was asked for is taken."""


def option_name(key: str) -> str:
    """The option that gives a setting on the command line."""
    special = {
        "claude.options.cwd": "--claude-code-options-cwd",
        "claude.options.permission_mode": "--claude-code-options-permission-mode",
        "claude.sdk_message_mode": "--claude-sdk-message-mode",
        "claude.pool.enabled": "--sdk-enable-pool",
        "claude.pool.size": "--sdk-pool-size",
    }
    return special.get(key) or "--" + key.partition(".")[2].replace("_", "-")


def choose_modes(loaded: Loaded) -> list[str]:
    """The listeners to bind. Raises PortInUseError; a default proxy port that is taken is only said."""
    server = loaded.settings.server
    proxy_port_given = loaded.sources["server.proxy_port"] != "default"
    ports = [("server.port", server.port)]
    if proxy_port_given and server.proxy_port:
        ports.append(("server.proxy_port", server.proxy_port))
    for key, port in ports:
        if port and not is_free(server.host, port):
            raise PortInUseError(f"Port {port} is in use: choose another with {PORTS[key]}")
    modes, notice = listener_modes(loaded.settings, proxy_port_given=proxy_port_given)
    if notice:
        typer.echo(notice, err=True)
    return modes


async def serve(
    settings: Settings, modes: list[str], ready: Callable[[Master], object], chain: Chain = make_chain
) -> None:
    """Run until somebody shuts the master down; `ready` is called once the listeners are bound."""
    make = web_master if settings.server.web else LeanMaster
    master = make(settings, modes, ready, chain)
    await master.run()


def announce(settings: Settings, master: Master, tape: Tape | None) -> None:
    """Say where we are and what we found."""
    addresses = master.addons.get("proxyserver").listen_addrs()
    url, *proxy = [f"http://{host_for_url(address[0])}:{address[1]}" for address in addresses]
    typer.echo(f"ccproxy {ccproxy_version()}")
    typer.echo(f"  Claude       ANTHROPIC_BASE_URL={url}/api")
    typer.echo(f"  Claude Code  ANTHROPIC_BASE_URL={url}/sdk")
    typer.echo(f"  OpenAI       OPENAI_BASE_URL={url}/openai/v1")
    if settings.codex.enabled:
        typer.echo(f"  ChatGPT plan OPENAI_BASE_URL={url}/codex/v1")
    for address in proxy:
        typer.echo(f"  any tool     HTTPS_PROXY={address} (trust the CA: certs/README.md)")
    if settings.server.web:
        typer.echo(f"  inspector    {master.web_url}")  # type: ignore[attr-defined]
    if tape:
        typer.echo(f"  cassette     {tape.path} ({'written' if tape.does == 'record' else 'answers'})")
    sys.stdout.flush()
    if tape and tape.does == "replay":
        return
    task = asyncio.create_task(announce_credentials(settings))
    task.add_done_callback(lambda done: done.cancelled() or done.exception())


async def announce_credentials(settings: Settings) -> None:
    for backend in backends(settings).values():
        typer.echo("  " + credential_line(backend.name, await backend.credential.status()))
    typer.echo("  " + credential_line("sdk", await cli_status(settings.claude.cli_path)))
    sys.stdout.flush()


def credential_line(name: str, credential: CredentialStatus) -> str:
    """One provider's credential in one line: where it was found and until when, or what is missing."""
    if credential.state == "client":
        return f"{name:<12} the client's own credential goes through"
    if credential.state == "off":
        return f"{name:<12} {credential.hint}"
    if not credential.usable:
        return f"{name:<12} warning: {credential.hint}"
    until = f", valid until {credential.expires_at:%Y-%m-%d %H:%M} UTC" if credential.expires_at else ""
    if credential.state == "renewable":
        until = ", has ended and is renewed with the next request"
    trouble = f" (warning: {credential.hint})" if credential.hint else ""
    return f"{name:<12} {credential.kind} from {credential.source}{until}{trouble}"
