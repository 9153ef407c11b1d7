import subprocess
from pathlib import Path

from ccproxy.cli.addon_path import script_path
from tests.support.processes import BIN


def test_the_script_is_there() -> None:
    printed = subprocess.run(
        [BIN / "ccproxy", "addon-path"], capture_output=True, text=True, check=True
    ).stdout
    assert printed.strip() == str(script_path())
    assert "chain_for_script" in Path(printed.strip()).read_text()
