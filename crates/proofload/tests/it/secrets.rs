//! What is never said: passwords, tokens and keys, on whatever way they came in.

use proofload_testbed::fixture::{Behaviour, Reply};

use super::support::{Ended, Sandbox, fixture, json};

const SECRET: &str = "hunter2 & co";
/// The same in a URL.
const ENCODED: &str = "hunter2%20%26%20co";

/// Neither stream and no file of the sandbox, but those named, has the secret.
#[track_caller]
fn is_kept(ended: &Ended, sandbox: &Sandbox, but: &[&str]) {
    let is_clean = |text: &str| !text.contains("hunter2");
    assert!(is_clean(&ended.stdout), "stdout: {}", ended.stdout);
    assert!(is_clean(&ended.stderr), "stderr: {}", ended.stderr);
    for file in sandbox.files().iter().filter(|file| !but.contains(&file.as_str())) {
        let text = sandbox.read(file);
        let line = text.lines().find(|line| !is_clean(line));
        assert_eq!(line, None, "{file}");
    }
}

/// A plan that puts a variable everywhere it can go.
fn plan_with_secrets(target: &str) -> String {
    format!(
        r#"
name   = "has secrets"
target = "{target}"
health = "/health?key=${{API_TOKEN}}"
[http]
headers = {{ x-key = "${{API_TOKEN}}" }}
[[user]]
[[user.task]]
get    = "/data?token=${{API_TOKEN}}"
bearer = "${{API_TOKEN}}"
check  = {{ body = "${{API_TOKEN}}", header.x-none = "${{API_TOKEN}}" }}
[[user.task]]
name   = "elsewhere"
post   = "http://127.0.0.1:1/${{API_TOKEN}}"
basic  = "bob:${{API_TOKEN}}"
json   = {{ password = "${{API_TOKEN}}" }}
[[phase]]
users      = 2
iterations = 6
"#
    )
}

#[test]
fn variables_of_the_line_and_of_the_environment_stay_secret() {
    let fixture = fixture(Behaviour::new().prefix("/", Reply::echo()));
    let sandbox = Sandbox::new();
    sandbox.write("plan.toml", plan_with_secrets(&fixture.url("")));
    let secret = format!("API_TOKEN={SECRET}");
    let run = ["run", "plan.toml", "-o", "result.json"];

    let by_flag = sandbox.run(run.iter().chain(&["-e", &secret])).end().with(0);
    is_kept(&by_flag, &sandbox, &[]);
    let shown = sandbox.result("result.json").to_string();
    assert!(shown.contains("/data?token=***"), "the rest of the URL stays: {shown}");

    let by_environment = sandbox.run(run).env("API_TOKEN", SECRET).end().with(0);
    is_kept(&by_environment, &sandbox, &[]);

    let stdout = ["run", "plan.toml", "-o", "-", "-e", &secret];
    let ended = sandbox.run(stdout).end().with(0);
    is_kept(&ended, &sandbox, &[]);
    json(&ended.stdout);

    let again = sandbox.run(["report", "result.json"]).end().with(0);
    is_kept(&again, &sandbox, &[]);

    let printed = sandbox.run(["run", "plan.toml", "--print-plan", "-e", &secret]).end().with(0);
    is_kept(&printed, &sandbox, &[]);
    assert!(printed.stdout.contains("/data?token=***"), "{}", printed.stdout);
}

#[test]
fn the_secret_was_really_sent() {
    let reply = Reply::text("ok").require_header("authorization", format!("Bearer {SECRET}"), 401);
    let fixture = fixture(Behaviour::new().exact("/health", Reply::text("ok")).prefix("/", reply));
    let sandbox = Sandbox::new();
    sandbox.write("plan.toml", plan_with_secrets(&fixture.url("")));
    let secret = format!("API_TOKEN={SECRET}");
    sandbox.run(["run", "plan.toml", "-q", "-o", "result.json", "-e", &secret]).end().with(0);
    let ledger = fixture.stop();
    assert!(ledger.path("/data") > 0);
    assert_eq!(ledger.status(401), 0, "only what is shown is redacted");
}

#[test]
fn failed_health_checks_keep_them() {
    let fixture = fixture(Behaviour::new().prefix("/", Reply::new(503)));
    let sandbox = Sandbox::new();
    sandbox.write("plan.toml", plan_with_secrets(&fixture.url("")));
    let secret = format!("API_TOKEN={SECRET}");
    let ended = sandbox.run(["run", "plan.toml", "-e", &secret]).end().with(69);
    is_kept(&ended.says(&["/health?key=***"]), &sandbox, &[]);
}

#[test]
fn mistakes_with_them_do_not_repeat_them() {
    let sandbox = Sandbox::new();
    sandbox.write("plan.toml", plan_with_secrets("http://127.0.0.1:1"));
    sandbox.write("target.toml", plan_with_secrets("http://bob:hunter2@127.0.0.1:1"));
    sandbox.write("number.toml", "target = 'http://h'\n[[user]]\n[[user.task]]\nget = '/'\n[[phase]]\nusers = '${MY_TOKEN}'\n");
    let check = |line: &[&str], code: i32, says: &str| {
        let ended = sandbox.run(line).end().with(code).silent().says(&[says]);
        is_kept(&ended, &sandbox, &["target.toml"]);
    };
    check(&["run", "plan.toml", "-e", "hunter2"], 64, "KEY=VALUE");
    check(&["run", "plan.toml", "-e", "=hunter2"], 64, "empty");
    check(&["run", "plan.toml", "-e", "API_TOKEN=hunter2\nx"], 65, "line breaks");
    check(&["check", "target.toml", "-e", "API_TOKEN=x"], 65, "no user and password");
    check(&["check", "number.toml", "-e", "MY_TOKEN=hunter2"], 65, "***");
    let target = ["run", "plan.toml", "-e", "API_TOKEN=x", "-t", "http://bob:hunter2@h/"];
    check(&target, 65, "no user and password");
    check(&["http", "http://h", "-H", "authorization Bearer hunter2"], 64, "NAME: VALUE");
    check(&["http", "http://h", "-u", "hunter2"], 64, "user:password");
    check(&["http", "ftp://bob:hunter2@h/"], 64, "ftp://***@h/");
}

#[test]
fn one_liners_keep_them() {
    let fixture = fixture(Behaviour::new().prefix("/", Reply::text("ok")));
    let sandbox = Sandbox::new();
    let url = fixture.url("/");
    let with_credentials = url.replace("://", &format!("://bob:{ENCODED}@"));
    let query = format!("{url}?a=1&token=hunter2-x");
    let basic = format!("bob:{SECRET}");
    let bearer = format!("authorization: Bearer {SECRET}");
    let key = format!("x-api-key: {SECRET}");
    for line in [
        &[with_credentials.as_str()][..],
        &[&query],
        &[&url, "-u", &basic],
        &[&url, "-H", &bearer],
        &[&url, "-H", &key, "-H", &bearer],
    ] {
        let run = ["http", "-n", "3", "-o", "result.json"].iter().chain(line);
        let ended = sandbox.run(run).end().with(0);
        is_kept(&ended, &sandbox, &[]);
        let target = sandbox.result("result.json")["run"]["target"].clone();
        assert_eq!(target, url.trim_end_matches('/'));
        let print = ["http", "-n", "3", "--print-plan"].iter().chain(line);
        let ended = sandbox.run(print).end().with(0);
        is_kept(&ended, &sandbox, &[]);
        assert!(ended.stdout.contains("***"), "{}", ended.stdout);
    }
}
