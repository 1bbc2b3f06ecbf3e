//! A process that does not outlive the one that started it, however that one ends.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long a server may take to start. Only one that does not start at all meets it.
const START_LIMIT: Duration = Duration::from_secs(60);

/// A command whose process is killed when the thread that starts it ends, also when that thread's process
/// is killed: where there is the program that can arrange that (Linux), otherwise just the command.
pub fn tied(program: &str, as_user: Option<&str>) -> Command {
    match (find("setpriv", []), as_user) {
        (None, None) => Command::new(program),
        (_, user) => {
            let mut command = Command::new("setpriv");
            command.args(["--pdeathsig", "KILL"]);
            if let Some(user) = user {
                command.args([&format!("--reuid={user}"), "--init-groups"]);
                command.arg(format!("--regid={}", group_of(user)));
            }
            command.arg("--").arg(program);
            command
        }
    }
}

/// The main group of a user, by number.
fn group_of(user: &str) -> String {
    let id = Command::new("id").args(["-g", user]).output().expect("id");
    String::from_utf8_lossy(id.stdout.trim_ascii()).into_owned()
}

/// The file of a program: on the PATH, or else in one of these folders.
pub fn find(program: &str, others: impl IntoIterator<Item = PathBuf>) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<_> = std::env::split_paths(&path).chain(others).collect();
    folders.into_iter().map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// Sends a signal by name.
pub fn send_signal(signal: &str, process: u32) {
    let ended = Command::new("kill").args(["-s", signal, &process.to_string()]).status();
    assert!(ended.is_ok_and(|ended| ended.success()), "no signal {signal}");
}

/// A running process, killed when dropped.
#[derive(Debug)]
pub struct Process(Child);

impl Process {
    /// Starts it, without input and output.
    pub fn start(command: &mut Command) -> Self {
        let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Self(quiet.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}")))
    }

    /// Sends a signal by name.
    pub fn signal(&self, signal: &str) {
        send_signal(signal, self.0.id());
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }

    /// Asks it to end, and kills it if it does not soon: it may have inherited that signals are ignored, as
    /// the background jobs of a shell do.
    pub fn stop(&mut self, signal: &str) {
        if matches!(self.0.try_wait(), Ok(None)) {
            self.signal(signal);
        }
        let asked = Instant::now();
        while asked.elapsed() < Duration::from_secs(5) && matches!(self.0.try_wait(), Ok(None)) {
            std::thread::sleep(Duration::from_millis(5));
        }
        self.kill();
    }

    /// Waits until `is_ready`, which is asked again and again.
    #[track_caller]
    pub fn wait_until(&mut self, what: &str, is_ready: impl Fn() -> bool) {
        let started = Instant::now();
        while !is_ready() {
            if let Some(ended) = self.0.try_wait().expect("a process") {
                panic!("{what} ended: {ended}");
            }
            assert!(started.elapsed() < START_LIMIT, "{what} does not come up");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}
