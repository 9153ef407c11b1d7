"""Sign in with ChatGPT: the registration of this installation, and the login, in a file of our own.

The host id is made once and stored before it is first used; with the client id that the first login brings
it stays for good, whoever logs in or out (developers.openai.com/siwc, read 2026-11-22).
"""

from collections.abc import Mapping
from datetime import UTC, datetime

from ccproxy.conversation.parts import JsonObject
from ccproxy.credentials.json_file import in_thread
from ccproxy.credentials.oauth.siwc import Registration, new_host_id
from ccproxy.credentials.oauth.tokens import Tokens
from ccproxy.credentials.stores.file_store import FileStore, text, texts
from ccproxy.credentials.stores.login import Login
from ccproxy.settings.places import data_dir

HOST_ID = "ext_agent_host_id"
REGISTRATION = (HOST_ID, "client_id")


class SiwcStore(FileStore):
    """`siwc.json`."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        super().__init__(data_dir(environ) / "siwc.json", "Sign in with ChatGPT")

    async def registration(self) -> Registration:
        """This installation as it is known to the provider; makes its name on the first call."""
        content = await self._file.read() or {}
        if text(content.get(HOST_ID)) is None:
            async with self.lock():
                content = await in_thread(lambda: self._file.update(_name_host))
        return Registration(content[HOST_ID], text(content.get("client_id")), text(content.get("sub")))

    def parse(self, content: JsonObject) -> Login | None:
        access_token = text(content.get("access_token"))
        if access_token is None:
            return None
        return Login(
            access_token,
            text(content.get("refresh_token")),
            _time(content.get("expires_at")),
            text(content.get("email")) or text(content.get("sub")),
            scopes=texts(content.get("scopes")),
            earliest_refresh_at=_time(content.get("earliest_refresh_at")),
        )

    def put(self, content: JsonObject, tokens: Tokens, *, renewal: bool) -> None:
        _name_host(content)
        if not renewal:
            self.remove(content)
        account = tokens.account
        given = {
            "client_id": account.get("client_id"),
            "iss": account.get("issuer"),
            "sub": account.get("subject"),
            "email": account.get("email"),
            "access_token": tokens.access_token,
            "refresh_token": tokens.refresh_token,
            "id_token": tokens.id_token,
            "scopes": list(tokens.scopes) or None,
        }
        content |= {key: value for key, value in given.items() if value is not None}
        content["expires_at"] = tokens.expires_at and tokens.expires_at.isoformat()
        content["earliest_refresh_at"] = tokens.earliest_refresh_at and tokens.earliest_refresh_at.isoformat()

    def remove(self, content: JsonObject) -> None:
        for key in set(content) - set(REGISTRATION):
            del content[key]


def _name_host(content: JsonObject) -> bool:
    if text(content.get(HOST_ID)):
        return False
    content[HOST_ID] = new_host_id()
    return True


def _time(value: object) -> datetime | None:
    try:
        return datetime.fromisoformat(value).astimezone(UTC) if isinstance(value, str) else None
    except (ValueError, OverflowError):
        return None
