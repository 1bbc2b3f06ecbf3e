//! A redis-server without persistence.

use std::os::unix::net::UnixStream;
use std::process::Command;

use super::{Folder, Process};

pub(crate) struct Redis {
    // Before the folder, so that it has ended when that goes.
    process: Process,
    folder: Folder,
}

impl Redis {
    pub(crate) fn start() -> Self {
        let folder = Folder::new("redis");
        let process = launch(&folder);
        Self { process, folder }
    }

    pub(crate) fn url(&self) -> String {
        format!("redis+unix://{}", self.folder.path().join("socket").display())
    }

    /// All connections break.
    pub(crate) fn stop(&mut self) {
        self.process.stop("KILL");
    }

    pub(crate) fn start_again(&mut self) {
        self.process = launch(&self.folder);
    }
}

fn launch(folder: &Folder) -> Process {
    let socket = folder.path().join("socket");
    let mut command = Command::new("redis-server");
    command.current_dir(folder.path()).args(["--port", "0", "--save", "", "--appendonly", "no"]);
    let mut process = Process::start(command.arg("--unixsocket").arg(&socket));
    process.wait_until("redis-server", || UnixStream::connect(&socket).is_ok());
    process
}
