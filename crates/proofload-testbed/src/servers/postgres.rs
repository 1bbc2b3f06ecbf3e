//! A PostgreSQL with a fresh database, or a read replica of one. It asks for a password, and refuses to run as root, so
//! there it runs as its own user.

use std::path::PathBuf;
use std::process::Command;

use super::{Folder, Process};

/// Of the only user, `postgres`.
const PASSWORD: &str = "correct-horse";

/// A PostgreSQL of its own.
#[derive(Debug)]
pub struct Postgres {
    // Before the folder, so that it has ended when that goes.
    _process: Process,
    folder: Folder,
}

impl Postgres {
    /// Starts it; when this returns, it answers.
    ///
    /// # Panics
    /// When the programs of PostgreSQL are not there, or it does not come up.
    #[must_use]
    pub fn start() -> Self {
        Self::with(&[])
    }

    /// The same, with settings such as `max_connections=10`.
    ///
    /// # Panics
    /// As [`start`](Self::start).
    #[must_use]
    pub fn with(settings: &[&str]) -> Self {
        let folder = own_folder();
        let secret = folder.path().join("password");
        std::fs::write(&secret, PASSWORD).unwrap_or_else(|error| panic!("the password: {error}"));
        let mut command = server_command("initdb");
        command.args(["--auth=scram-sha-256", "--username=postgres", "--locale=C"]);
        command.args(["--no-sync", "--no-instructions"]).arg("--pwfile").arg(&secret);
        run(command.arg("-D").arg(folder.path().join("data")));
        Self::launch(folder, settings)
    }

    /// A replica of this one, which follows it.
    ///
    /// # Panics
    /// As [`start`](Self::start).
    #[must_use]
    pub fn replica(&self) -> Self {
        let folder = own_folder();
        let mut command = server_command("pg_basebackup");
        command.env("PGPASSWORD", PASSWORD).args(["--write-recovery-conf", "--no-sync"]);
        command.args(["--checkpoint=fast", "--username=postgres"]);
        command.arg("-h").arg(self.folder.path());
        run(command.arg("-D").arg(folder.path().join("data")));
        Self::launch(folder, &[])
    }

    fn launch(folder: Folder, settings: &[&str]) -> Self {
        let mut command = server_command("postgres");
        command.arg("-D").arg(folder.path().join("data")).arg("-k").arg(folder.path());
        let own = ["listen_addresses=", "fsync=off", "shared_buffers=8MB"];
        for setting in own.iter().chain(settings) {
            command.args(["-c", setting]);
        }
        let mut process = Process::start(&mut command);
        process.wait_until("postgres", || {
            let mut ready = Command::new(binary("pg_isready"));
            ready.arg("-q").arg("-h").arg(folder.path());
            ready.status().is_ok_and(|ended| ended.success())
        });
        Self { _process: process, folder }
    }

    /// Where it is, with its user and password.
    #[must_use]
    pub fn url(&self) -> String {
        self.url_with(PASSWORD)
    }

    /// The same with another password.
    #[must_use]
    pub fn url_with(&self, password: &str) -> String {
        let host = self.folder.path().display().to_string().replace('/', "%2F");
        format!("postgres://postgres:{password}@{host}/postgres")
    }

    /// What a user's URL must never be seen with.
    #[must_use]
    pub fn password(&self) -> &'static str {
        PASSWORD
    }

    /// The rows that a query gives, as text: a line each, fields set off by `|`.
    ///
    /// # Panics
    /// When the query fails.
    #[must_use]
    pub fn ask(&self, query: &str) -> Vec<String> {
        let mut command = Command::new(binary("psql"));
        command.args(["--no-psqlrc", "-U", "postgres", "-At", "-c", query]);
        command.env("PGPASSWORD", PASSWORD).arg("-h").arg(self.folder.path());
        run(&mut command).lines().map(str::to_owned).collect()
    }
}

/// A folder that belongs to whoever the server runs as.
fn own_folder() -> Folder {
    let folder = Folder::new("pg");
    if is_root() {
        run(Command::new("chown").arg("postgres").arg(folder.path()));
    }
    folder
}

fn server_command(name: &str) -> Command {
    if !is_root() {
        return Command::new(binary(name));
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]).arg(binary(name));
    command
}

/// What it says on standard output.
#[track_caller]
fn run(command: &mut Command) -> String {
    let ended = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(ended.status.success(), "{command:?}: {}", String::from_utf8_lossy(&ended.stderr));
    String::from_utf8_lossy(&ended.stdout).into_owned()
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.is_ok_and(|id| id.stdout.trim_ascii() == b"0")
}

/// Distributions keep the server's binaries apart, by version; the newest is taken.
fn binary(name: &str) -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut versions: Vec<PathBuf> = versions.map(|version| version.path().join("bin")).collect();
    versions.sort();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let places = versions.into_iter().rev().chain(std::env::split_paths(&path));
    places
        .map(|place| place.join(name))
        .find(|path| path.is_file())
        .unwrap_or_else(|| panic!("{name} (Debian: apt-get install postgresql)"))
}
