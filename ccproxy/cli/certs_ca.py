"""The certificate authority that the proxy signs with: mitmproxy's, made when it is first needed."""

import asyncio
import os
import tempfile
from pathlib import Path

from filelock import FileLock

from ccproxy.settings import load
from ccproxy.settings.places import data_dir


class CertsError(Exception):
    """What went wrong with certificates, and what to do about it."""


def ca_path() -> Path:
    """The CA's certificate, without its key, in PEM; in mitmproxy's usual folder (mitmproxy 12.2)."""
    return Path("~/.mitmproxy/mitmproxy-ca-cert.pem").expanduser()


def ensure_ca() -> Path:
    """The CA's certificate, made if there is none. Raises CertsError when it cannot be."""
    certificate = ca_path()
    try:
        if not certificate.exists():
            certificate.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            # two who make one at once would leave the certificate of the one with the key of the other
            with FileLock(own_dir() / "ca.lock", mode=0o600):
                if not certificate.exists():
                    asyncio.run(start_once())
    except OSError as problem:
        raise CertsError(f"The CA cannot be made in {certificate.parent}: {problem.strerror}") from None
    if not certificate.exists():
        raise CertsError(
            f"{certificate} is missing, but its key is there: put it back, or move mitmproxy-ca* away."
        )
    return certificate


async def start_once() -> None:
    """Let mitmproxy make its CA, which it does whenever it starts and finds none."""
    from ccproxy.cli.demo import free_or_any, proxy_for

    ports = {"server.port": free_or_any(0), "server.proxy_port": free_or_any(0)}
    with tempfile.TemporaryDirectory() as empty:
        settings = load(ports, environ={}, cwd=Path(empty)).settings
    async with proxy_for(settings):
        pass


def own_dir() -> Path:
    """Our own folder for what is made here; it exists."""
    folder = data_dir(os.environ) / "certs"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder
