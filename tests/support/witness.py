"""A mitmproxy script that writes down every request it sees: it stands between a client and us.

`witness` names the file; each line is `{"method","path","headers","body"}`, the body in base64.
"""

import base64
import json
from pathlib import Path

from mitmproxy import ctx, http
from mitmproxy.addonmanager import Loader


class Witness:
    def load(self, loader: Loader) -> None:
        loader.add_option("witness", str, "", "File to write to.")

    def request(self, flow: http.HTTPFlow) -> None:
        entry = {
            "method": flow.request.method,
            "path": flow.request.path,
            "headers": [(name.decode(), value.decode()) for name, value in flow.request.headers.fields],
            "body": base64.b64encode(flow.request.raw_content or b"").decode(),
        }
        with Path(ctx.options.witness).open("a") as file:
            file.write(json.dumps(entry) + "\n")


addons = [Witness()]
