//! A process with one cache that does what its parent writes to it, a command a line.
//!
//! It is this test binary again, with [`child`] as its only test. Commands run side by side; each answers
//! with one line that begins with its number.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child as Process, ChildStdin, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use proofload_kit::{Cache, Loaded, Redis, Ttl};

use super::PATIENCE;
use crate::servers::process::{send_signal, tied};
use crate::servers::redis_server::RedisServer;

const ADDRESS: &str = "PROOFLOAD_KIT_TEST_REDIS";
const LEASE_MS: &str = "PROOFLOAD_KIT_TEST_LEASE_MS";
/// What answers begin with; the test harness prints lines of its own.
const MARK: &str = "@answer ";

/// A process, as its parent has it. Killed when it is dropped.
pub(super) struct Child {
    process: Process,
    commands: ChildStdin,
    lines: Receiver<String>,
    answers: HashMap<u64, String>,
    next: u64,
}

impl Child {
    /// Starts one with a long lease.
    pub(super) fn start(server: &RedisServer) -> Self {
        Self::start_with_lease(server, PATIENCE)
    }

    pub(super) fn start_with_lease(server: &RedisServer, lease: Duration) -> Self {
        let binary = std::env::current_exe().expect("this binary");
        let mut process = tied(binary.to_str().expect("text"), None)
            .args(["--exact", "redis::child::child", "--ignored", "--nocapture"])
            .env(ADDRESS, server.address())
            .env(LEASE_MS, lease.as_millis().to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a process");
        let commands = process.stdin.take().expect("piped");
        let output = BufReader::new(process.stdout.take().expect("piped"));
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                // The harness may have begun the line.
                if let Some((_, answer)) = line.split_once(MARK)
                    && sender.send(answer.to_owned()).is_err()
                {
                    return;
                }
            }
        });
        let mut child = Self { process, commands, lines, answers: HashMap::new(), next: 0 };
        assert_eq!(child.ask("hello"), "hello");
        child
    }

    /// Gives a command; the number is for [`answer`](Self::answer).
    pub(super) fn tell(&mut self, command: &str) -> u64 {
        self.next += 1;
        writeln!(self.commands, "{} {command}", self.next).expect("it listens");
        self.next
    }

    /// Waits for the answer to a command.
    pub(super) fn answer(&mut self, number: u64) -> String {
        loop {
            if let Some(answer) = self.answers.remove(&number) {
                return answer;
            }
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) => {
                    let (number, answer) = line.split_once(' ').expect("a number first");
                    self.answers.insert(number.parse().expect("a number"), answer.to_owned());
                }
                Err(RecvTimeoutError::Timeout) => panic!("no answer to command {number}"),
                Err(RecvTimeoutError::Disconnected) => panic!("the process has ended"),
            }
        }
    }

    /// Gives a command and waits for its answer.
    pub(super) fn ask(&mut self, command: &str) -> String {
        let number = self.tell(command);
        self.answer(number)
    }

    /// Stops it from doing anything.
    pub(super) fn pause(&self) {
        send_signal("STOP", self.process.id());
    }

    /// Lets it go on.
    pub(super) fn resume(&self) {
        send_signal("CONT", self.process.id());
    }

    /// `kill -9`.
    pub(super) fn kill(&mut self) {
        self.process.kill().expect("it runs");
        self.process.wait().expect("it ends");
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The Redis that this process was given, if it is a child.
pub(super) fn address() -> Option<String> {
    std::env::var(ADDRESS).ok()
}

#[test]
#[ignore = "a process of other tests"]
fn child() {
    let Some(address) = address() else { return };
    let lease = std::env::var(LEASE_MS).ok().and_then(|ms| ms.parse().ok()).expect("ms");
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let redis = Redis::builder(address.clone())
            .namespace("test")
            .timeout(PATIENCE)
            .lease(Duration::from_millis(lease))
            .build()
            .expect("settings that work");
        let cache = Cache::<String>::builder("users", Ttl::hours(1))
            .redis(&redis, Ttl::hours(2))
            .build()
            .expect("settings that work");
        let (sender, mut lines) = tokio::sync::mpsc::unbounded_channel();
        std::thread::spawn(move || {
            for line in std::io::stdin().lock().lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        // Ends with the parent.
        while let Some(line) = lines.recv().await {
            let worker =
                Worker { cache: cache.clone(), redis: redis.clone(), address: address.clone() };
            tokio::spawn(async move {
                let (number, command) = line.split_once(' ').expect("a number first");
                let answer = worker.obey(command).await;
                let mut out = std::io::stdout().lock();
                writeln!(out, "\n{MARK}{number} {answer}").expect("a parent");
                out.flush().expect("a parent");
            });
        }
    });
}

struct Worker {
    cache: Cache<String>,
    redis: Redis,
    address: String,
}

impl Worker {
    async fn obey(&self, command: &str) -> String {
        let words: Vec<_> = command.split(' ').collect();
        match words[..] {
            ["hello"] => "hello".to_owned(),
            // As many callers as wanted load a key at once; the distinct values they get.
            ["load", key, callers] => {
                let callers = callers.parse().expect("a number");
                self.load(key, callers, &[]).await
            }
            ["load", key, callers, tag] => {
                let callers = callers.parse().expect("a number");
                self.load(key, callers, &[tag]).await
            }
            ["put", key, value] => {
                self.cache.put(key, value.to_owned()).await;
                "put".to_owned()
            }
            ["memory", key] => self.cache.get(key).unwrap_or_else(|| "-".to_owned()),
            ["invalidate", "key", key] => self.cache.invalidate(key).await.to_string(),
            ["invalidate", "prefix", prefix] => {
                self.cache.invalidate_prefix(prefix).await.to_string()
            }
            ["invalidate", "glob", glob] => self.cache.invalidate_glob(glob).await.to_string(),
            ["invalidate", "tag", tag] => {
                self.cache.invalidate_tag(tag).await;
                "invalidated".to_owned()
            }
            ["invalidate", "all"] => self.cache.clear().await.to_string(),
            // A Redis of its own, which it does not stop.
            ["server"] => {
                let (sender, receiver) = tokio::sync::oneshot::channel();
                // The server ends with this thread, too.
                std::thread::spawn(move || {
                    let server = RedisServer::start();
                    let place = format!("{} {}", server.port(), server.folder().display());
                    sender.send(place).expect("it waits");
                    loop {
                        std::thread::park();
                    }
                });
                receiver.await.expect("a server")
            }
            ["subscriptions"] => self.redis.stats().subscriptions.to_string(),
            ["heard"] => self.redis.stats().heard.to_string(),
            #[cfg(all(feature = "macros", feature = "tower"))]
            _ => match super::parts::obey(&words).await {
                Some(answer) => answer,
                None => panic!("unknown command {command:?}"),
            },
            #[cfg(not(all(feature = "macros", feature = "tower")))]
            _ => panic!("unknown command {command:?}"),
        }
    }

    async fn load(&self, key: &str, callers: u32, tags: &[&str]) -> String {
        let mut waiting = Vec::new();
        for _ in 0..callers {
            let (cache, key, address) = (self.cache.clone(), key.to_owned(), self.address.clone());
            let tags: Vec<String> = tags.iter().map(|&tag| tag.to_owned()).collect();
            waiting.push(tokio::spawn(async move {
                cache.get_or_load(&key, || source(address, key.clone(), tags)).await
            }));
        }
        let mut values = Vec::new();
        for caller in waiting {
            values.push(caller.await.expect("no panic").expect("no error"));
        }
        values.sort();
        values.dedup();
        values.join(",")
    }
}

/// A connection of the source. It waits for ever: the process may be frozen meanwhile.
pub(super) async fn connect(address: String) -> redis::aio::MultiplexedConnection {
    let client = redis::Client::open(address).expect("an address");
    let config =
        redis::AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None);
    let connected = client.get_multiplexed_async_connection_with_config(&config).await;
    connected.expect("a connection of the source")
}

