//! `proofload compare` and `--repeat`: verdicts, refusals, exit codes.

use proofload_testbed::fixture::{Behaviour, Fixture, Reply};
use std::time::Duration;

use serde_json::Value;

use crate::support::{Sandbox, fixture, json, plan, settled};

/// A service that takes so many milliseconds.
fn service(ms: u64) -> Fixture {
    fixture(Behaviour::new().prefix("/", Reply::text("ok").after(Duration::from_millis(ms))))
}

const LOAD: &str = "[[phase]]\nname = \"Load\"\nusers = 4\nduration = \"2s\"\n";

/// Runs the plan against a service of that speed and leaves `NAME.json`. The targets differ in their
/// ports, which comparisons have to be told to allow.
fn measured(sandbox: &Sandbox, name: &str, ms: u64) {
    let service = service(ms);
    sandbox.write("plan.toml", plan(&service, LOAD));
    let file = format!("{name}.json");
    sandbox.run(["run", "plan.toml", "--quiet", "-o", &file]).end().with(0);
    // A machine that is busy with other tests may spoil a measurement, and then nothing is told from it.
    let text = sandbox.read(&file);
    sandbox.write(&file, text.replace("\"trustworthy\": false", "\"trustworthy\": true"));
}

#[test]
fn what_got_much_slower_is_worse_and_the_rules_say_so() {
    let sandbox = Sandbox::new();
    measured(&sandbox, "old", 5);
    measured(&sandbox, "new", 100);
    let compare = ["compare", "old.json", "new.json", "--allow-different", "target"];
    let text = sandbox.run(compare).end().with(2).stdout;
    for words in ["Comparison", "old.json", "p95 of every phase", "fired: Load", "REGRESSION"] {
        assert!(text.contains(words), "{words} in:\n{text}");
    }
    let found = json(&sandbox.run(compare.iter().chain(&["--json"])).end().with(2).stdout);
    let p50 = &found["entries"][0]["changes"][1];
    assert_eq!((&p50["measure"], &p50["verdict"]), (&"p50".into(), &"worse".into()));
    // The other way round it is better.
    let back = ["compare", "new.json", "old.json", "--allow-different", "all", "--json"];
    let found = json(&sandbox.run(back).end().with(0).stdout);
    assert_eq!(found["entries"][0]["changes"][1]["verdict"], "better");
    assert_eq!(found["has_regressed"], false);
    // With itself there is nothing to tell.
    let found =
        json(&sandbox.run(["compare", "old.json", "old.json", "--json"]).end().with(0).stdout);
    let changes = found["entries"][0]["changes"].as_array().expect("changes");
    assert!(changes.iter().all(|c| c["verdict"] != "worse" && c["verdict"] != "better"), "{found}");
}

#[test]
fn the_rules_of_a_plan_count() {
    let sandbox = Sandbox::new();
    measured(&sandbox, "old", 5);
    measured(&sandbox, "new", 100);
    let rules = sandbox.read("plan.toml")
        + "[regression]\nerror_rate = \"+5 points\"\n[goals]\np95 = \"-50%\"\n";
    sandbox.write("rules.toml", rules);
    let compare = |old: &str, new: &str| {
        let arguments =
            ["compare", old, new, "--allow-different", "target", "--rules", "rules.toml"];
        sandbox.run(arguments).end().with(0).stdout.clone()
    };
    let text = compare("old.json", "new.json");
    assert!(text.contains("error_rate of every phase") && !text.contains("p95 of every"), "{text}");
    assert!(text.contains("not reached"), "{text}");
    assert!(compare("new.json", "old.json").contains(" reached"));
}

#[test]
fn other_targets_plans_and_machines_are_refused() {
    let sandbox = Sandbox::new();
    measured(&sandbox, "old", 1);
    let text = sandbox.read("old.json");
    let other = |from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        sandbox.write("new.json", text.replace(from, to));
        sandbox.run(["compare", "old.json", "new.json"]).end().with(65).stderr.clone()
    };
    let refused = other("\"cpu_cores\": \"", "\"cpu_cores\": \"9");
    assert!(refused.contains("not comparable") && refused.contains("cores: "), "{refused}");
    assert!(refused.contains("--allow-different environment"), "{refused}");
    let refused = other("\"plan_hash\": \"sha256:", "\"plan_hash\": \"sha256:ff");
    assert!(refused.contains("--allow-different plan"), "{refused}");
    let refused = other("\"target\": \"http://", "\"target\": \"http://x");
    assert!(refused.contains("--allow-different target"), "{refused}");
    let allowed = ["compare", "old.json", "new.json", "--allow-different", "plan,target"];
    sandbox.run(allowed).end().with(0);
    let wrong = ["compare", "old.json", "new.json", "--allow-different", "machine"];
    let message = sandbox.run(wrong).end().with(64).stderr.clone();
    assert!(message.contains("`machine` is none of environment, plan, target"), "{message}");
}

#[test]
fn bad_files_and_arguments_are_told() {
    let sandbox = Sandbox::new();
    measured(&sandbox, "old", 1);
    sandbox.write("text.json", "no result");
    let message = sandbox.run(["compare", "old.json", "text.json"]).end().with(65).stderr.clone();
    assert!(message.contains("text.json"), "{message}");
    let message = sandbox.run(["compare", "old.json", "gone.json"]).end().with(65).stderr.clone();
    assert!(message.contains("gone.json cannot be read"), "{message}");
    sandbox.run(["compare", "old.json"]).end().with(64);
    sandbox.run(["compare", "--old", "old.json"]).end().with(64);
    sandbox.run(["compare"]).end().with(64);
}

