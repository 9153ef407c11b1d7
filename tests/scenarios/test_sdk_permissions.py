"""The real `claude` behind `/sdk` asks before it uses a tool, and somebody answers while it waits."""

import contextlib
import json
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conftest import Proxies
from tests.support.processes import Proxy, Simulator
from tests.support.sdk import (
    MODEL,
    ask,
    bash,
    permissions,
    processes_of,
    said,
    sdk_settings,
    text_of,
    turns_upstream,
    until,
)
from tests.support.sockets import port_of
from tests.support.talking import on_pipes

pytestmark = pytest.mark.slow

KEEPALIVE = 0.3
TOKEN = "t0ken-of-the-proxy"


class Desk:
    """A proxy whose Claude Code works in `folder`, and a person who decides over REST."""

    def __init__(self, proxy: Proxy, folder: Path, token: str | None = None) -> None:
        self.proxy, self.folder = proxy, folder
        self.headers = {"authorization": f"Bearer {token}"} if token else {}

    @contextmanager
    def asking(self, command: str, path: str = "/sdk/v1/messages") -> Iterator["Future[httpx.Response]"]:
        """A client whose model wants to run this command."""
        with ThreadPoolExecutor() as threads:
            answer = threads.submit(ask, self.proxy, bash(command), path=path, headers=self.headers)
            try:
                yield answer
            except BaseException:
                for request in permissions(self.proxy, self.headers, status="pending"):
                    self.respond(request, False)
                raise

    def request(self) -> dict[str, Any]:
        """The one that is pending, once there is one."""
        [found] = until(lambda: permissions(self.proxy, self.headers, status="pending"))
        return found

    def find(self, name: str) -> dict[str, Any]:
        answer = httpx.get(f"{self.proxy.url}/permissions/{name}", headers=self.headers, trust_env=False)
        found: dict[str, Any] = answer.json()
        return found

    def respond(self, request: dict[str, Any], allowed: bool, **more: Any) -> httpx.Response:
        url = f"{self.proxy.url}/permissions/{request['id']}/respond"
        body = {"allowed": allowed, **more}
        return httpx.post(url, json=body, headers=self.headers, trust_env=False)

    def did(self, name: str) -> bool:
        """Whether a command made this file."""
        return (self.folder / name).exists()


class Screen:
    """What a person sees who follows the stream of events. `events` grows."""

    def __init__(self, desk: Desk) -> None:
        self.events: list[tuple[str, dict[str, Any]]] = []
        self._begun = threading.Event()
        self._socket: socket.socket
        self._thread = threading.Thread(target=self._read, args=(desk,))

    def __enter__(self) -> "Screen":
        self._thread.start()
        assert self._begun.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join(10)

    def _read(self, desk: Desk) -> None:
        url, kind = f"{desk.proxy.url}/permissions/stream", ""
        with httpx.stream("GET", url, headers=desk.headers, trust_env=False, timeout=30) as answer:
            self._socket = answer.extensions["network_stream"].get_extra_info("socket")
            self._begun.set()
            # it ends in the middle, when the person has seen enough
            with contextlib.suppress(httpx.TransportError):
                for line in answer.iter_lines():
                    if line.startswith("event: "):
                        kind = line.removeprefix("event: ")
                    elif line.startswith("data: "):
                        self.events.append((kind, json.loads(line.removeprefix("data: "))))

    def about(self, request: dict[str, Any]) -> list[tuple[str, str]]:
        """What it was told of this request: each event, and the request's status in it."""
        return [(kind, told["status"]) for kind, told in list(self.events) if told.get("id") == request["id"]]


