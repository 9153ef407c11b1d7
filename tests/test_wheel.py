"""The wheel holds all that the program needs: it runs from there, without the checkout."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.support.processes import BIN, ROOT, clean_environment, free_port, started, wait_until_ready

PROGRAM = "from ccproxy.cli import main; main()"


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel's content, in a folder that goes first on the path."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = folder.glob("ccproxy-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "unpacked")
    return folder / "unpacked"


def test_nothing_is_missing_and_nothing_too_much(unpacked: Path) -> None:
    inside = {str(path.relative_to(unpacked)) for path in unpacked.rglob("*") if path.is_file()}
    source = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "ccproxy").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert source <= inside
    assert "ccproxy/script/ccproxy.py" in inside
    others = {name for name in inside if not name.startswith(("ccproxy/", "ccproxy-"))}
    assert others == set()


def run(unpacked: Path, home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**clean_environment(home), "PYTHONPATH": str(unpacked)}
    command = [sys.executable, "-c", PROGRAM, *arguments]
    return subprocess.run(
        command, cwd=home, env=environment, capture_output=True, text=True, timeout=60, check=False
    )


def test_the_demo_runs_from_it(unpacked: Path, home: Path) -> None:
    ports = ("--port", str(free_port()), "--proxy-port", str(free_port()))
    done = run(unpacked, home, "demo", "--once", *ports)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_addon_script_runs_from_it(unpacked: Path, home: Path) -> None:
    printed = run(unpacked, home, "addon-path").stdout.strip()
    assert printed == os.path.join(unpacked, "ccproxy", "script", "ccproxy.py")
    port = free_port()
    settings = {"SERVER__PORT": str(port), "SERVER__PROXY_PORT": "0", "PYTHONPATH": str(unpacked)}
    arguments = [str(BIN / "mitmdump"), "--listen-port", "0", "-s", printed]
    with started(arguments, home, settings) as process:
        wait_until_ready(process, port)
