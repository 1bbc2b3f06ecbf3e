//! What the users of a worker share: settings, buffers, TLS configuration, resolver.

use std::cell::{OnceCell, RefCell};
use std::rc::Rc;
use std::sync::{Arc, OnceLock};

use proofload_core::metrics::ErrorKind;
use rustls::ClientConfig;

use super::dns::Resolver;
use super::exchange::Failure;
use super::request::Headers;
use super::settings::{ClientSettings, TlsSettings};
use super::tls::{SetupError, TlsMaterial};

/// Size of the read buffer of a worker: larger than what a socket usually has ready, so that one
/// read empties it.
const READ_BUFFER_BYTES: usize = 64 * 1024;
/// Spare buffers kept, and the largest that is worth keeping.
const MAX_SPARE_BUFFERS: usize = 64;
const MAX_SPARE_BYTES: usize = 256 * 1024;

/// Everything that can be prepared once per run and handed to all workers.
#[derive(Debug)]
pub struct Prepared {
    settings: ClientSettings,
    /// Built at the start when the settings name files (so that errors show then), otherwise with
    /// the first `https` request: reading the system's authorities takes time and memory.
    tls: OnceLock<TlsMaterial>,
    user_agent: String,
    user_agent_line: Vec<u8>,
    accept_encoding_line: Vec<u8>,
}

impl Prepared {
    /// Reads and checks what the settings refer to.
    ///
    /// # Errors
    /// TLS files that cannot be read or used, a server name that is none, or a `User-Agent` or
    /// `Accept-Encoding` that cannot be sent.
    pub fn new(settings: ClientSettings) -> Result<Arc<Self>, SetupError> {
        let tls = OnceLock::new();
        if settings.tls != TlsSettings::default() {
            let material = TlsMaterial::new(&settings.tls, settings.version)?;
            tls.get_or_init(|| material);
        }
        let user_agent = settings.user_agent.clone().unwrap_or_else(default_user_agent);
        for (name, value) in [
            ("User-Agent", Some(&user_agent)),
            ("Accept-Encoding", settings.accept_encoding.as_ref()),
        ] {
            if let Some(value) = value {
                Headers::new().push(name, value)?;
            }
        }
        let user_agent_line = format!("User-Agent: {user_agent}\r\n").into_bytes();
        let accept_encoding_line = settings
            .accept_encoding
            .as_ref()
            .map(|codings| format!("Accept-Encoding: {codings}\r\n").into_bytes())
            .unwrap_or_default();
        Ok(Arc::new(Self { settings, tls, user_agent, user_agent_line, accept_encoding_line }))
    }

    fn tls(&self) -> Result<&TlsMaterial, Failure> {
        if let Some(material) = self.tls.get() {
            return Ok(material);
        }
        let material = TlsMaterial::new(&self.settings.tls, self.settings.version)
            .map_err(|error| Failure::new(ErrorKind::Tls, error.to_string()))?;
        Ok(self.tls.get_or_init(|| material))
    }
}

fn default_user_agent() -> String {
    concat!("proofload/", env!("CARGO_PKG_VERSION")).to_owned()
}

/// What the users of one worker share. Neither `Send` nor locked: a worker is one thread.
#[derive(Debug)]
pub struct Shared {
    prepared: Arc<Prepared>,
    /// Where answers arrive. A poll runs to its end on one thread, so one buffer serves all
    /// connections: bytes that must outlive the poll are moved to the connection.
    pub(crate) read_buffer: RefCell<Box<[u8]>>,
    /// Where requests are put together, on the same ground.
    pub(crate) write_buffer: RefCell<Vec<u8>>,
    spare_buffers: RefCell<Vec<Vec<u8>>>,
    tls: OnceCell<Arc<ClientConfig>>,
    pub(crate) resolver: Resolver,
}

impl Shared {
    /// For one worker.
    #[must_use]
    pub fn new(prepared: Arc<Prepared>) -> Rc<Self> {
        let resolver = Resolver::new(&prepared.settings.dns);
        Rc::new(Self {
            prepared,
            read_buffer: RefCell::new(vec![0; READ_BUFFER_BYTES].into_boxed_slice()),
            write_buffer: RefCell::default(),
            spare_buffers: RefCell::default(),
            tls: OnceCell::new(),
            resolver,
        })
    }

    /// The settings of the run.
    #[must_use]
    pub fn settings(&self) -> &ClientSettings {
        &self.prepared.settings
    }

    pub(crate) fn user_agent(&self) -> &[u8] {
        self.prepared.user_agent.as_bytes()
    }

    pub(crate) fn user_agent_line(&self) -> &[u8] {
        &self.prepared.user_agent_line
    }

    pub(crate) fn accept_encoding_line(&self) -> &[u8] {
        &self.prepared.accept_encoding_line
    }

    /// The worker's TLS configuration and the material it comes from.
    pub(crate) fn tls(&self) -> Result<(&TlsMaterial, Arc<ClientConfig>), Failure> {
        let material = self.prepared.tls()?;
        let config = self.tls.get_or_init(|| material.for_worker());
        Ok((material, Arc::clone(config)))
    }

    /// An empty buffer, used before if possible.
    pub(crate) fn take_buffer(&self) -> Vec<u8> {
        self.spare_buffers.borrow_mut().pop().unwrap_or_default()
    }

    /// Gives a buffer back.
    pub(crate) fn recycle(&self, mut buffer: Vec<u8>) {
        if buffer.capacity() == 0 || buffer.capacity() > MAX_SPARE_BYTES {
            return;
        }
        let mut spare = self.spare_buffers.borrow_mut();
        if spare.len() < MAX_SPARE_BUFFERS {
            buffer.clear();
            spare.push(buffer);
        }
    }
}
