from pathlib import Path

import pytest
from pydantic import TypeAdapter, ValidationError

from ccproxy.settings.kinds import (
    FilePath,
    Host,
    Instructions,
    Origin,
    Policies,
    Secret,
    Size,
    SizeOrNone,
    Url,
    host_for_url,
    is_loopback,
    quoted,
    size_text,
)


def read(kind: object, value: object) -> object:
    return TypeAdapter(kind).validate_python(value, strict=True, context={"home": "/home/ada"})


def refusal(kind: object, value: object) -> str:
    with pytest.raises(ValidationError) as caught:
        read(kind, value)
    return str(caught.value.errors()[0]["msg"])


def test_addresses_in_urls() -> None:
    assert host_for_url("::1") == "[::1]"
    assert host_for_url("127.0.0.1") == "127.0.0.1"


@pytest.mark.parametrize(
    "host", ["localhost", "127.0.0.1", "127.8.9.1", "::1", "[::1]", "LOCALHOST.", "::ffff:127.0.0.1"]
)
def test_loopback(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host", ["0.0.0.0", "::", "", "0", "127.1", "127.0.0.1.evil.example", "localhost.evil", "10.0.0.1"]
)
def test_not_loopback(host: str) -> None:
    assert not is_loopback(host)


@pytest.mark.parametrize(
    ("given", "plain"),
    [
        ("LocalHost", "localhost"),
        ("[::1]", "::1"),
        ("0:0:0:0:0:0:0:1", "::1"),
        ("a-b.example.", "a-b.example"),
    ],
)
def test_host_in_its_plain_spelling(given: str, plain: str) -> None:
    assert read(Host, given) == plain


@pytest.mark.parametrize(
    "host", ["", "a b", "http://a", "a:80", "-a", "a/b", "*", "a..b", "ü.example", "a" * 64]
)
def test_no_host(host: str) -> None:
    assert "is not a host name" in refusal(Host, host)


@pytest.mark.parametrize(
    ("given", "plain"),
    [
        ("https://api.anthropic.com/", "https://api.anthropic.com"),
        ("HTTPS://Api.Example:8443/V1//", "https://api.example:8443/V1"),
        ("http://127.0.0.1:9", "http://127.0.0.1:9"),
        ("http://[::1]:9/x", "http://[::1]:9/x"),
        ("http://localhost", "http://localhost"),
    ],
)
def test_url(given: str, plain: str) -> None:
    assert read(Url, given) == plain


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://example.com", "loopback"),
        ("http://127.0.0.1.example.com", "loopback"),
        ("https://ada:pw@example.com", "user name"),
        ("http://127.0.0.1\\@example.com", "must be"),
        ("https://example.com?key=pw", "query"),
        ("https://example.com/#pw", "query"),
        ("ftp://example.com", "http or https"),
        ("example.com", "http or https"),
        ("https://", "http or https"),
        ("https://example.com:99999", "port"),
        ("https://[::1", "valid host"),
        ("https://exa mple.com", "must be"),
        ("https://example.com\n", "must be"),
        ("", "must be"),
        (3, "must be"),
    ],
)
def test_no_url_and_its_text_is_not_repeated(url: object, reason: str) -> None:
    said = refusal(Url, url)
    assert reason in said
    assert "pw" not in said


@pytest.mark.parametrize(
    ("given", "size"),
    [("64m", 64 * 1024**2), ("1K", 1024), ("2g", 2 * 1024**3), ("10", 10), (" 5 mb ", 5 * 1024**2), (7, 7)],
)
def test_size(given: object, size: int) -> None:
    assert read(Size, given) == size


@pytest.mark.parametrize("value", ["64x", "m", "-1", "1.5m", "", "0", 0, True, 1.5, "9" * 40, "9999g"])
def test_no_size(value: object) -> None:
    assert refusal(Size, value)


def test_a_size_that_may_be_none() -> None:
    assert (read(SizeOrNone, "0"), read(SizeOrNone, 0), read(SizeOrNone, "1k")) == (0, 0, 1024)
    assert refusal(SizeOrNone, -1)
    assert refusal(Size, 0)


@pytest.mark.parametrize(
    ("size", "text"), [(1024, "1k"), (64 * 1024**2, "64m"), (1024**3, "1g"), (1500, 1500)]
)
def test_size_text_reads_back(size: int, text: object) -> None:
    assert size_text(size) == text
    assert read(Size, text) == size


@pytest.mark.parametrize(
    ("given", "path"),
    [("~", "/home/ada"), ("~/x", "/home/ada/x"), ("~//x", "/home/ada/x"), ("/a/~", "/a/~"), ("a", "a")],
)
def test_path(given: str, path: str) -> None:
    assert read(FilePath, given) == Path(path)


@pytest.mark.parametrize("value", ["", "  ", "a\0b", 3, ["a"]])
def test_no_path(value: object) -> None:
    assert refusal(FilePath, value)


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("captured", "captured"),
        ("none", "none"),
        ("./none", Path("none")),
        ("~/x.md", Path("/home/ada/x.md")),
    ],
)
def test_instructions(given: str, meant: object) -> None:
    assert read(Instructions, given) == meant


def test_a_misspelt_choice_is_no_file() -> None:
    assert refusal(Instructions, "capture")


@pytest.mark.parametrize("value", ["a b", "a\n", "schlüssel", 12345])
def test_a_secret_must_fit_a_header_and_is_not_repeated(value: object) -> None:
    assert str(value) not in refusal(Secret, value)


def test_origin() -> None:
    assert read(Origin, "HTTPS://App.Example:8443/") == "https://app.example:8443"
    assert read(Origin, "vscode-webview://panel") == "vscode-webview://panel"


@pytest.mark.parametrize("value", ["app.example", "https://app.example/x", "*", "null", "https://a@b"])
def test_no_origin(value: str) -> None:
    assert "is not an origin" in refusal(Origin, value)


def test_provider_hosts_are_always_there() -> None:
    observed = {"api.anthropic.com": "observe", "api.openai.com": "observe", "chatgpt.com": "observe"}
    assert read(Policies, {}) == observed
    assert read(Policies, ["Example.com"]) == observed | {"example.com": "observe"}
    assert read(Policies, {"api.openai.com": "sdk"}) == observed | {"api.openai.com": "sdk"}


@pytest.mark.parametrize("value", [{"a": "nope"}, {"http://a": "api"}, "a", [3], 3])
def test_no_policies(value: object) -> None:
    assert refusal(Policies, value)


@pytest.mark.parametrize("key", ["sk-ant-api03-x", "SK-1", "eyJhbGciOi.x.y", "rt_abc", "a" * 32])
def test_what_looks_like_a_key_is_not_repeated(key: str) -> None:
    assert key not in quoted(f"x {key}")
    assert "looks like a key" in quoted(key)


def test_other_texts_are_quoted_in_short() -> None:
    assert quoted("nonsense") == "'nonsense'"
    assert len(quoted("word " * 30)) == 62
