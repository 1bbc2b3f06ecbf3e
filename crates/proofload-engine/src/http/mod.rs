//! HTTP: a client made to measure with, in which the measuring costs next to nothing.

mod client;
mod connect;
mod cookies;
mod deadline;
mod decode;
mod dns;
mod exchange;
mod failure;
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
pub use origin::{Origin, OriginError, Scheme};
pub use request::{HeaderError, Headers, HeadersMark, Request};
pub use response::Response;
pub use settings::{ClientCertificate, ClientSettings, DnsSettings, HttpVersion, TlsSettings};
pub use shared::{Prepared, Shared};
pub use tls::SetupError;
