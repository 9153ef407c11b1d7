"""Bodies without secrets, for what leaves the tool: everything else in them stays as it was written."""

import json
import re

from ccproxy.inspector.layout import CREDENTIALS, HIDDEN
from ccproxy.inspector.spans import Path, Span, replaced, spans
from ccproxy.redact import redacted

_QUERY = re.compile(r"(?i)([?&](?:api[-_]?key|key|access_token|token|code)=)[^&#\s]+")
"""Parameters of an address that are credentials by their names."""

_HEADER = re.compile(r"(?i)api-?key|secret|authorization|cookie|[-_]token$")
"""Names of headers that hold credentials; `…-tokens-remaining` is none of them."""


def is_secret_header(name: str) -> bool:
    """Whether a header is a credential by its name."""
    return bool(_HEADER.search(name))


def plain_url(url: str) -> str:
    """An address without the credentials in its query."""
    return _QUERY.sub(rf"\1{HIDDEN}", url)


def without_credentials(text: str) -> str:
    """A request's JSON without the credentials that it gives a provider for the MCP servers of others."""
    try:
        return replaced(text, [(span, f'"{HIDDEN}"') for span in spans(text) if _is_given(span, text)])
    except ValueError:
        return redacted(text)


def without_secrets(body: bytes) -> bytes:
    """A request, an answer or a stream without credentials, and without keys inside its texts."""
    text = body.decode("utf-8", "surrogateescape")
    is_json = text.lstrip()[:1] in ("{", "[")
    clean = _clean(text) if is_json else "\n".join(map(_clean_line, text.split("\n")))
    return clean.encode("utf-8", "surrogateescape")


def _clean_line(line: str) -> str:
    """A line of a stream of events, or of any other text."""
    field, colon, data = line.partition(":")
    return f"{field}:{_clean(data)}" if field == "data" and colon else redacted(line)


def _clean(text: str) -> str:
    """JSON; what is none is a text."""
    try:
        changes = [(span, _clean_literal(span, text)) for span in spans(text)]
    except ValueError:
        return redacted(text)
    return replaced(text, changes)


def _clean_literal(span: Span, text: str) -> str:
    literal = text[span.start : span.end]
    if not literal.startswith('"'):
        return literal
    if _is_given(span, text) or (span.path and span.path[-1] in CREDENTIALS):
        return f'"{HIDDEN}"'
    value = json.loads(literal)
    clean = redacted(value)
    return literal if clean == value else json.dumps(clean)


def _is_given(span: Span, text: str) -> bool:
    return _names_credential(span.path) and text[span.start : span.end] != "null"


def _names_credential(path: Path) -> bool:
    """By its path in a request, or in an answer that repeats the request's tools."""
    match path[1:] if path[:1] == ("response",) else path:
        case ("mcp_servers" | "tools", int(), str(name), *_):
            return name in CREDENTIALS or name == "headers"
    return False
