"""`ccproxy simulator`."""

import sys

import typer

from ccproxy.simulator.server import serve


def announce(url: str) -> None:
    """Say where it is, and how to point clients at it."""
    typer.echo(f"Simulator at {url}")
    typer.echo(f"  Anthropic   ANTHROPIC_BASE_URL={url}")
    typer.echo(f"  OpenAI      OPENAI_BASE_URL={url}/openai/v1")
    typer.echo(f"  Codex       {url}/backend-api/codex")
    typer.echo(f"  what it got {url}/_simulator/requests")
    sys.stdout.flush()


def run(host: str, port: int) -> None:
    try:
        serve(host, port, announce)
    except OSError:
        typer.echo(f"Port {port} is in use: choose another with --port", err=True)
        raise typer.Exit(1) from None
