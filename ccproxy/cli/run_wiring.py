"""What a client has to be told: the variables of either way to the proxy, and the client's own options."""

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from ccproxy.cli.certs_env import no_proxy, trust_variables

CLIENTS = Path(__file__).with_name("clients.toml")
ANY_KEY = "ccproxy"
"""For clients that want a key where the proxy asks for none."""


@dataclass(frozen=True)
class Client:
    """How one client is led to a base URL; see clients.toml."""

    variables: Mapping[str, str] = field(default_factory=dict)
    arguments: Sequence[str] = ()
    keys: Sequence[str] = ()
    others: Sequence[str] = ()


def through_proxy(
    proxy: str, token: str | None, ca: Path, bundle: Path, environ: Mapping[str, str]
) -> dict[str, str]:
    """The environment of a client that goes on talking to its provider.

    Only HTTPS goes through the proxy: the providers have nothing else.
    """
    url = with_token(proxy, token)
    # Node's own fetch looks at HTTPS_PROXY only with this one (Node 24 and later)
    wiring = {"HTTPS_PROXY": url, "https_proxy": url, "NODE_USE_ENV_PROXY": "1"}
    return {**environ, **wiring, **trust_variables(ca, bundle, environ)}


def with_token(proxy: str, token: str | None) -> str:
    """The proxy's URL with the token as the password in it."""
    if token is None:
        return proxy
    parts = urlsplit(proxy)
    return f"{parts.scheme}://ccproxy:{quote(token, safe='')}@{parts.netloc}"


def by_base_url(
    command: Sequence[str], url: str, token: str | None, environ: Mapping[str, str], *, any_key: bool
) -> tuple[list[str], dict[str, str]]:
    """The command and the environment of a client that talks to us.

    `any_key`: a client without a credential gets a key that means nothing; it would not start without.
    """
    client = client_of(command[0])
    environment = {**environ, **filled(client.variables, url), **no_proxy(environ)}
    if token is not None:
        for name in client.others:
            environment.pop(name, None)
        environment |= dict.fromkeys(client.keys, token)
    elif any_key and not any(environ.get(name) for name in client.others):
        environment |= {name: ANY_KEY for name in client.keys if not environ.get(name)}
    arguments = [argument.replace("{url}", url) for argument in client.arguments]
    return [command[0], *arguments, *command[1:]], environment


def filled(variables: Mapping[str, str], url: str) -> dict[str, str]:
    return {name: value.replace("{url}", url) for name, value in variables.items()}


def client_of(program: str) -> Client:
    """The client that a program is, by its file's name; the generic one where that says nothing."""
    known: dict[str, dict[str, Any]] = tomllib.loads(CLIENTS.read_text(encoding="utf-8"))["clients"]
    entry = known.get(Path(program).stem.lower(), known["generic"])
    return Client(**{name: entry[name] for name in only(Client, entry)})


def only(kind: type[Client], entry: Iterable[str]) -> list[str]:
    """The keys that are for us; the others say where they come from."""
    return [name for name in entry if name in kind.__dataclass_fields__]
