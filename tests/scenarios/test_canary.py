"""No secret is written anywhere but into the files that keep credentials, whatever happens.

Recognisable ones are planted in every place, everything that exists is exercised, and then every byte that
was written is searched: output, files, and what the proxy itself answers.
"""

import json
import re
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conftest import upstream_settings
from tests.support import canaries as planted
from tests.support.canaries import Canaries
from tests.support.processes import (
    BIN,
    ROOT,
    Process,
    Proxy,
    Simulator,
    clean_environment,
    free_port,
    started,
    wait_until_ready,
)
from tests.support.sockets import port_of

CCPROXY = str(BIN / "ccproxy")
MESSAGE = {"model": "claude-opus-4-8", "max_tokens": 9, "messages": [{"role": "user", "content": "x"}]}
CHAT = {"model": "gpt-5.5", "messages": [{"role": "user", "content": "x"}]}
RESPONSES = {"model": "gpt-5.5", "input": "x"}
SECRET_HEADERS = {
    "anthropic-version": "2023-06-01",
    "authorization": f"Bearer {planted.AUTH_TOKEN}",
    "x-api-key": planted.CLIENT_KEY,
    "cookie": f"session={planted.COOKIE}",
    "user-agent": "canary",
}
ROUTES: dict[str, dict[str, Any]] = {
    "/api/v1/messages": MESSAGE,
    "/api/v1/messages/count_tokens": {k: v for k, v in MESSAGE.items() if k != "max_tokens"},
    "/api/v1/chat/completions": {**CHAT, "model": "claude-opus-4-8"},
    "/api/v1/responses": {**RESPONSES, "model": "claude-opus-4-8"},
    "/openai/v1/messages": {**MESSAGE, "model": "gpt-5.5"},
    "/openai/v1/chat/completions": CHAT,
    "/openai/v1/responses": RESPONSES,
    "/codex/v1/messages": {**MESSAGE, "model": "gpt-5.5"},
    "/codex/v1/chat/completions": CHAT,
    "/codex/v1/responses": RESPONSES,
    "/codex/s1/responses": RESPONSES,
}
OURS: tuple[str, ...] = (
    "/",
    "/health",
    "/health/live",
    "/health/ready",
    "/quota",
    "/api/status",
    "/codex/status",
)
OURS += ("/openai/status", "/nowhere", "/oauth/callback", "/oauth/callback?code=c&state=s", "/sdk/v1/models")
CRASH = """
class Crash:
    def requestheaders(self, flow):
        if "crash" in flow.request.path:
            raise RuntimeError("crash")
addons = [Crash()]
"""


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    """One of our own, because tokens are ended here."""
    with started([CCPROXY, "simulator", "--port", "0"], tmp_path_factory.mktemp("simulator")) as process:
        yield Simulator(process.wait_for(r"Simulator at (\S+)")[1])


def settings_for(simulator: Simulator, home: Path, credential: str) -> dict[str, str]:
    """Plants the credentials; the environment in which programs find them."""
    for folder in ("tmp", "home"):
        (home / folder).mkdir()
    home = home / "home"
    usual = {name: value for name, value in upstream_settings(simulator).items() if "API_KEY" not in name}
    planted.plant_keys(home)
    planted.plant_logins(home, simulator, seconds=-5)
    mode = {"keys": "api_key", "logins": "oauth", "setup token": "oauth", "client": "client"}[credential]
    return usual | {
        "HOME": str(home),
        "TMPDIR": str(home.parent / "tmp"),
        "CLAUDE__CREDENTIALS": mode,
        "CLAUDE__TOKEN_URL": f"{simulator.url}/v1/oauth/token",
        "CODEX__TOKEN_URL": f"{simulator.url}/oauth/token",
        **({"CLAUDE_CODE_OAUTH_TOKEN": planted.SETUP_TOKEN} if credential == "setup token" else {}),
    }


def command(program: str, home: Path, web_port: int) -> list[str]:
    """A host with everything switched on that shows or stores something."""
    if program == "serve":
        return [CCPROXY, "serve", "--log-level", "debug"]
    crash = home / "crash.py"
    crash.write_text(CRASH)
    arguments = [str(BIN / program), "--listen-port", "0", "-s", str(ROOT / "addons" / "ccproxy.py"), "-v"]
    for name, value in {
        "save_stream_file": home / "flows",
        "hardump": home / "flows.har",
        "store_streamed_bodies": "true",
        **({"flow_detail": 4} if program == "mitmdump" else {}),
        **(
            {"web_open_browser": "false", "web_port": web_port, "web_password": "pw"}
            if program == "mitmweb"
            else {}
        ),
    }.items():
        arguments += ["--set", f"{name}={value}"]
    return [*arguments, "-s", str(crash)]


