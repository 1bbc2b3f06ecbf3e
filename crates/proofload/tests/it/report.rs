//! `proofload report`: stored results in other formats, and what is left of a run that was killed.

use super::support::{Sandbox, count, friendly, json, plan};

/// A sandbox with the result of ten requests in `result.json`.
fn with_result() -> Sandbox {
    let (sandbox, fixture) = (Sandbox::new(), friendly());
    let phase = "[[phase]]\nname = 'one'\nusers = 2\niterations = 5\nexpect = { p95 = '<1m' }";
    sandbox.write("plan.toml", plan(&fixture, phase));
    let line = ["run", "plan.toml", "-q", "-o", "result.json", "--results", "runs"];
    sandbox.run(line).end().with(0);
    sandbox
}

#[test]
fn a_result_is_converted() {
    let sandbox = with_result();
    let on_output = |format: &str| {
        let line = ["report", "result.json", "--format", format];
        let ended = sandbox.run(line).end().with(0);
        assert_eq!(ended.stderr, "");
        ended.stdout
    };
    assert!(on_output("junit").contains("<testsuite name=\"one\""));
    // A busy machine makes the measurement suspect, which the heading says.
    let markdown = on_output("markdown");
    assert!(markdown.starts_with("## ") && markdown.contains("EXCELLENT"), "{markdown}");
    assert_eq!(json(&on_output("json")), sandbox.result("result.json"));
    assert!(on_output("text").contains("EXCELLENT"));

    let to = |line: &[&str]| {
        let ended = sandbox.run(["report", "result.json"].iter().chain(line)).end().with(0);
        assert_eq!((ended.stdout.as_str(), ended.stderr.as_str()), ("", ""), "{line:?}");
    };
    to(&["-o", "deep/junit.xml"]);
    assert!(sandbox.read("deep/junit.xml").starts_with("<?xml"));
    to(&["-o", "deep", "-f", "markdown"]);
    assert!(sandbox.read("deep/summary.md").starts_with("## "));
    to(&["-f", "csv", "-o", "deep/locust"]);
    assert!(sandbox.read("deep/locust_stats.csv").contains(",Aggregated,10,0,"));
    to(&["-f", "csv", "-o", "deep"]);
    to(&["-o", "summary.txt"]);
    assert!(sandbox.read("summary.txt").contains("EXCELLENT"));
    assert!(!sandbox.read("summary.txt").contains('\u{1b}'));
}

#[test]
fn what_cannot_be_done_is_told() {
    let sandbox = with_result();
    let check = |line: &[&str], code: i32, says: &str| {
        let ended = sandbox.run(["report"].iter().chain(line)).end().with(code).silent();
        ended.says(&[says]);
    };
    check(&["result.json", "-f", "csv"], 64, "several files");
    check(&["result.json", "-o", "picture.png"], 64, "add --format");
    check(&["result.json", "-f", "pdf"], 64, "markdown");
    check(&["plan.toml"], 65, "not a result");
    check(&["nothing.json"], 65, "cannot be read");
    check(&["result.json", "-o", "plan.toml/x.xml"], 74, "is not a folder");
    std::fs::create_dir(sandbox.path("empty")).expect("a folder");
    check(&["empty"], 65, "no journal");
}

#[test]
fn the_folder_of_a_run_is_a_result() {
    let sandbox = with_result();
    let files = sandbox.files();
    let kept = files.iter().find_map(|name| name.strip_suffix("/result.json")).expect("a folder");
    let shown = sandbox.run(["report", kept, "-f", "json"]).end().with(0).stdout;
    assert_eq!(json(&shown), sandbox.result("result.json"));
}

#[test]
fn a_suite_is_a_result() {
    let (sandbox, fixture) = (Sandbox::new(), friendly());
    sandbox.write(
        "one.toml",
        plan(&fixture, "[[phase]]\nusers = 1\niterations = 3\nexpect = { p95 = '<1m' }"),
    );
    sandbox.write(
        "suite.toml",
        "name = 'all'\n[[test]]\nname = 'one'\nkind = 'load'\nplan = 'one.toml'\n\
         [[requirement]]\nid = '4.1'\ntext = 'answers'\nby = [{ test = 'one', expect = { p95 = '<1m' } }]\n",
    );
    sandbox.run(["suite", "suite.toml", "-q", "-o", "all.json"]).end().with(0);
    let convert =
        |format: &str| sandbox.run(["report", "all.json", "-f", format]).end().with(0).stdout;
    assert!(convert("junit").contains("<testcase name=\"4.1 answers\""), "{}", convert("junit"));
    // On a busy machine the measurement is suspect and proves nothing; the row is there all the same.
    let markdown = convert("markdown");
    assert!(markdown.contains("proven | `4.1` answers |"), "{markdown}");
    assert!(convert("text").contains("4.1"));
    assert_eq!(json(&convert("json")), sandbox.result("all.json"));
    let ended = sandbox.run(["report", "all.json", "-f", "csv", "-o", "x"]).end().with(64);
    ended.says(&["a suite has no such format"]);
}

#[cfg(unix)]
#[test]
fn a_killed_run_is_shown_as_far_as_it_went() {
    use super::support::wait_until;
    use rustix::process::Signal;

    let (sandbox, fixture) = (Sandbox::new(), friendly());
    let phases = "[[phase]]\nname = 'long'\nusers = 2\nduration = '10m'\nthink_time = '10ms'";
    sandbox.write("plan.toml", plan(&fixture, phases));
    let running = sandbox.run(["run", "plan.toml", "-q", "--results", "runs"]).start();
    let journal = |sandbox: &Sandbox| {
        let files = sandbox.files();
        files.into_iter().find(|name| name.ends_with("/journal.ndjson"))
    };
    // A header, the beginning of the phase, and intervals of it.
    wait_until("something is measured", || {
        journal(&sandbox).is_some_and(|name| sandbox.read(&name).lines().count() > 4)
    });
    running.signal(Signal::KILL);
    running.end();
    let name = journal(&sandbox).expect("it is left behind");
    let folder = name.trim_end_matches("/journal.ndjson");
    let shown = sandbox.run(["report", folder, "-f", "json"]).end().with(0).stdout;
    let result = json(&shown);
    assert_eq!(result["run"]["incomplete"], true);
    let requests = count(&result, "/summary/total_requests");
    assert!(requests > 0 && requests <= fixture.ledger().requests);
    let summary = sandbox.run(["report", folder]).end().with(0).stdout;
    assert!(summary.contains("long"), "{summary}");
    let junit = sandbox.run(["report", folder, "-f", "junit"]).end().with(0).stdout;
    assert!(junit.contains("<error message=\"the run is incomplete"), "{junit}");
}
