//! The client's settings from the plan's.

use proofload_core::plan::{self, HttpSettings};

use crate::http::{ClientCertificate, ClientSettings, DnsSettings, HttpVersion, TlsSettings};

pub(crate) fn client_settings(http: &HttpSettings) -> ClientSettings {
    let offered: Vec<_> = http.compression.iter().map(|encoding| encoding.token()).collect();
    ClientSettings {
        timeout: http.timeout,
        connect_timeout: http.connect_timeout,
        max_kept_body_bytes: usize::try_from(http.max_body_bytes).unwrap_or(usize::MAX),
        keep_alive: http.keep_alive,
        version: match http.version {
            plan::HttpVersion::Auto => HttpVersion::Auto,
            plan::HttpVersion::Http1 => HttpVersion::Http1,
            plan::HttpVersion::Http2 | plan::HttpVersion::Http2PriorKnowledge => HttpVersion::Http2,
        },
        tls: tls(&http.tls),
        accept_encoding: (!offered.is_empty()).then(|| offered.join(", ")),
        user_agent: http.user_agent.as_deref().map(str::to_owned),
        cookies: http.cookies,
        dns: DnsSettings {
            hosts: http
                .hosts
                .iter()
                .flat_map(|host| host.addresses.iter().map(|ip| (host.host.to_string(), *ip)))
                .collect(),
            ..DnsSettings::default()
        },
        ..ClientSettings::default()
    }
}

fn tls(tls: &plan::Tls) -> TlsSettings {
    let certificate = tls.client_cert.clone().zip(tls.client_key.clone());
    TlsSettings {
        ca: tls.ca.iter().cloned().collect(),
        client_certificate: certificate.map(|(chain, key)| ClientCertificate { chain, key }),
        insecure: tls.insecure,
        server_name: tls.server_name.as_deref().map(str::to_owned),
        ..TlsSettings::default()
    }
}
