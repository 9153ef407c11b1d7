import logging
import time

import pytest

from ccproxy.redact import Redact, redacted, without_keys


@pytest.mark.parametrize(
    ("text", "kept", "gone"),
    [
        ("b'POST / HTTP/1.1\\r\\nAuthorization: Bearer abc.def\\r\\nAccept: x'", "Accept: x", "abc"),
        ("x-api-key: secret-value", "x-api-key: [sealed]", "secret-value"),
        ("Cookie: a=1; b=2", "Cookie: ", "b=2"),
        ("key sk-ant-api03-abcdef failed", "failed", "abcdef"),
        ("nothing to hide", "nothing to hide", "[sealed]"),
    ],
)
def test_secrets_go_and_the_rest_stays(text: str, kept: str, gone: str) -> None:
    assert kept in redacted(text)
    assert gone not in redacted(text)


JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P"


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("sk-ant-api03-abc_DEF-0123", "sk-ant-[sealed]"),
        ('{"a": "x\\nsk-proj-abc_DEF-0123456789 y"}', '{"a": "x\\nsk-proj[sealed] y"}'),
        ('"\\u001bsk-ant-api03-abcdef"', '"\\u001bsk-ant-[sealed]"'),
        (f"Bearer {JWT}.", "Bearer eyJhbGc[sealed]."),
        (f'"id_token":"{JWT}"', '"id_token":"eyJhbGc[sealed]"'),
        ("ghp_" + "a1B2" * 9, "ghp_a1B[sealed]"),
        ("github_pat_" + "a1_B" * 20, "github_[sealed]"),
        ("(AKIAIOSFODNN7EXAMPLE)", "(AKIAIOS[sealed])"),
    ],
)
def test_keys_by_their_shape(text: str, clean: str) -> None:
    assert without_keys(text) == clean
    assert without_keys(clean) == clean


@pytest.mark.parametrize(
    "text",
    [
        "def f(authorization: str, cookie: str) -> int:",
        'curl -H "Authorization: Bearer $TOKEN" -H "Cookie: a=b"',
        "pip install sk-learn; class sk-fading-circle12 in my-disk-0123456789-abcdefghijkl",
        'key.startswith("sk-ant-api03-")',
        "eyJhbGciOiJIUzI1NiJ9 eyJ.eyJ. ghp_short AKIA SAKIAIOSFODNN7EXAMPLE",
    ],
)
def test_what_only_looks_like_one_stays(text: str) -> None:
    assert without_keys(text) == text


def test_as_a_log_filter() -> None:
    record = logging.LogRecord("x", logging.INFO, "", 0, "got %s", ("authorization: Bearer abc",), None)
    assert Redact().filter(record)
    assert record.getMessage() == "got authorization: [sealed]"


def test_texts_that_are_made_to_be_slow() -> None:
    """Whoever answers chooses the text."""
    for part in ("-eyJaaaaaaaa", "eyJ-", "sk-", "eyJaaaaaaaaa.", "gho_"):
        began = time.perf_counter()
        without_keys(part * 50_000)
        assert time.perf_counter() - began < 5
