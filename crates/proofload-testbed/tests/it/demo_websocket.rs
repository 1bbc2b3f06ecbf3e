//! The WebSocket endpoint, with frames made by hand.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use proofload_testbed::demo::Demo;

use crate::client::{Client, PATIENCE, connect, get};
use crate::demo_areas::{instant, metric, start};

const TEXT: u8 = 1;
const BINARY: u8 = 2;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;

struct Socket(Client<TcpStream>);

impl Socket {
    fn open(addr: SocketAddr, target: &str) -> Self {
        let mut client = connect(addr);
        let headers = [
            ("connection", "Upgrade"),
            ("upgrade", "websocket"),
            ("sec-websocket-version", "13"),
            ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ];
        let answer = client.request("GET", target, &headers, b"");
        assert_eq!(answer.status, 101);
        // The value for this key in RFC 6455, section 1.3.
        assert_eq!(answer.header("sec-websocket-accept"), Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
        Self(client)
    }

    /// Sends a frame of less than 126 bytes, masked with zeros.
    fn send(&mut self, opcode: u8, payload: &[u8]) {
        let mut frame =
            vec![0x80 | opcode, 0x80 | u8::try_from(payload.len()).unwrap(), 0, 0, 0, 0];
        frame.extend_from_slice(payload);
        self.0.stream.write_all(&frame).unwrap();
    }

    fn receive(&mut self) -> (u8, Vec<u8>) {
        let mut head = [0; 2];
        self.0.stream.read_exact(&mut head).unwrap();
        let mut payload = vec![0; usize::from(head[1])];
        self.0.stream.read_exact(&mut payload).unwrap();
        (head[0] & 0x0f, payload)
    }
}

fn connections(demo: &Demo, expected: f64) {
    let deadline = std::time::Instant::now() + PATIENCE;
    while metric(demo.addr(), "websocket_connections") != expected {
        assert!(std::time::Instant::now() < deadline, "never {expected} connections");
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
}

#[test]
fn messages_come_back() {
    let demo = start(instant());
    let mut socket = Socket::open(demo.addr(), "/ws");
    for (opcode, payload) in [(TEXT, b"hello".as_slice()), (BINARY, &[0, 255]), (TEXT, b"")] {
        socket.send(opcode, payload);
        assert_eq!(socket.receive(), (opcode, payload.to_vec()));
    }
    socket.send(PING, b"x");
    assert_eq!(socket.receive(), (PONG, b"x".to_vec()));
    connections(&demo, 1.0);
    socket.send(CLOSE, &1000_u16.to_be_bytes());
    assert_eq!(socket.receive().0, CLOSE);
    connections(&demo, 0.0);
    assert_eq!(get(demo.addr(), "/ws").status, 400, "not without an upgrade");
}

#[test]
fn a_room_hears_everyone_in_it_and_nobody_else() {
    let demo = start(instant());
    let mut red =
        [Socket::open(demo.addr(), "/ws?room=red"), Socket::open(demo.addr(), "/ws?room=red")];
    let mut blue = Socket::open(demo.addr(), "/ws?room=blue");
    connections(&demo, 3.0);
    for (sender, text) in [(0, b"one"), (1, b"two"), (0, b"six")] {
        red[sender].send(TEXT, text);
        for socket in &mut red {
            assert_eq!(socket.receive(), (TEXT, text.to_vec()));
        }
    }
    blue.send(TEXT, b"to blue");
    assert_eq!(blue.receive().1, b"to blue");
}