/// The source of values: counts its calls in `loads:{key}`, and answers with that number as soon as there is a
/// `gate:{key}` (or `gate:all`).
async fn source(
    address: String,
    key: String,
    tags: Vec<String>,
) -> Result<Loaded<String>, std::convert::Infallible> {
    let mut connection = connect(address).await;
    let count: u64 = redis::cmd("INCR")
        .arg(format!("loads:{key}"))
        .query_async(&mut connection)
        .await
        .expect("a number");
    loop {
        let open: u64 = redis::cmd("EXISTS")
            .arg(format!("gate:{key}"))
            .arg("gate:all")
            .query_async(&mut connection)
            .await
            .expect("a number");
        if open > 0 {
            return Ok(Loaded::new(count.to_string()).tags(tags));
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// How often the source was asked for a key.
pub(super) fn loads(server: &RedisServer, key: &str) -> u64 {
    let count: Option<u64> =
        redis::from_redis_value(server.admin(&["GET", &format!("loads:{key}")])).expect("a number");
    count.unwrap_or(0)
}

/// Lets the source answer for a key, or for `all`.
pub(super) fn open_gate(server: &RedisServer, key: &str) {
    server.admin(&["SET", &format!("gate:{key}"), "open"]);
}

/// Makes the source wait again.
pub(super) fn close_gate(server: &RedisServer, key: &str) {
    server.admin(&["DEL", &format!("gate:{key}")]);
}
