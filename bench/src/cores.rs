//! Which core the server runs on and which the peers.
//!
//! A child inherits the affinity of the thread that starts it, so pinning is done by narrowing our own thread around the
//! spawn and widening it again: no code has to run between fork and exec.

use std::collections::BTreeSet;
use std::io;

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

use crate::error::BenchError;

/// The two cores of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cores {
    /// nginx's core.
    pub(crate) server: usize,
    /// The core of the peer that is being measured.
    pub(crate) peer: usize,
}

/// Chooses two cores among those this process may use, not two threads of one physical core where that can be avoided.
pub(crate) fn choose(server: Option<usize>, peer: Option<usize>) -> Result<Cores, BenchError> {
    let mask = sched_getaffinity(None)
        .map_err(|error| BenchError::System { what: "read the affinity", source: error.into() })?;
    let allowed: Vec<usize> = (0..CpuSet::MAX_CPU).filter(|core| mask.is_set(*core)).collect();
    for core in [server, peer].into_iter().flatten() {
        if !allowed.contains(&core) {
            return Err(BenchError::NoSuchCore { core, allowed });
        }
    }
    Ok(assign(&allowed, server, peer, siblings_of))
}

/// The pure part of [`choose`]: `siblings` gives the cores that share a physical core with the given one.
fn assign(
    allowed: &[usize],
    server: Option<usize>,
    peer: Option<usize>,
    siblings: impl Fn(usize) -> BTreeSet<usize>,
) -> Cores {
    // Core 0 serves most interrupts, so the last core is the quieter one: it goes to what is measured.
    let last = allowed.last().copied().unwrap_or(0);
    let peer = peer.unwrap_or_else(|| {
        allowed.iter().rev().copied().find(|core| Some(*core) != server).unwrap_or(last)
    });
    let near = siblings(peer);
    let server = server.unwrap_or_else(|| {
        let others = || allowed.iter().copied().filter(|core| *core != peer);
        others().find(|core| !near.contains(core)).or_else(|| others().next()).unwrap_or(peer)
    });
    Cores { server, peer }
}

/// What the kernel says about hyper-threads; nothing when it does not say.
fn siblings_of(core: usize) -> BTreeSet<usize> {
    let path = format!("/sys/devices/system/cpu/cpu{core}/topology/thread_siblings_list");
    std::fs::read_to_string(path).map(|text| parse_core_list(&text)).unwrap_or_default()
}

/// Parses the kernel's list format, such as `0-1,8`.
fn parse_core_list(text: &str) -> BTreeSet<usize> {
    let mut cores = BTreeSet::new();
    for part in text.trim().split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        if let (Ok(first), Ok(last)) = (first.parse::<usize>(), last.parse::<usize>()) {
            cores.extend(first..=last.min(CpuSet::MAX_CPU));
        }
    }
    cores
}

/// Runs `spawn` while this thread is pinned to `core`, so that what it starts is pinned too.
pub(crate) fn pinned<T>(core: usize, spawn: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    let before = sched_getaffinity(None)?;
    let mut only = CpuSet::new();
    only.set(core);
    sched_setaffinity(None, &only)?;
    let result = spawn();
    sched_setaffinity(None, &before)?;
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn core_lists() {
        fn check(text: &str, expect: &[usize]) {
            assert_eq!(parse_core_list(text).into_iter().collect::<Vec<_>>(), expect, "{text:?}");
        }
        check("0\n", &[0]);
        check("0-1,8\n", &[0, 1, 8]);
        check("", &[]);
    }

    #[test]
    fn cores_are_apart_where_they_can_be() {
        fn check(
            allowed: &[usize],
            wish: (Option<usize>, Option<usize>),
            threads: usize,
            expect: (usize, usize),
        ) {
            // `threads` neighbouring numbers share one physical core.
            let siblings =
                |core: usize| (core / threads * threads..(core / threads + 1) * threads).collect();
            let cores = assign(allowed, wish.0, wish.1, siblings);
            assert_eq!((cores.server, cores.peer), expect, "{allowed:?} {wish:?}");
        }
        check(&[0, 1], (None, None), 1, (0, 1));
        check(&[0, 1], (Some(1), None), 1, (1, 0));
        check(&[2, 3, 6, 7], (None, None), 2, (2, 7));
        check(&[6, 7], (None, None), 2, (6, 7));
        check(&[0, 1, 2, 3], (None, Some(0)), 2, (2, 0));
        check(&[5], (None, None), 1, (5, 5));
    }

    #[test]
    fn children_inherit_the_core_and_we_keep_ours() {
        let before = sched_getaffinity(None).expect("affinity");
        let core = (0..CpuSet::MAX_CPU).find(|core| before.is_set(*core)).expect("one core");
        let output = pinned(core, || {
            std::process::Command::new("sh")
                .args(["-c", "grep Cpus_allowed_list /proc/self/status"])
                .output()
        })
        .expect("sh runs");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(text.split_whitespace().nth(1), Some(core.to_string().as_str()), "{text}");
        assert_eq!(sched_getaffinity(None).expect("affinity"), before);
    }
}
