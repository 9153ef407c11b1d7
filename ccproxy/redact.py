"""Keeps credentials out of mitmproxy's own log, which quotes the raw bytes of broken requests."""

import logging
import re

SECRET = re.compile(
    r"(?i)(authorization|x-api-key|proxy-authorization|cookie|set-cookie)(\s*:\s*)((?:(?!\\r|\\n)[^\r\n'\"])+)"
)
TOKEN = re.compile(r"\b(sk-[A-Za-z0-9_-]{4})[A-Za-z0-9_-]+")


class Redact(logging.Filter):
    """A filter for a log handler or logger: masks credential headers and keys in the text of a record."""

    def filter(self, record: logging.LogRecord) -> bool:
        text = record.getMessage()
        clean = redacted(text)
        if clean != text:
            record.msg, record.args = clean, ()
        return True


def redacted(text: str) -> str:
    """The text without the values of credential headers, and without keys."""
    return TOKEN.sub(r"\1[sealed]", SECRET.sub(r"\1\2[sealed]", text))
