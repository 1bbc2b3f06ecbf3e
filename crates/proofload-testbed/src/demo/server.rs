//! The threads of the demo and its handle.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use axum::Router;
use axum::serve::ListenerExt as _;
use tokio::net::{TcpListener, TcpSocket};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;

use super::options::DemoOptions;
use super::routes::router;
use super::state::Service;

/// Connections the kernel may hold ready: a burst of users must not meet dropped handshakes.
const BACKLOG: u32 = 4096;
/// How long requests in flight may take when the demo is stopped.
const GRACE: Duration = Duration::from_secs(2);

/// A running demo service on loopback, in threads of its own. Dropping it stops it.
#[derive(Debug)]
pub struct Demo {
    addr: SocketAddr,
    stop: watch::Sender<bool>,
    threads: Vec<JoinHandle<()>>,
}

impl Demo {
    /// Starts the service; when this returns, it listens.
    ///
    /// # Errors
    /// When the knobs are impossible, the port is taken, or a thread or runtime cannot be made.
    pub fn start(mut options: DemoOptions) -> io::Result<Self> {
        options.knobs = options
            .knobs
            .checked()
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        let thread_count = options.threads.max(1);
        let runtime = runtime()?;
        let listener = {
            let _context = runtime.enter();
            let socket = TcpSocket::new_v4()?;
            socket.set_reuseaddr(true)?;
            socket.bind((Ipv4Addr::LOCALHOST, options.port).into())?;
            socket.listen(BACKLOG)?.into_std()?
        };
        let app = router(Arc::new(Service::new(options)));
        let (stop, stopped) = watch::channel(false);
        let mut demo = Self { addr: listener.local_addr()?, stop, threads: Vec::new() };
        let mut first_runtime = Some(runtime);
        for number in 0..thread_count {
            // Each thread accepts for itself from the same queue; an error drops, and so stops,
            // what has been started.
            let listener = listener.try_clone()?;
            let runtime = match first_runtime.take() {
                Some(runtime) => runtime,
                None => self::runtime()?,
            };
            let (app, stopped) = (app.clone(), stopped.clone());
            let thread = std::thread::Builder::new()
                .name(format!("demo-{number}"))
                .spawn(move || serve(&runtime, listener, app, stopped))?;
            demo.threads.push(thread);
        }
        Ok(demo)
    }

    /// Where it listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Its origin, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Takes no more requests, finishes those in flight within two seconds, and returns when it is
    /// gone.
    pub fn stop(self) {
        drop(self);
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        // An error means that all threads have ended already.
        let _ = self.stop.send(true);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

fn runtime() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_all().build()
}

fn serve(
    runtime: &Runtime,
    listener: std::net::TcpListener,
    app: Router,
    mut stopped: watch::Receiver<bool>,
) {
    runtime.block_on(async move {
        // Only fails when the descriptor cannot be registered; the other threads, or a refused
        // connection, tell.
        let Ok(listener) = TcpListener::from_std(listener) else { return };
        let listener = listener.tap_io(|socket| {
            // A socket that refuses this shows soon enough.
            let _ = socket.set_nodelay(true);
        });
        let mut stop = stopped.clone();
        let server = axum::serve(listener, app).with_graceful_shutdown(async move {
            let _ = stop.wait_for(|is_stopped| *is_stopped).await;
        });
        tokio::select! {
            _ = server.into_future() => {}
            () = async {
                let _ = stopped.wait_for(|is_stopped| *is_stopped).await;
                tokio::time::sleep(GRACE).await;
            } => {}
        }
    });
}
