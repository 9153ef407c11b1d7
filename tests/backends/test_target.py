import pytest

from ccproxy.backends.target import Target


@pytest.mark.parametrize(
    ("url", "target", "origin"),
    [
        ("https://api.example.com", Target("https", "api.example.com", 443, ""), "https://api.example.com"),
        ("http://127.0.0.1:9/a/b/", Target("http", "127.0.0.1", 9, "/a/b"), "http://127.0.0.1:9"),
        ("http://[::1]:9", Target("http", "::1", 9, ""), "http://[::1]:9"),
        ("http://localhost", Target("http", "localhost", 80, ""), "http://localhost"),
    ],
)
def test_a_base_url_taken_apart(url: str, target: Target, origin: str) -> None:
    assert Target.parse(url) == target
    assert target.origin == origin


@pytest.mark.parametrize(
    ("url", "loopback"),
    [
        ("http://127.0.0.2:1", True),
        ("http://[::1]", True),
        ("http://localhost", True),
        ("https://a.b", False),
    ],
)
def test_loopback(url: str, loopback: bool) -> None:
    assert Target.parse(url).loopback is loopback
