"""The Codex login by device code, for machines without a browser: the code is typed into a page elsewhere.

Source: the open-source Codex CLI, read 2026-11-22. It resembles RFC 8628, with its own paths and answers.
"""

import asyncio
import math
import time
from dataclasses import dataclass, field

from ccproxy.credentials.oauth.codex import CodexOAuth
from ccproxy.credentials.oauth.constants import CodexConstants, codex_constants
from ccproxy.credentials.oauth.http import SECONDS, post_json
from ccproxy.credentials.oauth.tokens import LoginError, TokenError, Tokens
from ccproxy.settings import Settings

LIFETIME = 15 * 60.0
"""Seconds in which the code has to be typed."""

USUAL_INTERVAL = 5.0
LEAST_INTERVAL = 0.2
PENDING = (403, 404)


@dataclass(frozen=True, slots=True)
class DeviceCode:
    """What to show: type `user_code` on `page`. `interval` is the seconds between two questions."""

    user_code: str
    page: str
    interval: float
    device_auth_id: str = field(repr=False)


class DeviceLogin:
    """Raises LoginError and TokenError."""

    def __init__(self, constants: CodexConstants) -> None:
        self._constants = constants
        self._codex = CodexOAuth(constants)

    @classmethod
    def from_settings(cls, settings: Settings) -> "DeviceLogin":
        return cls(codex_constants(settings))

    async def begin(self) -> DeviceCode:
        """A new code."""
        fields = {"client_id": self._constants.client_id}
        try:
            answer = await post_json(self._constants.device_code_url, fields)
        except TokenError as error:
            if error.status != 404:
                raise
            raise LoginError(
                "Logging in by device code is switched off for this account: allow it in the security "
                "settings of ChatGPT, or log in with a browser.",
                code="device_login_off",
            ) from None
        user_code = answer.get("user_code") or answer.get("usercode")
        device_auth_id = answer.get("device_auth_id")
        if not isinstance(user_code, str) or not isinstance(device_auth_id, str):
            raise TokenError("The answer holds no device code: try again later.", code="bad_answer")
        page = self._constants.device_page_url
        return DeviceCode(user_code, page, _interval(answer.get("interval")), device_auth_id)

    async def finish(self, code: DeviceCode, *, lifetime: float = LIFETIME) -> Tokens:
        """Waits until the code has been typed. That somebody said no cannot be seen: it is a time-out."""
        ends = time.monotonic() + lifetime
        while (left := ends - time.monotonic()) > 0:
            wait = code.interval
            try:
                answer = await post_json(
                    self._constants.device_token_url,
                    {"device_auth_id": code.device_auth_id, "user_code": code.user_code},
                    seconds=min(left, SECONDS),
                )
            except TokenError as error:
                if not _may_pass(error.status):
                    raise
                wait = max(wait, error.retry_after or 0)
            else:
                grant, verifier = answer.get("authorization_code"), answer.get("code_verifier")
                if not isinstance(grant, str) or not isinstance(verifier, str):
                    raise TokenError("The answer holds no code: begin again.", code="bad_answer")
                return await self._codex.exchange_code(grant, verifier, self._constants.device_redirect_url)
            await asyncio.sleep(min(wait, max(ends - time.monotonic(), 0)))
        raise LoginError(
            f"Nobody has allowed the login within {lifetime / 60:g} minutes: begin again.", code="timeout"
        )


def _may_pass(status: int | None) -> bool:
    """Whether to ask again: nothing typed yet, too fast, or trouble at the provider or on the way."""
    return status is None or status in PENDING or status == 429 or status >= 500


def _interval(value: object) -> float:
    """Seconds, as a number or as a text."""
    try:
        interval = float(value) if isinstance(value, int | float | str) else USUAL_INTERVAL
    except ValueError:
        interval = USUAL_INTERVAL
    return max(interval, LEAST_INTERVAL) if math.isfinite(interval) else USUAL_INTERVAL
