//! A page that Prometheus scrapes, served by a tiny HTTP server of our own.
//!
//! On loopback only, unless there is a token. On loopback the `Host` must be one of loopback, so that no
//! web page can read the metrics through the browser of somebody here.

use std::fmt::Write as _;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use proofload_core::event::RunEvent;
use proofload_core::result::RunResult;

use crate::metrics::{BUCKETS_SECONDS, Collector, Kind, Metric, Value};
use crate::output::{Interest, Output, OutputError};

/// Where it is served when nobody says where: the port that other exporters use, too.
pub const DEFAULT_ADDRESS: &str = "127.0.0.1:9464";
/// A token that is shorter can be guessed.
const SHORTEST_TOKEN: usize = 16;
/// Largest head of a request.
const MAX_HEAD_BYTES: usize = 8 << 10;
/// How long a client may take, to ask and to take the answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// Clients served at a time.
const MAX_CLIENTS: usize = 8;
/// How often the listener looks whether it is still wanted.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
pub enum ScrapeError {
    /// Not an address.
    #[error("`{0}` is no address; such as {DEFAULT_ADDRESS}")]
    Address(String),
    /// Everybody could read it.
    #[error(
        "{0} is not loopback: set PROOFLOAD_METRICS_TOKEN to a token of at least {SHORTEST_TOKEN} \
         characters, which Prometheus sends as a bearer token"
    )]
    Token(SocketAddr),
    /// It could be guessed.
    #[error("PROOFLOAD_METRICS_TOKEN must have at least {SHORTEST_TOKEN} characters")]
    ShortToken,
    /// The port is taken, or there is no such address here.
    #[error("cannot listen on {address}: {error}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why not.
        error: io::Error,
    },
}

