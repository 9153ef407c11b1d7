import json
import shlex
import ssl
import subprocess
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tests.conftest import Proxies
from tests.support.processes import BIN, clean_environment

DEBIAN = "usr/local/share/ca-certificates"


def certs(home: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(BIN / "ccproxy"), "certs", *arguments],
        cwd=home,
        env=clean_environment(home, environment),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_path_and_bundle(home: Path) -> None:
    path = certs(home, "path").stdout.strip()
    assert path == str(home / ".mitmproxy" / "mitmproxy-ca-cert.pem")
    assert json.loads(certs(home, "path", "--json").stdout) == {"certificate": path}
    bundle = certs(home, "bundle").stdout.strip()
    assert Path(path).read_text().strip() in Path(bundle).read_text()
    told = json.loads(certs(home, "bundle", "--json").stdout)
    assert told["bundle"] == bundle
    assert told["certificates"] == Path(bundle).read_text().count("BEGIN CERTIFICATE")


def test_env_in_every_shell(home: Path) -> None:
    variables = json.loads(certs(home, "env", "--json").stdout)
    assert variables["NODE_EXTRA_CA_CERTS"] == certs(home, "path").stdout.strip()
    assert variables["SSL_CERT_FILE"] == certs(home, "bundle").stdout.strip()
    assert variables["NO_PROXY"] == "127.0.0.1,localhost"
    for shell, start in (("sh", "export "), ("fish", "set -gx "), ("powershell", "$env:")):
        printed = certs(home, "env", "--shell", shell).stdout.splitlines()
        assert len(printed) == len(variables)
        assert all(line.startswith(start) for line in printed)
    assert certs(home, "env", "--shell", "csh").returncode == 2


@pytest.mark.parametrize("program", ["curl -sS", "python"])
def test_programs_trust_the_proxy_with_it(program: str, proxies: Proxies) -> None:
    """The CA is that of the proxy's home; the shell takes what `env` prints."""
    proxy = proxies.get(settings={"INTERCEPT__HOSTS": '{"api.anthropic.com": "credentials"}'})
    url = "https://api.anthropic.com/v1/models"
    command = f"{program} -H 'anthropic-version: 2023-06-01' {url}"
    if program == "python":
        script = (
            f"import httpx; print(httpx.get({url!r}, headers={{'anthropic-version': '2023-06-01'}}).text)"
        )
        command = f"python -c {shlex.quote(script)}"
    home = proxy.process.home
    done = subprocess.run(
        ["sh", "-c", f'eval "$(ccproxy certs env)"; exec {command}'],
        env=clean_environment(home, {"HTTPS_PROXY": proxy.proxy_url, "https_proxy": proxy.proxy_url}),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["data"]


@pytest.fixture
def debian(home: Path) -> Iterator[Path]:
    """A root directory, and on PATH a stand-in that notes how it was called."""
    root = home / "root"
    (root / DEBIAN).mkdir(parents=True)
    (home / "bin").mkdir()
    stand_in = home / "bin" / "update-ca-certificates"
    stand_in.write_text(f'#!/bin/sh\necho "called $@" >> {home}/log\n')
    stand_in.chmod(0o755)
    yield root
    assert not Path(f"/{DEBIAN}/ccproxy-mitmproxy-ca.crt").exists()


def install(home: Path, root: Path, *options: str) -> subprocess.CompletedProcess[str]:
    path = clean_environment(home)["PATH"]
    return certs(home, "install", "--root", str(root), *options, PATH=f"{home}/bin:{path}")


def test_install_only_shows_until_it_is_told_to(home: Path, debian: Path) -> None:
    done = install(home, debian)
    assert done.returncode == 0
    assert done.stdout.splitlines()[1:] == [
        f"install -m 0644 {home}/.mitmproxy/mitmproxy-ca-cert.pem {debian}/{DEBIAN}/ccproxy-mitmproxy-ca.crt",
        "update-ca-certificates",
    ]
    assert "Nothing was changed" in done.stderr
    assert json.loads(install(home, debian, "--json").stdout)["done"] is False
    assert not list((debian / DEBIAN).iterdir())
    assert not (home / "log").exists()


def test_install_and_remove(home: Path, debian: Path) -> None:
    done = install(home, debian, "--yes")
    assert (done.returncode, done.stderr) == (0, "")
    (installed,) = (debian / DEBIAN).iterdir()
    assert installed.read_text() == (home / ".mitmproxy" / "mitmproxy-ca-cert.pem").read_text()
    install(home, debian, "--remove")
    assert installed.exists()
    told = json.loads(install(home, debian, "--remove", "--yes", "--json").stdout)
    assert (told["store"], told["done"]) == ("Debian", True)
    assert not installed.exists()
    assert (home / "log").read_text() == "called \ncalled --fresh\n"
    again = install(home, debian, "--remove", "--yes")
    assert (again.returncode, again.stderr.startswith("Nothing to remove: ")) == (1, True)


def test_a_store_that_fails(home: Path, debian: Path) -> None:
    (home / "bin" / "update-ca-certificates").write_text("#!/bin/sh\necho broken >&2\nexit 4\n")
    done = install(home, debian, "--yes")
    assert done.returncode == 1
    assert done.stderr == "`update-ca-certificates` ended with 4: broken\n"


def test_without_rights_the_commands_are_shown(home: Path, debian: Path) -> None:
    """Arch's folder is not there, so that it cannot be written to, not even by root."""
    (home / "bin" / "update-ca-certificates").unlink()
    (home / "bin" / "trust").write_text("#!/bin/sh\necho called >> log\n")
    (home / "bin" / "trust").chmod(0o755)
    done = certs(home, "install", "--root", str(debian), "--yes", PATH=f"{home}/bin:{BIN}")
    assert done.returncode == 1
    assert done.stdout.splitlines()[1:] == [f"sudo trust anchor {home}/.mitmproxy/mitmproxy-ca-cert.pem"]
    assert done.stderr.startswith("Nothing was changed: ")
    assert not (home / "log").exists()


def test_what_is_not_a_providers_shows_its_own_certificate(home: Path, proxies: Proxies) -> None:
    """Through the proxy it is only a tunnel: the bundle does not make anybody trust it."""
    import trustme

    class Site(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"itself")

        def log_message(self, *_: object) -> None:
            pass

    proxy = proxies.get()
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    theirs = home / "theirs.pem"
    authority.cert_pem.write_to_path(theirs)
    with HTTPServer(("127.0.0.1", 0), Site) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        thread = Thread(target=server.handle_request, daemon=True)
        thread.start()
        command = ["curl", "-sS", "--noproxy", "", "--proxy", proxy.proxy_url, "--cacert", str(theirs)]
        done = subprocess.run(
            [*command, f"https://localhost:{server.server_port}/"],
            env=clean_environment(home),
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        thread.join(5)
    assert (done.stdout, done.stderr) == ("itself", "")
