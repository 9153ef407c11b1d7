import ssl
from pathlib import Path

import pytest
import trustme

from ccproxy.cli.certs_bundle import REPLACING, bundle_path, certificates, system_roots, write_bundle
from ccproxy.cli.certs_ca import CertsError


@pytest.fixture(autouse=True)
def _own_home(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)


def authority(path: Path) -> Path:
    """A CA of somebody's, in a file."""
    trustme.CA().cert_pem.write_to_path(path)
    return path


@pytest.fixture
def ca(home: Path) -> Path:
    return authority(home / "ca.pem")


def test_the_systems_roots_and_ours(ca: Path) -> None:
    written = certificates(write_bundle(ca, {}))
    assert set(written) == {*system_roots(), *certificates(ca)}
    assert len(written) > 50
    assert len(written) == len(set(written))


def test_openssl_reads_all_of_it(ca: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    bundle = write_bundle(ca, {})
    context.load_verify_locations(bundle)
    own = ssl.PEM_cert_to_DER_cert(ca.read_text())
    found = context.get_ca_certs(binary_form=True)
    assert own in found
    assert len(found) == len(certificates(bundle))


def test_it_is_written_only_when_something_has_changed(ca: Path, home: Path) -> None:
    first = write_bundle(ca, {}).stat()
    assert write_bundle(ca, {}).stat().st_ino == first.st_ino
    authority(ca)
    assert write_bundle(ca, {}).stat().st_ino != first.st_ino
    assert certificates(bundle_path())[-1:] == certificates(ca)
    company = authority(home / "company.pem")
    before = write_bundle(ca, {"SSL_CERT_FILE": str(company)}).read_text()
    authority(company)
    assert write_bundle(ca, {"SSL_CERT_FILE": str(company)}).read_text() != before


def test_for_its_owner_in_our_own_folder(ca: Path, home: Path) -> None:
    bundle = write_bundle(ca, {})
    assert bundle == home / ".local" / "share" / "ccproxy" / "certs" / "bundle.pem"
    assert bundle.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in bundle.parent.iterdir()] == ["bundle.pem"]


@pytest.mark.parametrize("variable", [*REPLACING, "NODE_EXTRA_CA_CERTS"])
def test_what_a_variable_named_before_stays_trusted(variable: str, ca: Path, home: Path) -> None:
    company = authority(home / "company.pem")
    bundle = write_bundle(ca, {variable: str(company)})
    assert certificates(company)[0] in certificates(bundle)
    # in a shell that took our variables, the bundle is what they name
    renewed = certificates(write_bundle(ca, dict.fromkeys(REPLACING, str(bundle))))
    assert certificates(company)[0] in renewed
    assert len(renewed) == len(set(renewed))
    # and in another one the company's CA is not trusted
    assert certificates(company)[0] not in certificates(write_bundle(ca, {}))


def test_variables_that_lead_nowhere(ca: Path, home: Path) -> None:
    plain = write_bundle(ca, {}).read_text()
    for value in ("", str(home / "none.pem"), str(home), str(ca)):
        assert write_bundle(ca, {"SSL_CERT_FILE": value}).read_text() == plain


def test_only_certificates_are_taken(ca: Path, home: Path) -> None:
    mixed = home / "mixed.pem"
    authority(mixed)
    mixed.write_text(f"-----BEGIN PRIVATE KEY-----\nhush\n-----END PRIVATE KEY-----\n{mixed.read_text()}")
    text = write_bundle(ca, {"SSL_CERT_FILE": str(mixed)}).read_text()
    assert certificates(mixed)[0] in text
    assert "hush" not in text


def test_a_place_that_cannot_be_written_to(ca: Path) -> None:
    bundle_path().mkdir()
    with pytest.raises(CertsError, match="cannot be written"):
        write_bundle(ca, {})


def test_without_any_file_of_the_systems(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ccproxy.cli.certs_bundle.USUAL", ())
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere")
    monkeypatch.setenv("SSL_CERT_DIR", "/nowhere")
    assert len(system_roots()) > 50
