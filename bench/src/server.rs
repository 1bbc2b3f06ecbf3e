//! nginx as the server under load: its configuration, its life and its counters.
//!
//! It answers from memory (`return`), so that it costs as little as a server can: what is measured is the other side.
//! `stub_status`, on a port of its own, counts the requests it has seen, which is what the peers' counts are held against.

use std::fs::File;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::child::Group;
use crate::error::BenchError;
use crate::procfs;

/// The body at `/`: 150 bytes of text.
const TEXT_BODY: &str = "The quick brown fox jumps over the lazy dog while one hundred and fifty bytes of plain text \
     travel from the server to every client that asks for them.";
/// The body at `/json`: 150 bytes of JSON with something to extract (`$.token`) and to check (`$.status`).
const JSON_BODY: &str = r#"{"status":"ok","token":"5f2b9c04e1d7a836","user":{"id":42,"name":"Ada"},"items":[1,2,3,5,8,13],"message":"one hundred and fifty bytes of json ......"}"#;
const _: () = assert!(TEXT_BODY.len() == 150 && JSON_BODY.len() == 150);

/// How long nginx may take to answer its first request.
const START_LIMIT: Duration = Duration::from_secs(5);
/// How long the connections of a peer that has ended may linger.
const SETTLE_LIMIT: Duration = Duration::from_secs(5);
/// How long one look at the counters may take: nginx shares its core with others.
const STATUS_LIMIT: Duration = Duration::from_secs(5);

/// What nginx has counted since its start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counters {
    /// Connections open now, the one that asks included.
    pub(crate) active: u64,
    /// Requests begun, the one that asks included.
    pub(crate) requests: u64,
}

/// What the nginx that was found can do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Build {
    /// Such as `nginx/1.22.1`.
    pub(crate) version: String,
    /// Whether it can count requests.
    has_status: bool,
    /// The modules that keep temporary files and would look for their directories at the start.
    temp_modules: Vec<&'static str>,
}

/// A running nginx, ended on drop.
#[derive(Debug)]
pub(crate) struct Nginx {
    group: Group,
    address: SocketAddr,
    status: Option<SocketAddr>,
    worker: Option<u32>,
    /// Requests that were our own looks at the counters.
    looks: u64,
    /// What it is.
    pub(crate) build: Build,
}

impl Nginx {
    /// Starts nginx on `core` with its files in `dir`.
    pub(crate) fn start(program: &Path, dir: &Path, core: usize) -> Result<Self, BenchError> {
        let build = inspect(program).map_err(|error| BenchError::ServerStart(error.to_string()))?;
        let mut last = String::new();
        // The ports are found by binding and letting go, so someone else can take one in between.
        for _ in 0..3 {
            match Self::try_start(program, dir, core, &build) {
                Ok(nginx) => return Ok(nginx),
                Err(why) => last = why,
            }
        }
        Err(BenchError::ServerStart(last))
    }

