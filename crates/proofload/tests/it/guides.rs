//! The guides: every command in them is run, against the demo service and in short.

use std::path::Path;
use std::process::Command;

use super::support::{DemoProcess, PROOFLOAD, Sandbox};

/// The plan that the guides speak of, with phases of a blink.
const PLAN: &str = "name = 'shop'\ntarget = '${TARGET:-http://127.0.0.1:8000}'\nhealth = '/health'\n\
    [[user]]\n[[user.task]]\nget = '/health'\ncheck = { status = 200 }\n\
    [[phase]]\nname = 'Normal load'\nusers = 2\nduration = '300ms'\nthink_time = '5ms'\n\
    expect = { p95 = '<1m', error_rate = { target = '<0.5%', limit = '<1%' } }\n\
    [[phase]]\nname = 'Spike'\nusers = 4\nduration = '300ms'\nthink_time = '5ms'\n\
    expect = { p95 = { target = '<1m', limit = '<2m' } }\n";

/// The result of a suite, as short as can be.
const SUITE: &str =
    r#"{"suite_schema": 1, "suite": {"name": "all"}, "tests": [{"name": "one", "kind": "load"}]}"#;

fn guide(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The commands of this guide's code that we can run here: ours, promtool's and those that only read
/// what ours have written.
fn commands(text: &str) -> Vec<String> {
    let mut commands = Vec::new();
    let mut in_code = false;
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line.starts_with("```") {
            in_code = !in_code;
            continue;
        }
        let line = line.trim_start();
        let line = line.strip_prefix("- ").unwrap_or(line);
        let mut command = line.strip_prefix("run: ").unwrap_or(line).to_owned();
        let is_ours = ["proofload ", "promtool ", "cat "].iter().any(|c| command.starts_with(c));
        if !in_code || !is_ours {
            continue;
        }
        while command.ends_with('\\') {
            command.pop();
            command.push_str(lines.next().expect("a next line").trim());
        }
        commands.push(command);
    }
    commands
}

/// Runs the commands of a guide in their order, in one folder.
fn run(name: &str, demo: &DemoProcess) -> Sandbox {
    let sandbox = Sandbox::new();
    std::fs::create_dir(sandbox.path("load")).expect("a folder");
    sandbox.write("shop.toml", PLAN).write("load/shop.toml", PLAN).write("suite.json", SUITE);
    let mut path = Path::new(PROOFLOAD).parent().expect("a folder").as_os_str().to_owned();
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap_or_default());
    let commands = commands(&guide(name));
    assert!(commands.len() > 3, "{name} shows commands: {commands:?}");
    for command in commands {
        let short = command.replace("--duration 30s", "--duration 300ms");
        let mut shell = Command::new("sh");
        shell.args(["-c", &short]);
        let ended = sandbox
            .invoke(shell)
            .env("PATH", path.to_str().expect("a path of text"))
            .env("TARGET", &demo.url)
            .env("GITHUB_STEP_SUMMARY", "step-summary.md")
            .end();
        // A machine that is busy with tests may be too busy to measure on.
        let is_fine =
            ended.code == Some(0) || (ended.code == Some(3) && short.contains("--strict"));
        assert!(is_fine, "{name}: {command}\n{ended:?}");
    }
    sandbox
}

#[test]
fn commands_are_found_where_they_are() {
    let text = "proofload no\n```yaml\n  - proofload a\n    run: proofload b \\\n      --c \\\n      d\n\
                run: |\n   proofload e\nother f\n```\nproofload no\n";
    assert_eq!(commands(text), ["proofload a", "proofload b --c d", "proofload e"]);
}

#[test]
fn the_guide_to_continuous_integration_works() {
    let demo = DemoProcess::start();
    let sandbox = run("ci.md", &demo);
    for name in ["result.json", "report.html", "junit.xml", "summary.md", "shop.rules.yml"] {
        assert!(sandbox.files().contains(&format!("load-results/{name}")), "{name}");
    }
    assert!(sandbox.read("load-results/summary.md").contains("### Compared with before"));
    assert!(sandbox.read("load-results/junit.xml").contains("<testsuite name=\"comparison\""));
    let shown = sandbox.read("step-summary.md");
    assert!(shown.starts_with("## ") && shown.contains("`shop`"), "{shown}");
}

#[test]
fn the_guide_to_formats_works() {
    let demo = DemoProcess::start();
    let sandbox = run("formats.md", &demo);
    for name in
        ["junit.xml", "suite-junit.xml", "summary.md", "locust_stats.csv", "locust_exceptions.csv"]
    {
        assert!(sandbox.files().contains(&name.to_owned()), "{name}");
    }
}

#[test]
fn the_guide_to_production_works() {
    let demo = DemoProcess::start();
    let sandbox = run("production.md", &demo);
    assert!(sandbox.read("shop.rules.yml").contains("LatencyP95TooHigh"));
    assert!(sandbox.read("shop.dashboard.json").starts_with('{'));
}

#[test]
fn the_guide_to_baselines_works() {
    let demo = DemoProcess::start();
    let sandbox = run("baselines.md", &demo);
    assert!(sandbox.read("shop.baseline.toml").contains("proofload_baseline = 1"));
    let files = sandbox.files();
    assert!(files.iter().any(|name| name.ends_with("/run-3.json")), "{files:?}");
}
