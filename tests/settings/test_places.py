from pathlib import Path

from ccproxy.settings.places import access_log_path, config_dir, data_dir, home_dir


def test_below_home_by_default() -> None:
    environ = {"HOME": "/home/ada"}
    assert config_dir(environ) == Path("/home/ada/.config/ccproxy")
    assert data_dir(environ) == Path("/home/ada/.local/share/ccproxy")
    assert access_log_path(environ) == Path("/home/ada/.local/share/ccproxy/access.duckdb")


def test_xdg_variables_win_unless_they_are_relative() -> None:
    assert config_dir({"HOME": "/home/ada", "XDG_CONFIG_HOME": "/etc/ada"}) == Path("/etc/ada/ccproxy")
    assert data_dir({"HOME": "/home/ada", "XDG_DATA_HOME": "data"}) == Path("/home/ada/.local/share/ccproxy")


def test_without_a_home_the_account_has_one() -> None:
    assert home_dir({}) == Path.home()