@pytest.mark.parametrize(
    ("program", "credential"),
    [
        ("serve", "keys"),
        ("serve", "logins"),
        ("serve", "client"),
        ("mitmdump", "logins"),
        ("mitmdump", "setup token"),
        ("mitmweb", "logins"),
    ],
)
def test_a_proxy(tmp_path: Path, simulator: Simulator, program: str, credential: str) -> None:
    environment = settings_for(simulator, tmp_path, credential)
    home, canaries = tmp_path, Canaries(tmp_path / "home")
    canaries.learn()
    port, proxy_port, web_port = free_port(), free_port(), free_port()
    environment |= {"SERVER__PORT": str(port), "SERVER__PROXY_PORT": str(proxy_port)}
    simulator.clear()
    with started(command(program, home, web_port), home, environment) as process:
        wait_until_ready(process, port)
        proxy = Proxy(process, port, proxy_port)
        speak(proxy, canaries, program)
        log_in_through(proxy, canaries)
        end_tokens(simulator)
        canaries.learn()
        speak(proxy, canaries, program)
        intercepted(proxy, home / "home" / ".mitmproxy" / "mitmproxy-ca-cert.pem")
        not_http(proxy)
        if program == "mitmweb":
            canaries.assert_not_in(seen_in_mitmweb(web_port, home), "mitmweb")
        canaries.learn()
        process.stop()
    assert_exercised(simulator, canaries, credential)
    assert "/v1/messages" in process.output
    if program != "serve":
        assert b"/v1/messages" in (home / "flows").read_bytes()
    assert_silent(canaries, process, home)


def assert_exercised(simulator: Simulator, canaries: Canaries, credential: str) -> None:
    """The upstream did get the credential: a test in which nothing was sent proves nothing."""
    received = "\n".join(
        str(value)
        for entry in simulator.requests()
        for _, value in entry["headers"]  # type: ignore[attr-defined]
    )
    wanted = {"keys": planted.CLAUDE_KEY, "setup token": planted.SETUP_TOKEN, "client": planted.CLIENT_KEY}
    if credential in wanted:
        assert wanted[credential] in received
    else:
        used = [token for token in canaries.known if token.startswith("sk-ant-oat") and token in received]
        assert len(used) > 1, "the login was not renewed"
    assert any(token.startswith("ey") and token in received for token in canaries.known)


def assert_silent(canaries: Canaries, process: Process, home: Path) -> None:
    """Nothing below the folder that is everything's home, its temporary files included."""
    canaries.assert_not_in(process.output, "the output")
    canaries.assert_nowhere()
    for path in home.iterdir():
        if path.is_file():
            canaries.assert_not_in(path.read_bytes(), path.name)
    for path in (home / "tmp").rglob("*"):
        if path.is_file():
            canaries.assert_not_in(path.read_bytes(), str(path))
    for keeper in planted.KEEPERS:
        path = home / "home" / keeper
        if path.suffix == ".json" and path.exists():
            assert path.stat().st_mode & 0o077 == 0, keeper


def speak(proxy: Proxy, canaries: Canaries, program: str) -> None:
    """Every route, good and bad. No answer holds a secret, whoever gives it."""
    # the stock tools show bodies: what people write there is theirs
    broken = b'{"' + (planted.CLIENT_KEY.encode() if program == "serve" else b"")
    with httpx.Client(base_url=proxy.url, headers=SECRET_HEADERS, trust_env=False, timeout=20) as client:
        answers = [client.get(path, headers={"accept": "text/html"}) for path in OURS]
        answers += [client.get(path) for path in OURS]
        for path, body in ROUTES.items():
            answers += [client.post(path, json=body), client.post(path, json={**body, "stream": True})]
            answers.append(client.post(path, content=broken))
        answers += [client.get(path) for path in ("/api/v1/models", "/openai/v1/models", "/codex/models")]
        answers += [client.post("/api/v1/messages", json={"model": "x", "max_tokens": 1, "crash": "crash"})]
        answers += [client.get("/crash"), client.post("/api/v1/messages?crash")]
        tokens = {"grant_type": "refresh_token", "refresh_token": planted.REFRESH, "client_id": "c"}
        client.post("/api/v1/oauth/token", json=tokens)
        client.get("/api/status", headers={"authorization": f"Bearer {planted.AUTH_TOKEN}x"})
        client.get("/api/status", headers={"origin": "http://elsewhere.example"})
    for answer in answers:
        canaries.assert_not_in(answer.content, f"the answer of {answer.request.url}")
        canaries.assert_not_in(repr(answer.headers.multi_items()), f"headers of {answer.request.url}")


