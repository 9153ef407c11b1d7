from pathlib import Path

import pytest

from ccproxy.cli.running import headers, server_url
from ccproxy.settings import load


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8001"),
        ("0.0.0.0", "http://127.0.0.1:8001"),
        ("::", "http://[::1]:8001"),
        ("localhost", "http://localhost:8001"),
    ],
)
def test_where_the_settings_point(tmp_path: Path, host: str, url: str) -> None:
    given = {"server.host": host, "server.port": 8001, "security.auth_token": "t0ken"}
    assert server_url(load(given, environ={}, cwd=tmp_path).settings) == url


def test_what_opens_the_routes() -> None:
    assert headers("t0ken") == {"authorization": "Bearer t0ken"}
    assert headers(None) == {}
