//! TLS configuration: which authorities to trust, which certificate to show, what to offer.

use std::sync::Arc;

use proofload_core::plan::PemFile;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use thiserror::Error;

use super::settings::{ClientCertificate, HttpVersion, TlsSettings};

/// Settings that cannot be used. Found before a run begins.
#[derive(Debug, Error)]
pub enum SetupError {
    /// A PEM file cannot be read.
    #[error("cannot read {what} from {path}: {reason}")]
    Pem {
        /// What was looked for.
        what: &'static str,
        /// Where.
        path: String,
        /// Why it failed.
        reason: String,
    },
    /// A PEM file has none of what it was given for.
    #[error("{path} contains no {what}")]
    Empty {
        /// What was looked for.
        what: &'static str,
        /// Where.
        path: String,
    },
    /// Certificate and key do not fit, or the library refuses them.
    #[error("cannot use the client certificate {path}: {reason}")]
    ClientCertificate {
        /// The chain file.
        path: String,
        /// Why it failed.
        reason: String,
    },
    /// The server name to send is neither a name nor an address.
    #[error("`{0}` is not a valid TLS server name")]
    ServerName(String),
    /// A header the settings ask for cannot be sent.
    #[error(transparent)]
    Header(#[from] super::request::HeaderError),
    /// The TLS library could not be set up.
    #[error("cannot set up TLS: {0}")]
    Library(#[from] rustls::Error),
}

/// What a run needs for TLS, built once.
#[derive(Debug)]
pub(crate) struct TlsMaterial {
    config: ClientConfig,
    resumption: bool,
    pub(crate) server_name: Option<ServerName<'static>>,
}

impl TlsMaterial {
    pub(crate) fn new(settings: &TlsSettings, version: HttpVersion) -> Result<Self, SetupError> {
        let provider = Arc::new(ring::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()?;
        let builder = if settings.insecure {
            let verifier = Arc::new(AcceptAny(provider));
            builder.dangerous().with_custom_certificate_verifier(verifier)
        } else {
            builder.with_root_certificates(roots(&settings.ca)?)
        };
        let mut config = match &settings.client_certificate {
            None => builder.with_no_client_auth(),
            Some(files) => {
                let (chain, key) = client_certificate(files)?;
                builder.with_client_auth_cert(chain, key).map_err(|error| {
                    SetupError::ClientCertificate {
                        path: files.chain.path.to_string(),
                        reason: error.to_string(),
                    }
                })?
            }
        };
        config.alpn_protocols = match version {
            HttpVersion::Auto => vec![b"h2".to_vec(), b"http/1.1".to_vec()],
            HttpVersion::Http1 => vec![b"http/1.1".to_vec()],
            HttpVersion::Http2 => vec![b"h2".to_vec()],
        };
        let server_name = match &settings.server_name {
            None => None,
            Some(name) => Some(
                ServerName::try_from(name.clone())
                    .map_err(|_| SetupError::ServerName(name.clone()))?,
            ),
        };
        Ok(Self { config, resumption: settings.resumption, server_name })
    }

    /// A configuration for one worker, with a session store of its own: the store has a lock, and
    /// workers share none.
    pub(crate) fn for_worker(&self) -> Arc<ClientConfig> {
        use rustls::client::Resumption;
        let mut config = self.config.clone();
        config.resumption = if self.resumption {
            Resumption::in_memory_sessions(256)
        } else {
            Resumption::disabled()
        };
        Arc::new(config)
    }
}

/// The given authorities besides the system's, or, where the system has none, Mozilla's.
fn roots(given: &[PemFile]) -> Result<RootCertStore, SetupError> {
    let mut store = RootCertStore::empty();
    store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if store.is_empty() {
        store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    for file in given {
        for certificate in certificates(file, CA)? {
            store.add(certificate).map_err(|error| unusable(CA, file, &error))?;
        }
    }
    Ok(store)
}

const CA: &str = "CA certificate";

fn client_certificate(
    files: &ClientCertificate,
) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), SetupError> {
    let chain = certificates(&files.chain, "client certificate")?;
    let key = PrivateKeyDer::from_pem_slice(&files.key.bytes)
        .map_err(|error| unusable("private key", &files.key, &error))?;
    Ok((chain, key))
}

fn certificates(
    file: &PemFile,
    what: &'static str,
) -> Result<Vec<CertificateDer<'static>>, SetupError> {
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(&file.bytes)
        .collect::<Result<_, _>>()
        .map_err(|error| unusable(what, file, &error))?;
    if certificates.is_empty() {
        return Err(SetupError::Empty { what, path: file.path.to_string() });
    }
    Ok(certificates)
}

fn unusable(what: &'static str, file: &PemFile, reason: &dyn std::fmt::Display) -> SetupError {
    SetupError::Pem { what, path: file.path.to_string(), reason: reason.to_string() }
}

/// Accepts every certificate; signatures are still checked, which costs a client what it costs in
/// real life.
#[derive(Debug)]
struct AcceptAny(Arc<CryptoProvider>);

impl ServerCertVerifier for AcceptAny {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
