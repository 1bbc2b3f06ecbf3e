//! What the numbers were measured on: machine, kernel, versions.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::peers::Peer;
use crate::procfs;

/// The machine as far as it matters for reading the table.
#[derive(Debug, Clone)]
pub(crate) struct Machine {
    /// When the run began, UTC.
    pub(crate) date: String,
    /// The processor, as the kernel names it.
    pub(crate) processor: String,
    /// Cores that are online.
    pub(crate) cores: usize,
    /// Memory in GiB.
    pub(crate) memory_gib: Option<f64>,
    /// Operating system and kernel.
    pub(crate) kernel: String,
    /// Load averages before the run.
    pub(crate) load_before: Option<String>,
}

impl Machine {
    /// Looks at the machine this runs on.
    pub(crate) fn look() -> Self {
        let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
        let cpu_info = read("/proc/cpuinfo");
        let memory_kib = field(&read("/proc/meminfo"), "MemTotal").and_then(|value| {
            value.split_whitespace().next().and_then(|number| number.parse::<f64>().ok())
        });
        Self {
            date: jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M UTC").to_string(),
            processor: field(&cpu_info, "model name")
                .unwrap_or_else(|| "unknown processor".to_owned()),
            cores: cpu_info.lines().filter(|line| line.starts_with("processor")).count(),
            memory_gib: memory_kib.map(|kib| kib / f64::from(1 << 20)),
            kernel: format!("Linux {}", read("/proc/sys/kernel/osrelease").trim()),
            load_before: procfs::load_average(),
        }
    }
}

/// The value of the first `name : value` line.
fn field(text: &str, name: &str) -> Option<String> {
    text.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        (key.trim() == name).then(|| value.trim().to_owned())
    })
}

/// What a peer calls its version; peers that cannot say are named as such.
pub(crate) fn version(peer: &dyn Peer, program: &Path) -> String {
    if peer.version_args().is_empty() {
        return "has no version flag".to_owned();
    }
    let output = Command::new(program).args(peer.version_args()).stdin(Stdio::null()).output();
    match output {
        Ok(output) => {
            let text = [output.stdout, output.stderr].concat();
            tidy(&String::from_utf8_lossy(&text))
        }
        Err(error) => format!("cannot be run: {error}"),
    }
}

/// The first line without copyright, revision keywords and the place of installation.
fn tidy(text: &str) -> String {
    let mut line =
        text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("says nothing");
    line = line.strip_prefix("This is ").unwrap_or(line);
    for cut in [" Copyright", " <$", " from /"] {
        line = line.split(cut).next().unwrap_or(line);
    }
    line.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_one_tidy_line() {
        fn check(text: &str, expect: &str) {
            assert_eq!(tidy(text), expect);
        }
        check(
            "wrk 4.1.0 [epoll] Copyright (C) 2012 Will Glozer\nUsage: wrk\n",
            "wrk 4.1.0 [epoll]",
        );
        check(
            "This is ApacheBench, Version 2.3 <$Revision$>\nCopyright\n",
            "ApacheBench, Version 2.3",
        );
        check("locust 2.47.0 from /opt/venv/lib/locust (Python 3.11.7)\n", "locust 2.47.0");
        check("\noha 1.16.0\n", "oha 1.16.0");
        check("", "says nothing");
    }

    #[test]
    fn fields_of_cpuinfo() {
        let text = "processor\t: 0\nmodel name\t: AMD EPYC\nmodel\t\t: 17\n";
        assert_eq!(field(text, "model name").as_deref(), Some("AMD EPYC"));
        assert_eq!(field(text, "flags"), None);
    }
}
