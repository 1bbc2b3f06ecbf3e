//! A sandbox to run the binary in: an empty folder, a clean environment, a bounded wait, and nothing
//! left running.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use proofload_testbed::fixture::{Behaviour, Fixture, Ledger, Reply};
use serde_json::Value;

/// No command of these tests takes nearly as long on an idle machine; busy ones get the rest.
const PATIENCE: Duration = Duration::from_secs(120);

/// The binary under test.
pub(crate) const PROOFLOAD: &str = env!("CARGO_BIN_EXE_proofload");

/// A folder of its own that is the command's working directory and home. Removed when dropped.
#[derive(Debug)]
pub(crate) struct Sandbox {
    folder: PathBuf,
}

impl Sandbox {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("proofload-it-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir_all(&folder).expect("a temporary folder");
        Self { folder }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Writes a file.
    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) -> &Self {
        fs::write(self.path(name), text).expect("a file in the sandbox");
        self
    }

    /// Reads a file.
    pub(crate) fn read(&self, name: &str) -> String {
        let path = self.path(name);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// A command in this sandbox.
    pub(crate) fn run<S: AsRef<OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = S>,
    ) -> Invocation {
        let mut command = Command::new(PROOFLOAD);
        command.args(arguments);
        self.invoke(command)
    }

    /// Any program, such as a shell that sets limits first.
    pub(crate) fn invoke(&self, mut command: Command) -> Invocation {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        command.env_clear().env("HOME", &self.folder).current_dir(&self.folder);
        if let Some(path) = std::env::var_os("PATH") {
            command.env("PATH", path);
        }
        let streams = std::env::temp_dir();
        let stream =
            |kind| streams.join(format!("proofload-it-{}-{number}.{kind}", std::process::id()));
        Invocation { command, stdout: stream("out"), stderr: stream("err") }
    }

    /// Every file in it, by name relative to it.
    pub(crate) fn files(&self) -> Vec<String> {
        let mut names = Vec::new();
        let mut folders = vec![self.folder.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).expect("a folder of the sandbox") {
                let path = entry.expect("an entry").path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let name = path.strip_prefix(&self.folder).expect("is below");
                    names.push(name.to_string_lossy().into_owned());
                }
            }
        }
        names.sort();
        names
    }

    /// The same without what runs leave in their own folders.
    pub(crate) fn files_beside_results(&self) -> Vec<String> {
        let mut names = self.files();
        names.retain(|name| !name.starts_with("proofload-results/"));
        names
    }

    /// The result file of that name, as JSON.
    pub(crate) fn result(&self, name: &str) -> Value {
        json(&self.read(name))
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// A command that has not been started yet.
#[derive(Debug)]
pub(crate) struct Invocation {
    command: Command,
    stdout: PathBuf,
    stderr: PathBuf,
}

impl Invocation {
    #[must_use]
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    pub(crate) fn start(mut self) -> Running {
        // Files, not pipes: nobody has to read while the command runs.
        let create = |path: &Path| File::create(path).expect("a file for a stream");
        let child = self
            .command
            .stdin(Stdio::null())
            .stdout(create(&self.stdout))
            .stderr(create(&self.stderr))
            .spawn()
            .expect("the command starts");
        Running { child, stdout: self.stdout, stderr: self.stderr }
    }

    /// Runs it to its end.
    #[track_caller]
    pub(crate) fn end(self) -> Ended {
        self.start().end()
    }
}

/// A command that runs; killed when dropped.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    stdout: PathBuf,
    stderr: PathBuf,
}

impl Running {
    /// Waits for its end.
    #[track_caller]
    pub(crate) fn end(mut self) -> Ended {
        let deadline = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("its state") {
                break status;
            }
            assert!(Instant::now() < deadline, "still running after {PATIENCE:?}: {self:?}");
            std::thread::sleep(Duration::from_millis(5));
        };
        let ended = Ended { code: status.code(), stdout: self.stdout(), stderr: self.stderr() };
        assert!(!ended.stderr.contains("panicked"), "{ended:?}");
        ended
    }

    /// Sends a signal.
    #[cfg(unix)]
    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, signal).expect("it is there to be told");
    }

    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("its state").is_none()
    }

    pub(crate) fn stdout(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.stdout).unwrap_or_default()).into_owned()
    }

    pub(crate) fn stderr(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.stderr).unwrap_or_default()).into_owned()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail if it has ended, as it should have.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_file(&self.stdout);
        let _ = fs::remove_file(&self.stderr);
    }
}

