//! An HTTP server that keeps what it is sent, and behaves badly when told to.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// How it answers.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Manner {
    /// With this status.
    Status(u16),
    /// Never.
    Silent,
}

/// What it was sent.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

/// The server; its threads end with the process.
#[derive(Clone, Debug)]
pub(crate) struct Receiver {
    address: SocketAddr,
    state: Arc<Mutex<(Manner, Vec<Received>, usize)>>,
}

impl Receiver {
    pub(crate) fn start(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let receiver = Self { address, state: Arc::new(Mutex::new((manner, Vec::new(), 0))) };
        let served = receiver.clone();
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let served = served.clone();
                std::thread::spawn(move || served.serve(client));
            }
        });
        receiver
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// From now on it answers like this.
    pub(crate) fn behave(&self, manner: Manner) {
        self.state.lock().expect("its state").0 = manner;
    }

    /// What it has taken.
    pub(crate) fn received(&self) -> Vec<Received> {
        self.state.lock().expect("its state").1.clone()
    }

    /// How often somebody has asked.
    pub(crate) fn attempts(&self) -> usize {
        self.state.lock().expect("its state").2
    }

    fn serve(&self, mut client: TcpStream) {
        while let Some(received) = read(&mut client) {
            let manner = {
                let mut state = self.state.lock().expect("its state");
                state.2 += 1;
                if matches!(state.0, Manner::Status(200..300)) {
                    state.1.push(received);
                }
                state.0
            };
            match manner {
                Manner::Status(status) => {
                    let answer = format!("HTTP/1.1 {status} X\r\ncontent-length: 5\r\n\r\nsays\n");
                    if client.write_all(answer.as_bytes()).is_err() {
                        return;
                    }
                }
                Manner::Silent => std::thread::sleep(Duration::from_secs(600)),
            }
        }
    }
}

fn read(client: &mut TcpStream) -> Option<Received> {
    let mut bytes = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            let length: usize = length.map_or(0, |length| length.parse().expect("a length"));
            if bytes.len() >= end + 4 + length {
                return Some(Received { head, body: bytes[end + 4..end + 4 + length].to_vec() });
            }
        }
        match client.read(&mut chunk) {
            Ok(0) | Err(_) => return None,
            Ok(count) => bytes.extend_from_slice(&chunk[..count]),
        }
    }
}

/// Nothing here takes nearly as long on an idle machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

#[track_caller]
pub(crate) fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline, "{what}: still not after {PATIENCE:?}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
