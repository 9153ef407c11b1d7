"""Keeps credentials out of what is written down: all that may be one out of logs, keys by their shape out of
texts that have to stay as they are. mitmproxy's own log quotes the raw bytes of broken requests.
"""

import logging
import re

SECRET = re.compile(
    r"(?i)(authorization|x-api-key|proxy-authorization|cookie|set-cookie)(\s*:\s*)((?:(?!\\r|\\n)[^\r\n'\"])+)"
)
TOKEN = re.compile(r"\b(sk-[A-Za-z0-9_-]{4})[A-Za-z0-9_-]+")

START = r"(?:(?<![A-Za-z0-9])|(?<=\\[bfnrt])|(?<=\\u[0-9A-Fa-f]{4}))"
"""Where a word begins, also behind an escape of JSON: arguments of tools are JSON inside of a text."""

KEY = re.compile(
    START + r"(?:sk-ant-[A-Za-z0-9_-]{8,}"
    r"|sk-(?=[A-Za-z0-9_-]{0,60}[0-9])[A-Za-z0-9_-]{20,}"
    r"|eyJ[A-Za-z0-9_-]{8,500}+\.eyJ[A-Za-z0-9_-]{8,}+\.[A-Za-z0-9_-]*"
    r"|gh[opsur]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{22,}"
    r"|A[KS]IA[A-Z0-9]{16}(?![A-Za-z0-9]))"
)
"""Keys of Anthropic, OpenAI and their like, JSON Web Tokens (RFC 7519), tokens of GitHub, key ids of AWS: so
long and so shaped that hardly anything else is one."""


class Redact(logging.Filter):
    """A filter for a log handler or logger: masks credential headers and keys in the text of a record."""

    def filter(self, record: logging.LogRecord) -> bool:
        text = record.getMessage()
        clean = redacted(text)
        if clean != text:
            record.msg, record.args = clean, ()
        return True


def redacted(text: str) -> str:
    """A line of a log without the values of credential headers, and without what may be a key."""
    return TOKEN.sub(r"\1[sealed]", without_keys(SECRET.sub(r"\1\2[sealed]", text)))


def without_keys(text: str) -> str:
    """The text without keys; everything else stays."""
    return KEY.sub(sealed_key, text)


def sealed_key(found: re.Match[str]) -> str:
    """What stands for a key: its kind can still be seen."""
    return f"{found[0][:7]}[sealed]"
