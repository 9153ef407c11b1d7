"""`ccproxy logs`: rows of the access log, from the server that runs or from its file."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from ccproxy.cli.config import ConfigOption, failing_plainly
from ccproxy.cli.running import NoAnswerError
from ccproxy.settings import Given, Settings, load

# what talks, reads and prints is imported by the commands that need it: `ccproxy serve` must not wait for it

SinceOption = Annotated[
    str | None, typer.Option(metavar="TIME", help="From then on: 2h, 30m, 7d or 2026-11-23T08:00.")
]
UntilOption = Annotated[str | None, typer.Option(metavar="TIME", help="Before then, in the same way.")]
ModelOption = Annotated[str | None, typer.Option(help="A model, or a pattern such as claude-*.")]
BackendOption = Annotated[str | None, typer.Option(help="api, sdk, codex or openai.")]
StatusOption = Annotated[str | None, typer.Option(help="A status such as 429, or a class such as 4xx.")]
SessionOption = Annotated[str | None, typer.Option(help="Id of a session.")]
ClientOption = Annotated[str | None, typer.Option(help="Name of a client.")]
ErrorOption = Annotated[str | None, typer.Option(help="Code of an error, or any.")]
TextOption = Annotated[str | None, typer.Option(help="Part of an id, a path, a model, an error, …")]
ColumnsOption = Annotated[
    str | None, typer.Option(metavar="NAMES", help="Columns of the log, with commas between.")
]
PortOption = Annotated[int | None, typer.Option(help="Port of the server on this machine.")]
UrlOption = Annotated[
    str | None, typer.Option(help="Address of a server that the settings do not name; no file is read.")
]

app = typer.Typer(no_args_is_help=True, help="Read the access log.")


@app.callback()
def group() -> None:
    """Read the access log."""


@app.command()
def query(
    since: SinceOption = None,
    until: UntilOption = None,
    model: ModelOption = None,
    backend: BackendOption = None,
    status: StatusOption = None,
    session: SessionOption = None,
    client: ClientOption = None,
    error: ErrorOption = None,
    text: TextOption = None,
    columns: ColumnsOption = None,
    order: Annotated[
        str, typer.Option(help="Column to order by; with - before it the largest first.")
    ] = "-started_at",
    limit: Annotated[int, typer.Option(min=1, help="Rows at most.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
    port: PortOption = None,
    url: UrlOption = None,
    config: ConfigOption = None,
) -> None:
    """Show rows of the access log, newest first."""
    from ccproxy.cli.access_logs_show import show
    from ccproxy.cli.access_logs_source import Asked, opened

    if as_json and as_csv:
        raise typer.BadParameter("--json and --csv exclude each other.", param_hint="--csv")
    with failing():
        filters = filters_of(since, until, model, backend, status, session, client, error, text)
        asked = Asked(filters, names(columns), order, limit)
        with opened(settings_of(port, url, config), url) as ask:
            show(asked, ask, "json" if as_json else "csv" if as_csv else "table")


@app.command()
def tail(
    model: ModelOption = None,
    backend: BackendOption = None,
    status: StatusOption = None,
    session: SessionOption = None,
    client: ClientOption = None,
    error: ErrorOption = None,
    text: TextOption = None,
    lines: Annotated[int, typer.Option("-n", "--lines", min=0, help="Rows before the first new one.")] = 10,
    as_json: Annotated[bool, typer.Option("--json", help="Print a line of JSON for each row.")] = False,
    port: PortOption = None,
    url: UrlOption = None,
    config: ConfigOption = None,
) -> None:
    """Show rows of the running server as they come, until Ctrl-C."""
    from ccproxy.cli.access_logs_source import address_and_token
    from ccproxy.cli.access_logs_tail import tail

    with failing():
        filters = filters_of(None, None, model, backend, status, session, client, error, text)
        address, token = address_and_token(settings_of(port, url, config), url)
        try:
            tail(address, token, filters, lines, as_json=as_json)
        except KeyboardInterrupt:
            return


@app.command()
def export(
    file: Annotated[Path, typer.Argument(help="A new file: .ndjson, .csv or .parquet.")],
    since: SinceOption = None,
    until: UntilOption = None,
    model: ModelOption = None,
    backend: BackendOption = None,
    status: StatusOption = None,
    session: SessionOption = None,
    client: ClientOption = None,
    error: ErrorOption = None,
    text: TextOption = None,
    columns: ColumnsOption = None,
    port: PortOption = None,
    url: UrlOption = None,
    config: ConfigOption = None,
) -> None:
    """Write rows of the access log to a new file, oldest first; all of them unless said otherwise."""
    from ccproxy.cli.access_logs_export import WRITERS, export
    from ccproxy.cli.access_logs_source import Asked, opened

    if file.suffix not in WRITERS:
        raise typer.BadParameter(f"FILE must end with one of {', '.join(WRITERS)}.", param_hint="FILE")
    with failing():
        filters = filters_of(since, until, model, backend, status, session, client, error, text)
        asked = Asked(filters, names(columns), "started_at", None)
        with opened(settings_of(port, url, config), url) as ask, failing_plainly(file):
            written = export(asked, ask, file)
    typer.echo(f"{file}: {written} rows")


@contextmanager
def failing() -> Iterator[None]:
    """Turns what stands in the way into a line on stderr and exit code 1."""
    from ccproxy.records.filters import QueryError

    try:
        yield
    except (NoAnswerError, QueryError) as problem:
        typer.echo(problem, err=True)
        raise typer.Exit(1) from None


def settings_of(port: int | None, url: str | None, config: Path | None) -> Settings:
    if url and port is not None:
        raise typer.BadParameter("--url has the port in it: give one of the two.", param_hint="--port")
    with failing_plainly():
        given = {"server.port": Given(port, "--port")} if port is not None else {}
        return load(given, config=config).settings


def filters_of(since: str | None, until: str | None, *more: str | None) -> dict[str, str]:
    """The options as the server has them; a span of time is counted back from now."""
    from ccproxy.cli.access_logs_times import moment

    others = ("model", "backend", "status", "session", "client", "error", "text")
    given = {"since": since and moment("--since", since), "until": until and moment("--until", until)}
    given |= dict(zip(others, more, strict=True))
    return {name: value for name, value in given.items() if value}


def names(columns: str | None) -> list[str]:
    return [name for name in (columns or "").split(",") if name]
