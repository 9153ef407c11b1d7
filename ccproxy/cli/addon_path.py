"""`ccproxy addon-path`."""

from pathlib import Path

import typer

import ccproxy


def script_path() -> Path:
    """The addon script: inside the package when installed from a wheel, beside it in a checkout."""
    package = Path(ccproxy.__file__).parent
    packed = package / "script" / "ccproxy.py"
    return packed if packed.exists() else package.parent / "addons" / "ccproxy.py"


def run() -> None:
    typer.echo(script_path())
