"""`ccproxy record`: what goes through the proxy, or what one client does, on a cassette."""

from pathlib import Path

import typer

from ccproxy.cli.run import Wish, run_wish
from ccproxy.cli.tape import Tape, outcome
from ccproxy.records.cassette import CassetteError, create, read


def run(
    cassette: Path, command: list[str], append: bool, base_url: bool, port: int | None, config: Path | None
) -> None:
    """Record until the client ends, or until a signal comes."""
    path = cassette.resolve()
    try:
        # one that holds nothing yet is what a start that failed has left
        if not path.exists() or (read(path) and not append):
            create(path)
    except CassetteError as problem:
        typer.echo(problem, err=True)
        raise typer.Exit(1) from None
    tape = Tape("record", str(path))
    if command:
        raise typer.Exit(run_wish(Wish(command, base_url, None, port, config, quiet=False, tape=tape)))
    from ccproxy.cli import serve

    serve.run({} if port is None else {"server.port": port}, config, tape)
    typer.echo(outcome(tape, None))
