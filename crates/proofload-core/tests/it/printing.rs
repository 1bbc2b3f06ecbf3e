//! A plan that is printed parses to the same plan.

use proofload_core::plan::{Inputs, Overrides, Plan, Secrets};

use crate::examples;
use crate::support::{parse_with, plan};

/// Everything that a plan can say.
pub(crate) const RICH: &str = r#"
name = "rich ${USERS} $${x}"
description = "all of it"
target = "https://Example.com:8443/api/v1/"
seed = 7
health = { url = "/health?deep={{ random.int(1, 9) }}", status = 204, timeout = "3s", wait = "1m" }
cache = { header = "X-Cache", contains = "HIT" }
cost = { per_miss = 0.0035, currency = "EUR", requests_per_day = 1_000, days = 31, hit_rate = "80%" }

[http]
timeout = "10s"
connect_timeout = "1.5s"
follow_redirects = 3
version = "2"
cookies = false
keep_alive = false
compression = ["zstd", "gzip"]
max_body = "64KiB"
user_agent = "test/1"
headers = { Accept = "application/json", X-Trace = "{{ random.uuid }}", x-multi = ["a", "b"] }
basic = { user = "{{ env.HOME }}", password = "p:w" }
resolve = { "example.com:8443" = ["127.0.0.1", "::1"], other = "10.0.0.1" }
[http.tls]
insecure = true
server_name = "sni.example.com"
client_cert = "cert.pem"
client_key = "cert.pem"

[variables]
tenant = "t-{{ random.choice(\"a b\", 'c\"d') }}"
token = ""

[data.users]
file = "users.csv"
delimiter = ";"
mode = "unique"
[data.inline]
rows = [{ "full name" = "Ann \"A\"", n = 1 }, { "full name" = "Bob", n = 2.5 }]
mode = "per_user"

[[user]]
name = "first"
weight = 3
think_time = "1s..3s"
order = "sequential"
variables = { own = "{{ tenant | upper }}-{{ user.id }}" }
[[user.on_start]]
post = "/login"
form = { user = "{{ data.users.name }}", "a b" = ["1", "x&y"] }
extract = { token = "$.token", sid = { cookie = "sid" }, loc = { header = "Location", default = "" } }
[[user.on_start]]
pause = "10ms"
[[user.task]]
weight = 2
name = "all kinds"
[[user.task.step]]
get = "/items/{{ data.inline.\"full name\" }}?q={{ own }}"
query = { "limit x" = 50, c = "{{ counter }}", b = true }
headers = { authorization = "Bearer {{ token }}", "x-sid" = "{{ sid }}" }
timeout = "2s"
follow_redirects = false
[[user.task.step]]
pause = "1s..2s"
[[user.task.step]]
method = "PROPFIND"
url = "{{ loc }}/x/{{ own }}?a={{ own }}&b={{ own | raw }}"
body = "{\"a\": {{ random.float(0.5, 1.5) }}, \"{{ \"{{\" }}\"}"
content_type = "text/plain"
required = true
check = { status = ["2xx", 304], "$.a[*].b" = "> 5", "$.c" = "== null", "$.e" = { equals = { x = [1, "y", true] } }, body = "matches ^a'\\d\"", header.etag = "exists", duration = "<=1.5s", "$.z" = "absent", "$.n" = "!= x" }
[[user.task.step]]
put = "http://[::1]:9000/other"
json = { n = "{{ counter(\"n\") | number }}", s = "q\"{{ own }}\"", list = [1, 2.5, true, "{{ iteration | number }}"], when = 2026-01-01T00:00:00Z }
cache = false
[[user.task.step]]
post = "https://{{ tenant }}.example.com/{{ own }}"
multipart = { text = "{{ own }}", file = { file = "bin.dat", filename = "a\"b" } }
cache = { json = "$.hit" }
[[user.task]]
name = "single"
post = "/sign"
body_file = "bin.dat"
sign = { twilio = "s3cr3t" }
extract = { m = { regex = '<a href="(.*?)">', group = 1, default = "none" }, all = "body", st = "status" }
think_time = "none"
[[user.task.check]]
name = "is fine"
status = 200
[[user.on_stop]]
delete = "/login"

[[user]]
name = "second"
weight = 0
count = 2
[[user.task]]
get = "/"
required = true

[[phase]]
name = "trapezoid"
users = 10
spawn_rate = 5
duration = "1m"
ramp_down = "5s"
burst = [{ users = 5, for = "3s", every = "10s" }, { requests = 20, at = "5s" }]
expect = { p95 = "<300ms", "p99.9" = { target = "<0.5s", limit = "<2s" }, success_rate = ">99.5%", error_rate = { limit = "<1%" }, rps = "50/s", cpu = "<80%", memory = "<500MB", data_received_rate = ">1MB/s" }
abort_on_fail = "10s"
think_time = "5ms"
graceful_stop = "1s"
[[phase]]
users = 4
iterations = 20
ramp_up = "1s"
mix = ["second", "first"]
[[phase]]
users = 3
shared_iterations = 100
[[phase]]
stages = [{ users = 100, for = "10s" }, { users = 1000, over = "1m" }]
iterations = 5
[[phase]]
rate = "100/m"
ramp_up = "10s"
duration = "1m"
arrivals = "poisson"
overload = "drop"
burst = { rate = "7/s", for = "1s", at = "2s" }
mix = { first = 2 }
[[phase]]
rate = "10/s"
requests = 100
[[phase]]
step = { rate = "50/s", every = "10s" }
max = "225/s"
until = { error_rate = ">5%", p95 = ">2s" }
[[phase]]
shape = "spike"
[[phase]]
name = "stress"
shape = "stress"
rate = "333/s"
duration = "77s"
[[phase]]
shape = "endurance"

