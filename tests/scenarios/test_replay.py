"""One more attempt with another credential after a 401, where the credential is ours."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.scenarios.test_retries import BODY, CHAT, FINE, MESSAGE, post
from tests.support.guarded import REFUSED, Guarded, write_login
from tests.support.processes import Proxy, running_proxy
from tests.support.upstreams import upstream


@contextmanager
def with_login(home: Path, guard: Guarded, host: str = "serve", **more: str) -> Iterator[Proxy]:
    """A proxy that has the token `old`, which may be renewed."""
    with upstream(guard) as server:
        url = f"http://127.0.0.1:{server.port}"
        file = write_login(home / "login.json", "old")
        settings = {"CLAUDE__BASE_URL": url, "CLAUDE__TOKEN_URL": f"{url}/token"}
        settings |= {"CLAUDE__CREDENTIALS_PATH": str(file), "RETRIES__ATTEMPTS": "0", **more}
        with running_proxy(home, settings, host, proxy_listener=False) as proxy:
            yield proxy


def test_another_program_has_renewed_it(home: Path, host: str) -> None:
    """The new one is taken from the file; also for those who want no further attempts after failures."""
    guard = Guarded(FINE, "new")
    guard.rewrites = home / "login.json"
    with with_login(home, guard, host) as proxy, httpx.Client(trust_env=False) as client:
        for _ in range(2):
            answer = client.post(f"{proxy.url}/api/v1/messages", content=BODY)
            assert (answer.status_code, answer.json()) == (200, MESSAGE)
        if host == "serve":
            proxy.process.wait_for(r"-> 200 .* retries=1 ")
        assert "crashed" not in proxy.process.output
    assert guard.sees == ["old", "new", "new"]
    assert guard.bodies == [BODY] * 3
    assert guard.refreshes == 0


def test_it_is_renewed(home: Path) -> None:
    guard = Guarded(FINE, "new")
    with with_login(home, guard) as proxy:
        assert post(proxy).json() == MESSAGE
        assert post(proxy, "/api/v1/chat/completions", CHAT).status_code == 200
    assert (guard.sees, guard.refreshes) == (["old", "new", "new"], 1)


def test_a_translated_request(home: Path) -> None:
    guard = Guarded(FINE, "new")
    with with_login(home, guard) as proxy:
        answer = post(proxy, "/api/v1/chat/completions", CHAT)
    assert answer.json()["choices"][0]["message"]["content"] == "Hello."
    assert guard.sees == ["old", "new"]
    assert guard.bodies[0] == guard.bodies[1]


def test_only_once(home: Path) -> None:
    """An upstream that does not like the new one either has the last word."""
    guard = Guarded(FINE, "new")
    refresh = guard.refresh

    def refresh_to_another() -> bytes:
        guard.wanted, wanted = "other", guard.wanted
        answer = refresh()
        guard.wanted = wanted
        return answer

    guard.refresh = refresh_to_another  # type: ignore[method-assign]
    with with_login(home, guard, RETRIES__ATTEMPTS="5") as proxy:
        answer = post(proxy)
    assert (answer.status_code, answer.content) == (401, REFUSED.partition(b"\r\n\r\n")[2])
    assert "x-ccproxy-error" not in answer.headers
    assert (guard.sees, guard.refreshes) == (["old", "other"], 1)


def test_a_login_that_is_over(home: Path) -> None:
    """The upstream's own words go to the client."""
    guard = Guarded(FINE, "new", over=True)
    with with_login(home, guard) as proxy:
        answer = post(proxy)
    assert (answer.status_code, answer.content) == (401, REFUSED.partition(b"\r\n\r\n")[2])
    assert guard.sees == ["old"]


def test_not_the_clients_own(home: Path) -> None:
    guard = Guarded(FINE, "new")
    with with_login(home, guard, CLAUDE__CREDENTIALS="client", RETRIES__ATTEMPTS="5") as proxy:
        headers = {"authorization": "Bearer sk-ant-oat01-of-the-client"}
        answer = httpx.post(f"{proxy.url}/api/v1/messages", content=BODY, headers=headers, trust_env=False)
    assert answer.status_code == 401
    assert (guard.sees, guard.refreshes) == (["of-the-client"], 0)


def test_the_client_leaves_meanwhile(home: Path) -> None:
    """Nothing is asked for it any more, and the login is renewed all the same."""
    guard = Guarded(FINE, "new", seconds=1.0)
    with with_login(home, guard) as proxy:
        with pytest.raises(httpx.ReadTimeout):
            post(proxy, seconds=0.5)
        proxy.process.wait_for("client_disconnected")
        time.sleep(0.2)
        assert guard.sees == ["old"]
        assert post(proxy).status_code == 200
        assert "crashed" not in proxy.process.output
    assert (guard.sees, guard.refreshes) == (["old", "new"], 1)
