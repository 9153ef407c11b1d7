"""What several tests need: processes, upstreams that misbehave, and a look at what went over the wire."""
