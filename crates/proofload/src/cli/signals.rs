//! Ctrl-C and SIGTERM: once to end in good order, twice to end now.

use std::io;
use std::thread;

use proofload_engine::Stop;
use proofload_engine::run::Stopper;

/// Hands signals on to a run until the process ends. `told` is called for each.
pub(super) fn forward(stopper: Stopper, told: impl Fn(Stop) + Send + 'static) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    thread::Builder::new().name("signals".to_owned()).spawn(move || {
        runtime.block_on(async {
            for stop in [Stop::Gracefully, Stop::Now] {
                if next().await.is_err() {
                    return;
                }
                told(stop);
                stopper.stop(stop);
            }
            // Whoever presses a third time has lost patience with us.
            if next().await.is_ok() {
                std::process::abort();
            }
        });
    })?;
    Ok(())
}

/// Waits for a signal that asks this process to end.
#[cfg(unix)]
pub(super) async fn next() -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        result = tokio::signal::ctrl_c() => result,
        _ = terminate.recv() => Ok(()),
    }
}

/// Waits for a signal that asks this process to end.
#[cfg(not(unix))]
pub(super) async fn next() -> io::Result<()> {
    tokio::signal::ctrl_c().await
}