    fn try_start(program: &Path, dir: &Path, core: usize, build: &Build) -> Result<Self, String> {
        let text = |error: io::Error| error.to_string();
        let (address, status) = two_free_addresses().map_err(text)?;
        let status = build.has_status.then_some(status);
        let config = dir.join("nginx.conf");
        let log = dir.join("nginx.log");
        std::fs::write(&config, configuration(dir, address, status, build)).map_err(text)?;
        let log_file = File::create(&log).map_err(text)?;
        let mut command = Command::new(program);
        command.arg("-p").arg(dir).arg("-c").arg(&config);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log_file);
        let group = Group::spawn(&mut command, core).map_err(text)?;
        let mut nginx =
            Self { group, address, status, worker: None, looks: 0, build: build.clone() };
        let started = Instant::now();
        while get(address, "/json").is_err() {
            if nginx.group.has_ended().map_err(text)? || started.elapsed() > START_LIMIT {
                return Err(std::fs::read_to_string(&log).unwrap_or_default().trim().to_owned());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        nginx.worker = procfs::children(nginx.group.id()).first().copied();
        Ok(nginx)
    }

    /// Scheme, host and port, without a path.
    pub(crate) fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The CPU time of the worker so far.
    pub(crate) fn cpu(&self) -> Option<Duration> {
        procfs::main_thread_cpu(self.worker?)
    }

    /// Waits until the connections of the last peer are gone and returns the counters; nothing when it cannot count.
    pub(crate) fn settle(&mut self) -> Result<Option<Counters>, BenchError> {
        let Some(status) = self.status else { return Ok(None) };
        let started = Instant::now();
        loop {
            let text = get(status, "/").map_err(BenchError::ServerLost)?;
            let counters = parse_status(&text).ok_or_else(|| {
                BenchError::ServerLost(io::Error::other("its counters are not in the known format"))
            })?;
            self.looks += 1;
            if counters.active <= 1 || started.elapsed() > SETTLE_LIMIT {
                // Our own looks are not the peers' requests.
                return Ok(Some(Counters {
                    requests: counters.requests.saturating_sub(self.looks),
                    ..counters
                }));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // A fast shutdown lets the master end its worker; what is left is killed with the group.
        let _ = self.group.terminate();
        let started = Instant::now();
        while started.elapsed() < Duration::from_secs(2) && !self.group.has_ended().unwrap_or(true)
        {
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

/// Two loopback ports that were free a moment ago.
fn two_free_addresses() -> io::Result<(SocketAddr, SocketAddr)> {
    let first = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let second = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok((first.local_addr()?, second.local_addr()?))
}

/// Asks nginx what it was built with.
fn inspect(program: &Path) -> io::Result<Build> {
    let output = Command::new(program).arg("-V").stdin(Stdio::null()).output()?;
    Ok(parse_build(&String::from_utf8_lossy(&output.stderr)))
}

fn parse_build(text: &str) -> Build {
    let version = text
        .lines()
        .find_map(|line| line.strip_prefix("nginx version: "))
        .unwrap_or("nginx")
        .trim()
        .to_owned();
    let temp_modules = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .into_iter()
        .filter(|module| !text.contains(&format!("--without-http_{module}_module")))
        .collect();
    Build { version, has_status: text.contains("--with-http_stub_status_module"), temp_modules }
}

/// The whole configuration. Every path is inside `dir`, so no right beyond the user's own is needed.
fn configuration(
    dir: &Path,
    address: SocketAddr,
    status: Option<SocketAddr>,
    build: &Build,
) -> String {
    let dir = dir.display();
    let temp_paths: String = build
        .temp_modules
        .iter()
        .map(|module| format!("    {module}_temp_path \"{dir}/{module}\";\n"))
        .collect();
    let status_server = status.map_or_else(String::new, |status| {
        format!("    server {{\n        listen {status};\n        location / {{ stub_status; }}\n    }}\n")
    });
    // As root, nginx would hand its worker to an account that may not enter `dir`.
    let user = if rustix::process::geteuid().is_root() { "user root;\n" } else { "" };
    format!(
        "{user}daemon off;
worker_processes 1;
pid \"{dir}/nginx.pid\";
error_log \"{dir}/nginx.log\" error;
events {{
    worker_connections 4096;
}}
http {{
    access_log off;
    keepalive_requests 1000000000;
    keepalive_timeout 600s;
    default_type text/plain;
{temp_paths}    server {{
        listen {address} backlog=4096;
        location = / {{ return 200 '{TEXT_BODY}'; }}
        location = /json {{ default_type application/json; return 200 '{JSON_BODY}'; }}
    }}
{status_server}}}
"
    )
}

/// One small GET on a connection of its own; the whole answer as text.
fn get(address: SocketAddr, path: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, STATUS_LIMIT)?;
    stream.set_read_timeout(Some(STATUS_LIMIT))?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.take(64 * 1024).read_to_string(&mut answer)?;
    if answer.starts_with("HTTP/1.1 200") {
        Ok(answer)
    } else {
        Err(io::Error::other("the answer is not a 200"))
    }
}

/// Reads `stub_status`: the line of three totals ends with the requests.
fn parse_status(text: &str) -> Option<Counters> {
    let active = text
        .lines()
        .find_map(|line| line.strip_prefix("Active connections: "))?
        .trim()
        .parse()
        .ok()?;
    let totals = text.lines().skip_while(|line| !line.starts_with("server accepts")).nth(1)?;
    let requests = totals.split_whitespace().nth(2)?.parse().ok()?;
    Some(Counters { active, requests })
}

/// Where nginx is, if it is installed: system directories are not always on a user's PATH.
pub(crate) fn find(search: impl Fn(&str) -> Option<PathBuf>) -> Option<PathBuf> {
    search("nginx").or_else(|| {
        ["/usr/sbin/nginx", "/usr/local/sbin/nginx"]
            .into_iter()
            .map(PathBuf::from)
            .find(|path| path.is_file())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_read_from_the_answer() {
        let text = "HTTP/1.1 200 OK\r\nServer: nginx\r\n\r\nActive connections: 51 \nserver accepts handled requests\n \
             153 152 411119 \nReading: 0 Writing: 1 Waiting: 50 \n";
        assert_eq!(parse_status(text), Some(Counters { active: 51, requests: 411_119 }));
        assert_eq!(parse_status("HTTP/1.1 200 OK\r\n\r\nhello"), None);
    }

    #[test]
    fn builds() {
        let full = parse_build(
            "nginx version: nginx/1.22.1\nconfigure arguments: --with-http_stub_status_module\n",
        );
        assert_eq!(
            (full.version.as_str(), full.has_status, full.temp_modules.len()),
            ("nginx/1.22.1", true, 5)
        );
        let small = parse_build(
            "nginx version: nginx/1.9\nconfigure arguments: --without-http_scgi_module\n",
        );
        assert!(!small.has_status);
        assert_eq!(small.temp_modules, ["client_body", "proxy", "fastcgi", "uwsgi"]);
    }

    #[test]
    fn the_configuration_names_only_what_the_build_knows() {
        let address: SocketAddr = "127.0.0.1:4000".parse().expect("address");
        let small =
            Build { version: String::new(), has_status: false, temp_modules: vec!["proxy"] };
        let text = configuration(Path::new("/scratch"), address, None, &small);
        assert!(
            text.contains("listen 127.0.0.1:4000 ")
                && text.contains("proxy_temp_path \"/scratch/proxy\"")
        );
        assert!(!text.contains("stub_status") && !text.contains("scgi"));
        assert!(
            configuration(Path::new("/scratch"), address, Some(address), &small)
                .contains("stub_status")
        );
    }

    #[test]
    fn the_json_body_is_json() {
        let value: serde_json::Value = serde_json::from_str(JSON_BODY).expect("valid");
        assert_eq!((value["status"].as_str(), value["token"].is_string()), (Some("ok"), true));
    }
}
