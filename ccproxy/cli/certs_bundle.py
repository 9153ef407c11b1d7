"""The bundle: every certificate that programs here trust already, and ours, in one file.

`SSL_CERT_FILE` and its like replace what a program knows, so the file has to hold all of it.
"""

import os
import re
import ssl
from collections.abc import Iterable, Mapping
from pathlib import Path

from ccproxy.cli.certs_ca import CertsError, own_dir

NODE = "NODE_EXTRA_CA_CERTS"
REPLACING = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
"""Variables that name all that a program trusts; NODE names what it trusts besides."""

USUAL = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
"""Where systems keep their own: Debian, Alpine and Arch; Fedora; RHEL; openSUSE; macOS (read 2026-11-22)."""

CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----\r?\n.*?-----END CERTIFICATE-----", re.DOTALL)
ORIGIN = re.compile(r"^# from: (.*)$", re.MULTILINE)


def bundle_path() -> Path:
    """Where our bundle is, or will be."""
    return own_dir() / "bundle.pem"


def write_bundle(ca: Path, environ: Mapping[str, str]) -> Path:
    """Bring the bundle up to date; a file that is right stays as it is. Raises CertsError."""
    from ccproxy.settings.editing import write_private

    path = bundle_path()
    origins = named_before(environ, path, ca)
    wanted = text(origins, ca)
    try:
        if not path.exists() or path.read_text(encoding="utf-8") != wanted:
            write_private(path, wanted)
    except OSError as problem:
        raise CertsError(f"{path} cannot be written: {problem.strerror}") from None
    return path


def named_before(environ: Mapping[str, str], bundle: Path, ca: Path) -> list[Path]:
    """The files that the user's own variables name.

    Where one names our bundle already, those that it was made from: a company's own CA must not get lost
    when this is run in a shell that has the variables from an earlier run.
    """
    found: dict[Path, None] = {}
    for variable in (*REPLACING, NODE):
        named = Path(environ.get(variable) or os.devnull).expanduser()
        if named == bundle and bundle.is_file():
            again = (Path(line) for line in ORIGIN.findall(bundle.read_text(encoding="utf-8")))
            found |= dict.fromkeys(path for path in again if path.is_file())
        elif named not in (bundle, ca) and named.is_file():
            found[named.absolute()] = None
    return list(found)


def text(origins: Iterable[Path], ca: Path) -> str:
    """The bundle: where its certificates are from, then each of them once, ours at the end."""
    lines = [f"# from: {path}" for path in origins]
    found = [block for path in origins for block in certificates(path)]
    own = certificates(ca)
    roots = [block for block in dict.fromkeys([*found, *system_roots()]) if block not in own]
    return "\n".join(["# made by ccproxy, renewed with each use", *lines, *roots, *own, ""])


def certificates(path: Path) -> list[str]:
    """The certificates in a PEM file. Raises CertsError when it cannot be read."""
    try:
        return CERTIFICATE.findall(path.read_text(encoding="latin-1"))
    except OSError as problem:
        raise CertsError(f"{path} cannot be read: {problem.strerror}") from None


def system_roots() -> list[str]:
    """What the system trusts, in PEM; certifi's list only where the system has none to read."""
    for path in map(Path, (ssl.get_default_verify_paths().openssl_cafile, *USUAL)):
        if path.is_file() and (found := certificates(path)):
            return found
    # on Windows the certificates are in no file
    known = ssl.create_default_context().get_ca_certs(binary_form=True)
    if known:
        return [ssl.DER_cert_to_PEM_cert(one).strip() for one in known]
    import certifi

    return certificates(Path(certifi.where()))
