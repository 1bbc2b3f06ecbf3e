//! HTTP/1.1: the answer parser, which knows no sockets, and the connection that feeds it.

mod chunked;
pub(crate) mod connection;
pub(crate) mod encode;
pub mod fuzz;
pub(crate) mod head;
pub(crate) mod reader;
#[cfg(test)]
mod tests;
