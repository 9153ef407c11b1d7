import logging

import pytest

from ccproxy.redact import Redact, redacted


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


def test_as_a_log_filter() -> None:
    record = logging.LogRecord("x", logging.INFO, "", 0, "got %s", ("authorization: Bearer abc",), None)
    assert Redact().filter(record)
    assert record.getMessage() == "got authorization: [sealed]"
