//! A real Chromium for tests of pages, driven over a pipe with its `DevTools` protocol: no port, no driver program,
//! nothing shared with other browsers of this machine. It ends with the value.
//!
//! Everything here panics when something is not as a test expects it.
//!
//! - `pipe`: the process and the protocol.

mod pipe;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use pipe::{PATIENCE, Pipe};

/// A browser.
#[derive(Debug)]
pub struct Browser {
    pipe: Pipe,
    events: Vec<Value>,
}

/// A page in a browser.
#[derive(Clone, Debug)]
pub struct Page {
    target: String,
    session: String,
}

impl Browser {
    /// Starts a browser without pages.
    #[must_use]
    pub fn start() -> Self {
        Self { pipe: Pipe::start(), events: Vec::new() }
    }

    /// A folder that goes away with the browser.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.pipe.folder
    }

    /// Opens a page in a window of this size and waits until it is loaded. Other pages of the browser are hidden
    /// from then on.
    pub fn open(&mut self, url: &str, size: (u32, u32)) -> Page {
        let target = self.send(None, "Target.createTarget", json!({"url": "about:blank"}));
        let target = target["targetId"].as_str().expect("an id").to_owned();
        let attach = json!({"targetId": target, "flatten": true});
        let session = self.send(None, "Target.attachToTarget", attach);
        let session = session["sessionId"].as_str().expect("an id").to_owned();
        let page = Page { target, session };
        for domain in ["Page", "Runtime", "Log", "Network", "Accessibility"] {
            self.call(&page, &format!("{domain}.enable"), json!({}));
        }
        self.resize(&page, size);
        self.navigate(&page, url);
        page
    }

    /// Shows another address in a page and waits until it is loaded. What was complained of before is forgotten.
    pub fn show(&mut self, page: &Page, url: &str) {
        self.events.clear();
        self.navigate(page, url);
    }

    fn navigate(&mut self, page: &Page, url: &str) {
        let is_loaded = |event: &Value| {
            event["method"] == "Page.loadEventFired" && event["sessionId"] == page.session.as_str()
        };
        self.events.retain(|event| !is_loaded(event));
        self.call(page, "Page.navigate", json!({"url": url}));
        let until = Instant::now() + PATIENCE;
        while !self.events.iter().any(is_loaded) {
            let event = self.pipe.receive(until);
            self.events.push(event);
        }
    }

    /// Changes the size of the window; narrow ones are phones.
    pub fn resize(&mut self, page: &Page, (width, height): (u32, u32)) {
        let metrics = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600});
        self.call(page, "Emulation.setDeviceMetricsOverride", metrics);
    }

    /// Closes a page.
    pub fn close(&mut self, page: &Page) {
        self.send(None, "Target.closeTarget", json!({"targetId": page.target}));
    }

    /// Calls a method of the protocol in a page and gives its result.
    pub fn call(&mut self, page: &Page, method: &str, parameters: Value) -> Value {
        self.send(Some(&page.session), method, parameters)
    }

    fn send(&mut self, session: Option<&str>, method: &str, parameters: Value) -> Value {
        self.pipe.call(session, method, parameters, &mut self.events)
    }

    /// What an expression gives, as JSON.
    pub fn eval(&mut self, page: &Page, expression: &str) -> Value {
        let parameters =
            json!({"expression": expression, "returnByValue": true, "awaitPromise": true});
        let mut answer = self.call(page, "Runtime.evaluate", parameters);
        assert!(answer["exceptionDetails"].is_null(), "{expression}: {answer:#}");
        answer["result"]["value"].take()
    }

    /// Waits until an expression is true.
    #[track_caller]
    pub fn wait(&mut self, page: &Page, expression: &str) {
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
    pub fn press(&mut self, page: &Page, selector: &str) {
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

    /// Types a key: Enter, Tab or Escape.
    #[track_caller]
    pub fn key(&mut self, page: &Page, key: &str) {
        let (code, text) = match key {
            "Enter" => (13, "\r"),
            "Tab" => (9, ""),
            "Escape" => (27, ""),
            _ => panic!("unknown key {key}"),
        };
        let mut event = json!({"key": key, "code": key, "windowsVirtualKeyCode": code});
        event["type"] = json!("keyUp");
        let up = event.clone();
        event["type"] = json!("keyDown");
        event["text"] = json!(text);
        self.call(page, "Input.dispatchKeyEvent", event);
        self.call(page, "Input.dispatchKeyEvent", up);
    }

    /// Pretends that the reader prefers light or dark, on the `screen` or in `print`.
    pub fn emulate(&mut self, page: &Page, scheme: &str, media: &str) {
        let features = json!([{"name": "prefers-color-scheme", "value": scheme}]);
        let media = json!({"media": media, "features": features});
        self.call(page, "Emulation.setEmulatedMedia", media);
    }

    /// Takes a picture of the whole page into the folder of `PROOFLOAD_SCREENSHOTS`, if there is one.
    pub fn picture(&mut self, page: &Page, name: &str) {
        let Some(folder) = std::env::var_os("PROOFLOAD_SCREENSHOTS") else { return };
        let options = json!({"format": "png", "captureBeyondViewport": true});
        let shot = self.call(page, "Page.captureScreenshot", options);
        let bytes =
            BASE64_STANDARD.decode(shot["data"].as_str().expect("a picture")).expect("base64");
        std::fs::write(PathBuf::from(folder).join(format!("{name}.png")), bytes)
            .expect("a picture is written");
    }

    /// What went wrong in any page since one was shown: messages of the console, exceptions, violations of the
    /// policy, dialogs; and requests for anything whose address does not begin with `url`.
    pub fn complaints(&mut self, url: &str) -> Vec<String> {
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