@pytest.fixture(scope="session")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which Claude Code works."""
    return tmp_path_factory.mktemp("work")


def desk_with(proxies: Proxies, folder: Path, **more: str) -> Desk:
    settings = sdk_settings(CLAUDE__OPTIONS__CWD=str(folder), CLAUDE__SESSIONS__MAX="4", **more)
    return Desk(proxies.get(settings=settings), folder, more.get("SECURITY__AUTH_TOKEN"))


@pytest.fixture
def desk(proxies: Proxies, work: Path) -> Desk:
    return desk_with(proxies, work, RETRIES__KEEPALIVE_SECONDS=str(KEEPALIVE))


@pytest.fixture(autouse=True)
def nothing_sent_yet(simulator: Simulator) -> None:
    simulator.clear()


class TestAPersonDecides:
    def test_allowed(self, desk: Desk) -> None:
        with desk.asking("touch allowed; echo it-ran") as answer:
            request = desk.request()
            assert not desk.did("allowed")
            decided = desk.respond(request, True)
            assert text_of(answer.result()) == "Tool result: it-ran"
        assert desk.did("allowed")
        assert decided.json()["status"] == "allowed"
        assert "permission_denials" not in answer.result().json()["claude_code"]

    def test_denied_with_a_message(self, desk: Desk, simulator: Simulator) -> None:
        with desk.asking("touch denied") as answer:
            request = desk.request()
            desk.respond(request, False, message="not on a Sunday")
            assert text_of(answer.result()) == "Tool error: not on a Sunday"
        assert not desk.did("denied")
        assert "not on a Sunday" in str(turns_upstream(simulator)[-1])
        [denial] = answer.result().json()["claude_code"]["permission_denials"]
        assert denial["tool_name"] == "Bash"
        assert denial["tool_use_id"] == request["tool_use_id"]
        assert denial["tool_input"]["command"] == "touch denied"

    def test_allowed_with_another_input(self, desk: Desk) -> None:
        with desk.asking("touch as-asked") as answer:
            request = desk.request()
            edited = {**request["input"], "command": "touch as-edited; echo edited"}
            desk.respond(request, True, updated_input=edited)
            assert text_of(answer.result()) == "Tool result: edited"
        assert desk.did("as-edited")
        assert not desk.did("as-asked")

    def test_what_a_request_says(self, desk: Desk) -> None:
        with desk.asking("touch described", path="/sdk/by-name/v1/messages") as answer:
            request = desk.request()
            desk.respond(request, False)
        assert request["tool_name"] == "Bash"
        assert request["input"] == {"command": "touch described", "description": "a test"}
        assert request["session_id"] == "by-name"
        assert request["cwd"] == str(desk.folder)
        [call] = [block for block in answer.result().json()["content"] if block["type"] == "mcp_tool_use"]
        assert request["tool_use_id"] == call["id"]

    def test_a_session_that_nobody_named_is_claude_codes_own(self, desk: Desk) -> None:
        with desk.asking("touch unnamed") as answer:
            request = desk.request()
            desk.respond(request, False)
        assert request["session_id"] == answer.result().json()["claude_code"]["session_id"]

    def test_remembered_for_the_session(self, desk: Desk) -> None:
        path, other = "/sdk/remembers/v1/messages", "/sdk/another/v1/messages"
        with desk.asking("touch again", path=path) as answer:
            desk.respond(desk.request(), True, remember="session")
            assert answer.result().status_code == 200
        (desk.folder / "again").unlink()
        with desk.asking("touch again", path=path) as answer:
            assert answer.result().status_code == 200
        assert desk.did("again")
        of_session = [found for found in permissions(desk.proxy) if found["session_id"] == "remembers"]
        assert [found["decision"]["remember"] for found in of_session] == ["session", "session"]
        # it is about this command of this session
        for command, elsewhere in (("touch more", path), ("touch again", other)):
            with desk.asking(command, path=elsewhere):
                desk.respond(desk.request(), False)

    def test_the_first_decision_holds(self, desk: Desk) -> None:
        with desk.asking("touch twice") as answer:
            request = desk.request()
            assert desk.respond(request, False, message="no").status_code == 200
            late = desk.respond(request, True)
            assert text_of(answer.result()) == "Tool error: no"
        assert late.status_code == 409
        assert not desk.did("twice")

    def test_two_clients_are_asked_for_apart(self, desk: Desk) -> None:
        with desk.asking("touch of-one") as one, desk.asking("touch of-two") as two:
            both = until(lambda: len(found := permissions(desk.proxy, status="pending")) == 2 and found)
            assert both
            for request in both:
                desk.respond(request, request["input"]["command"] == "touch of-two")
            assert text_of(one.result()).startswith("Tool error")
            assert text_of(two.result()).startswith("Tool result")
        assert (desk.did("of-one"), desk.did("of-two")) == (False, True)


class TestNobodyDecides:
    def test_it_expires(self, proxies: Proxies, work: Path) -> None:
        desk = desk_with(proxies, work, PERMISSIONS__TIMEOUT_SECONDS="1")
        with desk.asking("touch expired") as answer:
            request = desk.request()
            assert "permissions.timeout_seconds" in text_of(answer.result())
        assert not desk.did("expired")
        assert desk.find(request["id"])["status"] == "expired"
        assert answer.result().json()["claude_code"]["permission_denials"]

    def test_rules(self, proxies: Proxies, work: Path) -> None:
        desk = desk_with(
            proxies,
            work,
            PERMISSIONS__ALLOW=json.dumps(["Bash(touch by-rule:*)"]),
            PERMISSIONS__DENY=json.dumps(["Bash(touch by-rule-not:*)"]),
        )
        assert text_of(ask(desk.proxy, bash("touch by-rule"))).startswith("Tool result")
        assert "permissions.deny" in text_of(ask(desk.proxy, bash("touch by-rule-not")))
        assert (desk.did("by-rule"), desk.did("by-rule-not")) == (True, False)
        assert [found["decision"]["by"] for found in permissions(desk.proxy)] == ["rule", "rule"]

    def test_a_client_that_leaves(self, desk: Desk) -> None:
        path = "/sdk/leaves/v1/messages"
        before = {process.pid for process in processes_of(desk.proxy)}
        body = {"model": MODEL, "max_tokens": 9, "stream": True, "messages": [said(bash("touch left"))]}
        with httpx.stream("POST", f"{desk.proxy.url}{path}", json=body, timeout=60, trust_env=False):
            request = desk.request()
            [own] = [process for process in processes_of(desk.proxy) if process.pid not in before]
        gone = until(lambda: (found := desk.find(request["id"]))["status"] == "expired" and found)
        assert gone
        assert gone["decision"]["by"] == "gone"
        assert text_of(ask(desk.proxy, "sim:text still here", path=path)) == "still here"
        assert own.is_running()
        assert not desk.did("left")

    def test_a_process_that_is_killed(self, desk: Desk) -> None:
        before = {process.pid for process in processes_of(desk.proxy)}
        with desk.asking("touch killed", path="/sdk/is-killed/v1/messages") as answer:
            request = desk.request()
            [own] = [process for process in processes_of(desk.proxy) if process.pid not in before]
            own.kill()
            assert answer.result().status_code == 503
        assert until(lambda: desk.find(request["id"])["status"] == "expired")
        assert desk.respond(request, True).status_code == 409


class TestWhileSomebodyThinks:
    @pytest.mark.parametrize(
        ("path", "given", "sign"),
        [
            ("/sdk/v1/messages", {"max_tokens": 9}, "event: ping"),
            ("/sdk/v1/chat/completions", {}, ": ping"),
            ("/sdk/v1/responses", {}, ": keep-alive"),
        ],
    )
    def test_a_streaming_client_gets_signs_of_life(
        self, desk: Desk, path: str, given: dict[str, Any], sign: str
    ) -> None:
        prompt = [said(bash("touch thought-over"))]
        turns = {"input": prompt} if path.endswith("responses") else {"messages": prompt}
        body = {"model": MODEL, "stream": True, **turns, **given}
        seen = 0
        with httpx.stream(
            "POST", f"{desk.proxy.url}{path}", json=body, timeout=20, trust_env=False
        ) as answer:
            for line in answer.iter_lines():
                if seen < 3 and line == sign:
                    seen += 1
                    if seen == 3:
                        desk.respond(desk.request(), True)
                elif "Tool result" in line:
                    break
            else:
                raise AssertionError("the answer did not go on")
        assert seen == 3

    def test_the_stream_of_events(self, desk: Desk) -> None:
        with Screen(desk) as screen, desk.asking("touch watched"):
            request = desk.request()
            assert until(lambda: screen.about(request)) == [("permission_request", "pending")]
            desk.respond(request, False)
            until(lambda: len(screen.about(request)) > 1)
        assert screen.about(request)[1:] == [("permission_resolved", "denied")]

    def test_and_of_the_end_of_one_whose_client_left(self, desk: Desk) -> None:
        body = {"model": MODEL, "max_tokens": 9, "stream": True, "messages": [said(bash("touch left"))]}
        url = f"{desk.proxy.url}/sdk/v1/messages"
        with Screen(desk) as screen:
            with httpx.stream("POST", url, json=body, timeout=60, trust_env=False):
                request = desk.request()
            until(lambda: len(screen.about(request)) > 1)
        assert screen.about(request)[-1] == ("permission_expired", "expired")

    def test_a_screen_that_reconnects(self, desk: Desk) -> None:
        with desk.asking("touch after-all; echo after-all") as answer:
            with Screen(desk) as first:
                request = desk.request()
                until(lambda: first.about(request))
            with Screen(desk) as second:
                assert until(lambda: second.about(request)) == [("permission_request", "pending")]
            # decided while nobody watches
            desk.respond(request, True)
            assert text_of(answer.result()) == "Tool result: after-all"
        with Screen(desk) as third, desk.asking("touch last"):
            last = desk.request()
            until(lambda: third.about(last))
            desk.respond(last, False)
        assert third.about(request) == []
        assert desk.find(request["id"])["decision"]["by"] == "person"

    def test_a_person_at_the_permission_handler(self, desk: Desk, home: Path) -> None:
        port = str(port_of(desk.proxy.url))
        with on_pipes(home, "--json", "--port", port) as person:
            person.wait_for('"connected"')
            with desk.asking("touch by-handler; echo by-handler") as answer:
                person.wait_for('"permission_request"')
                [told] = [
                    event for line in person.said.splitlines() if (event := json.loads(line)).get("request")
                ]
                assert told["request"]["input"]["command"] == "touch by-handler; echo by-handler"
                reply = {"id": told["request"]["id"], "allowed": True}
                person.line(json.dumps(reply), '"taken": true')
                assert text_of(answer.result()) == "Tool result: by-handler"
            person.hang_up()
            assert person.end() == 0
        assert desk.did("by-handler")


def test_behind_the_token_of_the_proxy(proxies: Proxies, work: Path) -> None:
    """The processes need no token but their own; a person does."""
    desk = desk_with(proxies, work, SECURITY__AUTH_TOKEN=TOKEN)
    with desk.asking("touch behind-a-token; echo ok") as answer:
        request = desk.request()
        stranger = Desk(desk.proxy, desk.folder).respond(request, True)
        assert stranger.status_code == 401
        assert not desk.did("behind-a-token")
        assert desk.find(request["id"])["status"] == "pending"
        assert desk.respond(request, True).status_code == 200
        assert text_of(answer.result()) == "Tool result: ok"
    assert desk.did("behind-a-token")
