"""`ccproxy replay`: a proxy, or a client with a proxy of its own, that answers from a cassette."""

from pathlib import Path

import typer

from ccproxy.cli.run import Wish, run_wish
from ccproxy.cli.tape import Tape
from ccproxy.records.cassette import CassetteError, read


def run(
    cassette: Path, command: list[str], in_time: bool, base_url: bool, port: int | None, config: Path | None
) -> None:
    """Answer until the client ends, or until a signal comes."""
    path = cassette.resolve()
    try:
        read(path)
    except CassetteError as problem:
        typer.echo(problem, err=True)
        raise typer.Exit(1) from None
    tape = Tape("replay", str(path), in_time)
    if command:
        raise typer.Exit(run_wish(Wish(command, base_url, None, port, config, quiet=False, tape=tape)))
    from ccproxy.cli import serve

    serve.run({} if port is None else {"server.port": port}, config, tape)
