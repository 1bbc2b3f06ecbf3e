//! The process of a browser, and its DevTools protocol over a pipe.

use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// A machine that is busy compiling takes its time; this is only against waiting for ever.
pub(super) const PATIENCE: Duration = Duration::from_secs(120);

/// A running browser. It ends with the value, and so does the folder of its profile.
#[derive(Debug)]
pub(super) struct Pipe {
    child: Child,
    input: ChildStdin,
    messages: Receiver<Value>,
    next_id: u64,
    /// Where its profile lies.
    pub(super) folder: PathBuf,
}

impl Pipe {
    pub(super) fn start() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("proofload-browser-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).expect("a folder for the profile");
        let mut child = Command::new("sh")
            // The protocol is spoken on descriptors 3 and 4; a shell can put a child's input and output there.
            .args(["-c", "exec \"$0\" \"$@\" 3<&0 4>&1 0</dev/null 1>/dev/null", "chromium"])
            .args([
                "--headless",
                "--remote-debugging-pipe",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-extensions",
                "--disable-sync",
            ])
            .arg(format!("--user-data-dir={}", folder.display()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("a shell");
        let input = child.stdin.take().expect("it was asked for");
        let output = child.stdout.take().expect("it was asked for");
        let (sender, messages) = channel();
        std::thread::spawn(move || read_messages(output, &sender));
        Self { child, input, messages, next_id: 0, folder }
    }

    /// The next message.
    pub(super) fn receive(&mut self, until: Instant) -> Value {
        let left = until.saturating_duration_since(Instant::now());
        self.messages
            .recv_timeout(left)
            .expect("chromium does not answer; is it installed? scripts/test installs it")
    }

    /// Calls a method in a session, or in the browser itself, and gives its result. What arrives before that goes to
    /// `events`.
    pub(super) fn call(
        &mut self,
        session: Option<&str>,
        method: &str,
        parameters: Value,
        events: &mut Vec<Value>,
    ) -> Value {
        self.next_id += 1;
        let id = self.next_id;
        let mut message = json!({"id": id, "method": method});
        message["params"] = parameters;
        if let Some(session) = session {
            message["sessionId"] = json!(session);
        }
        self.write(&message)
            .expect("chromium has ended; is it installed? scripts/test installs it");
        let until = Instant::now() + PATIENCE;
        loop {
            let mut answer = self.receive(until);
            if answer["id"] == json!(id) {
                assert!(answer["error"].is_null(), "{method}: {}", answer["error"]);
                return answer["result"].take();
            }
            events.push(answer);
        }
    }

    fn write(&mut self, message: &Value) -> std::io::Result<()> {
        let mut bytes = message.to_string().into_bytes();
        bytes.push(0);
        self.input.write_all(&bytes)
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        // Asked to close it takes its children with it; killed it would leave them for a moment.
        let _ = self.write(&json!({"id": self.next_id + 1, "method": "Browser.close"}));
        let until = Instant::now() + Duration::from_secs(10);
        while Instant::now() < until && !matches!(self.child.try_wait(), Ok(Some(_))) {
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Messages end with a zero byte.
fn read_messages(mut output: ChildStdout, to: &Sender<Value>) {
    let (mut buffer, mut piece) = (Vec::new(), vec![0; 65_536]);
    while let Ok(count @ 1..) = output.read(&mut piece) {
        buffer.extend_from_slice(&piece[..count]);
        while let Some(end) = buffer.iter().position(|&byte| byte == 0) {
            let message: Vec<u8> = buffer.drain(..=end).collect();
            let message = serde_json::from_slice(&message[..end]).expect("JSON");
            if to.send(message).is_err() {
                return;
            }
        }
    }
}
