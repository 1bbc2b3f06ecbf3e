//! Servers of raw bytes.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread::JoinHandle;

/// A server whose connections are handled one after the other by a script.
pub(crate) struct RawServer {
    pub(crate) addr: SocketAddr,
    thread: JoinHandle<()>,
}

impl RawServer {
    /// Accepts as many connections as there are scripts and runs one on each, in order.
    pub(crate) fn start(scripts: Vec<Box<dyn FnOnce(TcpStream) + Send>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        let thread = std::thread::spawn(move || {
            for script in scripts {
                let (stream, _) = listener.accept().unwrap();
                script(stream);
            }
        });
        Self { addr, thread }
    }

    /// One connection that answers each request with the next of these bytes, then closes.
    pub(crate) fn answering(answers: &'static [&'static [u8]]) -> Self {
        Self::start(vec![Box::new(move |mut stream| {
            for answer in answers {
                read_request(&mut stream);
                stream.write_all(answer).unwrap();
            }
        })])
    }

    pub(crate) fn url(&self, target: &str) -> String {
        format!("http://{}{target}", self.addr)
    }

    /// Waits until all scripts have run.
    pub(crate) fn join(self) {
        self.thread.join().unwrap();
    }
}

/// Reads a request without body. Returns what was read when the client closes.
pub(crate) fn read_request(stream: &mut TcpStream) -> Vec<u8> {
    let mut request = Vec::new();
    let mut byte = [0];
    while !request.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or(0) == 1 {
        request.push(byte[0]);
    }
    request
}
