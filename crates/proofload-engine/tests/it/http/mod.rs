//! The HTTP client against the fixture servers, which misbehave on purpose and count what they saw,
//! and against raw sockets where a test must decide on every byte.

mod errors;
mod exchanges;
mod http2;
mod kept;
mod raw;
mod support;
mod tls;
