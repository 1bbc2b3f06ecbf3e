//! `--out`: the same run in other formats.

use super::support::{Sandbox, friendly, plan, settled};

#[test]
fn a_run_is_written_in_every_format_that_is_asked_for() {
    let (sandbox, fixture) = (Sandbox::new(), friendly());
    let phase = "[[phase]]\nname = 'one'\nusers = 2\niterations = 5\nexpect = { p95 = '<1m' }";
    sandbox.write("plan.toml", plan(&fixture, phase));
    let line = [
        "run",
        "plan.toml",
        "-q",
        "--no-health-check",
        "--out",
        "junit=deep/junit.xml",
        "--out",
        "csv=locust",
    ];
    let more = ["--out", "markdown", "--out", "json=again.json"];
    sandbox.run(line.iter().chain(&more)).end().with(0);
    assert!(sandbox.read("deep/junit.xml").starts_with("<?xml"));
    let requests = settled(&fixture).requests;
    assert!(sandbox.read("locust_stats.csv").contains(&format!(",Aggregated,{requests},")));
    for name in ["locust_stats_history.csv", "locust_failures.csv", "locust_exceptions.csv"] {
        assert!(sandbox.read(name).ends_with("\r\n"), "{name}");
    }
    assert_eq!(sandbox.result("again.json")["summary"]["total_requests"], requests);
    let files = sandbox.files();
    let kept =
        |end: &str| files.iter().any(|f| f.starts_with("proofload-results/") && f.ends_with(end));
    assert!(kept("/summary.md") && kept("/result.json"), "{files:?}");
}

#[test]
fn what_cannot_be_written_is_told_before_the_load() {
    let (sandbox, fixture) = (Sandbox::new(), friendly());
    sandbox.write("file", "");
    let url = fixture.url("/");
    for (out, code, says) in [
        ("junit=file/x.xml", 74, "file/x.xml"),
        ("junt=x.xml", 64, "junit"),
        ("junit=", 64, "names no place"),
    ] {
        sandbox
            .run(["http", &url, "-n", "1", "--out", out])
            .end()
            .with(code)
            .silent()
            .says(&[says]);
    }
    assert_eq!(settled(&fixture).requests, 0);
}
