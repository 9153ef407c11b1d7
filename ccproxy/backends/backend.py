"""The backends by name."""

from dataclasses import dataclass

from ccproxy.backends.target import Target
from ccproxy.conversation.parts import Wire
from ccproxy.credentials.claude import ClaudeCredential
from ccproxy.credentials.codex import CodexCredential
from ccproxy.credentials.credential import CredentialSource
from ccproxy.credentials.openai import OpenAICredential
from ccproxy.routes import BackendName
from ccproxy.settings import Settings


@dataclass(frozen=True, slots=True)
class Backend:
    """An upstream: where it is, the formats it speaks (the one to translate into first), how we authenticate.

    `hosts` are the public names under which a client that knows nothing of us calls it, `public_prefix` the
    path that its API has there and that a base URL contains.
    """

    name: BackendName
    target: Target
    formats: tuple[Wire, ...]
    credential: CredentialSource
    hosts: tuple[str, ...]
    public_prefix: str = ""

    def wire_for(self, wire: Wire) -> Wire:
        """The format in which a request of this one goes there."""
        return wire if wire in self.formats else self.formats[0]

    def path_below(self, path: str) -> str | None:
        """A path on the public host as it is below a base URL; None when it is outside the API."""
        if not path.startswith(self.public_prefix + "/"):
            return None
        return path.removeprefix(self.public_prefix)


def backends(settings: Settings) -> dict[BackendName, Backend]:
    """Every upstream that this version can reach."""
    found: dict[BackendName, Backend] = {
        "api": Backend(
            "api",
            Target.parse(settings.claude.base_url),
            ("anthropic",),
            ClaudeCredential(settings),
            ("api.anthropic.com",),
        ),
        "openai": Backend(
            "openai",
            Target.parse(settings.openai.base_url),
            ("responses", "chat"),
            OpenAICredential(settings),
            ("api.openai.com",),
            "/v1",
        ),
    }
    if settings.codex.enabled:
        found["codex"] = Backend(
            "codex",
            Target.parse(settings.codex.base_url),
            ("responses",),
            CodexCredential(settings),
            ("chatgpt.com",),
            "/backend-api/codex",
        )
    return found
