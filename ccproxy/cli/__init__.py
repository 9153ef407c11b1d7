"""The command line."""


def main() -> None:
    """The entry point `ccproxy`."""
    from ccproxy.cli.root import app

    app()
