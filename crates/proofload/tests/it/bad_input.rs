//! Plans that are wrong: what is said, where, and what to do about it.

use super::support::{Ended, Sandbox, friendly, plan};

const USER: &str = "[[user]]\n[[user.task]]\nget = '/'\n";
const PHASE: &str = "[[phase]]\nname = 'Peak load'\nusers = 1\niterations = 1\n";

/// The plan is refused by `check` and by `run` in the same words.
#[track_caller]
fn refused(sandbox: &Sandbox, text: &str, says: &[&str]) -> Ended {
    sandbox.write("plan.toml", text);
    let checked = sandbox.run(["check", "plan.toml"]).end().with(65).silent();
    let ran = sandbox.run(["run", "plan.toml"]).end().with(65).silent().says(says);
    assert_eq!(checked.stderr, ran.stderr);
    assert!(!sandbox.path("proofload-results").exists(), "nothing was run");
    ran
}

#[test]
fn mistakes_in_plans_are_told_where_they_stand() {
    let sandbox = Sandbox::new();
    sandbox
        .write("empty.csv", "")
        .write("header.csv", "name,age\n")
        .write("bytes", [0xff, 0xfe, 0]);
    let check = |head: &str, says: &[&str]| {
        refused(&sandbox, &format!("{head}\n{USER}{PHASE}"), says);
    };
    let host = "target = 'http://127.0.0.1:1'";
    check(
        &format!("{host}\ntargte = 'x'"),
        &["unknown key `targte`", "plan.toml:2:1", "did you mean", "`target`"],
    );
    check("target = 5", &["plan.toml:1:10"]);
    check("target = 'ftp://x'", &["plan.toml:1:10", "ftp", "http"]);
    check(&format!("{host}\nname = 'x"), &["plan.toml:2:"]);
    check(&format!("{host}\nname = 'x'\nname = 'y'"), &["plan.toml:3:", "name"]);
    check(
        &format!("{host}\nname = '${{NOT_SET}}'"),
        &["`NOT_SET` is not set", "plan.toml:2:9", "-e NOT_SET=VALUE"],
    );
    check(
        &format!("{host}\ninclude = ['missing.toml']"),
        &["plan.toml:2:12", "missing.toml", "No such file"],
    );
    check(
        &format!("{host}\n[data.people]\nfile = 'missing.csv'"),
        &["missing.csv", "plan.toml:3:8"],
    );
    check(&format!("{host}\n[data.people]\nfile = 'empty.csv'"), &["empty.csv", "plan.toml:3:8"]);
    check(&format!("{host}\n[data.people]\nfile = 'header.csv'"), &["header.csv", "plan.toml:3:8"]);
    check(&format!("{host}\n[http]\ntimeout = 'soon'"), &["soon", "plan.toml:3:11", "300ms"]);
    check(
        &format!("{host}\n[http]\ntls = {{ ca = 'missing.pem' }}"),
        &["missing.pem", "plan.toml:3:"],
    );
    check("", &["no target", "--target"]);
}

#[test]
fn mistakes_in_phases_and_requests_are_told_too() {
    let sandbox = Sandbox::new();
    let host = "target = 'http://127.0.0.1:1'\n";
    let check = |text: &str, says: &[&str]| {
        refused(&sandbox, &format!("{host}{text}"), says);
    };
    check(&format!("{USER}[[phase]]\nusers = 'many'\n"), &["many", "plan.toml:6:9"]);
    check(&format!("{USER}[[phase]]\nusers = 0\nduration = '1s'"), &["plan.toml:6:9"]);
    check(
        &format!("{USER}[[phase]]\nuserz = 5\nduration = '1s'"),
        &["`userz`", "did you mean `users`"],
    );
    check(&format!("{USER}{PHASE}expect = {{ p9x = '<1s' }}"), &["p9x", "did you mean"]);
    check(&format!("{USER}{PHASE}expect = {{ p95 = '<1parsec' }}"), &["1parsec", "plan.toml:9:"]);
    check(USER, &["no phases"]);
    check(PHASE, &["user"]);
    check(
        &format!("[[user]]\n[[user.task]]\ngte = '/'\n{PHASE}"),
        &["`gte`", "`get`", "plan.toml:4:1"],
    );
    check(
        &format!("[[user]]\n[[user.task]]\nget = '/{{{{ tokn }}}}'\n{PHASE}"),
        &["tokn", "plan.toml:4:"],
    );
}