/// Serves the metrics of a run at `/metrics` until it is dropped.
#[derive(Debug)]
pub struct Scrape {
    address: SocketAddr,
    page: Arc<Page>,
    listener: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Page {
    collector: Mutex<Collector>,
    token: Option<String>,
    is_loopback: bool,
    is_over: AtomicBool,
    clients: AtomicUsize,
}

impl Scrape {
    /// Listens on `address`, a host and a port; port 0 takes a free one. Off loopback only with a token.
    ///
    /// # Errors
    /// When it cannot, or may not.
    pub fn start(
        address: &str,
        token: Option<String>,
        collector: Collector,
    ) -> Result<Self, ScrapeError> {
        let address: SocketAddr = address
            .replace("localhost:", "127.0.0.1:")
            .parse()
            .map_err(|_| ScrapeError::Address(address.to_owned()))?;
        if token.as_ref().is_some_and(|token| token.len() < SHORTEST_TOKEN) {
            return Err(ScrapeError::ShortToken);
        }
        let is_loopback = address.ip().is_loopback();
        if !is_loopback && token.is_none() {
            return Err(ScrapeError::Token(address));
        }
        let cannot = |error| ScrapeError::Listen { address, error };
        let listener = TcpListener::bind(address).map_err(cannot)?;
        listener.set_nonblocking(true).map_err(cannot)?;
        let address = listener.local_addr().map_err(cannot)?;
        let page = Arc::new(Page {
            collector: Mutex::new(collector),
            token,
            is_loopback,
            is_over: AtomicBool::new(false),
            clients: AtomicUsize::new(0),
        });
        let served = Arc::clone(&page);
        let listener = std::thread::Builder::new()
            .name("metrics".to_owned())
            .spawn(move || listen(&listener, &served))
            .map_err(cannot)?;
        Ok(Self { address, page, listener: Some(listener) })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Scrape {
    fn drop(&mut self) {
        self.page.is_over.store(true, Ordering::Relaxed);
        if let Some(listener) = self.listener.take() {
            // The next run may want the port: it is free when the thread is gone, which it soon is.
            let _ = listener.join();
        }
    }
}

fn listen(listener: &TcpListener, page: &Arc<Page>) {
    while !page.is_over.load(Ordering::Relaxed) {
        let Ok((client, _)) = listener.accept() else {
            // Nobody is there, or there are no descriptors left for him.
            std::thread::sleep(LOOK_EVERY);
            continue;
        };
        if page.clients.fetch_add(1, Ordering::Relaxed) >= MAX_CLIENTS {
            page.clients.fetch_sub(1, Ordering::Relaxed);
            continue;
        }
        let served = Arc::clone(page);
        let spawned =
            std::thread::Builder::new().name("metrics client".to_owned()).spawn(move || {
                // A client that goes away is no trouble of ours.
                let _ = serve(client, &served);
                served.clients.fetch_sub(1, Ordering::Relaxed);
            });
        if spawned.is_err() {
            page.clients.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

fn serve(mut client: TcpStream, page: &Page) -> io::Result<()> {
    client.set_nonblocking(false)?;
    client.set_write_timeout(Some(PATIENCE))?;
    let head = read_head(&mut client)?;
    let (status, body) = page.answer(&head);
    let extra = if status.starts_with("401") { "www-authenticate: Bearer\r\n" } else { "" };
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: text/plain; version=0.0.4; charset=utf-8\r\n\
         content-length: {}\r\n{extra}x-content-type-options: nosniff\r\nconnection: close\r\n\r\n",
        body.len()
    );
    client.write_all(head.as_bytes())?;
    client.write_all(body.as_bytes())
}

/// Everything up to the empty line, within the patience and the size that are allowed.
fn read_head(client: &mut TcpStream) -> io::Result<Vec<u8>> {
    let deadline = Instant::now() + PATIENCE;
    let mut head = Vec::new();
    let mut chunk = [0; 1024];
    while !head.windows(4).any(|four| four == b"\r\n\r\n") {
        let rest = deadline.saturating_duration_since(Instant::now());
        if rest.is_zero() || head.len() > MAX_HEAD_BYTES {
            return Err(io::ErrorKind::InvalidData.into());
        }
        client.set_read_timeout(Some(rest))?;
        match client.read(&mut chunk)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            count => head.extend_from_slice(&chunk[..count]),
        }
    }
    Ok(head)
}

impl Page {
    fn answer(&self, head: &[u8]) -> (&'static str, String) {
        let mut headers = [httparse::EMPTY_HEADER; 64];
        let mut request = httparse::Request::new(&mut headers);
        if !matches!(request.parse(head), Ok(httparse::Status::Complete(_))) {
            return ("400 Bad Request", "this is no HTTP request\n".to_owned());
        }
        let (method, target) = (request.method.unwrap_or(""), request.path.unwrap_or(""));
        let header = |name: &str| {
            let found =
                request.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name));
            found.and_then(|header| std::str::from_utf8(header.value).ok())
        };
        if self.is_loopback && !header("host").is_some_and(is_loopback_host) {
            return ("403 Forbidden", "this host name is not served\n".to_owned());
        }
        if let Some(token) = &self.token {
            let given = header("authorization").and_then(|value| value.strip_prefix("Bearer "));
            if !given.is_some_and(|given| is_equal(given.trim().as_bytes(), token.as_bytes())) {
                return ("401 Unauthorized", "a bearer token is needed\n".to_owned());
            }
        }
        let path = target.split('?').next().unwrap_or(target);
        match (method, path) {
            ("GET", "/metrics") => ("200 OK", self.render()),
            ("GET", _) => ("404 Not Found", "there is only /metrics\n".to_owned()),
            _ => ("405 Method Not Allowed", "there is only GET\n".to_owned()),
        }
    }

    fn render(&self) -> String {
        let metrics = self.collector.lock().unwrap_or_else(PoisonError::into_inner).metrics();
        let mut text = String::new();
        metrics.iter().for_each(|metric| write_metric(&mut text, metric));
        text
    }
}

/// A host of loopback with or without a port.
fn is_loopback_host(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or(rest),
        None => host.split(':').next().unwrap_or(host),
    };
    name.eq_ignore_ascii_case("localhost")
        || name.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// Whether two tokens are equal, in a time that does not tell where they differ.
fn is_equal(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |differ, (a, b)| differ | (a ^ b)) == 0
}

/// A metric in Prometheus's text format.
fn write_metric(text: &mut String, metric: &Metric) {
    let kind = match metric.kind {
        Kind::Counter => "counter",
        Kind::Gauge => "gauge",
        Kind::Histogram => "histogram",
    };
    let name = metric.name;
    // Writing into a String cannot fail.
    let _ = writeln!(text, "# HELP {name} {}\n# TYPE {name} {kind}", metric.help);
    for row in &metric.rows {
        match &row.value {
            Value::Number(number) => line(text, name, "", &row.labels, None, *number),
            Value::Buckets { at_or_below, count, sum } => {
                for (bound, below) in BUCKETS_SECONDS.iter().zip(at_or_below) {
                    let le = bound.to_string();
                    line(text, name, "_bucket", &row.labels, Some(&le), *below as f64);
                }
                line(text, name, "_bucket", &row.labels, Some("+Inf"), *count as f64);
                line(text, name, "_sum", &row.labels, None, sum.as_secs_f64());
                line(text, name, "_count", &row.labels, None, *count as f64);
            }
        }
    }
}

fn line(
    text: &mut String,
    name: &str,
    suffix: &str,
    labels: &[(&'static str, String)],
    le: Option<&str>,
    value: f64,
) {
    text.push_str(name);
    text.push_str(suffix);
    let le = le.map(|le| ("le", le));
    let all = labels.iter().map(|(name, value)| (*name, value.as_str())).chain(le);
    let mut separator = '{';
    for (label, value) in all {
        text.push(separator);
        separator = ',';
        let value = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        let _ = write!(text, "{label}=\"{value}\"");
    }
    if separator == ',' {
        text.push('}');
    }
    let _ = writeln!(text, " {value}");
}

impl Output for Scrape {
    fn name(&self) -> String {
        format!("prometheus metrics at http://{}/metrics", self.address)
    }

    fn interest(&self) -> Interest {
        Interest::ALL
    }

    fn hear(&mut self, event: &RunEvent) -> Result<(), OutputError> {
        self.page.collector.lock().unwrap_or_else(PoisonError::into_inner).hear(event);
        Ok(())
    }

    fn finish(&mut self, _result: Option<&RunResult>) -> Result<(), OutputError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_of_loopback_are_known() {
        for host in ["localhost", "LOCALHOST:9464", "127.0.0.1:1", "127.1.2.3", "[::1]:9464"] {
            assert!(is_loopback_host(host), "{host}");
        }
        for host in ["", "evil.example", "localhost.evil.example", "10.0.0.1:9464", "[::2]"] {
            assert!(!is_loopback_host(host), "{host}");
        }
    }

    #[test]
    fn labels_are_escaped() {
        let mut text = String::new();
        line(&mut text, "m", "", &[("a", "x\"y\\z\n".to_owned())], Some("+Inf"), 2.0);
        line(&mut text, "m", "_sum", &[], None, 0.25);
        assert_eq!(text, "m{a=\"x\\\"y\\\\z\\n\",le=\"+Inf\"} 2\nm_sum 0.25\n");
    }
}
