"""`ccproxy codex`: what concerns the Codex CLI that is installed here."""

import asyncio
import json
import signal
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="Look after what the Codex backend needs from the Codex CLI.")


@app.callback()
def group() -> None:
    """Look after what the Codex backend needs from the Codex CLI."""


@app.command()
def capture(
    model: Annotated[str | None, typer.Option(help="Model to ask about; by default the CLI's own.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    timeout: Annotated[float, typer.Option(min=1, help="Seconds that the CLI may take.")] = 30,
) -> None:
    """Capture the instructions of your Codex CLI now, and keep them for `ccproxy serve`."""
    from ccproxy.codex.capture import CaptureError

    try:
        report = asyncio.run(_capture(model, timeout))
    except CaptureError as error:
        typer.echo(error, err=True)
    except OSError as error:
        typer.echo(f"The captured instructions cannot be kept on disk: {error.strerror}", err=True)
    except asyncio.CancelledError:
        typer.echo("Stopped.", err=True)
    else:
        lines = (f"{name.replace('_', ' '):<12}{value}" for name, value in report.items())
        typer.echo(json.dumps(report, indent=2) if as_json else "\n".join(lines))
        return
    raise typer.Exit(1)


async def _capture(model: str | None, limit: float) -> dict[str, str | int]:
    """Captures and keeps; returns what may be shown."""
    from ccproxy.codex.capture import capture
    from ccproxy.codex.cli import find
    from ccproxy.codex.instructions import Cache, default_cache

    # SIGTERM like Ctrl-C: the CLI must not outlive us
    task = asyncio.current_task()
    assert task
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    binary, cache = find(), Cache(default_cache())
    captured = await capture(binary, model, limit)
    cache.write(captured)
    return {
        "cli_version": captured.cli_version,
        "model": captured.model,
        "characters": len(captured.text),
        "place": captured.place,
        "program": str(binary),
        "cache": str(cache.folder),
    }
