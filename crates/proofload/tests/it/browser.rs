//! A real Chromium, driven over a pipe with its `DevTools` protocol: no port, no driver program, a profile of its
//! own. It ends with the value.

use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

/// A machine that is busy compiling takes its time; this is only against waiting for ever.
const PATIENCE: Duration = Duration::from_secs(120);

/// A browser.
pub(crate) struct Browser {
    child: Child,
    input: ChildStdin,
    messages: Receiver<Value>,
    events: Vec<Value>,
    next_id: u64,
    folder: PathBuf,
}

/// A page in a browser.
#[derive(Clone, Debug)]
pub(crate) struct Page {
    target: String,
    session: String,
}

impl Browser {
    /// Starts a browser without pages.
    pub(crate) fn start() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder =
            std::env::temp_dir().join(format!("proofload-web-{}-{number}", std::process::id()));
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
        let mut output = child.stdout.take().expect("it was asked for");
        let (sender, messages) = channel();
        std::thread::spawn(move || {
            let (mut buffer, mut piece) = (Vec::new(), vec![0; 65_536]);
            while let Ok(count @ 1..) = output.read(&mut piece) {
                buffer.extend_from_slice(&piece[..count]);
                while let Some(end) = buffer.iter().position(|&byte| byte == 0) {
                    let message: Vec<u8> = buffer.drain(..=end).collect();
                    let message = serde_json::from_slice(&message[..end]).expect("JSON");
                    if sender.send(message).is_err() {
                        return;
                    }
                }
            }
        });
        Self { child, input, messages, events: Vec::new(), next_id: 0, folder }
    }

    /// Opens a page in a window of this size and waits until it is loaded. Other pages of the browser are hidden
    /// from then on.
    pub(crate) fn open(&mut self, url: &str, (width, height): (u32, u32)) -> Page {
        let target = self.send(None, "Target.createTarget", json!({"url": "about:blank"}));
        let target = target["targetId"].as_str().expect("an id").to_owned();
        let attach = json!({"targetId": target, "flatten": true});
        let session = self.send(None, "Target.attachToTarget", attach);
        let session = session["sessionId"].as_str().expect("an id").to_owned();
        let page = Page { target, session };
        for domain in ["Page", "Runtime", "Log", "Network"] {
            self.call(&page, &format!("{domain}.enable"), json!({}));
        }
        let metrics = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600});
        self.call(&page, "Emulation.setDeviceMetricsOverride", metrics);
        self.call(&page, "Page.navigate", json!({"url": url}));
        let until = Instant::now() + PATIENCE;
        while !self.events.iter().any(|event| {
            event["method"] == "Page.loadEventFired" && event["sessionId"] == page.session.as_str()
        }) {
            let event = self.receive(until);
            self.events.push(event);
        }
        page
    }

    /// Closes a page.
    pub(crate) fn close(&mut self, page: &Page) {
        self.send(None, "Target.closeTarget", json!({"targetId": page.target}));
    }

    fn receive(&mut self, until: Instant) -> Value {
        let left = until.saturating_duration_since(Instant::now());
        self.messages
            .recv_timeout(left)
            .expect("chromium does not answer; is it installed? scripts/test installs it")
    }

    /// Calls a method of the protocol in a page and gives its result.
    pub(crate) fn call(&mut self, page: &Page, method: &str, parameters: Value) -> Value {
        self.send(Some(&page.session), method, parameters)
    }

    fn send(&mut self, session: Option<&str>, method: &str, parameters: Value) -> Value {
        self.next_id += 1;
        let id = self.next_id;
        let mut message = json!({"id": id, "method": method});
        message["params"] = parameters;
        if let Some(session) = session {
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

    /// What an expression gives, as JSON.
    pub(crate) fn eval(&mut self, page: &Page, expression: &str) -> Value {
        let parameters =
            json!({"expression": expression, "returnByValue": true, "awaitPromise": true});
        let mut answer = self.call(page, "Runtime.evaluate", parameters);
        assert!(answer["exceptionDetails"].is_null(), "{expression}: {answer:#}");
        answer["result"]["value"].take()
    }

    /// Waits until an expression is true.
    #[track_caller]
    pub(crate) fn wait(&mut self, page: &Page, expression: &str) {
        let until = Instant::now() + PATIENCE;
        while self.eval(page, &format!("Boolean({expression})")) != json!(true) {
            if Instant::now() > until {
                let text = self.eval(page, "document.body.innerText");
                panic!("still not after {PATIENCE:?}: {expression}\n{text}");
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Presses what the selector finds, as a mouse does: in its middle.
    #[track_caller]
    pub(crate) fn press(&mut self, page: &Page, selector: &str) {
        let find = format!(
            "(() => {{ const e = document.querySelector({selector:?}); e.scrollIntoView({{block: 'center', behavior: 'instant'}});
               const b = e.getBoundingClientRect(); return [b.x + b.width / 2, b.y + b.height / 2, b.width] }})()"
        );
        let place = self.eval(page, &find);
        assert!(place[2].as_f64().is_some_and(|width| width > 0.0), "{selector} is not seen");
        for kind in ["mousePressed", "mouseReleased"] {
            let event = json!({"type": kind, "x": place[0], "y": place[1], "button": "left", "clickCount": 1});
            self.call(page, "Input.dispatchMouseEvent", event);
        }
    }

    /// Types a key.
    pub(crate) fn key(&mut self, page: &Page, key: &str) {
        let (code, text) = match key {
            "Enter" => (13, "\r"),
            "Tab" => (9, ""),
            "Escape" => (27, ""),
            _ => panic!("unknown key {key}"),
        };
        let event = |kind: &str| json!({"type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code, "text": text});
        self.call(page, "Input.dispatchKeyEvent", event("keyDown"));
        self.call(
            page,
            "Input.dispatchKeyEvent",
            json!({"type": "keyUp", "key": key, "code": key, "windowsVirtualKeyCode": code}),
        );
    }

    /// Pretends that the viewer prefers light or dark.
    pub(crate) fn prefer(&mut self, page: &Page, scheme: &str) {
        let features = json!([{"name": "prefers-color-scheme", "value": scheme}]);
        self.call(page, "Emulation.setEmulatedMedia", json!({"features": features}));
    }

    /// Takes a picture of the whole page into the folder of `PROOFLOAD_SCREENSHOTS`, if there is one.
    pub(crate) fn picture(&mut self, page: &Page, name: &str) {
        let Some(folder) = std::env::var_os("PROOFLOAD_SCREENSHOTS") else { return };
        let options = json!({"format": "png", "captureBeyondViewport": true});
        let shot = self.call(page, "Page.captureScreenshot", options);
        let bytes =
            BASE64_STANDARD.decode(shot["data"].as_str().expect("a picture")).expect("base64");
        std::fs::write(PathBuf::from(folder).join(format!("{name}.png")), bytes)
            .expect("a picture is written");
    }

    /// What went wrong in any page: messages of the console, exceptions, violations of the policy, requests to
    /// other servers than `url`.
    pub(crate) fn complaints(&mut self, url: &str) -> Vec<String> {
        let complaint = |event: &Value| {
            let parameters = &event["params"];
            match event["method"].as_str()? {
                "Network.requestWillBeSent" => {
                    let to = parameters["request"]["url"].as_str().unwrap_or_default();
                    let is_known =
                        to.starts_with(url) || to.starts_with("data:") || to == "about:blank";
                    (!is_known).then(|| format!("requested {to}"))
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
