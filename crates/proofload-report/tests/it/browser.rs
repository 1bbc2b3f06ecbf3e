//! A real Chromium, driven over a pipe with its DevTools protocol: no port, no driver program, nothing shared with
//! other browsers of this machine. It ends with the value.

use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// A machine that is busy compiling takes its time; this is only against waiting for ever.
const PATIENCE: Duration = Duration::from_secs(120);

/// A browser with one page.
pub(crate) struct Browser {
    child: Child,
    input: ChildStdin,
    messages: Receiver<Value>,
    events: Vec<Value>,
    session: Option<String>,
    next_id: u64,
    folder: PathBuf,
}

impl Browser {
    /// Starts a browser with a profile of its own and opens an empty page.
    pub(crate) fn start() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
            .join(format!("chromium-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let mut child = Command::new("sh")
            // The protocol is spoken on descriptors 3 and 4; a shell can put a child's input and output there.
            .arg("-c")
            .arg("exec \"$0\" \"$@\" 3<&0 4>&1 0</dev/null 1>/dev/null")
            .arg("chromium")
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
            .unwrap();
        let input = child.stdin.take().unwrap();
        let mut output = child.stdout.take().unwrap();
        let (sender, messages) = channel();
        std::thread::spawn(move || {
            let (mut buffer, mut piece) = (Vec::new(), vec![0; 65_536]);
            while let Ok(count @ 1..) = output.read(&mut piece) {
                buffer.extend_from_slice(&piece[..count]);
                while let Some(end) = buffer.iter().position(|&byte| byte == 0) {
                    let message: Vec<u8> = buffer.drain(..=end).collect();
                    let message = serde_json::from_slice(&message[..end]).unwrap();
                    if sender.send(message).is_err() {
                        return;
                    }
                }
            }
        });
        let mut browser =
            Self { child, input, messages, events: Vec::new(), session: None, next_id: 0, folder };
        browser.open_page();
        browser
    }

    fn open_page(&mut self) {
        let target = self.call("Target.createTarget", json!({"url": "about:blank"}));
        let attach = json!({"targetId": target["targetId"], "flatten": true});
        let session = self.call("Target.attachToTarget", attach);
        self.session = session["sessionId"].as_str().map(str::to_owned);
        for domain in ["Page", "Runtime", "Log", "Network", "Accessibility"] {
            self.call(&format!("{domain}.enable"), json!({}));
        }
    }

    fn receive(&mut self, until: Instant) -> Value {
        let left = until.saturating_duration_since(Instant::now());
        self.messages
            .recv_timeout(left)
            .expect("chromium does not answer; is it installed? scripts/test installs it")
    }

    /// Calls a method of the protocol and gives its result.
    pub(crate) fn call(&mut self, method: &str, parameters: Value) -> Value {
        self.next_id += 1;
        let id = self.next_id;
        let mut message = json!({"id": id, "method": method});
        message["params"] = parameters;
        if let Some(session) = &self.session {
            message["sessionId"] = json!(session);
        }
        let mut bytes = message.to_string().into_bytes();
        bytes.push(0);
        self.input
            .write_all(&bytes)
            .expect("chromium has ended; is it installed? scripts/test installs it");
        let until = Instant::now() + PATIENCE;
        loop {
            let mut answer = self.receive(until);
            if answer["id"] == json!(id) {
                assert!(answer["error"].is_null(), "{method}: {}", answer["error"]);
                return answer["result"].take();
            }
            self.events.push(answer);
        }
    }

    /// Waits for an event.
    fn wait_for(&mut self, method: &str) {
        let until = Instant::now() + PATIENCE;
        while !self.events.iter().any(|event| event["method"] == method) {
            let event = self.receive(until);
            self.events.push(event);
        }
    }

    /// Writes a page into a file and shows it in a window of this size.
    pub(crate) fn show(&mut self, html: &str, width: u32, height: u32) {
        let file = self.folder.join("page.html");
        std::fs::write(&file, html).unwrap();
        self.resize(width, height);
        self.events.clear();
        self.call("Page.navigate", json!({"url": format!("file://{}", file.display())}));
        self.wait_for("Page.loadEventFired");
    }

    /// Changes the size of the window.
    pub(crate) fn resize(&mut self, width: u32, height: u32) {
        let metrics =
            json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.call("Emulation.setDeviceMetricsOverride", metrics);
    }

    /// What an expression gives, as JSON.
    pub(crate) fn eval(&mut self, expression: &str) -> Value {
        let parameters =
            json!({"expression": expression, "returnByValue": true, "awaitPromise": true});
        let mut answer = self.call("Runtime.evaluate", parameters);
        assert!(answer["exceptionDetails"].is_null(), "{expression}: {answer:#}");
        answer["result"]["value"].take()
    }

    /// Pretends that the reader prefers light or dark, or that the page is printed.
    pub(crate) fn emulate(&mut self, scheme: &str, media: &str) {
        let features = json!([{"name": "prefers-color-scheme", "value": scheme}]);
        self.call("Emulation.setEmulatedMedia", json!({"media": media, "features": features}));
    }

    /// What went wrong since the page was shown: messages of the console, exceptions, violations of the policy,
    /// dialogs; and every request but that for the page itself.
    pub(crate) fn complaints(&mut self) -> Vec<String> {
        // What was sent before the answer to this has arrived with it.
        self.eval("0");
        let complaint = |event: &Value| {
            let parameters = &event["params"];
            match event["method"].as_str()? {
                "Network.requestWillBeSent" => {
                    let url = parameters["request"]["url"].as_str().unwrap_or_default();
                    let is_ours = url.ends_with("/page.html") || url == "data:,";
                    (!is_ours).then(|| format!("requested {url}"))
                }
                "Runtime.consoleAPICalled"
                | "Runtime.exceptionThrown"
                | "Log.entryAdded"
                | "Page.javascriptDialogOpening" => Some(parameters.to_string()),
                _ => None,
            }
        };
        self.events.iter().filter_map(complaint).collect()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Asked to close it takes its children with it; killed it would leave them for a moment.
        self.session = None;
        self.next_id += 1;
        let close = json!({"id": self.next_id, "method": "Browser.close"}).to_string() + "\0";
        let _ = self.input.write_all(close.as_bytes());
        let until = Instant::now() + Duration::from_secs(10);
        while Instant::now() < until && !matches!(self.child.try_wait(), Ok(Some(_))) {
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
