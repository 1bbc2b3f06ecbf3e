//! Real servers for tests, each in a folder of its own, reached by a socket in it and stopped by process id: no port is
//! taken, nothing is shared with what else runs on the machine, and nothing is left.

mod postgres;
mod redis;

pub use postgres::Postgres;
pub use redis::Redis;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// Longest wait for a server to come up.
const PATIENCE: Duration = Duration::from_secs(60);
/// Longest wait for one to end by itself.
const GRACE: Duration = Duration::from_secs(2);

/// A folder with a short path, as sockets need it, that is removed at the end.
#[derive(Debug)]
struct Folder(PathBuf);

impl Folder {
    fn new(kind: &str) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("pl-{kind}-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self(path)
    }

    fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A server process, stopped when dropped.
#[derive(Debug)]
struct Process(Child);

impl Process {
    fn start(command: &mut Command) -> Self {
        let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Self(quiet.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}")))
    }

    /// Waits until `is_ready`, which is asked again and again.
    #[track_caller]
    fn wait_until(&mut self, what: &str, is_ready: impl Fn() -> bool) {
        let started = Instant::now();
        while !is_ready() {
            if let Ok(Some(ended)) = self.0.try_wait() {
                panic!("{what} ended: {ended}");
            }
            assert!(started.elapsed() < PATIENCE, "{what} does not come up");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn signal(&self, name: &str) {
        let _ = Command::new("kill").args(["-s", name, &self.0.id().to_string()]).status();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // PostgreSQL takes its children with it at QUIT; others may have inherited that it is ignored.
        self.signal("QUIT");
        let asked = Instant::now();
        while asked.elapsed() < GRACE && matches!(self.0.try_wait(), Ok(None)) {
            std::thread::sleep(Duration::from_millis(10));
        }
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
