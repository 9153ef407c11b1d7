import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ccproxy.settings import load
from ccproxy.settings.layout import LEAVES, TABLES

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def run_docs(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(root / "scripts" / "docs"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A root with the script, the settings and this page only: other pages are other tests' business."""
    for name in ("scripts/docs", "docs/settings.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / "README.md").write_text("# nothing generated here\n")
    (tmp_path / "ccproxy").symlink_to(ROOT / "ccproxy")
    return tmp_path


@pytest.mark.parametrize("key", LEAVES)
def test_every_key_is_on_the_page(key: str) -> None:
    assert f"| `{key}` |" in PAGE


@pytest.mark.parametrize("table", [table for table in TABLES if table])
def test_every_table_is_on_the_page(table: str) -> None:
    assert f"### `[{table}]`" in PAGE


def test_the_table_is_fresh(copy: Path) -> None:
    done = run_docs(copy, "--check")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_stale_table_is_found_and_rewritten(copy: Path) -> None:
    page = copy / "docs" / "settings.md"
    page.write_text(PAGE.replace("| `8000` |", "| `8001` |"))
    done = run_docs(copy, "--check")
    assert (done.returncode, done.stdout) == (1, "stale: docs/settings.md\n")
    assert run_docs(copy).returncode == 0
    assert page.read_text() == PAGE


def test_the_example_file_is_valid(tmp_path: Path) -> None:
    (example,) = blocks("toml")
    (tmp_path / "ccproxy.toml").write_text(example)
    settings = load(environ={}, cwd=tmp_path).settings
    assert settings.server.port == 8001
    assert settings.intercept.hosts["api.openai.com"] == "api"
    assert settings.models.rules[0].match == "gpt-*"


def test_the_example_variables_are_valid(tmp_path: Path) -> None:
    (example,) = blocks("sh")
    (tmp_path / ".env").write_text(example)
    settings = load(environ={"HOME": "/home/ada"}, cwd=tmp_path).settings
    assert settings.claude.options.cwd == Path("/home/ada/src/project")
    assert settings.claude.options.allowed_tools == ["Read", "Grep"]
    assert settings.models.rules[0].match == "gpt-*"
