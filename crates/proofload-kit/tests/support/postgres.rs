//! A PostgreSQL server with a fresh database. It refuses to run as root, so there it runs as another user.

use std::path::PathBuf;
use std::process::Command;

use super::folder::Folder;
use super::process::{Process, find, tied};

/// A server that is reached by a socket in its folder.
#[derive(Debug)]
pub struct Postgres {
    // Before the folder, so that it has ended when that goes.
    process: Process,
    folder: Folder,
}

impl Postgres {
    /// Starts one.
    pub fn start() -> Self {
        let folder = Folder::new("pg");
        if let Some(user) = other_than_root() {
            run(Command::new("chown").arg(user).arg(folder.path()));
        }
        let data = folder.path().join("data");
        let settings = ["--auth=trust", "--username=postgres", "--no-sync", "--no-instructions"];
        run(server_command("initdb").args(settings).arg("--locale=C").arg("-D").arg(data));
        let process = launch(&folder);
        Self { process, folder }
    }

    /// The address for clients.
    pub fn url(&self) -> String {
        format!("host={} user=postgres dbname=postgres", self.folder.path().display())
    }

    /// All connections break.
    pub fn stop(&mut self) {
        self.process.stop("QUIT");
    }

    /// With the data it had.
    pub fn start_again(&mut self) {
        self.process = launch(&self.folder);
    }
}

impl Drop for Postgres {
    /// Killed, it would leave its own children for a moment.
    fn drop(&mut self) {
        self.stop();
    }
}

fn launch(folder: &Folder) -> Process {
    let mut command = server_command("postgres");
    command.arg("-D").arg(folder.path().join("data")).arg("-k").arg(folder.path());
    let settings = ["listen_addresses=", "fsync=off", "shared_buffers=8MB", "max_connections=12"];
    for setting in settings {
        command.args(["-c", setting]);
    }
    let mut process = Process::start(&mut command);
    process.wait_until("postgres", || {
        let mut ready = Command::new(binary("pg_isready"));
        ready.arg("-q").arg("-h").arg(folder.path()).status().is_ok_and(|ended| ended.success())
    });
    process
}

fn server_command(name: &str) -> Command {
    let file = binary(name);
    tied(file.to_str().expect("text"), other_than_root())
}

#[track_caller]
fn run(command: &mut Command) {
    let ended = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(ended.status.success(), "{command:?}: {}", String::from_utf8_lossy(&ended.stderr));
}

/// On the PATH, or where Debian keeps the server's programs, by version: the newest.
fn binary(name: &str) -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut versions: Vec<_> = versions
        .map(|version| {
            let number = version.file_name().to_str().and_then(|name| name.parse::<u32>().ok());
            (number, version.path().join("bin"))
        })
        .collect();
    versions.sort();
    find(name, versions.into_iter().rev().map(|(_, folder)| folder))
        .unwrap_or_else(|| panic!("{name} (Debian: apt-get install postgresql)"))
}

/// Who runs it instead of root: the user that its package makes, where it is installed.
fn other_than_root() -> Option<&'static str> {
    let id = |arguments: &[&str]| Command::new("id").args(arguments).output().expect("id");
    let has_own = || id(&["-u", "postgres"]).status.success();
    let is_root = id(&["-u"]).stdout.trim_ascii() == b"0";
    is_root.then(|| if has_own() { "postgres" } else { "nobody" })
}
