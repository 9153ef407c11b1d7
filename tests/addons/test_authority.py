from pathlib import Path

from cryptography.x509 import load_pem_x509_certificate
from mitmproxy.certs import CertStore

from ccproxy.addons.authority import make_ca


def test_mitmproxy_signs_with_it(tmp_path: Path) -> None:
    make_ca(tmp_path)
    certificate = load_pem_x509_certificate((tmp_path / "mitmproxy-ca-cert.pem").read_bytes())
    store = CertStore.from_store(tmp_path, "mitmproxy", 2048)
    assert store.default_ca.to_cryptography() == certificate
    signed = store.get_cert("api.anthropic.com", [], None).cert.to_cryptography()
    signed.verify_directly_issued_by(certificate)


def test_the_key_of_before_stays(tmp_path: Path) -> None:
    make_ca(tmp_path)
    key, certificate = tmp_path / "mitmproxy-ca.pem", tmp_path / "mitmproxy-ca-cert.pem"
    before = key.read_bytes()
    certificate.unlink()
    make_ca(tmp_path)
    assert key.read_bytes() == before
    assert not certificate.exists()
