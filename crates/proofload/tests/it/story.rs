//! `proofload demo story`: both halves, what it prints and what it leaves behind.

use serde_json::Value;

use super::support::{Sandbox, count, phase_names};

/// As short as it goes: nothing is said of how it comes out.
const SHORT: &[&str] = &[
    "-e",
    "RUSH=2s",
    "-e",
    "BURST=20/s",
    "-e",
    "BURST_AT=1s",
    "-e",
    "BURST_FOR=500ms",
    "-e",
    "STEP=1s",
];

fn texts<'v>(rows: &'v Value, key: &str) -> Vec<&'v str> {
    let rows = rows.as_array().expect("rows");
    rows.iter()
        .map(|row| row[key].as_str().unwrap_or_else(|| panic!("no {key} in {row}")))
        .collect()
}

#[test]
fn it_runs_to_its_end_in_an_empty_folder_and_says_what_the_result_says() {
    let sandbox = Sandbox::new();
    let ended = sandbox.run(["demo", "story"].iter().chain(SHORT)).end();
    // A busy machine may miss what is expected; it comes to its end and says so.
    assert!(matches!(ended.code, Some(0..=2)), "{ended:?}");
    let files = sandbox.files();
    let folder =
        files.first().and_then(|name| name.split('/').nth(1)).expect("a folder").to_owned();
    assert!(folder.starts_with("story-"), "{files:?}");
    let left = |name: &str| format!("proofload-results/{folder}/{name}");
    let names = ["result.json", "report.html", "summary.md"];
    let mut expected: Vec<_> = ["after", "before"]
        .iter()
        .flat_map(|half| names.map(|name| left(&format!("{half}/{name}"))))
        .collect();
    expected.sort();
    assert_eq!(files, expected);

    let before = sandbox.result(&left("before/result.json"));
    let after = sandbox.result(&left("after/result.json"));
    assert_eq!(before["improvement"], Value::Null);
    assert_eq!(before["run"]["plan_hash"], after["run"]["plan_hash"], "the same plan, twice");
    for half in [&before, &after] {
        assert_eq!(phase_names(half), ["Rush", "Users"]);
        assert_eq!(count(half, "/test_results/0/total_requests") > 0, true);
        assert_eq!(half["test_results"][1]["steps"][0]["users"], 10);
        assert!(half["test_results"][0]["monitors"]["db_connections"].is_number(), "watched");
    }
    assert_eq!(count(&before, "/test_results/0/cached_responses"), 0);
    assert!(count(&after, "/test_results/0/cached_responses") > 0);

    let found = &after["improvement"];
    assert_eq!(count(&Value::from(found["claims"].as_array().expect("claims").len()), ""), 8);
    assert_eq!(texts(&found["requirements"], "id"), ["2.1", "2.2", "4.1", "5.1", "5.2"]);
    // What is claimed is what was measured.
    let p99 = &found["claims"][0];
    assert_eq!(p99["after"], after["comparison"]["entries"][0]["changes"][4]["new"]);
    let hits = after["summary"]["average_cache_hit_rate"].as_f64().expect("a hit rate");
    assert_eq!(found["claims"][5]["after"].as_f64(), Some(hits));
    assert_eq!(found["claims"][6]["before"].as_f64(), Some(3.6), "60 misses of $0.06");
    let markdown = sandbox.read(&left("after/summary.md"));
    let page = sandbox.read(&left("after/report.html"));
    for claim in found["claims"].as_array().expect("claims") {
        for key in ["before_text", "after_text", "change_text"] {
            let text = claim[key].as_str().expect("a text");
            assert!(ended.stdout.contains(text), "{key} {text:?} is not in\n{}", ended.stdout);
            assert!(page.contains(text), "{key} {text:?} is not on the page");
            assert!(markdown.contains(&text.replace('$', "\\$")), "{key} {text:?}\n{markdown}");
        }
    }
    for setting in texts(&found["settings"], "after") {
        assert!(ended.stdout.contains(setting), "{setting:?}");
    }
    // The stored result says the same again, with the same exit code.
    let result = left("after/result.json");
    let again = sandbox.run(["report", &result, "-f", "markdown"]).end().with(0).stdout;
    assert_eq!(again, markdown);
}

#[test]
fn what_makes_no_sense_is_told_before_any_load() {
    let sandbox = Sandbox::new();
    sandbox.run(["demo", "story", "-e", "STEP=soon"]).end().with(65).says(&["soon"]);
    sandbox.run(["demo", "--port", "1", "story"]).end().with(64);
    sandbox.run(["demo", "--serve", "--before", "--after"]).end().with(64);
    assert_eq!(sandbox.files(), Vec::<String>::new());
}
