import asyncio
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from ccproxy.credentials.oauth import loopback
from ccproxy.credentials.oauth.callback import Callback
from ccproxy.credentials.oauth.constants import Redirect
from ccproxy.credentials.oauth.loopback import MOST, Receiver, receiver
from ccproxy.credentials.oauth.tokens import LoginError
from tests.support.processes import free_port

CLAUDE = Redirect("localhost", "/callback")
SIWC = Redirect("127.0.0.1", "/auth/callback")


async def get(url: str, method: str = "GET") -> httpx.Response:
    async with httpx.AsyncClient(trust_env=False) as web:
        return await web.request(method, url)


def waiting_for(door: Receiver, state: str = "s", seconds: float = 5) -> "asyncio.Task[Callback]":
    return asyncio.create_task(door.callback(state, seconds=seconds))


@contextmanager
def held(port: int, address: str = "127.0.0.1") -> Iterator[None]:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as sock:
        sock.bind((address, port))
        sock.listen()
        yield


def has_ipv6() -> bool:
    try:
        with held(0, "::1"):
            return True
    except OSError:
        return False


needs_ipv6 = pytest.mark.skipif(not has_ipv6(), reason="no IPv6 loopback here")


async def test_the_redirect_arrives() -> None:
    async with receiver(SIWC) as door:
        waiting = waiting_for(door)
        await asyncio.sleep(0)
        page = await get(f"{door.redirect_uri}?code=c%2F1&state=s&client_id=oaiapp_1")

        assert await waiting == Callback("c/1", "s", "oaiapp_1")
    assert page.status_code == 200
    assert "Close this page" in page.text
    assert "c/1" not in page.text
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["content-security-policy"] == "default-src 'none'"
    with pytest.raises(httpx.ConnectError):
        await get(door.redirect_uri)


async def test_the_page_is_the_same_when_it_is_loaded_again() -> None:
    async with receiver(SIWC) as door:
        waiting = waiting_for(door)
        await asyncio.sleep(0)
        pages = [await get(f"{door.redirect_uri}?code={code}&state=s") for code in ("first", "second")]

        assert (await waiting).code == "first"
    assert [page.status_code for page in pages] == [200, 200]


async def test_whatever_else_comes_is_refused_and_the_wait_goes_on() -> None:
    async with receiver(SIWC) as door:
        base = door.redirect_uri.removesuffix("/auth/callback")
        assert (await get(f"{door.redirect_uri}?code=c&state=s")).status_code == 400  # nobody waits yet
        waiting = waiting_for(door)
        await asyncio.sleep(0)
        for path, status in {
            "/": 404,
            "/favicon.ico": 404,
            "/auth/callback/x?code=c&state=s": 404,
            "/cancel": 404,
            "/auth/callback": 400,
            "/auth/callback?code=c&state=wrong": 400,
            "/auth/callback?code=c": 400,
            "/auth/callback?error=access_denied&state=wrong": 400,
            "/auth/callback?code=c&state=s&state=s": 400,
            "/auth/callback?state=s": 400,
        }.items():
            assert (await get(base + path)).status_code == status, path
        for method in ("HEAD", "POST"):
            assert (await get(f"{door.redirect_uri}?code=c&state=s", method)).status_code == 405
        assert not waiting.done()
        await get(f"{door.redirect_uri}?code=right&state=s")

        assert (await waiting).code == "right"


@pytest.mark.parametrize(("error", "code"), [("access_denied", "access_denied"), ("<b>", "unknown_error")])
async def test_a_refusal(error: str, code: str) -> None:
    async with receiver(SIWC) as door:
        waiting = waiting_for(door)
        await asyncio.sleep(0)
        page = await get(f"{door.redirect_uri}?error={error}&state=s")
        with pytest.raises(LoginError) as caught:
            await waiting

    assert caught.value.code == code
    assert page.status_code == 400
    assert code in page.text
    assert "<b>" not in page.text


async def test_nobody_comes() -> None:
    async with receiver(SIWC) as door:
        with pytest.raises(LoginError, match="begin again") as caught:
            await door.callback("s", seconds=0.05)

    assert caught.value.code == "timeout"


async def test_a_wait_that_is_given_up_does_not_close_the_door() -> None:
    async with receiver(SIWC) as door:
        waiting = waiting_for(door)
        await asyncio.sleep(0)
        waiting.cancel()
        again = waiting_for(door)
        await asyncio.sleep(0)
        await get(f"{door.redirect_uri}?code=c&state=s")

        assert (await again).code == "c"


