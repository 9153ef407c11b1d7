"""The benchmark behind `scripts/bench`: what each proxy adds to a request, measured side by side."""
