//! The page over real sockets: who is let in, what is answered, and what is shown.

mod guard;
mod page;
mod support;
