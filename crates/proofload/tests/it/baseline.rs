//! `proofload baseline` and `--baseline`.

use proofload_testbed::fixture::{Behaviour, Fixture, Reply};
use std::time::Duration;

use crate::support::{Sandbox, fixture, json};

fn service(ms: u64) -> Fixture {
    fixture(Behaviour::new().prefix("/", Reply::text("ok").after(Duration::from_millis(ms))))
}

/// A plan that takes its target from the command line.
const PLAN: &str = "name = \"Shop\"\n[[user]]\n[[user.task]]\nget = \"/\"\n[[phase]]\nname = \"Load\"\n\
                    users = 4\nduration = \"2s\"\n";

/// A machine that is busy with other tests may spoil a measurement, and then nothing is told from it.
fn is_spoilt(sandbox: &Sandbox, file: &str) -> bool {
    sandbox.result(file)["summary"]["trustworthy"] == false
}

fn run(sandbox: &Sandbox, service: &Fixture, more: &[&str], code: i32) -> String {
    let url = service.url("");
    let start = ["run", "plan.toml", "--target", &url];
    let ended = sandbox.run(start.iter().chain(more)).end().with(code);
    format!("{}{}", ended.stdout, ended.stderr)
}

#[test]
fn a_run_is_compared_with_its_baseline() {
    let sandbox = Sandbox::new();
    sandbox.write("plan.toml", PLAN);
    let (quick, slow) = (service(5), service(100));
    run(&sandbox, &quick, &["--quiet", "-o", "first.json"], 0);
    let said = sandbox.run(["baseline", "accept", "first.json"]).end().with(0).stdout.clone();
    assert!(said.contains("accepted: shop.baseline.toml (1 run)"), "{said}");
    let text = sandbox.read("shop.baseline.toml");
    for words in
        ["proofload_baseline = 1", "name = \"Shop\"", "[environment]", "cpu_cores", "p95 = \""]
    {
        assert!(text.contains(words), "{words} in:\n{text}");
    }
    assert!(text.len() < 20_000, "{}", text.len());
    // The same service, then a slower one, which is another target: a refusal, unless allowed.
    let baseline = ["--baseline", "shop.baseline.toml"];
    let said = run(&sandbox, &quick, &[&baseline[..], &["-o", "same.json"]].concat(), 0);
    assert!(said.contains("Comparison") && said.contains("this run"), "{said}");
    assert_eq!(sandbox.result("same.json")["comparison"]["has_regressed"], false);
    let said = run(&sandbox, &slow, &baseline, 65);
    assert!(said.contains("no load was put on") && said.contains("target:"), "{said}");
    assert_eq!(slow.settled_ledger(Duration::from_secs(30)).expect("settled").path("/"), 0);
    let allowed = [&baseline[..], &["--allow-different", "target", "-o", "slow.json"]].concat();
    let url = slow.url("");
    let start = ["run", "plan.toml", "--target", &url];
    let ended = sandbox.run(start.iter().chain(&allowed)).end();
    if is_spoilt(&sandbox, "first.json") || is_spoilt(&sandbox, "slow.json") {
        return;
    }
    assert!(ended.with(2).stdout.contains("REGRESSION"));
    let result = sandbox.result("slow.json");
    assert_eq!(result["comparison"]["has_regressed"], true);
    // Shown again, with the same words.
    let again = sandbox.run(["report", "slow.json"]).end().with(0).stdout.clone();
    assert!(again.contains("REGRESSION"), "{again}");
    let check =
        ["baseline", "check", "shop.baseline.toml", "slow.json", "--allow-different", "all"];
    sandbox.run(check).end().with(2);
    let found = json(&sandbox.run(check.iter().chain(&["--json"])).end().with(2).stdout);
    assert_eq!(found["entries"][0]["changes"][1]["verdict"], "worse");
}

#[test]
fn only_an_improvement_replaces_a_baseline() {
    let sandbox = Sandbox::new();
    sandbox.write("plan.toml", PLAN);
    let (quick, slow) = (service(5), service(100));
    run(&sandbox, &slow, &["--quiet", "-o", "slow.json"], 0);
    run(&sandbox, &quick, &["--quiet", "-o", "quick.json"], 0);
    for file in ["slow.json", "quick.json"] {
        let text = sandbox.read(file);
        sandbox.write(file, text.replace("\"trustworthy\": false", "\"trustworthy\": true"));
    }
    let accept = |result: &str| {
        let arguments = [
            "baseline",
            "accept",
            result,
            "--if-improved",
            "-o",
            "b.toml",
            "--allow-different",
            "target",
        ];
        sandbox.run(arguments).end().with(0).stdout.clone()
    };
    assert!(accept("slow.json").contains("accepted"));
    let first = sandbox.read("b.toml");
    let said = accept("slow.json");
    assert!(said.contains("b.toml stays as it is: nothing is better"), "{said}");
    assert_eq!(sandbox.read("b.toml"), first);
    assert!(accept("quick.json").contains("accepted"));
    let better = sandbox.read("b.toml");
    assert_ne!(better, first);
    let said = accept("slow.json");
    assert!(said.contains("is worse"), "{said}");
    assert_eq!(sandbox.read("b.toml"), better);
}

#[test]
fn bad_baselines_are_told_and_stay() {
    let sandbox = Sandbox::new();
    sandbox.write("plan.toml", PLAN);
    let service = service(1);
    run(&sandbox, &service, &["--quiet", "-o", "r.json", "--duration", "1s"], 0);
    sandbox.run(["baseline", "accept", "r.json", "-o", "b.toml"]).end().with(0);
    let good = sandbox.read("b.toml");
    let check = |text: &str, message: &str| {
        sandbox.write("bad.toml", text);
        for command in [
            vec!["baseline", "check", "bad.toml", "r.json"],
            vec!["compare", "bad.toml", "r.json"],
            vec!["run", "plan.toml", "--target", "http://127.0.0.1:1", "--baseline", "bad.toml"],
            vec!["baseline", "accept", "r.json", "--if-improved", "-o", "bad.toml"],
        ] {
            let said = sandbox.run(&command).end().with(65).stderr.clone();
            assert!(said.contains("bad.toml"), "{command:?}: {said}");
            // What is no baseline at all is taken for a result where that is possible.
            let is_plain = command[0] == "baseline";
            assert!(said.contains(message) || !is_plain, "{command:?}: {said}");
            assert_eq!(sandbox.read("bad.toml"), text, "{command:?}");
        }
    };
    check(&good[..good.len() / 2], "damaged");
    check(&good.replace("proofload_baseline = 1", "proofload_baseline = 7"), "has version 7");
    check("name = \"a plan\"\n", "not a baseline");
    let missing = ["baseline", "check", "none.toml", "r.json"];
    assert!(sandbox.run(missing).end().with(65).stderr.contains("none.toml cannot be read"));
    // Where nothing can be written, the old file stays.
    let nowhere = ["baseline", "accept", "r.json", "-o", "r.json/b.toml"];
    sandbox.run(nowhere).end().with(74);
}
