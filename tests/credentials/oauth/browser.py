"""The simulator, and somebody with a browser who logs in there."""

import asyncio
from collections.abc import Coroutine
from typing import Any
from urllib.parse import parse_qsl, urljoin, urlsplit

import httpx

from ccproxy.credentials.oauth.callback import Callback
from ccproxy.credentials.oauth.pasted import read_pasted
from ccproxy.settings import Settings
from tests.simulator.oauth.person import Person


class Browser(Person):
    @property
    def url(self) -> str:
        return str(self.web.base_url).rstrip("/")

    @property
    def settings(self) -> Settings:
        """Settings whose two token URLs, and nothing else, put the simulator in place."""
        return Settings.model_validate(
            {
                "claude": {"token_url": f"{self.url}/v1/oauth/token"},
                "codex": {"token_url": f"{self.url}/oauth/token"},
            }
        )

    async def open(self, url: str, choice: str = "Allow") -> str:
        """Opens the page of a login, decides, and returns the address that the redirect leads to."""
        assert url.startswith(f"{self.url}/")
        parts = urlsplit(url)
        redirect = await self.consent(dict(parse_qsl(parts.query)), choice=choice, path=parts.path)
        assert redirect.status_code == 302
        return urljoin(self.url, redirect.headers["location"])

    async def at_once[T](self, waiting: Coroutine[Any, Any, T], landing: str) -> tuple[T, httpx.Response]:
        """Follows the redirect while somebody waits for it."""
        task = asyncio.create_task(waiting)
        await asyncio.sleep(0)
        page = await self.web.get(landing)
        return await task, page

    async def callback(self, url: str, choice: str = "Allow") -> Callback:
        """The same, with the address pasted."""
        return read_pasted(await self.open(url, choice))

    def valid(self, access_token: str) -> bool:
        return self.sim.tokens.state(access_token) == "valid"