async def test_junk_and_silence_harm_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loopback, "REQUEST_SECONDS", 0.2)
    async with receiver(SIWC) as door:
        port = int(door.redirect_uri.split(":")[2].split("/")[0])
        waiting = waiting_for(door)
        begin = time.monotonic()
        silent, open_end = await asyncio.open_connection("127.0.0.1", port)
        for junk in (b"\x16\x03\x01\r\n\r\n", b"GET nothing\r\n\r\n", b"GET /" + b"x" * 2 * MOST, b"GET / "):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(junk)
            writer.write_eof()
            try:
                answer = await reader.read()
            except ConnectionResetError:
                answer = b""
            assert answer[:13] in (b"", b"HTTP/1.1 400 ")
            writer.close()
        assert await silent.read() == b""
        open_end.close()
        assert time.monotonic() - begin < 2
        assert not waiting.done()
        await get(f"{door.redirect_uri}?code=c&state=s")

        assert (await waiting).code == "c"


async def test_leaving_does_not_wait_for_silent_connections() -> None:
    async with receiver(SIWC) as door:
        port = int(door.redirect_uri.split(":")[2].split("/")[0])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.sleep(0.01)
        begin = time.monotonic()

    assert time.monotonic() - begin < 1
    assert await reader.read() == b""
    writer.close()


async def test_a_browser_that_leaves_early_has_still_brought_the_code() -> None:
    async with receiver(SIWC) as door:
        port = int(door.redirect_uri.split(":")[2].split("/")[0])
        waiting = waiting_for(door)
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /auth/callback?code=c&state=s HTTP/1.1\r\nhost: x\r\n\r\n")
        await writer.drain()
        writer.transport.abort()

        assert (await waiting).code == "c"


async def test_only_this_machine_is_let_in() -> None:
    async with receiver(SIWC) as door:
        port = int(door.redirect_uri.split(":")[2].split("/")[0])
        with held(port, "127.0.0.2"):  # so the door is not on all addresses
            pass


async def test_a_taken_port_is_named() -> None:
    port = free_port()
    with held(port):
        with pytest.raises(LoginError, match=f"Port {port} is in use") as caught:
            async with receiver(Redirect("localhost", "/auth/callback", (port,))):
                pass

    assert caught.value.code == "port_in_use"


async def test_the_next_of_the_registered_ports() -> None:
    one, two = free_port(), free_port()
    redirect = Redirect("localhost", "/auth/callback", (one, two))
    with held(one):
        async with receiver(redirect) as door:
            assert door.redirect_uri == f"http://localhost:{two}/auth/callback"
        with held(two):
            with pytest.raises(LoginError, match=f"Ports {one} and {two} are in use"):
                async with receiver(redirect):
                    pass


async def test_a_port_can_be_used_again_at_once() -> None:
    redirect = Redirect("localhost", "/callback", (free_port(),))
    for _ in range(2):
        async with receiver(redirect) as door:
            waiting = waiting_for(door)
            await asyncio.sleep(0)
            await get(f"{door.redirect_uri}?code=c&state=s")
            await waiting


@needs_ipv6
@pytest.mark.parametrize("address", ["127.0.0.1", "[::1]"])
async def test_localhost_is_both_addresses(address: str) -> None:
    async with receiver(CLAUDE) as door:
        waiting = waiting_for(door)
        await asyncio.sleep(0)
        url = door.redirect_uri.replace("localhost", address)
        assert (await get(f"{url}?code=c&state=s")).status_code == 200

        assert (await waiting).code == "c"


@needs_ipv6
async def test_a_port_that_another_program_holds_on_one_of_them_is_taken() -> None:
    port = free_port()
    with held(port, "::1"):
        with pytest.raises(LoginError, match=f"Port {port} is in use"):
            async with receiver(Redirect("localhost", "/callback", (port,))):
                pass
        with held(port):  # and the other one has been let go
            pass


@needs_ipv6
async def test_the_literal_address_is_that_one_only() -> None:
    async with receiver(SIWC) as door:
        with pytest.raises(httpx.ConnectError):
            await get(door.redirect_uri.replace("127.0.0.1", "[::1]"))


async def test_without_ipv6_one_address_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "AF_INET6", socket.AF_APPLETALK)
    async with receiver(CLAUDE) as door:
        assert (await get(door.redirect_uri.replace("localhost", "127.0.0.1"))).status_code == 400
