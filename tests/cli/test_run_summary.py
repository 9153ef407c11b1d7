import threading
import time

import httpx
import pytest

from ccproxy.cli.run_summary import Sums, fetch, settled, summary
from tests.conftest import Proxies
from tests.support.processes import Proxy, Simulator, free_port

ASK = {"model": "claude-opus-4-8", "max_tokens": 100, "stream": True}
VERSION = {"anthropic-version": "2023-06-01"}


def ask(proxy: Proxy, text: str = "hello", *, stream: bool = True) -> httpx.Response:
    body = ASK | {"messages": [{"role": "user", "content": text}], "stream": stream}
    return httpx.post(f"{proxy.url}/api/v1/messages", json=body, headers=VERSION, trust_env=False, timeout=20)


def known(proxy: Proxy) -> Sums:
    sums = settled(proxy.url, None)
    assert sums
    return sums


def sums(**changed: float | None) -> Sums:
    names = ("requests", "failed", "tokens_input", "tokens_output", "cache_read_tokens", "cache_write_tokens")
    return dict.fromkeys(names, 0.0) | {"cost_usd": None} | changed


@pytest.mark.parametrize(
    ("before", "after", "line"),
    [
        (sums(), sums(), "ccproxy: 0 requests, 0 tokens in, 0 out"),
        (
            sums(requests=1, tokens_input=10),
            sums(requests=2, tokens_input=12),
            "ccproxy: 1 request, 2 tokens in, 0 out",
        ),
        (
            sums(cost_usd=0.5, requests=3),
            sums(
                requests=1003,
                failed=2,
                tokens_input=12345,
                cache_read_tokens=10000,
                tokens_output=67,
                cost_usd=0.75,
            ),
            "ccproxy: 1,000 requests (2 failed), 12,345 tokens in (10,000 from the cache), 67 out, $0.2500",
        ),
        (sums(cost_usd=0.5), sums(cost_usd=0.5), "ccproxy: 0 requests, 0 tokens in, 0 out"),
    ],
)
def test_in_one_line(before: Sums, after: Sums, line: str) -> None:
    assert summary(before, after) == line


def test_what_a_server_has_carried(host: str, proxies: Proxies) -> None:
    proxy = proxies.get(host)
    before = known(proxy)
    whole_answer = ask(proxy, stream=False).json()["usage"]
    assert ask(proxy, "sim:error 429").status_code == 429
    httpx.get(f"{proxy.url}/api/v1/models", headers=VERSION, trust_env=False).raise_for_status()
    after = known(proxy)
    assert (after["requests"] or 0) - (before["requests"] or 0) == 2
    assert (after["failed"] or 0) - (before["failed"] or 0) == 1
    assert (after["tokens_output"] or 0) - (before["tokens_output"] or 0) == whole_answer["output_tokens"]
    prompt = sum(count for name, count in whole_answer.items() if name.endswith("input_tokens"))
    assert (after["tokens_input"] or 0) - (before["tokens_input"] or 0) == prompt
    assert after["under_way"] == 0


def test_it_is_ours_to_tell_and_nobody_elses(proxies: Proxies, simulator: Simulator) -> None:
    proxy = proxies.get(settings={"SECURITY__AUTH_TOKEN": "t0ken"})
    assert fetch(proxy.url, None) is None
    assert fetch(proxy.url, "t0ken")
    assert fetch(simulator.url, None) is None
    assert fetch(f"http://127.0.0.1:{free_port()}", None) is None


def test_an_answer_under_way_is_waited_for(proxies: Proxies) -> None:
    proxy = proxies.get()
    before = known(proxy)
    asking = threading.Thread(target=ask, args=(proxy, "sim:slow 4 0.15"))
    asking.start()
    deadline = time.monotonic() + 5
    while not (seen := fetch(proxy.url, None) or {}).get("under_way") and time.monotonic() < deadline:
        time.sleep(0.01)
    assert seen["under_way"] == 1
    after = known(proxy)
    assert (after["requests"] or 0) - (before["requests"] or 0) == 1
    asking.join(10)
