from ccproxy.agent.models import UNKNOWN_DATE, listed


def test_models_as_the_api_lists_them() -> None:
    """Asking a process for them is tested with the real one, in tests/scenarios/test_sdk.py."""
    said = [{"value": "opus", "displayName": "Opus"}, {"value": "sonnet"}, {"displayName": "nameless"}]
    assert list(listed(said)) == [
        {"type": "model", "id": "opus", "display_name": "Opus", "created_at": UNKNOWN_DATE},
        {"type": "model", "id": "sonnet", "display_name": "sonnet", "created_at": UNKNOWN_DATE},
    ]
