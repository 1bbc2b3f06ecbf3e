//! An encrypted connection.

use proofload_kit::{Cache, Redis, Ttl};

use crate::servers::folder::Folder;
use crate::servers::redis_server::{RedisServer, free_port};

#[tokio::test]
async fn a_cache_works_through_tls_and_only_with_a_trusted_certificate() {
    let certified =
        rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let pem = certified.cert.pem();
    let folder = Folder::new("tls");
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("a file");
        path.to_str().expect("text").to_owned()
    };
    let certificate = file("certificate.pem", &pem);
    let key = file("key.pem", &certified.signing_key.serialize_pem());
    let port = free_port();
    let server = RedisServer::start_with(&[
        "--tls-port",
        &port.to_string(),
        "--tls-auth-clients",
        "no",
        "--tls-cert-file",
        &certificate,
        "--tls-key-file",
        &key,
        "--tls-ca-cert-file",
        &certificate,
    ]);

    let address = format!("rediss://localhost:{port}");
    let trusting = Redis::builder(&address)
        .namespace("test")
        .timeout(super::PATIENCE)
        .root_certificates(pem)
        .build()
        .expect("settings that work");
    let cache = Cache::<u32>::builder("users", Ttl::DATA).redis(&trusting, Ttl::DATA).build();
    cache.expect("settings that work").put("1", 7).await;
    assert_eq!(server.admin(&["EXISTS", "{test:users}:v:1"]), redis::Value::Int(1));

    let strange = Redis::builder(&address).namespace("test").build().expect("settings that work");
    let cache = Cache::<u32>::builder("users", Ttl::DATA).redis(&strange, Ttl::DATA).build();
    let cache = cache.expect("settings that work");
    assert_eq!(cache.fetch("1").await, None);
    let loaded = cache.get_or_load("1", || async { Ok::<_, std::io::Error>(8_u32) }).await;
    assert_eq!(loaded.ok(), Some(8));
    assert!(strange.stats().broken > 0, "{:?}", strange.stats());

    let error = Redis::builder(server.address()).root_certificates("").build().expect_err("no TLS");
    assert_eq!(error.setting(), "root_certificates");
}
