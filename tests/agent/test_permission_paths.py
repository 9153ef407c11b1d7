from pathlib import Path

import pytest

from ccproxy.agent.permission_paths import Place, path_matcher, places

HOME, CWD = "/home/u", "/srv/p"


def matches(pattern: str, path: str, *, allows: bool = True, cwd: str | None = CWD) -> bool:
    return path_matcher(pattern, allows=allows)(Place(path, cwd, HOME))


@pytest.mark.parametrize(
    ("pattern", "path", "allowed", "denied"),
    [
        ("src/**", "/srv/p/src/app.ts", True, True),
        ("src/**", "/srv/p/src", True, True),
        ("src/**", "/srv/p/vendor/src/lib.js", False, True),
        ("src/**", "/srv/p/srcs/a", False, False),
        ("src/**", "/elsewhere/src/a", False, False),
        ("/src/**", "/srv/p/src/app.ts", True, True),
        ("/src/**", "/srv/p/vendor/src/lib.js", False, False),
        ("**/src/**", "/srv/p/src/app.ts", True, True),
        ("**/src/**", "/srv/p/vendor/src/lib.js", True, True),
        ("src/components/**", "/srv/p/src/components/a/b", True, True),
        ("src/components/**", "/srv/p/x/src/components/a", False, False),
        (".env", "/srv/p/.env", True, True),
        (".env", "/srv/p/a/b/.env", True, True),
        (".env", "/work/.env", False, False),
        ("./.env", "/srv/p/.env", True, True),
        ("./.env", "/srv/p/a/.env", False, False),
        ("*.env", "/srv/p/a/x.env", True, True),
        ("//**/.env", "/anywhere/.env", True, True),
        ("//etc/hosts", "/etc/hosts", True, True),
        ("/etc/hosts", "/etc/hosts", False, False),
        ("~/notes/*.md", "/home/u/notes/a.md", True, True),
        ("~/notes/*.md", "/home/u/notes/b/a.md", False, False),
        ("~/.ssh", "/home/u/.ssh/id_rsa", False, True),
        ("docs/", "/srv/p/docs/a", True, True),
        ("docs/*", "/srv/p/docs/a/b", False, True),
        ("a?c.txt", "/srv/p/abc.txt", True, True),
        ("[ab].txt", "/srv/p/b.txt", True, True),
        ("[!ab].txt", "/srv/p/b.txt", False, False),
        ("a\\*b", "/srv/p/a*b", True, True),
        ("a\\*b", "/srv/p/axb", False, False),
        ("src/**/x.py", "/srv/p/src/x.py", True, True),
        ("src/**/x.py", "/srv/p/src/a/b/x.py", True, True),
        ("secrets/**", "/srv/p/Secrets/a", False, True),
        ("a.b", "/srv/p/axb", False, False),
        ("**", "/srv/p/any/thing", True, True),
        ("**", "/work/other", False, False),
    ],
)
def test_patterns(pattern: str, path: str, allowed: bool, denied: bool) -> None:
    assert matches(pattern, path, allows=True) is allowed
    assert matches(pattern, path, allows=False) is denied


def test_without_a_directory_nothing_is_allowed() -> None:
    assert not matches("src/**", "/srv/p/src/a", cwd=None)
    assert matches("//srv/**", "/srv/p/src/a", cwd=None)
    assert matches("secrets/**", "/srv/p/secrets/a", cwd=None, allows=False)


@pytest.mark.parametrize("pattern", ["!src/**", "../x", "a/../b", "//", "~/", "/", "[z-a].txt"])
def test_what_is_no_pattern(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        path_matcher(pattern, allows=True)


def test_the_files_that_a_call_names(tmp_path: Path) -> None:
    base = str(tmp_path)
    found = places("Edit", {"file_path": f"{base}/a/../b.txt"}, base, HOME)
    assert [place.path for place in found if place.home == HOME] == [f"{base}/b.txt"]
    assert places("Read", {"file_path": "b.txt"}, base, HOME)[0].path == f"{base}/b.txt"
    assert places("Read", {"file_path": "~/b.txt"}, base, HOME)[0].path == f"{HOME}/b.txt"
    assert places("Grep", {"pattern": "x"}, base, HOME)[0].path == base
    assert not places("Grep", {"pattern": "x"}, None, HOME)
    assert not places("Bash", {"command": "x"}, base, HOME)
    assert not places("Read", "text", base, HOME)
    unsure = places("Read", {"file_path": "src/a"}, None, HOME)
    assert not any(path_matcher("//**", allows=True)(place) for place in unsure)
    assert all(path_matcher("src/**", allows=False)(place) for place in unsure)


def test_a_link_is_where_it_leads_too(tmp_path: Path) -> None:
    inside, outside = tmp_path / "p", tmp_path / "outside"
    inside.mkdir()
    outside.mkdir()
    (inside / "link").symlink_to(outside)
    found = places("Edit", {"file_path": f"{inside}/link/a"}, str(inside), str(tmp_path))
    allow, deny = path_matcher("**", allows=True), path_matcher("~/outside/**", allows=False)
    assert [allow(place) for place in found] == [True, False]
    assert any(deny(place) for place in found)
    back = places("Edit", {"file_path": f"{inside}/link/../p/a"}, str(inside), str(tmp_path))
    assert {place.path for place in back} == {f"{inside}/p/a", f"{inside}/a"}


def test_a_directory_behind_a_link(tmp_path: Path) -> None:
    """As /tmp on macOS."""
    (tmp_path / "real" / "src").mkdir(parents=True)
    (tmp_path / "cwd").symlink_to(tmp_path / "real")
    found = places("Edit", {"file_path": f"{tmp_path}/cwd/src/a"}, f"{tmp_path}/cwd", HOME)
    assert len(found) == 2
    assert all(path_matcher("src/**", allows=True)(place) for place in found)
