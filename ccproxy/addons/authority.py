"""The certificate authority that mitmproxy signs with."""

from pathlib import Path

from mitmproxy import certs, options


def make_ca(folder: Path) -> None:
    """As mitmproxy does when it starts and finds none; where its key is, that stays."""
    if not (folder / f"{options.CONF_BASENAME}-ca.pem").exists():
        certs.CertStore.create_store(folder, options.CONF_BASENAME, options.KEY_SIZE)
