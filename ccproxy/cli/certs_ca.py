"""The certificate authority that the proxy signs with: mitmproxy's, made when it is first needed."""

import os
from pathlib import Path

from filelock import FileLock

from ccproxy.settings.places import data_dir


class CertsError(Exception):
    """What went wrong with certificates, and what to do about it."""


def ca_path() -> Path:
    """The CA's certificate, without its key, in PEM; in mitmproxy's usual folder (mitmproxy 12.2)."""
    return Path("~/.mitmproxy/mitmproxy-ca-cert.pem").expanduser()


def ensure_ca() -> Path:
    """The CA's certificate, made if there is none. Raises CertsError when it cannot be."""
    from ccproxy.addons.authority import make_ca

    certificate = ca_path()
    try:
        if not certificate.exists():
            certificate.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            # two who make one at once would leave the certificate of the one with the key of the other
            with FileLock(own_dir() / "ca.lock", mode=0o600):
                if not certificate.exists():
                    make_ca(certificate.parent)
    except OSError as problem:
        raise CertsError(f"The CA cannot be made in {certificate.parent}: {problem.strerror}") from None
    if not certificate.exists():
        raise CertsError(
            f"{certificate} is missing, but its key is there: put it back, or move mitmproxy-ca* away."
        )
    return certificate


def own_dir() -> Path:
    """Our own folder for what is made here; it exists."""
    folder = data_dir(os.environ) / "certs"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder
