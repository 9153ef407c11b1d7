"""A local intercepting proxy for AI coding tools, built on mitmproxy."""