#[test]
fn repeated_runs_leave_a_file_each_and_are_taken_together() {
    let sandbox = Sandbox::new();
    let service = service(2);
    let load = LOAD.replace("2s", "1s");
    sandbox.write("plan.toml", plan(&service, &load));
    let text = sandbox
        .run(["run", "plan.toml", "--repeat", "3", "--results", "out"])
        .end()
        .with(0)
        .stdout
        .clone();
    assert!(text.contains("Between runs") && text.contains("deviation"), "{text}");
    let files = sandbox.files();
    let names: Vec<_> = files.iter().filter_map(|name| name.strip_prefix("out/")).collect();
    let folder = names[0].split_once('/').expect("a folder").0;
    let names: Vec<_> = names.iter().filter_map(|name| name.split_once('/')).collect();
    let names: Vec<_> = names.iter().map(|(_, name)| *name).collect();
    let expect =
        "report.html result.json run-1.html run-1.json run-2.html run-2.json run-3.html run-3.json";
    assert_eq!(names.join(" "), expect);
    let folder = format!("out/{folder}");
    let one = format!("{folder}/run-1.json");
    let found = json(&sandbox.run(["compare", &folder, &one, "--json"]).end().with(0).stdout);
    assert_eq!(found["old"]["runs"].as_array().expect("runs").len(), 3);
    assert_eq!(found["new"]["runs"].as_array().expect("runs").len(), 1);
    // The result of all together is one like any other.
    let all = sandbox.result(&format!("{folder}/result.json"));
    let requests = |result: &Value| result["summary"]["total_requests"].as_u64().expect("a count");
    let sum: u64 =
        (1..=3).map(|n| requests(&sandbox.result(&format!("{folder}/run-{n}.json")))).sum();
    assert_eq!(requests(&all), sum);
    let shown = sandbox.run(["report", &folder]).end().with(0).stdout.clone();
    assert!(shown.contains("Between runs") && !shown.contains("run-1"), "{shown}");
    let page = sandbox.read(&format!("{folder}/report.html"));
    assert!(page.contains("<a href=\"run-2.html\">2</a>"), "each run is linked");
    sandbox.run(["run", "plan.toml", "--against", "http://127.0.0.1:1"]).end().with(64);
}

#[test]
fn repeated_runs_are_one_result_in_every_format() {
    let sandbox = Sandbox::new();
    let service = service(2);
    sandbox.write("plan.toml", plan(&service, &LOAD.replace("2s", "1s")));
    let arguments = "run plan.toml --repeat 2 --results out -o - --out html=a.html --out junit=a.xml \
                     --out markdown=a.md --out csv=a --out ndjson=a.ndjson";
    let ended = sandbox.run(arguments.split_whitespace()).end().with(0);
    let all = json(&ended.stdout);
    assert_eq!(all["repeats"]["runs"].as_array().expect("runs").len(), 2);
    let files = sandbox.files_beside_results();
    for name in ["a.html", "a.xml", "a.md", "a_stats.csv", "a-run-1.ndjson", "a-run-2.ndjson"] {
        assert!(files.iter().any(|file| file == name), "no {name} in {files:?}");
    }
    assert!(!sandbox.read("a.html").contains("href=\"run-1"), "it lies elsewhere");
    assert!(sandbox.read("a.xml").contains("name=\"run 2\""));
    assert!(sandbox.read("a.md").contains("2 runs"));
    // What is written by `-o` is compared as several runs, and becomes a baseline of several.
    sandbox.write("all.json", &ended.stdout);
    let found =
        json(&sandbox.run(["compare", "all.json", "all.json", "--json"]).end().with(0).stdout);
    assert_eq!(found["old"]["runs"].as_array().expect("runs").len(), 2);
    let accepted = sandbox.run(["baseline", "accept", "all.json", "-o", "b.toml"]).end().with(0);
    assert!(accepted.stdout.contains("(2 runs)"), "{}", accepted.stdout);
    // Nothing is run where what comes out has no place.
    let seen = settled(&service).path("/");
    sandbox.run(["run", "plan.toml", "--repeat", "2", "--out", "html=plan.toml/x"]).end().with(74);
    assert_eq!(settled(&service).path("/"), seen);
}

#[test]
fn targets_take_turns() {
    let sandbox = Sandbox::new();
    let (slow, quick) = (service(100), service(5));
    let load = LOAD.replace("2s", "1s");
    sandbox.write("plan.toml", plan(&slow, &load));
    let url = quick.url("");
    let arguments =
        ["run", "plan.toml", "--repeat", "3", "--against", &url, "--results", "out", "--quiet"];
    let code = sandbox.run(arguments).end().code;
    let files = sandbox.files();
    let file = files.iter().find(|name| name.ends_with("comparison.json")).expect("a comparison");
    let found = sandbox.result(file);
    let is_spoilt = found["warnings"].to_string().contains("not trustworthy");
    assert_eq!(
        found["old"]["target"].as_str().map(|t| t.trim_end_matches('/')),
        Some(url.trim_end_matches('/'))
    );
    assert!(is_spoilt || (code == Some(2) && found["has_regressed"] == true), "{code:?} {found}");
    let started = |name: &str| {
        let file = files.iter().find(|file| file.ends_with(name)).expect("a run");
        sandbox.result(file)["run"]["started"].as_str().expect("a time").to_owned()
    };
    let order = ["run-1.json", "against-1.json", "against-2.json", "run-2.json", "run-3.json"];
    let times = order.map(started);
    assert!(times.is_sorted(), "{times:?}");
}
