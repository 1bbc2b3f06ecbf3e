//! Ctrl-C and SIGTERM: once to end in good order, twice to end now.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use proofload_engine::Stop;
use proofload_engine::run::Controls;

/// What signals of this process bring about while there is a run: the first ends it in good order, the
/// second at once, the third the process. Runs that come later do not begin.
#[derive(Clone, Debug, Default)]
pub(super) struct Interrupts(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    is_listening: bool,
    stop: Stop,
    run: Option<Controls>,
}

impl Interrupts {
    /// The run that signals end from now on; at once if one has come already. Before the first run
    /// signals end the process, as they do everywhere.
    ///
    /// # Errors
    /// When the system has no thread, or no signal handler, to give.
    pub(super) fn guard(&self, run: Controls, told: fn(Stop)) -> io::Result<()> {
        let mut state = self.state();
        if !state.is_listening {
            self.listen(told)?;
            state.is_listening = true;
        }
        if state.stop > Stop::No {
            run.stop(state.stop);
        }
        state.run = Some(run);
        Ok(())
    }

    /// Listens from now on, though there is no run yet: signals end nothing by themselves any more, and
    /// whoever waits asks [`Interrupts::came`].
    ///
    /// # Errors
    /// As [`Interrupts::guard`].
    pub(super) fn watch(&self, told: fn(Stop)) -> io::Result<()> {
        let mut state = self.state();
        if !state.is_listening {
            self.listen(told)?;
            state.is_listening = true;
        }
        Ok(())
    }

    fn listen(&self, told: fn(Stop)) -> io::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let mut signals = {
            let _runtime = runtime.enter();
            Signals::new()?
        };
        let heard = self.clone();
        thread::Builder::new().name("signals".to_owned()).spawn(move || {
            runtime.block_on(async {
                for stop in [Stop::Gracefully, Stop::Now] {
                    signals.next().await;
                    heard.stop(stop);
                    told(stop);
                }
                signals.next().await;
                lose_patience();
            });
        })?;
        Ok(())
    }

    /// Does what the next signal would: for a terminal that does not send them.
    pub(super) fn raise(&self) {
        let so_far = self.state().stop;
        match so_far {
            Stop::No => self.stop(Stop::Gracefully),
            Stop::Gracefully => self.stop(Stop::Now),
            Stop::Now => lose_patience(),
        }
    }

    /// Whether a signal has come.
    pub(super) fn came(&self) -> bool {
        self.state().stop > Stop::No
    }

    fn stop(&self, stop: Stop) {
        let mut state = self.state();
        state.stop = stop;
        if let Some(run) = &state.run {
            run.stop(stop);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whoever asks a third time has lost patience with us.
fn lose_patience() -> ! {
    proofload_tui::restore();
    std::process::abort();
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
