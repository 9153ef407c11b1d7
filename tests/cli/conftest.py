from collections.abc import Iterator

import pytest

from tests.support.processes import BIN, Simulator, started


@pytest.fixture(scope="session")
def login_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    """A simulator apart from the others: here its tokens are ended and its login servers fail."""
    home = tmp_path_factory.mktemp("login-server")
    with started([str(BIN / "ccproxy"), "simulator", "--port", "0"], home) as process:
        yield Simulator(process.wait_for(r"Simulator at (\S+)")[1])
