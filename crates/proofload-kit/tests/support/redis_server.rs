//! A real Redis of a test's own: on a free port of the loopback, in a folder of its own, gone with the test.
//!
//! Shared by the unit tests, the integration tests and the example.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// How long a server may take to start. Only a server that does not start at all meets it.
const START_LIMIT: Duration = Duration::from_secs(30);

/// A running, paused or dead `redis-server`.
#[derive(Debug)]
pub struct RedisServer {
    port: u16,
    folder: PathBuf,
    arguments: Vec<String>,
    child: Option<Child>,
}

impl RedisServer {
    /// Starts one.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// Starts one with further arguments.
    pub fn start_with(arguments: &[&str]) -> Self {
        let mut server = Self::absent(arguments);
        server.run();
        server
    }

    /// The place of one that does not run yet.
    pub fn absent(arguments: &[&str]) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("proofload-kit-redis-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).expect("a folder for Redis");
        let arguments = arguments.iter().map(|&argument| argument.to_owned()).collect();
        Self { port: free_port(), folder, arguments, child: None }
    }

    /// The address for clients.
    pub fn address(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Starts it and waits until it answers.
    pub fn run(&mut self) {
        assert!(self.child.is_none(), "it runs");
        let port = self.port.to_string();
        let child = Command::new("redis-server")
            .args(["--port", &port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
            .args([
                "--loglevel",
                "warning",
                "--logfile",
                "redis.log",
                "--enable-debug-command",
                "yes",
            ])
            .args(&self.arguments)
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("redis-server (Debian: apt-get install redis-server)");
        self.child = Some(child);
        let started = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_err() {
            assert!(started.elapsed() < START_LIMIT, "redis-server does not start");
            std::thread::sleep(Duration::from_millis(5));
        }
        self.admin(&["PING"]);
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Stops it from doing anything; its connections stay open.
    pub fn pause(&self) {
        self.signal("-STOP");
    }

    /// Lets it go on.
    pub fn resume(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let id = self.child.as_ref().expect("it runs").id().to_string();
        let status = Command::new("kill").args([signal, &id]).status().expect("kill");
        assert!(status.success());
    }

    /// Sends a command and waits for the answer.
    pub fn admin(&self, command: &[&str]) -> redis::Value {
        let (name, arguments) = command.split_first().expect("a command");
        redis::cmd(name)
            .arg(arguments)
            .query(&mut self.connection())
            .unwrap_or_else(|error| panic!("{command:?}: {error}"))
    }

    /// The same, for answers that are text.
    pub fn admin_text(&self, command: &[&str]) -> String {
        redis::from_redis_value(self.admin(command)).expect("text")
    }

    /// A connection outside of what is tested.
    pub fn connection(&self) -> redis::Connection {
        let client = redis::Client::open(self.address()).expect("an address");
        client.get_connection_with_timeout(START_LIMIT).expect("a server")
    }

    /// How often each command was called, by `INFO commandstats`.
    pub fn calls(&self, command: &str) -> u64 {
        let stats = self.admin_text(&["INFO", "commandstats"]);
        let prefix = format!("cmdstat_{}:calls=", command.to_lowercase());
        stats
            .lines()
            .find_map(|line| line.strip_prefix(&prefix)?.split(',').next()?.parse().ok())
            .unwrap_or(0)
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// A port that nobody has at present.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    listener.local_addr().expect("an address").port()
}
