//! `proofload demo story`: both halves, what it prints and what it leaves behind.

use serde_json::Value;

#[cfg(unix)]
use proofload_testbed::servers::{Postgres, Redis};

#[cfg(unix)]
use super::support::wait_until;
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
        assert!(count(half, "/test_results/0/total_requests") > 0);
        assert_eq!(half["test_results"][1]["steps"][0]["users"], 10);
        assert!(half["test_results"][0]["monitors"]["db_connections"].is_number(), "watched");
    }
    assert_eq!(count(&before, "/test_results/0/cached_responses"), 0);
    assert!(count(&after, "/test_results/0/cached_responses") > 0);

    let found = &after["improvement"];
    assert_eq!(texts(&found["claims"], "name").len(), 8);
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
    let typo = sandbox.run(["demo", "story", "-e", "RUHS=2s"]).end().with(64).silent();
    typo.says(&["no variable `RUHS`", "BURST, BURST_AT, BURST_FOR, RUSH, STEP"]);
    sandbox.run(["demo", "--port", "1", "story"]).end().with(64);
    sandbox.run(["demo", "--serve", "--before", "--after"]).end().with(64);
    assert_eq!(sandbox.files(), Vec::<String>::new());
}

/// The schemas that demos have made in a server.
#[cfg(unix)]
fn schemas(server: &Postgres) -> Vec<String> {
    server.ask("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'proofload%'")
}

#[cfg(unix)]
#[test]
fn with_a_redis_and_a_postgres_it_says_what_is_real_and_leaves_nothing_there() {
    let (redis, postgres) = (Redis::start(), Postgres::start());
    let sandbox = Sandbox::new();
    let (redis_url, postgres_url) = (redis.url(), postgres.url());
    let outside = ["demo", "story", "--redis", &redis_url, "--postgres", &postgres_url];
    let ended = sandbox.run(outside.iter().chain(SHORT)).end();
    assert!(matches!(ended.code, Some(0..=2)), "{ended:?}");
    let files = sandbox.files();
    let of = |half: &str| {
        let name = format!("{half}/result.json");
        let found = files.iter().find(|file| file.ends_with(&name)).expect("a result");
        sandbox.result(found)
    };
    let (before, after) = (of("before"), of("after"));
    for half in [&before, &after] {
        assert!(count(half, "/test_results/0/successful") > 0);
        assert!(half["test_results"][0]["monitors"]["db_connections"].as_f64() > Some(0.0));
    }
    assert!(count(&after, "/test_results/0/cached_responses") > 0);
    let found = &after["improvement"];
    assert_eq!(texts(&found["settings"], "after")[0], "PostgreSQL, made slow");
    assert!(texts(&found["settings"], "after").contains(&"in memory and in Redis"));
    let notes = found["notes"].to_string();
    assert!(notes.contains("pg_sleep") && notes.contains("written to Redis"), "{notes}");
    // It was asked, and no more stands there than before.
    let asked =
        postgres.ask("SELECT xact_commit > 40 FROM pg_stat_database WHERE datname = 'postgres'");
    assert_eq!(asked, ["t"]);
    assert_eq!(schemas(&postgres), Vec::<String>::new());
    assert_eq!(redis.ask("DBSIZE").as_deref(), Some(":0"));
    let texts = files.iter().map(|name| sandbox.read(name));
    for text in texts.chain([ended.stdout, ended.stderr]) {
        assert!(!text.contains(postgres.password()), "{text}");
    }
}

#[cfg(unix)]
#[test]
fn what_is_outside_is_looked_at_before_any_load() {
    let postgres = Postgres::with(&["max_connections=30"]);
    let sandbox = Sandbox::new();
    let check = |arguments: &[&str], code: i32, parts: &[&str]| {
        let ended =
            sandbox.run(["demo", "story"].iter().chain(arguments)).end().with(code).silent();
        assert!(!ended.stderr.contains("Half 1"), "{ended:?}");
        assert!(!ended.stderr.contains("battery"), "{ended:?}");
        ended.says(parts);
    };
    check(
        &["--redis", "redis://me:battery@127.0.0.1:1"],
        69,
        &["Redis at 127.0.0.1:1 cannot be reached", "is it up"],
    );
    check(&["--redis", "nonsense"], 69, &["no address of a Redis", "redis://HOST:PORT"]);
    check(
        &["--postgres", "postgres://me:battery@127.0.0.1:1/shop"],
        69,
        &["PostgreSQL at 127.0.0.1:1/shop cannot be used", "Connection refused", "is it up"],
    );
    let wrong = postgres.url_with("battery");
    check(&["--postgres", &wrong], 69, &["password authentication failed", "pg_hba.conf"]);
    check(&["--postgres", &postgres.url()], 69, &["the demo needs 90", "max_connections"]);
    check(&["--postgres-replica", "postgres://127.0.0.1:1/x"], 64, &["--postgres <URL>"]);
    sandbox.write("file", "");
    check(&["-o", "file/result.json"], 74, &["file/result.json"]);
    check(&["--results", "file"], 74, &["results cannot be written to file"]);
    assert_eq!(sandbox.files(), ["file"]);
    assert_eq!(schemas(&postgres), Vec::<String>::new());
}

#[cfg(unix)]
#[test]
fn the_demo_alone_says_where_its_data_is_and_takes_it_away_at_its_end() {
    let postgres = Postgres::start();
    let sandbox = Sandbox::new();
    let mut running = sandbox.run(["demo", "--serve", "--postgres", &postgres.url()]).start();
    wait_until("it says where its data is", || {
        assert!(running.is_running(), "it ended: {}", running.stderr());
        running.stdout().contains("when it ends")
    });
    let [schema] = &schemas(&postgres)[..] else { panic!("one schema") };
    assert!(running.stdout().contains(schema), "{}", running.stdout());
    running.signal(rustix::process::Signal::TERM);
    let ended = running.end();
    assert!(!ended.stdout.contains(postgres.password()), "{ended:?}");
    assert_eq!(schemas(&postgres), Vec::<String>::new());
}
