"""The commands, and `serve` when none is named."""

from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from ccproxy.cli import access_logs, auth, certs, codex, config
from ccproxy.cli.config import ConfigOption
from ccproxy.cli.permission_handler import permission_handler
from ccproxy.cli.quota import quota
from ccproxy.cli.token import generate_token
from ccproxy.version import ccproxy_version


class DefaultToServe(TyperGroup):
    """`ccproxy --port 8001` is `ccproxy serve --port 8001`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        own = {option for parameter in self.get_params(ctx) for option in parameter.opts}
        if not args or (args[0].startswith("-") and args[0].partition("=")[0] not in own):
            args = ["serve", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=DefaultToServe,
    help="A local intercepting proxy for AI coding tools. Without a command: serve.",
    no_args_is_help=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(auth.app, name="auth")
app.add_typer(config.app, name="config")
app.add_typer(codex.app, name="codex")
app.add_typer(certs.app, name="certs")
app.add_typer(access_logs.app, name="logs")
app.command("generate-token")(generate_token)
app.command("quota")(quota)
app.command("permission-handler")(permission_handler)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"ccproxy {ccproxy_version()}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """A local intercepting proxy for AI coding tools. Without a command: serve."""


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address that both listeners bind to.")] = None,
    port: Annotated[int | None, typer.Option(help="Port of the reverse listener (the HTTP routes).")] = None,
    proxy_port: Annotated[int | None, typer.Option(help="Port of the HTTPS_PROXY listener, 0 = off.")] = None,
    config: ConfigOption = None,
    auth_token: Annotated[str | None, typer.Option(help="Token that every request must carry.")] = None,
    web: Annotated[bool | None, typer.Option("--web", help="Run inside mitmweb, for inspection.")] = None,
    log_level: Annotated[str | None, typer.Option(help="debug, info, warning or error.")] = None,
    claude_code_options_cwd: Annotated[
        Path | None, typer.Option(help="Working directory of Claude Code behind /sdk.")
    ] = None,
    claude_code_options_permission_mode: Annotated[
        str | None, typer.Option(help="Permission mode of Claude Code behind /sdk.")
    ] = None,
    claude_sdk_message_mode: Annotated[
        str | None, typer.Option(help="How Claude Code's own messages appear: forward, formatted or ignore.")
    ] = None,
    sdk_enable_pool: Annotated[
        bool | None, typer.Option("--sdk-enable-pool", help="Keep started Claude Code processes ready.")
    ] = None,
    sdk_pool_size: Annotated[int | None, typer.Option(help="How many of them.")] = None,
) -> None:
    """Run the proxy (what `ccproxy` alone does, too)."""
    given = {
        "server.host": host,
        "server.port": port,
        "server.proxy_port": proxy_port,
        "security.auth_token": auth_token,
        "server.web": web,
        "server.log_level": log_level,
        "claude.options.cwd": claude_code_options_cwd and str(claude_code_options_cwd),
        "claude.options.permission_mode": claude_code_options_permission_mode,
        "claude.sdk_message_mode": claude_sdk_message_mode,
        "claude.pool.enabled": sdk_enable_pool,
        "claude.pool.size": sdk_pool_size,
    }
    _run("serve", {key: value for key, value in given.items() if value is not None}, config)


@app.command("run", context_settings={"allow_interspersed_args": False})
def run_(
    command: Annotated[
        list[str], typer.Argument(metavar="CLIENT", help="The client and its own options, best after `--`.")
    ],
    base_url: Annotated[
        bool, typer.Option("--base-url", help="Wire it by base URL instead of HTTPS_PROXY: no certificate.")
    ] = False,
    policy: Annotated[
        str | None,
        typer.Option(help="What happens to the providers' hosts: observe, credentials or a backend's name."),
    ] = None,
    port: Annotated[
        int | None, typer.Option(help="Start a proxy on this port, even if one runs already.")
    ] = None,
    config: ConfigOption = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print no line about what the client used.")] = False,
) -> None:
    """Run a client through the proxy that runs, or through one that is started for it."""
    _run("run", command, base_url, policy, port, config, quiet)


@app.command()
def record(
    cassette: Annotated[Path, typer.Argument(metavar="FILE", help="The cassette, a new file.")],
    command: Annotated[
        list[str] | None,
        typer.Argument(metavar="CLIENT", help="A client and its options, after `--`: recorded to its end."),
    ] = None,
    append: Annotated[bool, typer.Option("--append", help="Go on with a cassette that is there.")] = False,
    base_url: Annotated[
        bool, typer.Option("--base-url", help="Wire CLIENT by base URL instead of HTTPS_PROXY.")
    ] = False,
    port: Annotated[int | None, typer.Option(help="Port of the reverse listener.")] = None,
    config: ConfigOption = None,
) -> None:
    """Run the proxy, or a client with a proxy of its own, and record every conversation."""
    _run("record", cassette, command or [], append, base_url, port, config)


@app.command()
def replay(
    cassette: Annotated[Path, typer.Argument(metavar="FILE", help="The cassette.")],
    command: Annotated[
        list[str] | None, typer.Argument(metavar="CLIENT", help="A client and its options, after `--`.")
    ] = None,
    in_time: Annotated[
        bool, typer.Option("--in-time", help="Answer in the time that the recorded answers took.")
    ] = False,
    against: Annotated[
        str | None,
        typer.Option(help="Send a recorded request to this MODEL, BACKEND or BACKEND/MODEL, and compare."),
    ] = None,
    request: Annotated[
        int | None, typer.Option(help="With --against: the request's number in the file, else the last.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="With --against: print JSON.")] = False,
    base_url: Annotated[
        bool, typer.Option("--base-url", help="Wire CLIENT by base URL instead of HTTPS_PROXY.")
    ] = False,
    port: Annotated[int | None, typer.Option(help="Port of the reverse listener.")] = None,
    config: ConfigOption = None,
) -> None:
    """Answer from a cassette: no provider is asked, and no credential is needed."""
    if against is None and (request is not None or as_json):
        raise typer.BadParameter("--request and --json belong to --against.")
    if against is not None and (command or in_time or base_url or port is not None):
        raise typer.BadParameter(
            "--against asks by itself: leave CLIENT, --in-time, --base-url and --port out."
        )
    if against is not None:
        _run("replay_against", cassette, against, request, as_json, config)
    else:
        _run("replay", cassette, command or [], in_time, base_url, port, config)


@app.command()
def demo(
    once: Annotated[bool, typer.Option("--once", help="Stop after the tour instead of serving on.")] = False,
    port: Annotated[int, typer.Option(help="Port of the reverse listener, 0 = any free one.")] = 8000,
    proxy_port: Annotated[int, typer.Option(help="Port of the HTTPS_PROXY listener.")] = 8080,
) -> None:
    """Run the proxy in front of a built-in simulator: no account, no internet."""
    _run("demo", once, port, proxy_port)


@app.command()
def simulator(
    host: Annotated[str, typer.Option(help="Address to bind to.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port, 0 = any free one.")] = 8100,
) -> None:
    """Run only the simulator of the upstreams, to test clients against."""
    _run("simulator", host, port)


@app.command("addon-path")
def addon_path() -> None:
    """Print where the addon script for mitmdump, mitmweb and mitmproxy lies."""
    _run("addon_path")


def _run(module: str, *args: Any) -> None:
    import_module(f"ccproxy.cli.{module}").run(*args)
