"""A file that changes under our eyes."""

from pathlib import Path

from ccproxy.credentials.watched import WatchedFile


async def test_it_is_parsed_when_it_has_changed_and_only_then(tmp_path: Path) -> None:
    path, parsed = tmp_path / "f", []

    def parse(content: bytes) -> str | None:
        parsed.append(content)
        return content.decode() or None

    file = WatchedFile(lambda: path, parse)
    assert await file.value() is None
    path.write_bytes(b"one")
    assert [await file.value(), await file.value()] == ["one", "one"]
    path.write_bytes(b"other")
    assert await file.value() == "other"
    assert parsed == [b"one", b"other"]
    path.unlink()
    assert await file.value() is None
    path.write_bytes(b"other")
    assert await file.value() == "other"
