import json

from ccproxy.records.stand_ins import NO_CODEX_MODELS, accounts, model_list


def test_models_by_their_names_each_once_in_the_clients_shape() -> None:
    names = ["gpt-5.5", "claude-opus-4-8", "gpt-5.5"]
    for anthropic, kind in ((True, "model"), (False, None)):
        listed = json.loads(model_list(names, anthropic=anthropic))["data"]
        assert [one["id"] for one in listed] == names[:2]
        assert listed[0].get("type") == kind


def test_an_account_of_this_id() -> None:
    found = json.loads(accounts("acct-1"))
    assert found["account_ordering"] == ["acct-1"]
    assert found["accounts"][0]["workspace_backend_origin"] == "https://chatgpt.com"


def test_no_models_are_a_list_too() -> None:
    assert json.loads(NO_CODEX_MODELS) == {"models": []}
    assert json.loads(model_list([], anthropic=True))["data"] == []
