from pathlib import Path

import pytest

from ccproxy.agent import cli
from ccproxy.agent.cli import BESIDES, find_cli
from ccproxy.agent.errors import CliMissing


def program(folder: Path, mode: int = 0o755) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "claude"
    path.write_text("#!/bin/sh\n")
    path.chmod(mode)
    return path


@pytest.fixture(autouse=True)
def _nothing_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    # /usr/local/bin of this machine may have one
    monkeypatch.setattr(cli, "BESIDES", [name for name in BESIDES if name.startswith("~")])


def test_on_path_first(tmp_path: Path) -> None:
    beside = program(tmp_path / "home" / ".local" / "bin")
    assert find_cli(None) == beside
    on_path = program(tmp_path / "bin")
    assert find_cli(None) == on_path


def test_beside_path_in_order(tmp_path: Path) -> None:
    for folder in (".yarn/bin", "node_modules/.bin", ".local/bin", ".npm-global/bin"):
        found = program(tmp_path / "home" / folder)
        assert find_cli(None) == found


def test_configured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path / "bin")
    chosen = program(tmp_path / "else where")
    assert find_cli(chosen) == chosen
    monkeypatch.chdir(tmp_path)
    assert find_cli(Path("else where/claude")) == chosen
    for wrong in (tmp_path / "nothing", tmp_path, program(tmp_path / "plain", 0o644)):
        with pytest.raises(CliMissing, match=r"claude\.cli_path names no program") as caught:
            find_cli(wrong)
        assert str(tmp_path) not in str(caught.value)


def test_missing() -> None:
    with pytest.raises(CliMissing, match=r"not installed here: npm install -g .*, or set claude\.cli_path"):
        find_cli(None)
