import json
import shutil
import subprocess
from pathlib import Path

import pytest

from ccproxy.cli.certs_env import Shell, lines, no_proxy, trust_variables

CA, BUNDLE = Path("/ca.pem"), Path("/bundle.pem")
AWKWARD = 'it\'s a \\ "$HOME" `pwd` ü'


def test_who_adds_gets_the_ca_and_who_replaces_the_bundle() -> None:
    assert trust_variables(CA, BUNDLE, {}) == {
        "NODE_EXTRA_CA_CERTS": "/ca.pem",
        "SSL_CERT_FILE": "/bundle.pem",
        "REQUESTS_CA_BUNDLE": "/bundle.pem",
        "CURL_CA_BUNDLE": "/bundle.pem",
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
    }


def test_node_keeps_what_it_was_given() -> None:
    for before, wanted in (("/company.pem", "/bundle.pem"), ("/ca.pem", "/ca.pem"), ("", "/ca.pem")):
        found = trust_variables(CA, BUNDLE, {"NODE_EXTRA_CA_CERTS": before})
        assert found["NODE_EXTRA_CA_CERTS"] == wanted


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"NO_PROXY": "intern.example, localhost"}, "intern.example,localhost,127.0.0.1"),
        ({"NO_PROXY": "a", "no_proxy": "b"}, "b,127.0.0.1,localhost"),
        ({"NO_PROXY": ","}, "127.0.0.1,localhost"),
    ],
)
def test_no_proxy_is_completed(before: dict[str, str], after: str) -> None:
    assert no_proxy(before) == {"NO_PROXY": after, "no_proxy": after}


def test_a_posix_shell_reads_it() -> None:
    script = "\n".join([*lines({"NAME": AWKWARD}, "sh"), "printenv NAME"])
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == f"{AWKWARD}\n"


@pytest.mark.skipif(shutil.which("fish") is None, reason="fish is not on PATH")
def test_fish_reads_it() -> None:
    script = "\n".join([*lines({"NAME": AWKWARD}, "fish"), "printenv NAME"])
    done = subprocess.run(["fish", "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == f"{AWKWARD}\n"


@pytest.mark.parametrize(
    ("shell", "line"),
    [
        ("sh", "export NAME='it'\"'\"'s a \\'"),
        ("fish", "set -gx NAME 'it\\'s a \\\\'"),
        ("powershell", "$env:NAME = 'it''s a \\'"),
    ],
)
def test_every_shell_quotes(shell: Shell, line: str) -> None:
    assert lines({"NAME": "it's a \\"}, shell) == [line]


def test_checks_are_never_switched_off() -> None:
    assert "NODE_TLS_REJECT_UNAUTHORIZED" not in json.dumps(trust_variables(CA, BUNDLE, {}))
