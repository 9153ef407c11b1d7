"""`ccproxy auth`: logins for Claude and ChatGPT. What a command prints never holds a token."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ccproxy.cli.config import ConfigOption, failing_plainly
from ccproxy.settings import Settings, load

if TYPE_CHECKING:
    # what talks and prints is imported by the commands that need it: `ccproxy serve` must not wait for it
    from ccproxy.cli.auth_logins import Provider


class Who(StrEnum):
    """Whose login is meant: OpenAI's is that of the ChatGPT plan."""

    claude = "claude"
    openai = "openai"


JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
BrowserOption = Annotated[bool, typer.Option(help="Open the page in a browser, or only print its address.")]
ManualOption = Annotated[
    bool, typer.Option("--manual", help="Paste what the browser shows: for a browser on another machine.")
]
TimeoutOption = Annotated[float, typer.Option(min=1, help="Seconds to wait for you.")]
WhoArgument = Annotated[Who | None, typer.Argument(help="claude or openai; both when left out.")]

app = typer.Typer(no_args_is_help=True, help="Log in, log out, and see which credentials are there.")


@app.callback()
def group() -> None:
    """Log in, log out, and see which credentials are there."""


@app.command()
def login(
    browser: BrowserOption = True,
    manual: ManualOption = False,
    timeout: TimeoutOption = 600,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Log in to Claude with a subscription; the login is ccproxy's own."""
    from ccproxy.cli.auth_login import How, log_in, with_plan
    from ccproxy.credentials.oauth.claude import ClaudeOAuth
    from ccproxy.credentials.stores.own import OwnClaudeStore

    with plainly():
        settings, environ = settings_of(config)
        announce("claude")
        oauth = ClaudeOAuth.from_settings(settings)
        tokens = asyncio.run(with_plan(oauth, log_in(oauth, How(browser, manual, timeout))))
        asyncio.run(OwnClaudeStore(environ).write(tokens))
        print_result(settings, "claude", tokens.account, as_json=as_json)


@app.command("login-openai")
def login_openai(
    browser: BrowserOption = True,
    device: Annotated[
        bool, typer.Option("--device", help="Type a code into a page: for a browser on another machine.")
    ] = False,
    manual: ManualOption = False,
    siwc: Annotated[
        bool, typer.Option("--siwc", help="Sign in with ChatGPT, the way that OpenAI documents.")
    ] = False,
    timeout: TimeoutOption = 600,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Log in to ChatGPT as the Codex CLI does, or with --siwc; the login is ccproxy's own."""
    from ccproxy.cli import auth_login as flows
    from ccproxy.credentials.oauth.codex import CodexOAuth
    from ccproxy.credentials.oauth.device import DeviceLogin
    from ccproxy.credentials.stores.own import OwnCodexStore

    if device and (manual or siwc):
        raise typer.BadParameter(
            "a device code is a way of its own: leave the other out.", param_hint="--device"
        )
    with plainly():
        settings, environ = settings_of(config)
        how = flows.How(browser, manual, timeout)
        announce("siwc" if siwc else "codex")
        if siwc:
            account = sign_in_with_chatgpt(settings, how)
        else:
            if device:
                tokens = asyncio.run(flows.by_device(DeviceLogin.from_settings(settings), how))
            else:
                tokens = flows.log_in(CodexOAuth.from_settings(settings), how)
            asyncio.run(OwnCodexStore(environ).write(tokens))
            account = tokens.account
        print_result(settings, "codex", account, as_json=as_json, siwc=siwc)


@app.command()
def status(as_json: JsonOption = False, config: ConfigOption = None) -> None:
    """Show every credential: where it was found, of which kind, its plan, and until when it is valid."""
    from ccproxy.cli.auth_logins import CHOSEN, providers
    from ccproxy.cli.auth_table import print_table

    with plainly():
        found = asyncio.run(providers(settings_of(config)[0], CHOSEN[""]))
    if as_json:
        print_json({provider.name: provider.as_json() for provider in found})
    else:
        print_table(found)


@app.command()
def validate(who: WhoArgument = None, as_json: JsonOption = False, config: ConfigOption = None) -> None:
    """Check that a request would get a credential, renewing a login that has ended; else exit with 1."""
    from ccproxy.cli.auth_check import check
    from ccproxy.cli.auth_logins import TITLES

    with plainly():
        report = asyncio.run(check(settings_of(config)[0], who or ""))
    if as_json:
        print_json(report)
    else:
        for name, one in report["providers"].items():
            typer.echo(f"{TITLES[name]:<8} {one['text']}")
    if not report["usable"]:
        raise typer.Exit(1)


@app.command()
def info(
    who: Annotated[Who, typer.Argument(help="claude or openai.")] = Who.claude,
    online: Annotated[bool, typer.Option("--online", help="Ask Anthropic for account and plan.")] = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Show one provider's login: account, plan, scopes, and until when it is valid."""
    from ccproxy.cli.auth_check import facts
    from ccproxy.cli.auth_table import lines, when

    if online and who is Who.openai:
        raise typer.BadParameter("only Claude's account can be asked for.", param_hint="--online")
    with plainly():
        found = asyncio.run(facts(settings_of(config)[0], who, online=online))
    if as_json:
        print_json(found)
    else:
        ends = found["expires_at"] and datetime.fromisoformat(found["expires_at"])
        typer.echo(lines(found | {"expires_at": when(ends)}))


@app.command()
def refresh(who: WhoArgument = None, as_json: JsonOption = False, config: ConfigOption = None) -> None:
    """Renew a login now, in the place where it was found."""
    from ccproxy.cli.auth_change import renew
    from ccproxy.cli.auth_table import when

    with plainly():
        done, failed = asyncio.run(renew(settings_of(config)[0], who or ""))
    if as_json:
        print_json({"renewed": [one.as_json() for one in done], "failed": failed})
    for one in done:
        if not as_json:
            until = f", valid until {when(one.login.expires_at)}" if one.login.expires_at else ""
            typer.echo(f"Renewed the login of {one.source.name}{until}.")
    for line in failed:
        typer.echo(line, err=True)
    if failed:
        raise typer.Exit(1)


@app.command()
def logout(who: WhoArgument = None, as_json: JsonOption = False, config: ConfigOption = None) -> None:
    """End ccproxy's own login. One that belongs to Claude Code or the Codex CLI is never touched."""
    from ccproxy.cli.auth_change import log_out

    with plainly():
        report = asyncio.run(log_out(settings_of(config)[0], who or ""))
    if as_json:
        print_json(report)
        return
    for one in report["removed"]:
        where = "" if one["revoked"] else "; the provider itself was not told, its token ends by time"
        typer.echo(f"Logged out of {one['title']}{where}.")
    if not report["removed"]:
        typer.echo("ccproxy has no login of its own there.")
    for one in report["kept"]:
        typer.echo(f"{one['source']} is still logged in, and that is not ours: {one['how']}", err=True)


def announce(name: str) -> None:
    """What the provider publishes, before anything else happens."""
    from ccproxy.cli.auth_policy import policy

    typer.echo(f"{policy(name)}\n", err=True)


def settings_of(config: Any) -> tuple[Settings, Any]:
    """The settings and the environment that they were read from."""
    import os

    return load(config=config).settings, os.environ


def sign_in_with_chatgpt(settings: Settings, how: Any) -> dict[str, Any]:
    """The account that has signed in. The registration is stored before the provider hears of it."""
    import os

    from ccproxy.cli.auth_login import log_in, say
    from ccproxy.credentials.oauth.siwc import SiwcOAuth
    from ccproxy.credentials.stores.siwc import SiwcStore

    store = SiwcStore(os.environ)
    oauth = SiwcOAuth.from_settings(settings, asyncio.run(store.registration()))
    tokens = log_in(oauth, how)
    asyncio.run(store.write(tokens))
    if not oauth.grants_plan(tokens):
        say("You did not allow plan usage: this login can serve no requests. Sign in again to allow it.")
    return tokens.account


def print_result(
    settings: Settings, name: Any, account: dict[str, Any], *, as_json: bool, siwc: bool = False
) -> None:
    """Who has logged in, and whether requests use it."""
    from ccproxy.cli.auth_logins import providers
    from ccproxy.cli.auth_table import when
    from ccproxy.credentials.stores.own import NAME

    [provider] = asyncio.run(providers(settings, (name,)))
    own = "Sign in with ChatGPT" if siwc else NAME
    found = next(found for found in provider.logins if found.source.name == own)
    if as_json:
        print_json({"provider": name, "email": account.get("email"), **found.as_json()})
    else:
        who = account.get("email") or found.login.account
        details = [
            *([found.login.plan] if found.login.plan else []),
            f"valid until {when(found.login.expires_at)}",
        ]
        typer.echo(f"Logged in{f' as {who}' if who else ''} ({', '.join(details)}).")
    if not found.in_use:
        typer.echo(unused(provider), err=True)


def unused(provider: "Provider") -> str:
    if provider.credential.usable:
        return f"Requests use another credential, which goes first: {provider.credential.source}."
    return f"Requests do not use it: {provider.credential.hint}"


def print_json(value: object) -> None:
    typer.echo(json.dumps(value, indent=2))


@contextmanager
def plainly() -> Iterator[None]:
    """Turns what can go wrong into a line on stderr and exit code 1; Ctrl-C, too."""
    import logging

    from ccproxy.credentials.credential import CredentialError
    from ccproxy.credentials.oauth.tokens import OAuthError

    # what the log says about renewals, the commands say themselves
    logging.getLogger("ccproxy").addHandler(logging.NullHandler())
    try:
        with failing_plainly():
            yield
    except (OAuthError, CredentialError) as problem:
        typer.echo(problem, err=True)
    except (KeyboardInterrupt, asyncio.CancelledError):
        typer.echo("\nStopped.", err=True)
    else:
        return
    raise typer.Exit(1)
