"""No store of the machine's is touched: the commands are stand-ins, the folders below a temporary root."""

import hashlib
import os
import ssl
from pathlib import Path

import pytest
import trustme

from ccproxy.cli.certs_ca import CertsError
from ccproxy.cli.certs_stores import find_store, fingerprint, perform, shown


@pytest.fixture
def ca(home: Path) -> Path:
    trustme.CA().cert_pem.write_to_path(home / "ca.pem")
    return home / "ca.pem"


@pytest.fixture
def programs(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is all of PATH."""
    folder = home / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def stand_in(
    programs: Path, name: str, script: str = 'echo "$0 $@" >> "$(/usr/bin/dirname "$0")/log"'
) -> None:
    file = programs / name
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)


SYSTEMS = {
    "Debian": ("usr/local/share/ca-certificates", "ccproxy-mitmproxy-ca.crt", "update-ca-certificates"),
    "Fedora": ("etc/pki/ca-trust/source/anchors", "ccproxy-mitmproxy-ca.pem", "update-ca-trust"),
    "openSUSE": ("etc/pki/trust/anchors", "ccproxy-mitmproxy-ca.pem", "update-ca-certificates"),
}


@pytest.mark.parametrize("system", SYSTEMS)
def test_systems_with_a_folder(system: str, home: Path, ca: Path, programs: Path) -> None:
    folder, file, update = SYSTEMS[system]
    (home / folder).mkdir(parents=True)
    stand_in(programs, update)
    for name in ("install", "rm"):
        (programs / name).symlink_to(f"/usr/bin/{name}")
    store = find_store(ca, home, "linux")
    assert (store.name, store.permitted) == (system, True)
    perform(store.add)
    installed = home / folder / file
    assert installed.read_text() == ca.read_text()
    assert installed.stat().st_mode & 0o777 == 0o644
    assert len((programs / "log").read_text().splitlines()) == 1
    perform(store.remove)
    assert not installed.exists()
    assert len((programs / "log").read_text().splitlines()) == 2


def test_arch(home: Path, ca: Path, programs: Path) -> None:
    stand_in(programs, "trust")
    store = find_store(ca, home, "linux")
    perform(store.add)
    perform(store.remove)
    assert (programs / "log").read_text().splitlines() == [
        f"{programs}/trust anchor {ca}",
        f"{programs}/trust anchor --remove {ca}",
    ]


def test_no_store(home: Path, ca: Path, programs: Path) -> None:
    with pytest.raises(CertsError, match="No trust store of this system is known"):
        find_store(ca, home, "linux")


def test_macos_and_windows_ask_for_no_rights(ca: Path, programs: Path) -> None:
    """One certificate is removed, not all that have mitmproxy's name."""
    sha1 = hashlib.sha1(ssl.PEM_cert_to_DER_cert(ca.read_text())).hexdigest().upper()
    assert fingerprint(ca) == sha1
    stand_in(programs, "security")
    mac = find_store(ca, platform="darwin")
    assert mac.permitted
    perform([*mac.add, *mac.remove])
    log = (programs / "log").read_text().splitlines()
    assert log[0].split()[1:4] == ["add-trusted-cert", "-r", "trustRoot"]
    assert [line.split()[1] for line in log[1:]] == ["remove-trusted-cert", "delete-certificate"]
    assert f"-Z {sha1} " in log[2]
    windows = find_store(ca, platform="win32")
    assert windows.permitted
    assert windows.add == [["certutil", "-user", "-addstore", "Root", str(ca.with_suffix(".cer"))]]
    assert windows.remove == [["certutil", "-user", "-delstore", "Root", sha1]]


def test_the_first_failure_ends_it(programs: Path) -> None:
    stand_in(programs, "fails", "echo because >&2; exit 3")
    stand_in(programs, "never")
    with pytest.raises(CertsError, match="`fails now` ended with 3: because"):
        perform([["fails", "now"], ["never"]])
    with pytest.raises(CertsError, match="nowhere cannot be started"):
        perform([["nowhere"], ["never"]])
    assert not (programs / "log").exists()


def test_commands_as_people_type_them() -> None:
    assert shown(["a", "b c"], sudo=False) == "a 'b c'"
    assert shown(["a", "b c"], sudo=True) == "sudo a 'b c'"


def test_without_rights(home: Path, ca: Path, programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if os.geteuid() == 0:
        # root may write everywhere: only what the system says can be another's
        monkeypatch.setattr(os, "access", lambda path, mode: not mode & os.W_OK)
    folder = home / "usr/local/share/ca-certificates"
    folder.mkdir(parents=True, mode=0o500)
    stand_in(programs, "update-ca-certificates")
    assert not find_store(ca, home, "linux").permitted
