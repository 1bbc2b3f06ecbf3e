//! The outputs besides the journal, one a file. Those that send metrics every few seconds share `push`.

mod ndjson;
mod otlp;
mod prometheus;
mod push;
mod remote_write;
mod webhook;

pub use ndjson::NdJson;
pub(crate) use otlp::Otlp;
pub use prometheus::{DEFAULT_ADDRESS, Scrape, ScrapeError};
pub(crate) use push::Push;
pub(crate) use remote_write::RemoteWrite;
pub use webhook::Webhook;
