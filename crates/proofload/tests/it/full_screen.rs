//! `--tui`, on a terminal of its own: keys control the run, and the terminal is given back however it
//! ends.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

use proofload_testbed::fixture::Fixture;
use rustix::fs::{Mode, OFlags};
use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};
use serde_json::Value;

use super::support::{PROOFLOAD, Sandbox, friendly, plan, wait_until};

/// What brings the usual screen back.
const USUAL_SCREEN: &str = "\x1b[?1049l";

/// The command on a terminal.
struct OnTerminal {
    child: Child,
    keys: File,
    terminal: OwnedFd,
    shown: Arc<Mutex<Vec<u8>>>,
}

impl OnTerminal {
    fn start(sandbox: &Sandbox, arguments: &[&str]) -> Self {
        Self::start_in(sandbox, arguments, "C.UTF-8")
    }

    /// The same in another locale.
    fn start_in(sandbox: &Sandbox, arguments: &[&str], locale: &str) -> Self {
        let host = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
        grantpt(&host).expect("it is ours");
        unlockpt(&host).expect("it can be opened");
        let name = ptsname(&host, Vec::new()).expect("it has a name");
        let flags = OFlags::RDWR | OFlags::NOCTTY;
        let terminal = rustix::fs::open(name, flags, Mode::empty()).expect("its other end");
        let size = Winsize { ws_row: 40, ws_col: 120, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&terminal, size).expect("a size");
        let stream = || Stdio::from(terminal.try_clone().expect("a descriptor"));
        let child = Command::new(PROOFLOAD)
            .args(arguments)
            .env_clear()
            .env("HOME", sandbox.path(""))
            .env("LC_ALL", locale)
            .current_dir(sandbox.path(""))
            .stdin(stream())
            .stdout(stream())
            .stderr(stream())
            .spawn()
            .expect("it starts");
        let keys = File::from(host.try_clone().expect("a descriptor"));
        let shown = Arc::<Mutex<Vec<u8>>>::default();
        let (mut from, to) = (File::from(host), Arc::clone(&shown));
        // Ends with the process, or with the test.
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = from.read(&mut bytes) {
                to.lock().expect("no panic").extend_from_slice(&bytes[..count]);
            }
        });
        Self { child, keys, terminal, shown }
    }

    fn shown(&self) -> String {
        String::from_utf8_lossy(&self.shown.lock().expect("no panic")).into_owned()
    }

    fn wait_for(&self, text: &str) {
        wait_until(text, || self.shown().contains(text));
    }

    fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).expect("it is there");
    }

    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).expect("a process");
        kill_process(pid, signal).expect("it runs");
    }

    /// Whether the terminal sends lines, as it usually does, and not every key.
    fn is_usual(&self) -> bool {
        let modes = tcgetattr(&self.terminal).expect("a terminal").local_modes;
        modes.contains(LocalModes::ICANON | LocalModes::ECHO)
    }

    /// Waits for the end: the terminal is as it was, and tells how the run went.
    fn end(mut self, code: i32) {
        let status = self.child.wait().expect("it ends");
        assert_eq!(status.code(), Some(code), "{}", self.shown());
        assert!(self.is_usual(), "lines are lines again");
        self.wait_for("interrupted");
        let shown = self.shown();
        let (_, after) = shown.rsplit_once(USUAL_SCREEN).expect("the usual screen comes back");
        assert!(after.contains("steady"), "the summary is on it: {after}");
        assert!(after.contains("\x1b[?25h"), "the cursor comes back");
    }
}

