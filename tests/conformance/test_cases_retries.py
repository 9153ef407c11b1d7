"""Cases 32 to 34: an overload, many requests on one login that ended, and a login that ends without quota.

What happens between processes that share a login is in tests/credentials/test_races.py.
"""

import threading
import time
from pathlib import Path

from tests.conformance.translating import CLAUDE
from tests.conftest import Proxies
from tests.scenarios.test_replay import with_login
from tests.scenarios.test_retries import FINE, limited, post
from tests.support.guarded import Guarded
from tests.support.processes import Simulator


def test_case_32_an_overload_is_met_with_another_try_and_no_cooling_down(
    proxies: Proxies, simulator: Simulator
) -> None:
    """One that passes is not seen by the client; one that stays is told, and the next request is sent."""
    proxy = proxies.get("serve", {"RETRIES__ATTEMPTS": "2", "RETRIES__MAX_WAIT_SECONDS": "0.3"})
    simulator.reset()

    def ask(text: str) -> int:
        turn = {"role": "user", "content": text}
        body = {"model": CLAUDE, "max_tokens": 9, "messages": [turn], "stream": True}
        return post(proxy, body=body, headers={"anthropic-version": "2023-06-01"}).status_code

    assert ask("sim:once error 529") == 200
    assert len(simulator.requests()) == 2
    assert ask("sim:error 529") == 529
    assert len(simulator.requests()) == 5
    begun = time.monotonic()
    assert ask("hello") == 200
    assert time.monotonic() - begun < 0.3
    assert len(simulator.requests()) == 6


def test_case_33_many_requests_on_a_refused_token_share_one_refresh(home: Path) -> None:
    """They all wait for it, and each is asked again once."""
    guard = Guarded(FINE, "new", seconds=0.5)
    answers: list[int] = []
    with with_login(home, guard) as proxy:
        clients = [threading.Thread(target=lambda: answers.append(post(proxy).status_code)) for _ in range(8)]
        for client in clients:
            client.start()
        for client in clients:
            client.join(10)
    assert answers == [200] * 8
    assert guard.refreshes == 1
    assert len(guard.sees) <= 16


def test_case_34_a_login_is_renewed_while_the_quota_is_used_up(home: Path) -> None:
    """What the plan has left says nothing about the token."""
    used_up = limited(retry_after="3600", anthropic_ratelimit_unified_status="rejected")
    guard = Guarded(used_up, "old")
    with with_login(home, guard) as proxy:
        assert [post(proxy).status_code for _ in range(3)] == [429] * 3
        guard.wanted = "new"
        assert [post(proxy).status_code for _ in range(2)] == [429] * 2
        guard.good = FINE
        assert post(proxy).status_code == 200
    assert guard.sees == ["old"] * 4 + ["new"] * 3
    assert guard.refreshes == 1
