//! A PostgreSQL server with a fresh database. It refuses to run as root, so there it runs as its own user.

use std::path::PathBuf;
use std::process::Command;

use super::{Folder, Process};

pub(crate) struct Postgres {
    // Before the folder, so that it has ended when that goes.
    process: Process,
    folder: Folder,
}

impl Postgres {
    pub(crate) fn start() -> Self {
        let folder = Folder::new("pg");
        if is_root() {
            run(Command::new("chown").arg("postgres").arg(folder.path()));
        }
        let data = folder.path().join("data");
        let settings = ["--auth=trust", "--username=postgres", "--no-sync", "--no-instructions"];
        run(server_command("initdb").args(settings).arg("--locale=C").arg("-D").arg(data));
        let process = launch(&folder);
        Self { process, folder }
    }

    pub(crate) fn url(&self) -> String {
        format!("host={} user=postgres dbname=postgres", self.folder.path().display())
    }

    /// All connections break.
    pub(crate) fn stop(&mut self) {
        self.process.stop("QUIT");
    }

    pub(crate) fn start_again(&mut self) {
        self.process = launch(&self.folder);
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
    if !is_root() {
        return Command::new(binary(name));
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]).arg(binary(name));
    command
}

#[track_caller]
fn run(command: &mut Command) {
    let ended = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(ended.status.success(), "{command:?}: {}", String::from_utf8_lossy(&ended.stderr));
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().expect("id");
    id.stdout.trim_ascii() == b"0"
}

/// Distributions keep the server's binaries apart, by version; the newest is taken.
fn binary(name: &str) -> PathBuf {
    let on_path = std::env::var_os("PATH").into_iter();
    let on_path: Vec<PathBuf> =
        on_path.flat_map(|path| std::env::split_paths(&path).collect::<Vec<_>>()).collect();
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut versions: Vec<PathBuf> = versions.map(|version| version.path().join("bin")).collect();
    versions.sort();
    let mut places =
        on_path.into_iter().chain(versions.into_iter().rev()).map(|place| place.join(name));
    places
        .find(|path| path.is_file())
        .unwrap_or_else(|| panic!("{name} (Debian: apt-get install postgresql)"))
}