#[test]
fn files_that_are_no_plans_are_refused() {
    let sandbox = Sandbox::new();
    sandbox.write("bytes", [0xff, 0xfe, 0]).write("empty", "").write("page.html", "<html></html>");
    for (name, says) in [
        ("missing.toml", "No such file"),
        (".", "directory"),
        ("bytes", "not TOML"),
        ("empty", "no target"),
        ("page.html", "page.html:1:1"),
    ] {
        for command in ["run", "check"] {
            sandbox.run([command, name]).end().with(65).silent().says(&["error: ", says]);
        }
    }
    for (text, says) in [
        ("", "empty"),
        ("{\"schema\": 1,", "EOF"),
        ("{}", "schema"),
        ("{\"schema\": 999}", "newer"),
    ] {
        sandbox.write("result.json", text);
        let said = sandbox.run(["report", "result.json"]).end().with(65).silent();
        said.says(&["result.json", says]);
    }
    sandbox.run(["report", "missing.json"]).end().with(65).says(&["missing.json", "No such file"]);
}

#[test]
fn one_wrong_plan_of_several_is_found() {
    let sandbox = Sandbox::new();
    sandbox.write("good.toml", format!("target = 'http://h'\n{USER}{PHASE}"));
    sandbox.write("bad.toml", format!("target = 'http://h'\nx = 1\n{USER}{PHASE}"));
    let ended =
        sandbox.run(["check", "good.toml", "bad.toml"]).end().with(65).says(&["bad.toml:2:1"]);
    assert!(ended.stdout.contains("good.toml"), "{}", ended.stdout);
    assert!(!ended.stdout.contains("bad.toml"), "{}", ended.stdout);
    let ended = sandbox.run(["check", "good.toml"]).end().with(0);
    assert_eq!(ended.stderr, "");
    assert!(ended.stdout.contains("1 phase, 1 kind of user"), "{}", ended.stdout);
}

#[test]
fn overrides_that_cannot_be_are_refused() {
    let sandbox = Sandbox::new();
    let fixture = friendly();
    sandbox.write("plan.toml", plan(&fixture, PHASE));
    let check = |line: &[&str], code: i32, says: &[&str]| {
        let line = ["run", "plan.toml"].iter().chain(line);
        sandbox.run(line).end().with(code).silent().says(&["error: "]).says(says);
    };
    check(&["--phase", "Peek load"], 65, &["no phase `Peek load`", "did you mean `Peak load`"]);
    check(&["--phase", "Holiday"], 65, &["no phase `Holiday`", "Peak load"]);
    check(&["--rate", "5/s"], 65, &["rate", "no phase has a rate"]);
    check(&["--target", "http://h:port"], 65, &["target", "h:port"]);
    check(&["--users", "0"], 64, &["--users", "from 1"]);
    check(&["--users", "-1"], 64, &["-1", "--users"]);
    check(&["--rate", "fast"], 64, &["--rate", "fast"]);
    check(&["--userz", "1"], 64, &["--userz", "--users"]);
    check(&["--phase"], 64, &["--phase <NAME>"]);
    check(&["-e", "novalue"], 64, &["KEY=VALUE"]);
    for (name, value) in
        [("PROOFLOAD_USERS", "many"), ("LOAD_TEST_RUN_TIME", "soon"), ("PROOFLOAD_RATE", "-1")]
    {
        let run = sandbox.run(["run", "plan.toml"]).env(name, value).end();
        run.with(64).silent().says(&[name]);
    }
    assert_eq!(fixture.ledger().requests, 0);
}
