"""OpenAI's API: a key, given in the settings."""

from ccproxy.credentials.credential import CredentialError, CredentialStatus, Secret
from ccproxy.settings import Settings

_MISSING = "There is no credential for OpenAI: set openai.api_key (OPENAI__API_KEY)."


class OpenAICredential:
    """`openai.api_key`, or nothing."""

    def __init__(self, settings: Settings) -> None:
        key = settings.openai.api_key
        self._api_key = key.get_secret_value() if key else ""

    async def secret(self) -> Secret | None:
        if not self._api_key:
            raise CredentialError(_MISSING)
        return Secret((("authorization", f"Bearer {self._api_key}"),))

    async def rejected(self, secret: Secret) -> Secret | None:
        return None  # another key is the user's to give

    async def status(self) -> CredentialStatus:
        if not self._api_key:
            return CredentialStatus("none", "nowhere", "missing", hint=_MISSING)
        return CredentialStatus("api_key", "openai.api_key", "valid")

    def start(self) -> None:
        """A key is not renewed."""

    async def stop(self) -> None:
        """Nothing to end."""
