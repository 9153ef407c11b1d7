import stat
import subprocess
import sys
from pathlib import Path

import pytest

from ccproxy.cli.certs_ca import CertsError, ca_path, ensure_ca, own_dir
from tests.support.processes import BIN, clean_environment

PROGRAM = "from ccproxy.cli.certs_ca import ensure_ca; print(ensure_ca().read_text())"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_made_once_even_by_several_at_once(home: Path) -> None:
    command, environment = [sys.executable, "-c", PROGRAM], clean_environment(home)
    makers = [
        subprocess.Popen(command, cwd=home, env=environment, stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    printed = {maker.communicate(timeout=30)[0] for maker in makers}
    assert len(printed) == 1
    assert "-----BEGIN CERTIFICATE-----" in printed.pop()
    folder = home / ".mitmproxy"
    assert mode(folder) == 0o700
    assert {mode(folder / name) for name in ("mitmproxy-ca.pem", "mitmproxy-ca.p12")} == {0o600}


def test_it_is_the_one_that_mitmproxy_signs_with(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The stock tools read the key that lies beside it."""
    monkeypatch.setenv("HOME", str(home))
    certificate = ensure_ca()
    assert certificate == ca_path() == home / ".mitmproxy" / "mitmproxy-ca-cert.pem"
    assert certificate.read_text() in (home / ".mitmproxy" / "mitmproxy-ca.pem").read_text()


def test_one_that_is_there_stays(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(home))
    ca_path().parent.mkdir()
    ca_path().write_text("theirs")
    assert ensure_ca().read_text() == "theirs"
    assert mode(ca_path().parent) != 0o700


def test_a_folder_that_cannot_be_made(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(home))
    ca_path().parent.write_text("a file")
    with pytest.raises(CertsError, match="cannot be made"):
        ensure_ca()


def test_a_key_without_its_certificate(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(home))
    ensure_ca().unlink()
    with pytest.raises(CertsError, match="is missing, but its key is there"):
        ensure_ca()


def test_our_folder_is_the_users_alone(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(home / "data"))
    assert own_dir() == home / "data" / "ccproxy" / "certs"
    assert mode(own_dir()) == 0o700


def test_making_it_says_nothing(home: Path) -> None:
    command = [str(BIN / "ccproxy"), "certs", "path"]
    environment = clean_environment(home)
    done = subprocess.run(
        command, cwd=home, env=environment, capture_output=True, text=True, timeout=30, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{home}/.mitmproxy/mitmproxy-ca-cert.pem\n"