[thresholds]
"http_req_duration{task:single}" = ["p(99)<1s", { threshold = "avg<500", abortOnFail = true, delayAbortEval = "10s" }]
http_req_failed = "rate<0.01"

[grading]
good = "75%"
ladder = { measure = "avg", excellent = "<3s", good = "<=5s", fair = 10000 }

[regression]
p95 = "+10%"
error_rate = "0.5 points"
rps = "-5%"
request = { avg = "+20%", p99 = "+50ms" }

[goals]
p99 = "-85%"
success_rate = "+1 point"
"#;

pub(crate) const FILES: &[(&str, &str)] = &[
    ("users.csv", "name;mail\nann;a@x\nbob;b@x\n"),
    ("bin.dat", "\u{0}binary {{ not a template }} \u{7f}${x}"),
    ("cert.pem", "-----BEGIN CERTIFICATE-----\n"),
];

fn rich(overrides: &Overrides) -> Plan {
    parse_with(RICH, FILES, overrides).unwrap_or_else(|errors| panic!("{errors}"))
}

fn check_round_trip(plan: &Plan, inputs: &Inputs<'_>) {
    let text = plan.to_toml(Secrets::Show);
    let again = Plan::parse("plan.toml", &text, &Overrides::default(), inputs)
        .unwrap_or_else(|errors| panic!("{errors}\n\n{text}"));
    let (one, two) = (format!("{plan:#?}"), format!("{again:#?}"));
    for (a, b) in one.lines().zip(two.lines()) {
        assert_eq!(a, b, "\n{text}");
    }
    assert!(*plan == again, "{text}");
}

#[test]
fn everything_round_trips() {
    let load = |path: &str| {
        let file = FILES.iter().find(|(name, _)| *name == path).expect("a known file");
        Ok(file.1.as_bytes().to_vec())
    };
    let inputs = Inputs { load: &load, ..Inputs::NONE };
    check_round_trip(&rich(&Overrides::default()), &inputs);
    let seconds = std::time::Duration::from_secs;
    let overrides = Overrides {
        target: Some("http://127.0.0.1:1/p".to_owned()),
        users: Some(33),
        rate: Some(70.0),
        duration: Some(seconds(17)),
        iterations: Some(9),
        seed: Some(1),
        ..Overrides::default()
    };
    check_round_trip(&rich(&overrides), &inputs);
}

#[test]
fn what_is_printed() {
    insta::assert_snapshot!(rich(&Overrides::default()).to_toml(Secrets::Show));
}

#[test]
fn the_load_is_that_of_the_plan_whatever_it_is_called_or_judged_by() {
    let base =
        "target = \"http://h\"\n[[user]]\n[[user.task]]\nget = \"/\"\n[[phase]]\nname = \"a\"\n";
    let load = |text: String| plan(&text).load_text();
    let first = load(format!("name = \"one\"\n{base}users = 5\nduration = \"9s\"\n"));
    let judged = "users = 5\nduration = \"9s\"\nexpect = { p95 = \"<1s\" }\n[regression]\np99 = \"+5%\"\n\
                  [thresholds]\nhttp_req_failed = \"rate<0.1\"\n[grading]\ngood = \"50%\"\n[alerts]\nwindow = \"3s\"\n";
    let renamed = base.replace("http://h", "http://elsewhere");
    assert_eq!(load(format!("name = \"two\"\n{renamed}{judged}")), first);
    assert_ne!(load(format!("{base}users = 6\nduration = \"9s\"\n")), first);
    assert_ne!(load(format!("seed = 1\n{base}users = 5\nduration = \"9s\"\n")), first);
    assert!(!rich(&Overrides::default()).load_text().contains("s3cr3t"));
}

#[test]
fn examples_round_trip() {
    let read = |path: &str| std::fs::read(path);
    for (path, _) in examples::plans() {
        let plan = examples::load(&path).unwrap_or_else(|errors| panic!("{errors}"));
        check_round_trip(&plan, &Inputs { load: &read, ..Inputs::NONE });
    }
}

#[test]
fn secrets_are_hidden() {
    let text = rich(&Overrides::default()).to_toml(Secrets::Hide);
    for secret in ["s3cr3t", "p:w", "cDp3"] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
    assert!(text.contains("Bearer {{ token }}"));
    let fixed = plan(
        "target = \"http://h\"\n[http]\nbearer = \"t0ps3cret\"\n[[user]]\n[[user.task]]\nget = \"/\"\n\
         headers = { X-Api-Key = \"k3y\", Cookie = \"c=00kie\" }\n[[phase]]\nusers = 1\nduration = \"1s\"\n",
    );
    let text = fixed.to_toml(Secrets::Hide);
    for secret in ["t0ps3cret", "k3y", "00kie"] {
        assert!(!text.contains(secret), "{secret} in {text}");
        assert!(fixed.to_toml(Secrets::Show).contains(secret));
    }
}
