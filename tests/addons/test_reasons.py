"""What mitmproxy says when a connection fails, in words of ours."""

import pytest

from ccproxy.addons.reasons import connect_failure


@pytest.mark.parametrize(
    ("message", "code", "words"),
    [
        ("[Errno 111] Connect call failed ('127.0.0.1', 9)", "upstream_unreachable", "connection refused"),
        ("connection cancelled", "upstream_unreachable", "no answer in time"),
        ("closed by command", "upstream_unreachable", "no answer in time"),
        ("[Errno -2] Name or service not known", "upstream_unreachable", "cannot be resolved"),
        ("[Errno 101] Network is unreachable", "upstream_unreachable", "Network is unreachable"),
        ("TLS: Certificate verify failed: self-signed certificate", "upstream_tls", "self-signed"),
        ("TLS: The remote server does not speak TLS.", "upstream_tls", "does not speak TLS"),
    ],
)
def test_connect_failure(message: str, code: str, words: str) -> None:
    failure = connect_failure("host", message)
    assert failure.code == code
    assert failure.status == 502
    assert words in failure.message
