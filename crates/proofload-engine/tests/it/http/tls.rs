//! TLS: whom the client trusts, what it shows, and how failures read.

use proofload_core::metrics::ErrorKind;
use proofload_core::plan::PemFile;
use proofload_engine::http::{
    ClientCertificate, ClientSettings, Prepared, SetupError, TlsSettings,
};
use proofload_testbed::fixture::{Behaviour, Fixture, Reply, ServerIdentity, TlsOptions};

use super::raw::RawServer;
use super::support::{User, kind, run, seen, settings};

fn fixture(options: TlsOptions) -> Fixture {
    Fixture::start(Behaviour::new().prefix("/", Reply::text("hello")).tls(options)).unwrap()
}

fn pem(name: &str, text: &str) -> PemFile {
    PemFile { path: name.into(), bytes: text.as_bytes().into() }
}

fn with(tls: TlsSettings) -> ClientSettings {
    ClientSettings { tls, ..settings() }
}

#[test]
fn a_given_authority_is_trusted() {
    let fixture = fixture(TlsOptions::default());
    let ca = pem("good-ca.pem", fixture.ca_pem().unwrap());
    let tls = TlsSettings { ca: vec![ca.clone()], ..TlsSettings::default() };
    run(async {
        let mut user = User::new(with(tls));
        for number in 0..3 {
            let exchange = user.get(&fixture.url("/")).await;
            assert_eq!(exchange.timings.tls.is_some(), number == 0);
            assert_eq!(seen(exchange).text(), "hello");
        }
        // By address too: the certificate names it.
        let url = format!("https://{}/", fixture.addr());
        assert_eq!(seen(user.get(&url).await).text(), "hello");
    });
}

#[test]
fn bad_certificates_are_refused_unless_told_otherwise() {
    for identity in [ServerIdentity::WrongHost, ServerIdentity::Expired, ServerIdentity::SelfSigned]
    {
        let fixture = fixture(TlsOptions { identity, ..TlsOptions::default() });
        let ca = pem(&format!("{identity:?}-ca.pem"), fixture.ca_pem().unwrap());
        let trusting = TlsSettings { ca: vec![ca.clone()], ..TlsSettings::default() };
        let insecure = TlsSettings { insecure: true, ..TlsSettings::default() };
        run(async {
            for tls in [trusting, TlsSettings::default()] {
                let exchange = User::new(with(tls)).get(&fixture.url("/")).await;
                assert_eq!(kind(&exchange), ErrorKind::Tls, "{identity:?}");
                assert!(exchange.timings.tls.is_some());
                assert_eq!(exchange.bytes_sent, 0);
            }
            let answer = seen(User::new(with(insecure)).get(&fixture.url("/")).await);
            assert_eq!(answer.text(), "hello");
        });
    }
}

#[test]
fn the_server_name_can_be_set() {
    let identity = ServerIdentity::WrongHost;
    let fixture = fixture(TlsOptions { identity, ..TlsOptions::default() });
    let ca = pem("name-ca.pem", fixture.ca_pem().unwrap());
    let server_name = Some("wrong.example".to_owned());
    let tls = TlsSettings { ca: vec![ca.clone()], server_name, ..TlsSettings::default() };
    run(async {
        assert_eq!(seen(User::new(with(tls)).get(&fixture.url("/")).await).text(), "hello");
    });
}

#[test]
fn a_client_certificate_is_shown() {
    let options = TlsOptions { require_client_certificate: true, ..TlsOptions::default() };
    let fixture = fixture(options);
    let identity = fixture.client_identity().unwrap();
    let ca = pem("client-ca.pem", fixture.ca_pem().unwrap());
    let chain = pem("client-chain.pem", &identity.certificate_pem);
    let key = pem("client-key.pem", &identity.key_pem);
    let without = TlsSettings { ca: vec![ca.clone()], ..TlsSettings::default() };
    let client_certificate = Some(ClientCertificate { chain, key });
    let with_certificate = TlsSettings { client_certificate, ..without.clone() };
    run(async {
        // With TLS 1.3 the refusal comes after the client's side of the handshake.
        let exchange = User::new(with(without)).get(&fixture.url("/")).await;
        assert_eq!(kind(&exchange), ErrorKind::Tls);
        let answer = seen(User::new(with(with_certificate)).get(&fixture.url("/")).await);
        assert_eq!(answer.text(), "hello");
    });
}

#[test]
fn plain_http_on_a_tls_port_and_the_other_way_round() {
    let tls = fixture(TlsOptions::default());
    let plain = RawServer::start(vec![Box::new(|mut stream| {
        use std::io::{Read as _, Write as _};
        assert!(stream.read(&mut [0; 64]).unwrap() > 0);
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n").unwrap();
    })]);
    run(async {
        let exchange = User::new(settings()).get(&format!("https://{}/", plain.addr)).await;
        assert_eq!(kind(&exchange), ErrorKind::Tls);
        let exchange = User::new(settings()).get(&format!("http://{}/", tls.addr())).await;
        let kind = kind(&exchange);
        let kinds = [ErrorKind::Malformed, ErrorKind::Closed, ErrorKind::Reset];
        assert!(kinds.contains(&kind), "{kind}");
    });
}

#[test]
fn files_that_cannot_be_used_are_found_at_once() {
    let garbage = pem("garbage.pem", "no certificate");
    let check = |tls: TlsSettings| Prepared::new(with(tls)).unwrap_err();
    let ca = TlsSettings { ca: vec![garbage.clone()], ..TlsSettings::default() };
    assert!(matches!(check(ca), SetupError::Empty { .. }));
    let client_certificate =
        Some(ClientCertificate { chain: garbage.clone(), key: garbage.clone() });
    let message = check(TlsSettings { client_certificate, ..TlsSettings::default() }).to_string();
    assert!(message.contains("garbage.pem"), "{message}");
    let server_name = Some("not a name".to_owned());
    let error = check(TlsSettings { server_name, ..TlsSettings::default() });
    assert!(matches!(error, SetupError::ServerName(_)));
}
