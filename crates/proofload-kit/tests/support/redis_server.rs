//! A real Redis of a test's own, without persistence: on a free port of the loopback, in a folder of its
//! own, gone with the test.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::time::Duration;

use super::folder::Folder;
use super::process::{Process, find, tied};

/// Longer than any answer takes.
const ANSWER_LIMIT: Duration = Duration::from_secs(30);

/// A running, paused or dead `redis-server`.
#[derive(Debug)]
pub struct RedisServer {
    port: u16,
    arguments: Vec<String>,
    // Before the folder, so that it has ended when that goes.
    process: Option<Process>,
    folder: Folder,
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
        let arguments = arguments.iter().map(|&argument| argument.to_owned()).collect();
        Self { port: free_port(), arguments, process: None, folder: Folder::new("redis") }
    }

    /// The address for clients.
    pub fn address(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Its folder.
    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Starts it and waits until it answers.
    pub fn run(&mut self) {
        assert!(self.process.is_none(), "it runs");
        assert!(find("redis-server", []).is_some(), "Debian: apt-get install redis-server");
        let port = self.port.to_string();
        let mut command = tied("redis-server", None);
        command
            .args(["--port", &port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
            .args(["--loglevel", "warning", "--logfile", "redis.log"])
            .args(["--enable-debug-command", "yes"])
            .args(&self.arguments)
            .current_dir(self.folder.path());
        let process = self.process.insert(Process::start(&mut command));
        let address = (Ipv4Addr::LOCALHOST, self.port);
        process.wait_until("redis-server", || TcpStream::connect(address).is_ok());
        self.admin(&["PING"]);
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        self.process = None;
    }

    /// Stops it from doing anything; its connections stay open.
    pub fn pause(&self) {
        self.process.as_ref().expect("it runs").signal("STOP");
    }

    /// Lets it go on.
    pub fn resume(&self) {
        self.process.as_ref().expect("it runs").signal("CONT");
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
        client.get_connection_with_timeout(ANSWER_LIMIT).expect("a server")
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

/// A port that nobody has at present.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    listener.local_addr().expect("an address").port()
}
