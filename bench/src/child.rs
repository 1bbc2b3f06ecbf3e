//! One process tree on one core: started, watched, measured, and gone afterwards.
//!
//! CPU time is what `wait4` says: user + system, in microseconds, of the process and of every descendant that was waited
//! for. Memory is the sum of the peaks (`VmHWM`) over the tree, polled, because `ru_maxrss` knows only the largest single
//! process and starts from our own size (it is taken before the exec). Each process leads a group of its own, so that
//! ending it ends its descendants and nothing else; the group is ended before the leader is reaped, while its number
//! cannot be anyone else's.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use wait4::{ResUse, Wait4};

use crate::{cores, procfs};

/// How often the end of a process is looked for.
const POLL: Duration = Duration::from_millis(20);
/// Every how many polls its memory is read.
const POLLS_PER_MEMORY_READ: u32 = 5;

/// What a process tree cost.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Usage {
    /// User and system time of the tree.
    pub(crate) cpu: Duration,
    /// From start to end.
    pub(crate) wall: Duration,
    /// The largest sum of the peaks of the tree's processes.
    pub(crate) peak_memory_bytes: u64,
    /// How it ended.
    pub(crate) status: ExitStatus,
}

/// Why a process tree has no [`Usage`].
#[derive(Debug, thiserror::Error)]
pub(crate) enum ChildError {
    /// It could not be started or waited for.
    #[error("cannot run it: {0}")]
    Io(#[from] io::Error),
    /// It was still there at its deadline and was ended.
    #[error("still running after {} s, ended", .0.as_secs())]
    Deadline(Duration),
    /// The user asked to stop.
    #[error("interrupted")]
    Interrupted,
}

/// A process group of ours. Dropping it ends the whole group.
#[derive(Debug)]
pub(crate) struct Group {
    child: Child,
    pid: Pid,
    reaped: bool,
}

impl Group {
    /// Starts `command` on `core` as the leader of a new group.
    pub(crate) fn spawn(command: &mut Command, core: usize) -> io::Result<Self> {
        let child = cores::pinned(core, || command.process_group(0).spawn())?;
        let pid = Pid::from_child(&child);
        Ok(Self { child, pid, reaped: false })
    }

    /// The process id of the leader.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether the leader has ended. It stays a zombie, so its number stays ours.
    pub(crate) fn has_ended(&self) -> io::Result<bool> {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        Ok(waitid(WaitId::Pid(self.pid), options)?.is_some())
    }

    /// Asks the group to end.
    pub(crate) fn terminate(&self) -> io::Result<()> {
        Ok(kill_process_group(self.pid, Signal::TERM)?)
    }

    /// Ends what is left of the group and collects the leader.
    fn reap(&mut self) -> io::Result<ResUse> {
        // Fails only when nobody is left who could be ended.
        let _ = kill_process_group(self.pid, Signal::KILL);
        self.reaped = true;
        self.child.wait4()
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if !self.reaped {
            let _ = self.reap();
        }
    }
}

/// Runs `command` on `core` to its end, at most for `limit`, and measures its tree.
pub(crate) fn measure(
    command: &mut Command,
    core: usize,
    limit: Duration,
    stop: &AtomicBool,
) -> Result<Usage, ChildError> {
    // wait4 reports at least what we ourselves weighed when the child left us.
    let own_peak_bytes = procfs::peak_memory_bytes(std::process::id()).unwrap_or(u64::MAX);
    let started = Instant::now();
    let mut group = Group::spawn(command, core)?;
    let mut peak_memory_bytes = 0;
    let mut polls = 0_u32;
    while !group.has_ended()? {
        if stop.load(Ordering::Relaxed) {
            return Err(ChildError::Interrupted);
        }
        if started.elapsed() > limit {
            return Err(ChildError::Deadline(limit));
        }
        if polls.is_multiple_of(POLLS_PER_MEMORY_READ) {
            let sum =
                procfs::tree(group.id()).into_iter().filter_map(procfs::peak_memory_bytes).sum();
            peak_memory_bytes = peak_memory_bytes.max(sum);
        }
        polls = polls.wrapping_add(1);
        std::thread::sleep(POLL);
    }
    let wall = started.elapsed();
    let end = group.reap()?;
    // Catches what one process grew by after the last poll, where wait4 can speak of it at all.
    if end.rusage.maxrss > own_peak_bytes {
        peak_memory_bytes = peak_memory_bytes.max(end.rusage.maxrss);
    }
    Ok(Usage {
        cpu: end.rusage.utime + end.rusage.stime,
        wall,
        peak_memory_bytes,
        status: end.status,
    })
}

#[cfg(test)]
mod tests {
    use std::process::Stdio;

    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    fn any_core() -> usize {
        cores::choose(None, None).expect("cores").peer
    }

    fn run(script: &str) -> Usage {
        measure(&mut shell(script), any_core(), LONG, &AtomicBool::new(false)).expect("runs")
    }

    #[test]
    fn cpu_time_includes_descendants_and_leaves_waiting_out() {
        let idle = run("sleep 0.3");
        let busy = run("sh -c 'i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done'; :");
        assert!(idle.status.success() && busy.status.success());
        assert!(idle.wall >= Duration::from_millis(300));
        assert!(idle.cpu < Duration::from_millis(250), "{:?}", idle.cpu);
        assert!(busy.cpu > idle.cpu, "{:?} {:?}", busy.cpu, idle.cpu);
        assert!(busy.peak_memory_bytes > 100_000);
    }

    #[test]
    fn the_status_is_the_leaders() {
        assert_eq!(run("exit 7").status.code(), Some(7));
    }

    #[test]
    fn the_deadline_ends_the_whole_group() {
        let scratch = crate::scratch::Scratch::new().expect("scratch");
        let pid_file = scratch.path().join("pid");
        let script = format!("sleep 600 & echo $! > {}; wait", pid_file.display());
        let limit = Duration::from_secs(1);
        let result = measure(&mut shell(&script), any_core(), limit, &AtomicBool::new(false));
        assert!(matches!(result, Err(ChildError::Deadline(_))), "{result:?}");
        let pid = std::fs::read_to_string(&pid_file).expect("the shell wrote its child's number");
        // An orphan that was ended may stay a zombie until init collects it.
        let is_gone = || {
            let state =
                std::fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
            state.is_empty() || state.contains(") Z ") || state.contains(") X ")
        };
        // A signal is delivered soon, not at once, and nobody here is its parent who could wait.
        let asked = Instant::now();
        while !is_gone() {
            assert!(asked.elapsed() < LONG, "the descendant lives on");
            std::thread::sleep(POLL);
        }
    }

    #[test]
    fn an_interrupt_ends_it() {
        let result = measure(&mut shell("sleep 600"), any_core(), LONG, &AtomicBool::new(true));
        assert!(matches!(result, Err(ChildError::Interrupted)), "{result:?}");
    }

    #[test]
    fn a_missing_program_is_an_error() {
        let mut command = Command::new("/nonexistent/program");
        let result = measure(&mut command, any_core(), LONG, &AtomicBool::new(false));
        assert!(matches!(result, Err(ChildError::Io(_))), "{result:?}");
    }
}
