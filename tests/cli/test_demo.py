from pathlib import Path

import httpx

from ccproxy.cli.demo import demo_settings
from ccproxy.cli.tour import STEPS
from ccproxy.routes import TABLE
from tests.support.processes import BIN, free_port, started

DEMO = [str(BIN / "ccproxy"), "demo"]


def test_once_shows_every_route_and_ends_well(home: Path) -> None:
    """Neither a broken settings file nor a login of the user's is touched."""
    (home / ".ccproxy.toml").write_text("broken")
    (home / ".claude").mkdir()
    (home / ".claude" / ".credentials.json").write_text('{"claudeAiOauth":{"accessToken":"hush"}}')
    arguments = [*DEMO, "--once", "--port", str(free_port()), "--proxy-port", str(free_port())]
    with started(arguments, home, {"SERVER__PORT": "broken"}) as process:
        assert process.child.wait(30) == 0, process.output
        for title, _ in STEPS:
            assert f"ok   {title}\n" in process.output
        assert "through HTTPS_PROXY" in process.output
        assert "FAIL" not in process.output
        assert "Every route answered." in process.output
        assert "hush" not in process.output


def test_the_tour_goes_through_every_route_that_carries_a_request() -> None:
    shown = " ".join(title for title, _ in STEPS)
    for row in TABLE:
        if row.backend and row.operation != "other" and "/v1/" in row.pattern:
            assert row.pattern.replace("{rest}", "") in shown


def test_it_serves_on(home: Path) -> None:
    port = free_port()
    with started([*DEMO, "--port", str(port), "--proxy-port", str(free_port())], home) as process:
        process.wait_for("Still serving")
        assert httpx.get(f"http://127.0.0.1:{port}/", trust_env=False).json()["name"] == "ccproxy"
        assert process.stop() == 0
        assert "Traceback" not in process.output


def test_claude_code_lives_in_the_demos_folder(tmp_path: Path) -> None:
    settings = demo_settings("http://127.0.0.1:1", 1, 2, tmp_path / "auth.json", tmp_path).claude
    assert settings.options.env["HOME"] == str(tmp_path)
    assert settings.options.cwd == tmp_path / "work"
    assert settings.options.cwd.is_dir()
    assert settings.base_url == "http://127.0.0.1:1"
    assert settings.options.env["ANTHROPIC_AUTH_TOKEN"] == settings.options.env["CLAUDE_CONFIG_DIR"] == ""
