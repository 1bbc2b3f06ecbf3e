//! Real servers, each in a folder of its own, reached by a socket in it and stopped by process id.

#[cfg(feature = "postgres-pool")]
pub(crate) mod postgres;
#[cfg(feature = "redis-pool")]
pub(crate) mod redis;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// A folder with a short path, as sockets need it, that is removed at the end.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(kind: &str) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("kit-{kind}-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).expect("a folder");
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A server process, killed when dropped.
pub(crate) struct Process(Child);

impl Process {
    pub(crate) fn start(command: &mut Command) -> Self {
        let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Self(quiet.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}")))
    }

    /// Sends a signal by name and waits for the end.
    pub(crate) fn stop(&mut self, signal: &str) {
        let _ = Command::new("kill").args(["-s", signal, &self.0.id().to_string()]).status();
        let _ = self.0.wait();
    }

    /// Waits until `is_ready`, which is asked again and again.
    #[track_caller]
    pub(crate) fn wait_until(&mut self, what: &str, is_ready: impl Fn() -> bool) {
        let started = Instant::now();
        while !is_ready() {
            if let Some(ended) = self.0.try_wait().expect("a process") {
                panic!("{what} ended: {ended}");
            }
            assert!(started.elapsed() < Duration::from_secs(60), "{what} does not come up");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // PostgreSQL takes its children with it at QUIT; others may have inherited that it is ignored, as the background
        // jobs of a shell do.
        let pid = self.0.id().to_string();
        let _ = Command::new("kill").args(["-s", "QUIT", &pid]).status();
        let asked = Instant::now();
        while asked.elapsed() < Duration::from_secs(2) && matches!(self.0.try_wait(), Ok(None)) {
            std::thread::sleep(Duration::from_millis(10));
        }
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
