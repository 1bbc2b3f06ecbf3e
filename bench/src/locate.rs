//! Where the programs of the peers are, and building Proofload when it is not there.

use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Directories to look for programs in, in order.
#[derive(Debug)]
pub(crate) struct Locator {
    directories: Vec<PathBuf>,
    release: Option<PathBuf>,
}

impl Locator {
    /// Looks in `extra`, then where this workspace builds Proofload and the Goose peer, then on `path`.
    pub(crate) fn new(extra: &[PathBuf], path: Option<&OsStr>) -> Self {
        let release = release_directory();
        let mut directories: Vec<PathBuf> = extra.to_vec();
        directories.extend(release.clone());
        directories.push(assets().join("goose/target/release"));
        directories.extend(path.map(std::env::split_paths).into_iter().flatten());
        Self { directories, release }
    }

    /// The first file of that name that may be executed, as an absolute path.
    pub(crate) fn find(&self, program: &str) -> Option<PathBuf> {
        let found = self
            .directories
            .iter()
            .map(|directory| directory.join(program))
            .find(|path| is_program(path))?;
        std::path::absolute(found).ok()
    }

    /// Builds Proofload in release mode where [`Self::find`] will see it. Answers why when that failed.
    pub(crate) fn build_proofload(&self) -> Result<(), String> {
        let release =
            self.release.as_deref().ok_or("the build directory of this program is unknown")?;
        let target = release.parent().ok_or("the build directory of this program is unknown")?;
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(cargo);
        command.args(["build", "--release", "-p", "proofload", "--target-dir"]).arg(target);
        command
            .arg("--manifest-path")
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.toml"));
        match command.stdin(Stdio::null()).status() {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(format!("cargo ended with {status}")),
            Err(error) => Err(format!("cargo cannot be run: {error}")),
        }
    }
}

/// Our scripts for the peers.
pub(crate) fn assets() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("peers")
}

/// `release` in the build directory that this very program came out of, whatever it is called.
fn release_directory() -> Option<PathBuf> {
    let own = std::env::current_exe().ok()?;
    // Test programs stand one folder deeper, in `deps`.
    let profile = own
        .parent()
        .map(|dir| if dir.ends_with("deps") { dir.parent().unwrap_or(dir) } else { dir })?;
    Some(profile.parent()?.join("release"))
}

fn is_program(path: &Path) -> bool {
    path.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;

    #[test]
    fn the_first_directory_wins_and_plain_files_do_not_count() {
        let (first, second) = (Scratch::new().expect("scratch"), Scratch::new().expect("scratch"));
        let put = |dir: &Scratch, name: &str, mode: u32| {
            let path = dir.path().join(name);
            std::fs::write(&path, "#!/bin/sh\n").expect("write");
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).expect("mode");
            path
        };
        let own = put(&first, "peer", 0o755);
        put(&second, "peer", 0o755);
        put(&first, "other", 0o644);
        let other = put(&second, "other", 0o755);
        let locator = Locator::new(&[first.path().to_owned()], Some(second.path().as_os_str()));
        assert_eq!(locator.find("peer"), Some(own));
        assert_eq!(locator.find("other"), Some(other));
        assert_eq!(locator.find("no-such-peer"), None);
    }
}