/// How a command ended and what it said.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ended {
    /// It ended with this code.
    #[track_caller]
    pub(crate) fn with(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    /// It says all of this on standard error.
    #[track_caller]
    pub(crate) fn says(self, parts: &[&str]) -> Self {
        for part in parts {
            assert!(self.stderr.contains(part), "no {part:?} in:\n{}", self.stderr);
        }
        self
    }

    /// It says nothing on standard output.
    #[track_caller]
    pub(crate) fn silent(self) -> Self {
        assert_eq!(self.stdout, "");
        self
    }
}

/// Waits until something is so.
#[track_caller]
pub(crate) fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline, "{what}: still not after {PATIENCE:?}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// `proofload demo --serve` as a process.
#[derive(Debug)]
pub(crate) struct DemoProcess {
    running: Running,
    _sandbox: Sandbox,
    pub(crate) url: String,
}

impl DemoProcess {
    #[track_caller]
    pub(crate) fn start() -> Self {
        let sandbox = Sandbox::new();
        let mut running = sandbox.run(["demo", "--serve"]).start();
        let mut url = None;
        wait_until("the demo says where it listens", || {
            assert!(running.is_running(), "it ended: {}", running.stderr());
            let said = running.stdout();
            url =
                said.split_whitespace().find(|word| word.starts_with("http://")).map(str::to_owned);
            url.is_some() && said.ends_with('\n')
        });
        Self { running, _sandbox: sandbox, url: url.unwrap_or_default() }
    }

    /// Sends a signal and waits for its end.
    #[cfg(unix)]
    #[track_caller]
    pub(crate) fn stop(self, signal: rustix::process::Signal) -> Ended {
        self.running.signal(signal);
        self.running.end()
    }
}

/// A fixture that answers `ok` on every path.
pub(crate) fn friendly() -> Fixture {
    fixture(Behaviour::new().prefix("/", Reply::text("ok")))
}

pub(crate) fn fixture(behaviour: Behaviour) -> Fixture {
    Fixture::start(behaviour).expect("a fixture")
}

/// Everything a fixture saw, after its clients are gone.
#[track_caller]
pub(crate) fn settled(fixture: &Fixture) -> Ledger {
    fixture.settled_ledger(Duration::from_secs(30)).expect("nothing in flight")
}

/// A plan of one user with one task, `GET /`, and these phases.
pub(crate) fn plan(fixture: &Fixture, phases: &str) -> String {
    let target = fixture.url("");
    format!(
        "name = \"test\"\ntarget = \"{target}\"\n[[user]]\n[[user.task]]\nget = \"/\"\n{phases}\n"
    )
}

#[track_caller]
pub(crate) fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error} in:\n{text}"))
}

/// A count at this JSON pointer.
#[track_caller]
pub(crate) fn count(value: &Value, pointer: &str) -> u64 {
    let found = value.pointer(pointer);
    found.and_then(Value::as_u64).unwrap_or_else(|| panic!("no count at {pointer}: {found:?}"))
}

/// The phase of this name.
#[track_caller]
pub(crate) fn phase<'r>(result: &'r Value, name: &str) -> &'r Value {
    let phases = result["test_results"].as_array().expect("phases");
    phases.iter().find(|phase| phase["scenario"] == name).unwrap_or_else(|| panic!("no {name}"))
}

/// The names of the phases that a result has.
pub(crate) fn phase_names(result: &Value) -> Vec<&str> {
    let phases = result["test_results"].as_array().expect("phases");
    phases.iter().filter_map(|phase| phase["scenario"].as_str()).collect()
}
