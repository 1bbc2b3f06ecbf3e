//! HTTP: a client made to measure with, in which the measuring costs next to nothing.
//!
//! - `settings` and `shared`: what a run, a worker and all its users have in common;
//! - `request`, `response`, `exchange`: what goes in and what comes out;
//! - `client`: one user's connections, and the way one exchange goes;
//! - `connect`, `dns`, `tls`, `stream`: getting a connection;
//! - `h1`: HTTP/1.1, a parser without sockets and the poll function that feeds it; `h2`: HTTP/2;
//! - `deadline`: timeouts that cost nothing while they are kept;
//! - `decode`, `cookies`, `redirect`: what is needed only when it is used;
//! - `failure`, `syntax`: kinds of errors, lexical rules.
//!
//! Deliberately absent: following redirects by itself (every exchange is one entry in the server's
//! log and in the report), retries other than on a kept connection that broke, pipelining, proxies.

mod client;
mod connect;
mod cookies;
mod deadline;
mod decode;
mod dns;
mod exchange;
mod failure;
#[doc(hidden)]
pub mod fuzz;
#[doc(hidden)]
pub mod h1;
mod h2;
mod origin;
pub mod redirect;
mod request;
mod response;
mod settings;
mod shared;
mod stream;
mod syntax;
mod tls;

pub use client::Client;
pub use exchange::{BodyUse, Exchange, Failure, Protocol, Timings};
pub use origin::{Origin, OriginError};
pub use proofload_core::plan::Scheme;
pub use request::{HeaderError, Headers, HeadersMark, Request};
pub use response::Response;
pub use settings::{ClientCertificate, ClientSettings, DnsSettings, HttpVersion, TlsSettings};
pub use shared::{Prepared, Shared};
pub use tls::SetupError;