def log_in_through(proxy: Proxy, canaries: Canaries) -> None:
    """A login that the server begins and finishes; one that is refused."""
    with httpx.Client(headers=SECRET_HEADERS, trust_env=False) as client:
        for name in ("claude", "openai"):
            begun = client.post(f"{proxy.url}/oauth/login/{name}").raise_for_status()
            landing = redirect_of(begun.json()["url"])
            query = landing.partition("?")[2]
            refused = client.get(f"{proxy.url}/oauth/callback?error=access_denied&{query}")
            done = client.get(f"{proxy.url}/oauth/callback?{query}").raise_for_status()
            canaries.learn()
            for answer in (begun, refused, done):
                canaries.assert_not_in(answer.content, str(answer.request.url))


def redirect_of(url: str, decision: str = "allow") -> str:
    """Where the browser of somebody who decides is sent to."""
    decide = re.sub(r"/authorize\?", "/authorize/decision?", url) + f"&decision={decision}"
    return httpx.get(decide, trust_env=False).headers["location"]


def end_tokens(simulator: Simulator) -> None:
    """Every access token ends before its time: the next requests see a 401."""
    httpx.post(f"{simulator.url}/_simulator/oauth", json={"expire_all": True}, trust_env=False)


def intercepted(proxy: Proxy, ca: Path) -> None:
    """Through the other listener, whose address holds the token of the proxy; also without it."""
    address = proxy.proxy_url.replace("//", f"//ccproxy:{planted.AUTH_TOKEN}@")
    for proxy_url in (address, proxy.proxy_url):
        context = ssl.create_default_context(cafile=str(ca))
        with httpx.Client(proxy=proxy_url, verify=context, trust_env=False, timeout=20) as client:
            try:
                client.post("https://api.anthropic.com/v1/messages", json=MESSAGE, headers=SECRET_HEADERS)
                client.post(
                    "https://api.anthropic.com/v1/oauth/token",
                    json={"grant_type": "refresh_token", "refresh_token": planted.REFRESH, "client_id": "c"},
                    headers=SECRET_HEADERS,
                )
            except httpx.ProxyError:
                assert proxy_url == proxy.proxy_url


def not_http(proxy: Proxy) -> None:
    """Broken requests, which mitmproxy's log quotes."""
    for head in ("POST / HTTP/1.1\r\nx-api-key: KEY\r\n", "GET /\r\nauthorization: Bearer KEY\r\n\r\n"):
        with socket.create_connection(("127.0.0.1", port_of(proxy.url))) as connection:
            connection.sendall(head.replace("KEY", planted.CLIENT_KEY).encode())
    time.sleep(0.3)


VIEWS = ("auto", "conversation", "translation", "timing", "prompt", "raw")
EXPORTS = ("curl", "python", "har")


def seen_in_mitmweb(web_port: int, folder: Path) -> str:
    """All that the page can ask for, and what its commands write into this folder."""
    address = f"http://127.0.0.1:{web_port}"
    login = {"authorization": "Bearer pw", "cookie": "_mitmproxy_xsrf=00", "x-xsrftoken": "00"}
    with httpx.Client(base_url=address, headers=login, trust_env=False, timeout=20) as web:
        flows = web.get("/flows").raise_for_status()
        texts = [flows.text, web.get("/flows/dump").content.decode("latin-1")]
        texts += [web.get(path).raise_for_status().text for path in ("/events", "/options", "/state")]
        for flow in flows.json():
            for part in ("request", "response"):
                texts.append(web.get(f"/flows/{flow['id']}/{part}/content.data").text)
                texts += [web.get(f"/flows/{flow['id']}/{part}/content/{view}.json").text for view in VIEWS]
        for kind in EXPORTS:
            which = "@all" if kind == "har" else "~m POST & ~c 200 & ~u /v1/messages$"
            order = {"arguments": [kind, which, str(folder / f"exported.{kind}")]}
            assert "error" not in web.post("/commands/ccproxy.export", json=order).raise_for_status().json()
            texts.append((folder / f"exported.{kind}").read_text())
    assert any('"type":"message"' in text for text in texts)
    return "\n".join(texts)


# --- the commands


COMMANDS: Sequence[Sequence[str]] = (
    ("auth", "status"),
    ("auth", "status", "--json"),
    ("auth", "validate", "--json"),
    ("auth", "info"),
    ("auth", "info", "--online", "--json"),
    ("auth", "info", "openai"),
    ("auth", "refresh"),
    ("auth", "refresh", "openai", "--json"),
    ("auth", "login", "--timeout", "1", "--no-browser"),
    ("config", "show"),
    ("config", "show", "--sources", "--json"),
    ("quota", "--port", "1"),
    ("auth", "logout", "--json"),
)


