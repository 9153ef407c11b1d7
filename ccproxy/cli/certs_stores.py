"""The systems' own trust stores: which one this machine has, and the commands that change it.

Commands as Debian, Fedora, Arch, openSUSE, Apple and Microsoft document them (read 2026-11-22).
"""

import hashlib
import os
import shlex
import shutil
import ssl
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from ccproxy.cli.certs_ca import CertsError

Command = list[str]
NAME = "ccproxy-mitmproxy-ca"


@dataclass(frozen=True)
class Store:
    """A trust store; `target` is the file that the certificate becomes, None where there is no such file.

    `folder` has to be writable for the commands to work; None where they need no rights.
    """

    name: str
    add: list[Command]
    remove: list[Command]
    target: Path | None = None
    folder: Path | None = None

    @property
    def permitted(self) -> bool:
        return self.folder is None or os.access(self.folder, os.W_OK)


def find_store(ca: Path, root: Path = Path("/"), platform: str = sys.platform) -> Store:
    """The store of this machine, or of the system below `root`. Raises CertsError where none is known."""
    if platform == "darwin":
        return keychain(ca)
    if platform == "win32":
        return windows(ca)
    debian, fedora = root / "usr/local/share/ca-certificates", root / "etc/pki/ca-trust/source/anchors"
    suse = root / "etc/pki/trust/anchors"
    if fedora.is_dir() and shutil.which("update-ca-trust"):
        return with_file("Fedora", ca, fedora / f"{NAME}.pem", ["update-ca-trust"], ["update-ca-trust"])
    if suse.is_dir() and shutil.which("update-ca-certificates"):
        update = ["update-ca-certificates"]
        return with_file("openSUSE", ca, suse / f"{NAME}.pem", update, update)
    if debian.is_dir() and shutil.which("update-ca-certificates"):
        update = ["update-ca-certificates"]
        return with_file("Debian", ca, debian / f"{NAME}.crt", update, [*update, "--fresh"])
    if shutil.which("trust"):
        anchor = ["trust", "anchor"]
        folder = root / "etc/ca-certificates/trust-source"
        return Store("p11-kit", [[*anchor, str(ca)]], [[*anchor, "--remove", str(ca)]], folder=folder)
    raise CertsError(f"No trust store of this system is known. The certificate is {ca}: see certs/README.md.")


def with_file(name: str, ca: Path, target: Path, after: Command, after_removal: Command) -> Store:
    """A folder of certificates, and a command that reads it."""
    copy = ["install", "-m", "0644", str(ca), str(target)]
    return Store(name, [copy, after], [["rm", str(target)], after_removal], target, target.parent)


def keychain(ca: Path) -> Store:
    """The login keychain: for this user only, and macOS itself asks for consent."""
    chain = str(Path("~/Library/Keychains/login.keychain-db").expanduser())
    return Store(
        "macOS login keychain",
        [["security", "add-trusted-cert", "-r", "trustRoot", "-k", chain, str(ca)]],
        [
            ["security", "remove-trusted-cert", str(ca)],
            ["security", "delete-certificate", "-Z", fingerprint(ca), chain],
        ],
    )


def windows(ca: Path) -> Store:
    """The root store of this user; Windows itself asks for consent."""
    certutil = ["certutil", "-user"]
    return Store(
        "Windows root store",
        [[*certutil, "-addstore", "Root", str(ca.with_suffix(".cer"))]],
        [[*certutil, "-delstore", "Root", fingerprint(ca)]],
    )


def fingerprint(ca: Path) -> str:
    """SHA-1 in hex, which is how both systems name a certificate: every mitmproxy CA has the same name."""
    der = ssl.PEM_cert_to_DER_cert(ca.read_text(encoding="ascii"))
    return hashlib.sha1(der, usedforsecurity=False).hexdigest().upper()


def shown(command: Command, *, sudo: bool) -> str:
    """A command as a person would type it."""
    return shlex.join(["sudo", *command] if sudo else command)


def perform(commands: list[Command]) -> None:
    """Run them in turn. Raises CertsError with the first that fails, and what it said."""
    for command in commands:
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
        except OSError as problem:
            raise CertsError(f"{command[0]} cannot be started: {problem.strerror}") from None
        if done.returncode:
            said = (done.stderr or done.stdout).strip()
            raise CertsError(f"`{shlex.join(command)}` ended with {done.returncode}: {said}")
