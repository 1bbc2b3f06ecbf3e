//! The readers of `/proc`. What cannot be read is absent, never zero.

use std::fs;
use std::time::Duration;

/// Processes of one tree that are looked at, at most: a bound, not an expectation.
const MAX_TREE: usize = 256;

/// The peak resident memory of a process in bytes, as the kernel kept it (`VmHWM`).
pub(crate) fn peak_memory_bytes(pid: u32) -> Option<u64> {
    status_kib(&fs::read_to_string(format!("/proc/{pid}/status")).ok()?, "VmHWM:")
        .map(|kib| kib * 1024)
}

/// Finds a `Name:  123 kB` line.
fn status_kib(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

/// A process and all its descendants that live now, the process first.
pub(crate) fn tree(root: u32) -> Vec<u32> {
    let mut pids = vec![root];
    let mut next = 0;
    while next < pids.len() && pids.len() < MAX_TREE {
        pids.extend(children(pids[next]));
        next += 1;
    }
    pids
}

/// The children of a process, whichever of its threads started them.
pub(crate) fn children(pid: u32) -> Vec<u32> {
    let Ok(threads) = fs::read_dir(format!("/proc/{pid}/task")) else { return Vec::new() };
    threads
        .flatten()
        .filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok())
        .flat_map(|text| {
            text.split_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<u32>>()
        })
        .collect()
}

/// The CPU time the main thread of a process has had. nginx's workers have no other.
pub(crate) fn main_thread_cpu(pid: u32) -> Option<Duration> {
    let text = fs::read_to_string(format!("/proc/{pid}/schedstat")).ok()?;
    text.split_whitespace().next()?.parse().ok().map(Duration::from_nanos)
}

/// The time a core was not idle since boot, stolen time of a virtual machine included.
pub(crate) fn core_busy(core: usize) -> Option<Duration> {
    let ticks = busy_ticks(&fs::read_to_string("/proc/stat").ok()?, core)?;
    Some(Duration::from_secs_f64(ticks as f64 / rustix::param::clock_ticks_per_second() as f64))
}

/// Fields of `/proc/stat`: user nice system idle iowait irq softirq steal (guest times are part of user).
fn busy_ticks(text: &str, core: usize) -> Option<u64> {
    let name = format!("cpu{core}");
    let line = text.lines().find(|line| line.split_whitespace().next() == Some(&name))?;
    let fields: Vec<u64> =
        line.split_whitespace().skip(1).map_while(|field| field.parse().ok()).collect();
    let all: u64 = fields.iter().take(8).sum();
    Some(all - fields.get(3)? - fields.get(4)?)
}

/// The load averages, as the kernel prints them.
pub(crate) fn load_average() -> Option<String> {
    let text = fs::read_to_string("/proc/loadavg").ok()?;
    Some(text.split_whitespace().take(3).collect::<Vec<_>>().join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_lines() {
        let text = "Name:\tx\nVmPeak:\t  90 kB\nVmHWM:\t    2048 kB\n";
        assert_eq!(status_kib(text, "VmHWM:"), Some(2048));
        assert_eq!(status_kib(text, "VmSwap:"), None);
    }

    #[test]
    fn busy_leaves_idle_and_waiting_out() {
        let text = "cpu  1 1 1 1 1 1 1 1 0 0\ncpu1 10 2 30 1000 500 4 5 6 0 0\ncpu11 7 0 0 0 0 0 0 0 0 0\n";
        assert_eq!(busy_ticks(text, 1), Some(57));
        assert_eq!(busy_ticks(text, 11), Some(7));
        assert_eq!(busy_ticks(text, 2), None);
    }

    #[test]
    fn our_own_process_can_be_read() {
        let pid = std::process::id();
        assert!(peak_memory_bytes(pid).is_some_and(|bytes| bytes > 100_000));
        assert!(main_thread_cpu(pid).is_some());
        assert_eq!(tree(pid)[0], pid);
    }
}
