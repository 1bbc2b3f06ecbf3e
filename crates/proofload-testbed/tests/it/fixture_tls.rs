//! Certificates, good and bad, as a verifying client sees them.

use std::net::TcpStream;
use std::sync::Arc;

use proofload_testbed::fixture::{Behaviour, Fixture, Protocol, Reply, ServerIdentity, TlsOptions};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::client::{Client, PATIENCE};

type Tls = StreamOwned<ClientConnection, TcpStream>;

fn fixture(options: TlsOptions, protocol: Protocol) -> Fixture {
    let behaviour = Behaviour::new().prefix("/", Reply::echo()).tls(options).protocol(protocol);
    Fixture::start(behaviour).unwrap()
}

/// Trusts the fixture's CA and shakes hands for `localhost`.
fn connect(
    fixture: &Fixture,
    with_certificate: bool,
    alpn: &[&[u8]],
) -> Result<Client<Tls>, String> {
    let ca = CertificateDer::from_pem_slice(fixture.ca_pem().unwrap().as_bytes()).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(ca).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    let mut config = if with_certificate {
        let identity = fixture.client_identity().unwrap();
        let certificate =
            CertificateDer::from_pem_slice(identity.certificate_pem.as_bytes()).unwrap();
        let key = PrivateKeyDer::from_pem_slice(identity.key_pem.as_bytes()).unwrap();
        builder.with_client_auth_cert(vec![certificate], key).unwrap()
    } else {
        builder.with_no_client_auth()
    };
    config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
    let name = ServerName::try_from("localhost").unwrap();
    let mut connection = ClientConnection::new(Arc::new(config), name).unwrap();
    let mut socket = TcpStream::connect(fixture.addr()).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    while connection.is_handshaking() {
        connection.complete_io(&mut socket).map_err(|error| error.to_string())?;
    }
    Ok(Client::new(StreamOwned::new(connection, socket)))
}

#[test]
fn a_good_certificate_serves_requests() {
    let fixture = fixture(TlsOptions::default(), Protocol::Http1);
    assert!(fixture.url("/x").starts_with("https://localhost:"));
    let mut client = connect(&fixture, false, &[]).unwrap();
    for number in 0..3 {
        assert_eq!(client.get(&format!("/{number}")).json()["path"], format!("/{number}"));
    }
    drop(client);
    let ledger = fixture.stop();
    assert_eq!((ledger.connections, ledger.responses, ledger.tls_failures), (1, 3, 0));
}

#[test]
fn bad_certificates_are_refused_for_their_own_reason() {
    for (identity, reason) in [
        (ServerIdentity::WrongHost, "not valid for name"),
        (ServerIdentity::Expired, "expired"),
        (ServerIdentity::SelfSigned, "UnknownIssuer"),
    ] {
        let options = TlsOptions { identity, ..TlsOptions::default() };
        let fixture = fixture(options, Protocol::Http1);
        let error = connect(&fixture, false, &[]).err().expect("a refusal");
        assert!(error.contains(reason), "{identity:?}: {error}");
        let ledger = super::fixture_basics::wait_for(&fixture, |ledger| ledger.tls_failures == 1);
        assert_eq!(ledger.requests, 0);
    }
}

#[test]
fn a_client_certificate_can_be_required() {
    let options = TlsOptions { require_client_certificate: true, ..TlsOptions::default() };
    let fixture = fixture(options, Protocol::Http1);
    assert_eq!(connect(&fixture, true, &[]).unwrap().get("/").status, 200);
    // With TLS 1.3 the client's handshake ends before the server has looked: the alert comes as
    // the answer to the first request.
    if let Ok(mut client) = connect(&fixture, false, &[]) {
        client.send("GET", "/", &[], b"");
        let error = client.answer("GET").unwrap_err().to_string();
        assert!(error.contains("CertificateRequired"), "{error}");
    }
    super::fixture_basics::wait_for(&fixture, |ledger| ledger.tls_failures == 1);
}

#[test]
fn alpn_follows_the_protocol() {
    for (protocol, chosen) in [
        (Protocol::Http1, b"http/1.1".as_slice()),
        (Protocol::Http2, b"h2"),
        (Protocol::Both, b"h2"),
    ] {
        let fixture = fixture(TlsOptions::default(), protocol);
        let client = connect(&fixture, false, &[b"http/1.1", b"h2"]).unwrap();
        assert_eq!(client.stream.conn.alpn_protocol(), Some(chosen), "{protocol:?}");
    }
    let options = TlsOptions { without_alpn: true, ..TlsOptions::default() };
    let client = connect(&fixture(options, Protocol::Both), false, &[b"h2"]).unwrap();
    assert_eq!(client.stream.conn.alpn_protocol(), None);
}
