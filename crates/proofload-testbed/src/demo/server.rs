//! The threads of the demo and its handle.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use axum::Router;
use axum::serve::ListenerExt as _;
use tokio::net::TcpListener;
use tokio::runtime::Builder;
use tokio::sync::watch;

use super::options::DemoOptions;
use super::postgres::DatabasePlace;
use super::routes::router;
use super::state::Service;
use crate::listen::listen;

/// How long requests in flight may take when the demo is stopped.
const GRACE: Duration = Duration::from_secs(2);

/// A running demo service on loopback, in threads of its own. Dropping it stops it.
#[derive(Debug)]
pub struct Demo {
    addr: SocketAddr,
    service: Arc<Service>,
    stop: watch::Sender<bool>,
    threads: Vec<JoinHandle<()>>,
}

impl Demo {
    /// Starts the service; when this returns, it listens.
    ///
    /// # Errors
    /// When the knobs are impossible, the port is taken, a thread or runtime cannot be made, or a Redis or PostgreSQL
    /// that was named cannot be used: the message says what, where, and what to do.
    pub fn start(mut options: DemoOptions) -> io::Result<Self> {
        options.knobs = options
            .knobs
            .checked()
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        let thread_count = options.threads.max(1);
        let listener = listen(options.port)?;
        let service = Service::new(options)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        let service = Arc::new(service);
        let app = router(Arc::clone(&service));
        let (stop, stopped) = watch::channel(false);
        let addr = listener.local_addr()?;
        let mut demo = Self { addr, service: Arc::clone(&service), stop, threads: Vec::new() };
        for number in 0..thread_count {
            // Each thread accepts for itself from the same queue; an error drops, and so stops,
            // what has been started.
            let listener = listener.try_clone()?;
            let (app, service, stopped) = (app.clone(), Arc::clone(&service), stopped.clone());
            let (report, started) = mpsc::channel();
            let thread = std::thread::Builder::new()
                .name(format!("demo-{number}"))
                .spawn(move || run(listener, app, &service, stopped, &report, number == 0))?;
            demo.threads.push(thread);
            // The runtime is made and dropped in its own thread: the caller may be inside another
            // one, where neither is allowed.
            started.recv().map_err(io::Error::other)??;
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

    /// Where its data is, if not in memory.
    #[must_use]
    pub fn database(&self) -> Option<DatabasePlace> {
        self.service.database.as_ref().map(|database| database.place())
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
        // When nobody uses it any more, and in a thread as above.
        if self.service.has_outside() {
            let service = Arc::clone(&self.service);
            let clean_up = move || {
                let runtime = Builder::new_current_thread().enable_all().build();
                // Without a runtime nothing can be taken out; what is left says itself what it is.
                let _ = runtime.map(|runtime| runtime.block_on(service.clean_up()));
            };
            let thread = std::thread::Builder::new().name("demo-end".to_owned()).spawn(clean_up);
            let _ = thread.map(JoinHandle::join);
        }
    }
}

/// The whole life of one of the demo's threads; reports once whether it could start.
fn run(
    listener: std::net::TcpListener,
    app: Router,
    service: &Service,
    stopped: watch::Receiver<bool>,
    report: &mpsc::Sender<io::Result<()>>,
    is_first: bool,
) {
    let runtime = match Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            // The starter waits for this.
            let _ = report.send(Err(error));
            return;
        }
    };
    runtime.block_on(async {
        match TcpListener::from_std(listener) {
            Ok(listener) => {
                let ready = if is_first { service.set_up().await } else { Ok(()) };
                let is_fine = ready.is_ok();
                let _ = report.send(ready.map_err(io::Error::other));
                if !is_fine {
                    return;
                }
                tokio::select! {
                    () = serve(listener, app, stopped) => {}
                    () = service.background.work() => {}
                }
            }
            Err(error) => {
                let _ = report.send(Err(error));
            }
        }
    });
}

/// Serves until told to stop, and then for as long as requests are in flight, within bounds.
async fn serve(listener: TcpListener, app: Router, mut stopped: watch::Receiver<bool>) {
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
}
