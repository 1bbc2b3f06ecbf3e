//! A redis-server without persistence.

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::process::Command;

use super::{Folder, Process};

/// A Redis of its own.
#[derive(Debug)]
pub struct Redis {
    // Before the folder, so that it has ended when that goes.
    process: Process,
    folder: Folder,
}

impl Redis {
    /// Starts it; when this returns, it answers.
    ///
    /// # Panics
    /// When there is no `redis-server`, or it does not come up.
    #[must_use]
    pub fn start() -> Self {
        let folder = Folder::new("redis");
        let mut command = Command::new("redis-server");
        command.current_dir(folder.path());
        command.args(["--port", "0", "--save", "", "--appendonly", "no"]);
        command.arg("--unixsocket").arg(folder.path().join("socket"));
        let process = Process::start(&mut command);
        let mut server = Self { process, folder };
        let socket = server.folder.path().join("socket");
        server.process.wait_until("redis-server", || UnixStream::connect(&socket).is_ok());
        server
    }

    /// Where it is.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis+unix://{}", self.folder.path().join("socket").display())
    }

    /// The first line of its answer to a command, as the protocol has it; none if it does not answer.
    #[must_use]
    pub fn ask(&self, command: &str) -> Option<String> {
        let mut stream = UnixStream::connect(self.folder.path().join("socket")).ok()?;
        stream.write_all(format!("{command}\r\nQUIT\r\n").as_bytes()).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        answer.lines().next().map(str::to_owned)
    }
}
