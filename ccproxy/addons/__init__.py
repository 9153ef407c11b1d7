"""The stages, as mitmproxy addons. Only this package and `ccproxy.cli.serve` import mitmproxy."""
