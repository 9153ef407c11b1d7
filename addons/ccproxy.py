"""ccproxy for mitmdump, mitmweb and mitmproxy: `mitmdump -s addons/ccproxy.py`."""

import sys
from pathlib import Path

# mitmproxy puts a script's folder first on the path; there this very file would pass for the package
sys.path[:] = [entry for entry in sys.path if Path(entry).resolve() != Path(__file__).resolve().parent]

from ccproxy.addons.chain import chain_for_script  # noqa: E402

addons = chain_for_script()
