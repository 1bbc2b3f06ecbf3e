//! Folders that cannot be written, and disks that are full before a run is over.

use std::process::Command;

use super::support::{PROOFLOAD, Sandbox, count, friendly, plan, settled};

/// A folder in which not even the superuser can make anything.
#[cfg(target_os = "linux")]
const READ_ONLY: &str = "/proc/proofload-results";

#[cfg(target_os = "linux")]
#[test]
fn a_folder_that_cannot_be_written_is_told_before_the_load() {
    let (sandbox, fixture) = (Sandbox::new(), friendly());
    sandbox.write("plan.toml", plan(&fixture, "[[phase]]\nusers = 1\niterations = 3"));
    let said = sandbox.run(["run", "plan.toml", "--results", READ_ONLY]).end().with(74).silent();
    said.says(&["error: ", READ_ONLY, "--results DIR"]);
    assert_eq!(settled(&fixture).requests, 0, "no load was put on");
    assert_eq!(sandbox.files(), ["plan.toml"]);
}

/// Somebody who says where the result goes gets it, also where there is no place for more.
#[test]
fn without_a_folder_there_is_a_result_where_one_is_asked_for() {
    let (sandbox, fixture) = (Sandbox::new(), friendly());
    sandbox.write("plan.toml", plan(&fixture, "[[phase]]\nusers = 1\niterations = 3"));
    sandbox.write("proofload-results", "a file in the way");
    let line = ["run", "plan.toml", "--no-health-check", "-o", "result.json"];
    sandbox.run(line).end().with(0).says(&["no report and no journal"]);
    assert_eq!(count(&sandbox.result("result.json"), "/summary/total_requests"), 3);
    assert_eq!(sandbox.read("proofload-results"), "a file in the way");
}

/// The disk is full while the run goes on: the load is not stopped, what is wrong is told, and what
/// fitted on the disk can be read.
#[cfg(unix)]
#[test]
fn a_disk_that_is_full_in_mid_run() {
    let (sandbox, fixture) = (Sandbox::new(), friendly());
    let phase = "[[phase]]\nname = 'one'\nusers = 2\nthink_time = '2ms'\nduration = '4s'";
    sandbox.write("plan.toml", plan(&fixture, phase));
    // No file may become larger than some kilobytes: a second of the journal fits, the run does not.
    let mut shell = Command::new("sh");
    let line = "trap '' XFSZ; ulimit -f 16; exec \"$0\" run plan.toml --no-health-check";
    shell.args(["-c", line, PROOFLOAD]);
    let ended = sandbox.invoke(shell).end().with(74).says(&["journal", "could not be written"]);
    let requests = settled(&fixture).requests;
    assert!(requests > 100, "the load went on: {requests}");
    assert!(ended.stdout.contains("one"), "the summary is shown: {}", ended.stdout);
    let files = sandbox.files();
    assert!(!files.iter().any(|file| file.ends_with(".draft")), "{files:?}");
    assert!(!files.iter().any(|file| file.ends_with("result.json")), "not half of it: {files:?}");
    let journal =
        files.iter().find(|file| file.ends_with("journal.ndjson")).expect("the journal stays");
    let folder = journal.trim_end_matches("/journal.ndjson");
    let said = sandbox.run(["report", folder]).end().with(0).stdout;
    assert!(said.contains("Incomplete") && said.contains("one"), "{said}");
}
