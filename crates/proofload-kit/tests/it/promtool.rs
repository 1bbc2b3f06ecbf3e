//! What Prometheus' own tool says.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};

/// A file that is removed when dropped.
pub(crate) struct File(PathBuf);

impl File {
    pub(crate) fn new(text: &str) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("promtool-{}-{number}.yaml", std::process::id());
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::write(&path, text).expect("a file");
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Runs it with a file as the last argument.
pub(crate) fn run(arguments: &[&str], file: &File) -> Result<String, String> {
    said(Command::new("promtool").args(arguments).arg(file.path()), "")
}

/// Its complaints about an exposition.
#[cfg(all(feature = "prometheus", feature = "tower"))]
pub(crate) fn check_metrics(text: &str) -> Result<String, String> {
    let said = said(Command::new("promtool").args(["check", "metrics"]), text)?;
    if said.trim().is_empty() { Ok(said) } else { Err(said) }
}

fn said(command: &mut Command, input: &str) -> Result<String, String> {
    let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = piped.spawn().expect("promtool (Debian: apt-get install prometheus)");
    child.stdin.take().expect("a pipe").write_all(input.as_bytes()).expect("it reads");
    let ended = child.wait_with_output().expect("it ends");
    let said = String::from_utf8_lossy(&[ended.stdout, ended.stderr].concat()).into_owned();
    if ended.status.success() { Ok(said) } else { Err(said) }
}
