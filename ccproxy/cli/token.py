"""`ccproxy generate-token`: a token for `security.auth_token`."""

import secrets
from typing import Annotated

import typer

from ccproxy.cli.config import ConfigOption, save_key


def generate_token(
    save: Annotated[bool, typer.Option("--save", help="Write it into the TOML file, too.")] = False,
    config: ConfigOption = None,
) -> None:
    """Print a new token as the environment variable that sets it."""
    token = secrets.token_urlsafe(32)
    if save:
        save_key("security.auth_token", token, config, label="generate-token")
    typer.echo(f"SECURITY__AUTH_TOKEN={token}")
