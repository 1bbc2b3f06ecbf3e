//! Ctrl-C and SIGTERM: once to end in good order, twice to end now.

use std::io;
use std::thread;

use proofload_engine::Stop;
use proofload_engine::run::Stopper;

/// Hands signals on to a run until the process ends. `told` is called for each.
pub(super) fn forward(stopper: Stopper, told: impl Fn(Stop) + Send + 'static) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut signals = {
        let _runtime = runtime.enter();
        Signals::new()?
    };
    thread::Builder::new().name("signals".to_owned()).spawn(move || {
        runtime.block_on(async {
            for stop in [Stop::Gracefully, Stop::Now] {
                signals.next().await;
                stopper.stop(stop);
                told(stop);
            }
            // Whoever presses a third time has lost patience with us.
            signals.next().await;
            std::process::abort();
        });
    })?;
    Ok(())
}

/// The signals that ask this process to end. Listens from when it is made: none is lost between two
/// calls of [`Signals::next`].
#[cfg(unix)]
pub(super) struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    /// Listens. Must be called within a runtime.
    pub(super) fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};

        let interrupt = signal(SignalKind::interrupt())?;
        Ok(Self { interrupt, terminate: signal(SignalKind::terminate())? })
    }

    /// Waits for the next one.
    pub(super) async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// The signals that ask this process to end.
#[cfg(windows)]
pub(super) struct Signals(tokio::signal::windows::CtrlC);

#[cfg(windows)]
impl Signals {
    /// Listens. Must be called within a runtime.
    pub(super) fn new() -> io::Result<Self> {
        tokio::signal::windows::ctrl_c().map(Self)
    }

    /// Waits for the next one.
    pub(super) async fn next(&mut self) {
        self.0.recv().await;
    }
}
