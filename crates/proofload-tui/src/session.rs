//! The terminal while the view is on it: taken over when it opens, given back however it ends.

use std::io::{self, Stderr, stderr};
use std::panic;
use std::time::Duration;

use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::cursor::{Hide, Show};
use ratatui::crossterm::event::{self, Event, KeyEvent, KeyEventKind};
use ratatui::crossterm::execute;
use ratatui::crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
    is_raw_mode_enabled,
};

use crate::screen::Screen;

/// The terminal, on standard error: standard output belongs to results.
#[derive(Debug)]
pub struct Session {
    terminal: Terminal<CrosstermBackend<Stderr>>,
}

impl Session {
    /// Takes the terminal over: another screen, every key for us. A panic of any thread gives it back
    /// before it is told about.
    ///
    /// # Errors
    /// When the terminal does not do that; it is as it was then.
    pub fn open() -> io::Result<Self> {
        let tell = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            restore();
            tell(info);
        }));
        enable_raw_mode()?;
        // Given back by the drop if anything of the following fails.
        let terminal = Terminal::new(CrosstermBackend::new(stderr()));
        let opened = terminal.and_then(|terminal| {
            execute!(stderr(), EnterAlternateScreen, Hide)?;
            Ok(terminal)
        });
        match opened {
            Ok(terminal) => Ok(Self { terminal }),
            Err(error) => {
                restore();
                Err(error)
            }
        }
    }

    /// Draws the screen as it is `now` after the start of the run.
    ///
    /// # Errors
    /// When the terminal has gone away.
    pub fn draw(&mut self, screen: &Screen, now: Duration) -> io::Result<()> {
        self.terminal.draw(|frame| screen.draw(frame, now)).map(drop)
    }

    /// Forgets what is on the terminal: the next drawing draws everything.
    ///
    /// # Errors
    /// When the terminal has gone away.
    pub fn clear(&mut self) -> io::Result<()> {
        self.terminal.clear()
    }

    /// Waits for a key; gives up after `patience`, or when there is another reason to draw again.
    ///
    /// # Errors
    /// When the terminal has gone away.
    pub fn next_key(&mut self, patience: Duration) -> io::Result<Option<KeyEvent>> {
        if !event::poll(patience)? {
            return Ok(None);
        }
        Ok(match event::read()? {
            Event::Key(key) if key.kind != KeyEventKind::Release => Some(key),
            _ => None,
        })
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        restore();
    }
}

/// Whether the terminal has been taken over: nobody else should write on it.
#[must_use]
pub fn is_open() -> bool {
    is_raw_mode_enabled().unwrap_or(false)
}

/// Gives the terminal back if it has been taken over; does nothing otherwise. For those who end the
/// process on the spot: a [`Session`] does it by itself.
pub fn restore() {
    // What cannot be given back any more has gone away.
    if is_open() {
        let _ = execute!(stderr(), LeaveAlternateScreen, Show);
        let _ = disable_raw_mode();
    }
}
