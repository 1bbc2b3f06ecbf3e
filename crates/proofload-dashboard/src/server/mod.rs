//! The dashboard's thread: accepts connections, answers them, draws for viewers.

mod accept;
mod api;
mod downloads;
mod events;
mod guard;
mod login;
mod pages;
mod patience;
mod routes;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use proofload_core::event::RunEvent;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot, watch};

use crate::config::{Config, ConfigError};
use crate::live::{self, Frame, RunEnd, RunStart, Shared, Teller};
use crate::runner::Runner;
use crate::token::{Token, TokenError};

pub use events::MAX_VIEWERS;

/// How long viewers get to see the end of a run before the page is gone.
const FAREWELL: Duration = Duration::from_millis(500);

/// Why the page is not served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// It would not be safe, or makes no sense.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Somebody else listens there.
    #[error(
        "{0} is taken, perhaps by another run; choose another with --web=ADDR, or a free one with --web=:0"
    )]
    Taken(SocketAddr),
    /// The address cannot be listened on.
    #[error("the page cannot be served on {0}: {1}")]
    Listen(SocketAddr, io::Error),
    /// No cookie could be made.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The system had no thread or runtime to give.
    #[error("the page's thread could not be started: {0}")]
    Thread(io::Error),
}

/// The live page.
#[derive(Debug)]
pub struct Dashboard;

/// A page that is being served, until it is stopped or dropped.
#[derive(Debug)]
pub struct Running {
    url: String,
    address: SocketAddr,
    teller: Teller,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Dashboard {
    /// Serves the page on a thread of its own.
    ///
    /// # Errors
    /// When the configuration would let strangers in, or the address cannot be listened on.
    pub fn serve(config: Config, runner: Arc<dyn Runner>) -> Result<Running, ServeError> {
        config.check()?;
        let wanted = config.address;
        let listener = std::net::TcpListener::bind(wanted).map_err(|error| match error.kind() {
            io::ErrorKind::AddrInUse => ServeError::Taken(wanted),
            _ => ServeError::Listen(wanted, error),
        })?;
        listener.set_nonblocking(true).map_err(|error| ServeError::Listen(wanted, error))?;
        let address = listener.local_addr().map_err(|error| ServeError::Listen(wanted, error))?;
        let (session, cookie) = Token::random()?;
        let (_, instance) = Token::random()?;
        let gate = guard::Gate::new(&config, address, session, cookie);
        let (teller, told) = live::channel();
        let (frames, _) = watch::channel(Arc::new(Frame::default()));
        let shared = Arc::new(Shared::new(config, runner, frames, instance));
        let (stop, stopped) = oneshot::channel();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            // Files of past runs are read there.
            .max_blocking_threads(2)
            .build()
            .map_err(ServeError::Thread)?;
        let thread = std::thread::Builder::new()
            .name("dashboard".to_owned())
            .spawn(move || runtime.block_on(serve(listener, shared, gate, told, stopped)))
            .map_err(ServeError::Thread)?;
        Ok(Running {
            url: format!("http://{address}/"),
            address,
            teller,
            stop: Some(stop),
            thread: Some(thread),
        })
    }
}

async fn serve(
    listener: std::net::TcpListener,
    shared: Arc<Shared>,
    gate: guard::Gate,
    told: mpsc::UnboundedReceiver<live::Told>,
    stopped: oneshot::Receiver<()>,
) {
    // A socket that has just been bound and made non-blocking registers, or the machine is out of
    // descriptors, and then there is no page.
    let Ok(listener) = TcpListener::from_std(listener) else { return };
    let router = routes::router(Arc::clone(&shared), Arc::new(gate));
    let drawing = tokio::spawn(live::follow(Arc::clone(&shared), told));
    tokio::select! {
        () = accept::accept(listener, router) => {}
        _ = stopped => {}
    }
    // The last picture, which has the verdict.
    shared.draw_last();
    if shared.viewers() > 0 {
        tokio::time::sleep(FAREWELL).await;
    }
    drawing.abort();
}

impl Running {
    /// Where the page is. Has no token in it.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A run has been asked for, and is being prepared: the target's health is checked, for example.
    pub fn prepare(&self, plan: &str) {
        self.teller.tell(live::Told::Prepare(plan.to_owned()));
    }

    /// A run begins.
    pub fn begin(&self, start: RunStart) {
        self.teller.tell(live::Told::Begin(Box::new(start)));
    }

    /// Something happened in it. Never waits: when the page falls behind by hundreds of events, further
    /// ones are left out, and the page says so.
    pub fn hear(&self, event: &RunEvent) {
        self.teller.hear(event);
    }

    /// The run has ended.
    pub fn end(&self, end: RunEnd) {
        self.teller.tell(live::Told::End(Box::new(end)));
    }

    /// The run could not be started, or came to no result.
    pub fn fail(&self, why: &str) {
        self.teller.tell(live::Told::Fail(why.to_owned()));
    }

    /// Serves no more. Viewers get to see the last state.
    pub fn stop(mut self) {
        self.end_thread();
    }

    fn end_thread(&mut self) {
        if let Some(stop) = self.stop.take() {
            // It has ended already if nobody receives this.
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            // A panic in there has been printed; the run goes on without its page.
            let _ = thread.join();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.end_thread();
    }
}
