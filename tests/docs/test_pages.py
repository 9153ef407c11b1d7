"""What holds for every page: generated blocks are fresh, links lead somewhere."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.pages import PAGES, ROOT, names, without_blocks

LINK = re.compile(r"\]\(([^()\s]+)\)")


def anchors(path: Path) -> set[str]:
    """The fragments that GitHub makes of a page's headings."""
    headings = re.findall(r"^#+ (.+)$", without_blocks(path.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_generated_blocks_are_fresh() -> None:
    command = [sys.executable, str(ROOT / "scripts" / "docs"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_every_block_has_its_end() -> None:
    for path in PAGES:
        text = path.read_text(encoding="utf-8")
        begun = re.findall(r"<!-- generated: ([\w-]+) -->", text)
        assert begun == re.findall(r"<!-- /generated: ([\w-]+) -->", text), path


@pytest.mark.parametrize("path", PAGES, ids=names(PAGES))
def test_relative_links_lead_somewhere(path: Path) -> None:
    for link in LINK.findall(without_blocks(path.read_text(encoding="utf-8"))):
        if re.match(r"https?://", link):
            continue
        name, _, fragment = link.partition("#")
        target = (path.parent / name).resolve() if name else path
        assert target.exists(), link
        assert not fragment or fragment in anchors(target), link


@pytest.mark.parametrize("path", PAGES, ids=names(PAGES))
def test_no_block_is_left_open(path: Path) -> None:
    assert path.read_text(encoding="utf-8").count("\n```") % 2 == 0
