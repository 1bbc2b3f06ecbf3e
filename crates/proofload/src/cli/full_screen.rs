//! `--tui`: the run on the whole terminal, with keys that control it.
//!
//! The view has a thread of its own, which reads keys and draws; the thread that follows the run only
//! tells it what happens. When the view is closed, or the run is over, the terminal is as it was.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use proofload_core::event::RunEvent;
use proofload_core::plan::Plan;
use proofload_core::result::RunInfo;
use proofload_engine::Stop;
use proofload_engine::run::Controls;
use proofload_tui::{Ask, Screen, Session, Theme};

use super::console::Console;
use super::execute::Host;
use super::failure::Failure;
use super::live::{Listener, Underway};
use super::signals::Interrupts;

/// How long a key is waited for before the clock on the screen moves on.
const TICK: Duration = Duration::from_millis(100);
/// How often everything is judged anew.
const JUDGE_EVERY: Duration = Duration::from_secs(1);

/// The view of one run.
#[derive(Debug)]
pub(super) struct FullScreen {
    shared: Arc<Shared>,
    interrupts: Interrupts,
    thread: Option<JoinHandle<()>>,
}

/// What the view and the thread that follows the run share.
#[derive(Debug)]
struct Shared {
    screen: Mutex<Screen>,
    started: Instant,
    /// The run is over.
    is_over: AtomicBool,
    /// The view is on the terminal.
    is_open: AtomicBool,
}

impl FullScreen {
    /// Takes the terminal over when the run begins.
    pub(super) fn new(plan: &Arc<Plan>, info: &RunInfo, host: Host<'_>) -> Self {
        let style = host.console.error_style();
        let theme = Theme::new(style.color).with_unicode(style.unicode);
        let redactor = host.console.redactor().clone();
        let screen = Screen::new(Arc::clone(plan), info.clone(), theme, redactor);
        let shared = Shared {
            screen: Mutex::new(screen),
            started: Instant::now(),
            is_over: AtomicBool::new(false),
            is_open: AtomicBool::new(true),
        };
        let interrupts = host.interrupts.clone();
        Self { shared: Arc::new(shared), interrupts, thread: None }
    }

    /// Whether the view is on the terminal, so that nobody else may write there.
    pub(super) fn is_open(&self) -> impl Fn() -> bool + use<> {
        let shared = Arc::clone(&self.shared);
        move || shared.is_open.load(Ordering::Acquire)
    }

    fn close(&mut self) {
        self.shared.is_over.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            // A panic of the view is told by its hook; the run does not suffer from it.
            let _ = thread.join();
        }
    }
}

/// Whether there is a terminal to take over, before anything is begun.
///
/// # Errors
/// If there is none.
pub(super) fn check(console: &Console) -> Result<(), Failure> {
    if console.is_live() {
        return Ok(());
    }
    Err(Failure::usage("--tui needs a terminal on standard error; leave it out in a pipe or a job"))
}

impl Listener for FullScreen {
    fn begin(&mut self, run: &Underway<'_>) {
        let shared = Arc::clone(&self.shared);
        let (controls, interrupts) = (run.controls.clone(), self.interrupts.clone());
        let view = move || {
            let shown = show(&shared, &controls, &interrupts);
            shared.is_open.store(false, Ordering::Release);
            if let Err(error) = shown {
                Console::new().notice(&format!("the full-screen view was closed: {error}"));
            }
        };
        let thread = thread::Builder::new().name("view".to_owned()).spawn(view);
        if thread.is_err() {
            self.shared.is_open.store(false, Ordering::Release);
        }
        self.thread = thread.ok();
    }

    fn hear(&mut self, event: &RunEvent) {
        let now = self.shared.started.elapsed();
        self.shared.screen().hear(event, now);
    }

    fn end(&mut self) {
        self.close();
    }
}

impl Drop for FullScreen {
    fn drop(&mut self) {
        self.close();
    }
}

impl Shared {
    fn screen(&self) -> MutexGuard<'_, Screen> {
        self.screen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Draws and reads keys until the run is over or the view is closed.
fn show(shared: &Shared, controls: &Controls, interrupts: &Interrupts) -> io::Result<()> {
    let mut session = Session::open()?;
    let mut judged = None;
    while !shared.is_over.load(Ordering::Acquire) {
        let now = shared.started.elapsed();
        let mut screen = shared.screen();
        if judged.is_none_or(|at| now.saturating_sub(at) >= JUDGE_EVERY) {
            screen.judge(now);
            judged = Some(now);
        }
        if interrupts.came() {
            screen.stops();
        }
        session.draw(&screen, now)?;
        drop(screen);
        let Some(key) = session.next_key(TICK)? else { continue };
        match shared.screen().on_key(key) {
            None => {}
            Some(Ask::Pause) => controls.pause(),
            Some(Ask::Resume) => controls.resume(),
            // The view only asks for what can be had.
            Some(Ask::Scale(factor)) => drop(controls.scale(factor)),
            Some(Ask::NextPhase) => controls.end_phase(),
            Some(Ask::Stop) => controls.stop(Stop::Gracefully),
            Some(Ask::Interrupt) => interrupts.raise(),
            Some(Ask::Leave) => return Ok(()),
            Some(Ask::Redraw) => session.clear()?,
        }
    }
    Ok(())
}
