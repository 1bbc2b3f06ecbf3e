//! The outputs besides the journal, one a file.

mod ndjson;
mod otlp;
mod prometheus;
mod remote_write;
mod webhook;

pub use ndjson::NdJson;
pub use otlp::Otlp;
pub use prometheus::{DEFAULT_ADDRESS, Scrape, ScrapeError};
pub use remote_write::RemoteWrite;
pub use webhook::Webhook;
