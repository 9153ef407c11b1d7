"""`ccproxy certs`: the proxy's certificate authority, and how programs come to trust it."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from ccproxy.cli.certs_bundle import certificates, write_bundle
from ccproxy.cli.certs_ca import CertsError, ensure_ca
from ccproxy.cli.certs_env import Shell, lines, trust_variables
from ccproxy.cli.certs_stores import find_store, perform, shown

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]

app = typer.Typer(no_args_is_help=True, help="The certificate authority that HTTPS_PROXY clients must trust.")


@contextmanager
def saying_why() -> Iterator[None]:
    """Turns what can go wrong into a line on stderr and exit code 1."""
    try:
        yield
    except CertsError as problem:
        typer.echo(problem, err=True)
        raise typer.Exit(1) from None


@app.command()
def path(as_json: JsonOption = False) -> None:
    """Print where the CA's certificate is; it is made if there is none."""
    with saying_why():
        certificate = ensure_ca()
    typer.echo(json.dumps({"certificate": str(certificate)}) if as_json else certificate)


@app.command()
def bundle(as_json: JsonOption = False) -> None:
    """Write a file with the certificates that the system trusts and ours, and print where it is."""
    with saying_why():
        written = write_bundle(ensure_ca(), os.environ)
        count = len(certificates(written))
    typer.echo(json.dumps({"bundle": str(written), "certificates": count}) if as_json else written)


@app.command()
def env(
    shell: Annotated[Shell, typer.Option(help="Whose syntax to print.")] = "sh",
    as_json: JsonOption = False,
) -> None:
    """Print the variables with which Node, Python, OpenSSL, rustls and curl trust the CA."""
    with saying_why():
        certificate = ensure_ca()
        variables = trust_variables(certificate, write_bundle(certificate, os.environ), os.environ)
    typer.echo(json.dumps(variables, indent=2) if as_json else "\n".join(lines(variables, shell)))


@app.command()
def install(
    yes: Annotated[bool, typer.Option("--yes", help="Do it; otherwise it is only shown.")] = False,
    remove: Annotated[bool, typer.Option("--remove", help="Take the CA out of the store again.")] = False,
    root: Annotated[
        Path, typer.Option(metavar="PATH", help="Where the system's folders lie, to try it out elsewhere.")
    ] = Path("/"),
    as_json: JsonOption = False,
) -> None:
    """Show what puts the CA into the system's trust store, and with --yes do it."""
    with saying_why():
        store = find_store(ensure_ca(), root)
        if remove and store.target and not store.target.exists():
            raise CertsError(f"Nothing to remove: {store.target} does not exist.")
        commands = store.remove if remove else store.add
        todo = [shown(command, sudo=not store.permitted) for command in commands]
        done = yes and store.permitted
        if done:
            perform(commands)
    if as_json:
        typer.echo(json.dumps({"store": store.name, "commands": todo, "done": done}, indent=2))
    else:
        typer.echo("\n".join([f"{store.name}: {'done' if done else 'these commands do it'}", *todo]))
    if yes and not done:
        typer.echo(f"Nothing was changed: {store.folder} cannot be written to. Run them yourself.", err=True)
        raise typer.Exit(1)
    if not done:
        typer.echo("Nothing was changed. With --yes it is done.", err=True)
