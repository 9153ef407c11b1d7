"""The variables with which programs trust the CA, and how each shell sets them."""

import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

from ccproxy.cli.certs_bundle import NODE, REPLACING

Shell = Literal["sh", "fish", "powershell"]

OURS = ("127.0.0.1", "localhost")
"""What must never go through the proxy: a client's own servers, and our base URLs."""


def trust_variables(ca: Path, bundle: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """For Node and Bun, OpenSSL, Python, rustls and curl."""
    # Node adds what it is given to what it knows; only a file of the user's own makes more than ours needed
    extra = environ.get(NODE, "")
    return {
        NODE: str(bundle if extra and Path(extra) != ca else ca),
        **dict.fromkeys(REPLACING, str(bundle)),
        **no_proxy(environ),
    }


def no_proxy(environ: Mapping[str, str]) -> dict[str, str]:
    """Both spellings, because programs differ in which they read first; what they said before stays."""
    before = environ.get("no_proxy") or environ.get("NO_PROXY") or ""
    names = [name for part in before.split(",") if (name := part.strip())]
    value = ",".join(dict.fromkeys([*names, *OURS]))
    return {"NO_PROXY": value, "no_proxy": value}


LINES: dict[Shell, Callable[[str, str], str]] = {
    "sh": lambda name, value: f"export {name}={shlex.quote(value)}",
    "fish": lambda name, value: f"set -gx {name} {fish(value)}",
    "powershell": lambda name, value: f"$env:{name} = '{value.replace("'", "''")}'",
}


def fish(value: str) -> str:
    """In single quotes, where fish knows two escapes (fish documentation, read 2026-11-22)."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def lines(variables: Mapping[str, str], shell: Shell) -> list[str]:
    """What a shell has to read."""
    return [LINES[shell](name, value) for name, value in variables.items()]
