//! One page in a real browser, for pages that are handed over as text.

use proofload_testbed::browser::{Browser as Chromium, Page};
use serde_json::Value;

/// A browser with one page.
pub(crate) struct Browser {
    chromium: Chromium,
    page: Page,
}

impl Browser {
    /// Starts a browser with an empty page.
    pub(crate) fn start() -> Self {
        let mut chromium = Chromium::start();
        let page = chromium.open("about:blank", (1280, 900));
        Self { chromium, page }
    }

    /// Writes a page into a file and shows it in a window of this size.
    pub(crate) fn show(&mut self, html: &str, width: u32, height: u32) {
        let file = self.chromium.folder().join("page.html");
        std::fs::write(&file, html).unwrap();
        self.resize(width, height);
        self.chromium.show(&self.page, &format!("file://{}", file.display()));
    }

    /// Changes the size of the window.
    pub(crate) fn resize(&mut self, width: u32, height: u32) {
        self.chromium.resize(&self.page, (width, height));
    }

    /// Calls a method of the protocol and gives its result.
    pub(crate) fn call(&mut self, method: &str, parameters: Value) -> Value {
        self.chromium.call(&self.page, method, parameters)
    }

    /// What an expression gives, as JSON.
    pub(crate) fn eval(&mut self, expression: &str) -> Value {
        self.chromium.eval(&self.page, expression)
    }

    /// Pretends that the reader prefers light or dark, or that the page is printed.
    pub(crate) fn emulate(&mut self, scheme: &str, media: &str) {
        self.chromium.emulate(&self.page, scheme, media);
    }

    /// What went wrong since the page was shown, every request but that for the page itself included.
    pub(crate) fn complaints(&mut self) -> Vec<String> {
        // What was sent before the answer to this has arrived with it.
        self.eval("0");
        let page = format!("file://{}", self.chromium.folder().join("page.html").display());
        self.chromium.complaints(&page)
    }
}