impl Drop for OnTerminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A locale without UTF-8 gets ASCII: on the whole terminal, in progress lines, in the summary.
#[test]
fn a_terminal_without_utf_8_is_sent_none() {
    let fixture = friendly();
    let phase = "[[phase]]\nname = \"größer → 日本\"\nusers = 3\nduration = \"3s\"\nthink_time = \"20ms\"\n";
    for (view, words) in [(&["--tui"][..], "Throughput"), (&[], "p95")] {
        let sandbox = Sandbox::new();
        sandbox.write("plan.toml", plan(&fixture, phase));
        let arguments = [&["run", "plan.toml"], view].concat();
        let mut run = OnTerminal::start_in(&sandbox, &arguments, "C");
        run.wait_for(words);
        assert!(run.child.wait().expect("it ends").success(), "{}", run.shown());
        run.wait_for("report.html");
        let shown = run.shown();
        assert!(shown.contains("gr??er -> ??") || shown.contains("gr??er > ??"), "{shown}");
        assert!(
            shown.is_ascii(),
            "{:?}",
            shown.chars().filter(|c| !c.is_ascii()).collect::<String>()
        );
    }
}

/// A run that would take ten minutes, its view open.
fn open(sandbox: &Sandbox, fixture: &Fixture) -> OnTerminal {
    let phase =
        "[[phase]]\nname = \"steady\"\nusers = 3\nduration = \"10m\"\nthink_time = \"20ms\"\n";
    sandbox.write("plan.toml", plan(fixture, phase));
    let run = OnTerminal::start(sandbox, &["run", "plan.toml", "--tui"]);
    run.wait_for("Throughput");
    assert!(!run.is_usual(), "it takes every key");
    wait_until("requests", || fixture.ledger().requests > 10);
    run
}

#[test]
fn keys_control_the_run() {
    let (sandbox, fixture) = (Sandbox::new(), friendly());
    let mut run = open(&sandbox, &fixture);
    run.press("p");
    run.wait_for("PAUSED");
    let before = fixture.ledger().requests;
    run.press("p");
    // More than may still have been in flight.
    wait_until("more requests", || fixture.ledger().requests > before + 10);
    run.press("+");
    run.wait_for("LOAD 125");
    run.press("s");
    run.wait_for("Stop the run?");
    run.press("y");
    run.end(130);
    let result = sandbox.files().into_iter().find(|name| name.ends_with("result.json"));
    let result = sandbox.result(&result.expect("a result is left behind"));
    let marks: Vec<_> = result["marks"].as_array().expect("marks").iter().collect();
    for text in ["paused", "resumed after", "load scaled to 125 %"] {
        let is_it = |mark: &&Value| mark["text"].as_str().is_some_and(|t| t.starts_with(text));
        assert!(marks.iter().copied().any(|mark| is_it(&mark)), "{text}: {marks:?}");
    }
}

#[test]
fn ctrl_c_ends_it_and_so_does_a_signal() {
    let (sandbox, fixture) = (Sandbox::new(), friendly());
    let mut run = open(&sandbox, &fixture);
    run.press("\x03");
    run.end(130);
    for signal in [Signal::TERM, Signal::INT] {
        let run = open(&sandbox, &fixture);
        run.signal(signal);
        run.end(130);
    }
}

#[test]
fn the_run_goes_on_when_the_view_is_closed() {
    let (sandbox, fixture) = (Sandbox::new(), friendly());
    let mut run = open(&sandbox, &fixture);
    run.press("q");
    run.wait_for(USUAL_SCREEN);
    // The lines of progress come instead.
    run.wait_for("  generator");
    assert!(run.is_usual());
    let before = fixture.ledger().requests;
    wait_until("more requests", || fixture.ledger().requests > before + 20);
    run.signal(Signal::INT);
    run.end(130);
}

#[test]
fn a_view_needs_a_terminal() {
    let sandbox = Sandbox::new();
    for arguments in [&["demo", "--tui"][..], &["http", "http://127.0.0.1:1/", "--tui"]] {
        sandbox.run(arguments).end().with(64).says(&["--tui needs a terminal"]);
    }
    sandbox.run(["demo", "--tui", "--quiet"]).end().with(64).says(&["--quiet"]);
    assert!(sandbox.files().is_empty(), "nothing has begun");
}
