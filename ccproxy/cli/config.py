"""`ccproxy config`: what is in effect, where it came from, and changing the file."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from ccproxy.settings import Settings, SettingsError, load

# What writes or prints (tomlkit above all) is imported by the commands that need it: `ccproxy serve` must
# not wait for it.

ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", metavar="PATH", help="TOML file to use instead of the one that is found."),
]

app = typer.Typer(no_args_is_help=True, help="Show and change the settings.")


@contextmanager
def failing_plainly(path: Path | None = None) -> Iterator[None]:
    """Turns what a user can cause into lines on stderr and exit code 1; `path` is what is written to."""
    try:
        yield
    except SettingsError as error:
        typer.echo(error, err=True)
    except OSError as error:
        typer.echo(f"{path or 'settings'}: {error.strerror}", err=True)
    else:
        return
    raise typer.Exit(1)


@app.command()
def show(
    sources: Annotated[bool, typer.Option("--sources", help="Say where each value came from.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of TOML.")] = False,
    config: ConfigOption = None,
) -> None:
    """Print the effective settings; secrets are masked."""
    from ccproxy.settings.printing import effective, nested, plain

    with failing_plainly():
        loaded = load(config=config)
    if not as_json:
        typer.echo(effective(loaded.settings, loaded.sources if sources else None), nl=False)
        return
    tree: dict[str, object] = nested(plain(loaded.settings))
    if sources:
        tree = {"settings": tree, "sources": dict(loaded.sources)}
    typer.echo(json.dumps(tree, indent=2))


@app.command()
def schema() -> None:
    """Print the JSON Schema of the TOML file, for editors."""
    dialect = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    typer.echo(json.dumps(dialect | Settings.model_json_schema(), indent=2))


@app.command()
def init(
    path: Annotated[
        Path | None,
        typer.Option(
            "--path", metavar="PATH", help="File to write; by default ~/.config/ccproxy/config.toml."
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
) -> None:
    """Write a starter file with every key in a comment."""
    from ccproxy.settings.editing import write_private
    from ccproxy.settings.places import config_dir
    from ccproxy.settings.printing import starter

    target = path or config_dir(os.environ) / "config.toml"
    if os.path.lexists(target) and not force:
        typer.echo(f"{target}: exists already; replace it with --force", err=True)
        raise typer.Exit(1)
    with failing_plainly(target):
        write_private(target, starter())
    typer.echo(f"Wrote {target}")


@app.command("set")
def set_(
    key: Annotated[str, typer.Argument(help="Dotted key, such as server.port.")],
    value: Annotated[str, typer.Argument(help="Value; lists with commas or as JSON, tables as JSON.")],
    config: ConfigOption = None,
) -> None:
    """Set one key in the TOML file; comments and other keys stay as they are."""
    save_key(key, value, config, label="config set")


@app.command()
def codex(
    enable: Annotated[bool, typer.Option("--enable/--disable", help="Serve the /codex routes, or do not.")],
    config: ConfigOption = None,
) -> None:
    """Switch the Codex backend on or off in the TOML file."""
    save_key("codex.enabled", str(enable), config, label="config codex")


def save_key(key: str, value: str, config: Path | None, *, label: str) -> None:
    """Sets a key in the file that is in use and says which file that is, or exits with the reason."""
    from ccproxy.settings.editing import file_to_edit, set_key

    path = file_to_edit(config, os.environ)
    with failing_plainly(path):
        set_key(path, key, value, os.environ, label=label)
    typer.echo(f"Saved {key} in {path}", err=True)
