import re
from pathlib import Path

import pytest

from ccproxy.cli.auth_policy import POLICIES, policy
from tests.support.processes import ROOT


@pytest.mark.parametrize("name", POLICIES)
def test_two_sentences_and_a_link_that_the_docs_have_too(name: str) -> None:
    text, link = POLICIES[name]
    assert len(re.findall(r"\.(?= |$)", text)) == 2
    assert link in Path(ROOT / "docs" / "credentials.md").read_text()
    assert link in policy(name)
