"""The upstreams: where each is, and what it demands beyond its format."""
