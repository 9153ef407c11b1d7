"""The gate's small judgements; what it refuses on a socket is in tests/scenarios/test_gate.py."""

import base64

import pytest

from ccproxy.addons.gate import host_name, is_own_address, token_in


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("127.0.0.1:8000", "127.0.0.1"),
        ("LOCALHOST:8000", "localhost"),
        ("localhost.", "localhost"),
        ("[::1]:8000", "::1"),
        ("evil.example", "evil.example"),
        ("", ""),
        ("[bad", ""),
        ("localhost@evil.example", "evil.example"),
    ],
)
def test_host_name(header: str, name: str) -> None:
    assert host_name(header) == name


@pytest.mark.parametrize(
    ("value", "token"),
    [
        ("Bearer t", b"t"),
        ("bearer  t ", b"t"),
        ("t", b"t"),
        ("Basic " + base64.b64encode(b"ccproxy:t").decode(), b"t"),
        ("Basic " + base64.b64encode(b"t:").decode(), b"t"),
        ("Basic !", b""),
        ("Basic \xe9", b""),
    ],
)
def test_token_in(value: str, token: bytes) -> None:
    assert token_in(value) == token


@pytest.mark.parametrize(
    ("host", "sockname", "same"),
    [
        ("192.168.1.5", "192.168.1.5", True),
        ("0:0:0:0:0:0:0:1", "::1", True),
        ("192.168.1.6", "192.168.1.5", False),
        ("evil.example", "192.168.1.5", False),
    ],
)
def test_own_address(host: str, sockname: str, same: bool) -> None:
    assert is_own_address(host, sockname) is same
