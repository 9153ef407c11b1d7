"""`ccproxy run`: a client, wired to the proxy that runs, or to one for it alone."""

import contextlib
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import typer

from ccproxy.cli.certs_bundle import write_bundle
from ccproxy.cli.certs_ca import CertsError, ensure_ca
from ccproxy.cli.run_client import CannotStartError, attend, find_program
from ccproxy.cli.run_proxy import NoProxyError, Where, find_running, own_proxy
from ccproxy.cli.run_summary import Sums, fetch, settled, summary
from ccproxy.cli.run_wiring import by_base_url, through_proxy
from ccproxy.cli.tape import Tape, outcome, settings_for_tape
from ccproxy.settings import Given, Settings, SettingsError, load
from ccproxy.settings.kinds import PROVIDER_HOSTS


@dataclass(frozen=True)
class Wish:
    """What the command line asks for; `policy`, `port` or `tape` only a proxy that is started can have."""

    command: list[str]
    base_url: bool
    policy: str | None
    port: int | None
    config: Path | None
    quiet: bool
    tape: Tape | None = None


def run(
    command: list[str],
    base_url: bool,
    policy: str | None,
    port: int | None,
    config: Path | None,
    quiet: bool,
) -> None:
    """Run the client and exit as it does; what goes wrong before is a line on stderr."""
    raise typer.Exit(run_wish(Wish(command, base_url, policy, port, config, quiet)))


def run_wish(wish: Wish) -> int:
    """The client's exit code; what goes wrong before is a line on stderr, and raises typer.Exit."""
    try:
        find_program(wish.command[0], os.environ)
        return attended(wish, settings_for(wish))
    except CannotStartError as problem:
        typer.echo(problem, err=True)
        raise typer.Exit(problem.code) from None
    except (SettingsError, NoProxyError, CertsError) as problem:
        typer.echo(problem, err=True)
        raise typer.Exit(1) from None


def settings_for(wish: Wish) -> Settings:
    """The user's settings with what the command line says. Raises SettingsError."""
    given: dict[str, object] = {"server.port": wish.port and Given(wish.port, "--port")}
    settings = load(given, config=wish.config).settings
    if wish.policy is None:
        return settings
    # a table is given as a whole, and the user's other hosts are to stay
    hosts = {**settings.intercept.hosts, **dict.fromkeys(PROVIDER_HOSTS, wish.policy)}
    return load({**given, "intercept.hosts": Given(hosts, "--policy")}, config=wish.config).settings


def attended(wish: Wish, settings: Settings) -> int:
    """The client's exit code, after the line about what it used."""
    token = settings.security.auth_token.get_secret_value() if settings.security.auth_token else None
    ca = None if wish.base_url else ensure_ca()
    with contextlib.ExitStack() as stack:
        alone = wish.policy is not None or wish.port is not None or wish.tape is not None
        where = None if alone else find_running(settings, token, ca)
        if where is None:
            where = stack.enter_context(started(wish, settings))
        command, environ = wish.command, dict(os.environ)
        if ca:
            environ = through_proxy(where.proxy, token, ca, write_bundle(ca, environ), environ)
        else:
            any_key = settings.claude.credentials != "client"
            command, environ = by_base_url(command, where.url, token, environ, any_key=any_key)
        before = fetch(where.url, token)
        code = attend(command, environ)
        after = settled(where.url, token)
        if before and after:
            tell(before, after, where, quiet=wish.quiet)
        if wish.tape:
            say(outcome(wish.tape, where.log))
    return code


def tell(before: Sums, after: Sums, where: Where, *, quiet: bool) -> None:
    """Say what was used; and where to read more, if some of it failed."""
    where.keep_log = (after.get("failed") or 0) > (before.get("failed") or 0)
    if quiet:
        return
    log = f"; log: {where.log}" if where.log and where.keep_log else ""
    say(f"{summary(before, after)}{log}")


def say(text: str) -> None:
    """A line on stderr; the terminal may be gone by now."""
    with contextlib.suppress(OSError):
        print(text, file=sys.stderr, flush=True)


@contextlib.contextmanager
def started(wish: Wish, settings: Settings) -> Iterator[Where]:
    """A proxy for this client alone: on loopback, no inspector, on the port asked for or on free ones."""
    given: dict[str, object] = {
        "server.host": "127.0.0.1",
        "server.port": wish.port or 0,
        "server.web": False,
        "server.drain_seconds": 1,
        "intercept.hosts": dict(settings.intercept.hosts),
        **settings_for_tape(wish.tape),
    }
    with own_proxy(given, wish.config, wish.tape) as where:
        yield where
