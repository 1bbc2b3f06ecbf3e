//! The full-screen live view of a run.
//!
//! A [`Screen`] is what is known of the run and where the user looks: events, the time and keys go in;
//! a picture ([`Screen::draw`]) and wishes ([`Ask`]) come out. It reads no clock and controls nothing
//! by itself, so what it draws can be tested without a terminal. A [`Session`] is the terminal: it takes
//! it over, and gives it back however the program ends.

mod ask;
mod draw;
mod history;
mod log;
mod screen;
mod session;
#[cfg(test)]
mod tests;
mod theme;

pub use ask::Ask;
pub use screen::Screen;
pub use session::{Session, is_open, restore};
pub use theme::Theme;
