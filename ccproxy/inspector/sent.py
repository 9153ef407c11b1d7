"""A request as somebody may send it again: without credentials, and what stands in their place."""

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from ccproxy.conversation.parts import Wire
from ccproxy.inspector.hiding import plain_url, without_credentials
from ccproxy.inspector.recognise import wire_of_path
from ccproxy.redact import redacted

_HEADERS = ("accept", "content-type", "originator")
_PREFIXES = ("anthropic-", "openai-")
"""Headers with which a request means something else; all others are a connection's, a client's, or secret."""

_ANTHROPIC_HOSTS, _OPENAI_HOSTS = ("api.anthropic.com",), ("api.openai.com", "chatgpt.com")


@dataclass(frozen=True, slots=True)
class Credential:
    """A header whose value is that of an environment variable, behind `scheme`."""

    header: str
    variable: str
    scheme: str = ""


@dataclass(frozen=True, slots=True)
class Sent:
    """A request to an upstream; its body is text without a compression."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...]
    body: str

    @property
    def path(self) -> str:
        return "/" + self.url.partition("://")[2].partition("/")[2]

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or ""

    @property
    def wire(self) -> Wire | None:
        """The format that its path takes."""
        return wire_of_path(self.path)

    def credentials(self) -> list[Credential]:
        """What this upstream asks for; nothing where neither path, host nor headers say which one it is."""
        named = {name.lower(): value for name, value in self.headers}
        if self.wire == "anthropic" or self.host in _ANTHROPIC_HOSTS or _has(named, "anthropic-"):
            if "oauth-" in named.get("anthropic-beta", ""):
                # the flag says that the request went out with a subscription's token
                return [Credential("authorization", "ANTHROPIC_AUTH_TOKEN", "Bearer ")]
            return [Credential("x-api-key", "ANTHROPIC_API_KEY")]
        if self.wire is None and self.host not in _OPENAI_HOSTS and not _has(named, "openai-"):
            return []
        found = [Credential("authorization", "OPENAI_API_KEY", "Bearer ")]
        if "/backend-api/" in self.url:
            found.append(Credential("chatgpt-account-id", "CHATGPT_ACCOUNT_ID"))
        return found


def sent(method: str, url: str, headers: Iterable[tuple[str, str]], body: bytes) -> Sent:
    """What may be told of a request. ValueError for a body that is no text."""
    kept = [(name, redacted(value)) for name, value in headers if _means_something(name.lower())]
    return Sent(method, plain_url(url), tuple(kept), without_credentials(body.decode("utf-8")))


def _has(names: Iterable[str], prefix: str) -> bool:
    return any(name.startswith(prefix) for name in names)


def _means_something(name: str) -> bool:
    return name in _HEADERS or name.startswith(_PREFIXES)