def run(
    arguments: Sequence[str], environment: dict[str, str], stdin: str = ""
) -> "subprocess.CompletedProcess[str]":
    home = Path(environment["HOME"])
    return subprocess.run(
        [CCPROXY, *arguments],
        cwd=home,
        env=clean_environment(home, environment),
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_commands(tmp_path: Path, simulator: Simulator) -> None:
    environment = settings_for(simulator, tmp_path, "logins")
    environment |= {"CLAUDE__BASE_URL": simulator.url}
    canaries = Canaries(tmp_path / "home")
    for login in (("login",), ("login-openai",), ("login-openai", "--siwc")):
        log_in_by_pasting(login, environment, canaries)
    for arguments in COMMANDS:
        canaries.learn()
        done = run(arguments, environment)
        canaries.learn()
        assert "Traceback" not in done.stderr, done.stderr
        canaries.assert_not_in(done.stdout + done.stderr, " ".join(arguments))
    canaries.assert_nowhere()


def log_in_by_pasting(login: Sequence[str], environment: dict[str, str], canaries: Canaries) -> None:
    """What is pasted is known only when the address has been printed."""
    home = Path(environment["HOME"])
    with subprocess.Popen(
        [CCPROXY, "auth", *login, "--manual", "--json"],
        cwd=home,
        env=clean_environment(home, environment),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as child:
        assert child.stderr
        lines: list[str] = []
        while not (lines and lines[-1].startswith("http://")):
            lines.append(child.stderr.readline())
        landing = redirect_of(lines[-1].strip())
        out, err = child.communicate(landing + "\n", timeout=30)
    assert child.returncode == 0, err
    canaries.learn()
    assert json.loads(out)["expires_at"]
    canaries.assert_not_in(out + "".join(lines) + err, "login")


@pytest.mark.parametrize("trouble", ["down", "rate_limited", "revoked"])
def test_renewals_that_fail(tmp_path: Path, simulator: Simulator, trouble: str) -> None:
    environment = settings_for(simulator, tmp_path, "logins")
    canaries = Canaries(tmp_path / "home")
    canaries.learn()
    order = {"revoke_all": True} if trouble == "revoked" else {"token_endpoint": trouble}
    knobs = f"{simulator.url}/_simulator/oauth"
    httpx.post(knobs, json=order, trust_env=False).raise_for_status()
    try:
        for arguments in (("auth", "validate"), ("auth", "refresh"), ("auth", "status", "--json")):
            done = run(arguments, environment)
            assert "Traceback" not in done.stderr, done.stderr
            canaries.assert_not_in(done.stdout + done.stderr, " ".join(arguments))
    finally:
        httpx.post(knobs, json={"token_endpoint": "ok"}, trust_env=False).raise_for_status()
    canaries.assert_nowhere()


@pytest.mark.parametrize(
    "broken",
    [
        f'[claude]\napi_key = "{planted.CLAUDE_KEY}" and more\n',
        f'[claude]\napi_key = ["{planted.CLAUDE_KEY}"]\n',
        f'[claude]\napi_keys = "{planted.CLAUDE_KEY}"\n',
        f'[claude]\ncredentials = "{planted.CLAUDE_KEY}"\n',
        f'[security]\nauth_token = {{ value = "{planted.AUTH_TOKEN}" }}\n',
    ],
)
def test_settings_that_are_wrong(home: Path, broken: str) -> None:
    canaries = Canaries(home)
    (home / ".config" / "ccproxy").mkdir(parents=True)
    (home / ".config" / "ccproxy" / "config.toml").write_text(broken)
    for arguments in (("serve", "--port", "0"), ("config", "show"), ("auth", "status")):
        done = run(arguments, {"HOME": str(home)})
        assert done.returncode == 1, done.stderr
        canaries.assert_not_in(done.stdout + done.stderr, " ".join(arguments))


def test_the_search_finds_what_it_looks_for(home: Path) -> None:
    canaries = Canaries(home)
    for written in (
        planted.CLIENT_KEY,
        f"ccproxy:{planted.AUTH_TOKEN}",
        planted.COOKIE[8:],
    ):
        with pytest.raises(AssertionError):
            canaries.assert_not_in(f"x {written} x", "here")
    basic = httpx.BasicAuth("ccproxy", planted.AUTH_TOKEN)._auth_header
    with pytest.raises(AssertionError):
        canaries.assert_not_in(basic, "here")
    (home / "note").write_text(planted.COOKIE)
    with pytest.raises(AssertionError):
        canaries.assert_nowhere()
