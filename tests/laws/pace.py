"""How many examples a law is tried with: two cores have to be through all laws in well under a minute."""

from hypothesis import HealthCheck, settings


def examples(count: int) -> settings:
    """Whole conversations are large, and drawing them takes longer than hypothesis likes."""
    slow = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much)
    return settings(max_examples=count, deadline=None, suppress_health_check=slow)
