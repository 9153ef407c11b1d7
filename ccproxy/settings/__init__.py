"""The settings: one frozen tree, read from the command line, the environment, `.env` and one TOML file.

    loaded = load({"server.port": Given(8001, "--port")})
    loaded.settings.server.port       # 8001
    loaded.sources["server.port"]     # "--port"

`tree` holds the keys (`watching` some of its tables), `kinds` the types of their values, `sources` the
reading and the precedence, `errors` what is said when something is wrong. `editing` (imported only by
commands that write) changes a user's TOML file without losing comments.
"""

from ccproxy.settings.errors import Problem, SettingsError
from ccproxy.settings.sources import Given, Loaded, load
from ccproxy.settings.tree import Settings

__all__ = ["Given", "Loaded", "Problem", "Settings", "SettingsError", "load"]
