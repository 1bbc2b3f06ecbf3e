//! The words of the plan's top level and of its settings.

use super::Takes::{
    Amount, Any, Bool, Bytes, Duration, Either, List, Map, Table, Template, Text, Whole, Word,
};
use super::load::PHASE;
use super::requests::{BASIC, CACHE, USER};
use super::{TableSpec, key};

pub(in crate::plan) static PLAN: TableSpec = TableSpec {
    what: "a plan",
    doc: "A load test: who asks for what, how much, and what it must hold.",
    keys: &[
        key("name", Text, "What the test is called in reports.", "\"dchat\""),
        key("description", Text, "What the test is for.", ""),
        key(
            "target",
            Text,
            "The service under test: a URL, or \"demo\" for the built-in demo service.",
            "\"http://127.0.0.1:8000\"",
        ),
        key(
            "health",
            Either(&[Text, Table(&HEALTH)]),
            "What must answer before any load is put on. A path is asked once.",
            "\"/health\"",
        ),
        key(
            "seed",
            Whole,
            "Seed of every random choice. Without one, a run picks one and reports it.",
            "42",
        ),
        key(
            "include",
            List(&Text),
            "Other plan files that this one builds on, relative to it. Users and phases of included \
             files come first; for everything else this file wins over included ones, and later \
             ones win over earlier ones.",
            "[\"users.toml\"]",
        ),
        key("http", Table(&HTTP), "How connections are made and requests are sent.", ""),
        key(
            "variables",
            Map(&Template),
            "Values that every virtual user has its own copy of, evaluated once when it starts.",
            "{ address = \"0x{{ random.hex(40) }}\" }",
        ),
        key(
            "data",
            Map(&Table(&FEED)),
            "Rows of values for templates, as `{{ data.NAME.COLUMN }}`.",
            "",
        ),
        key(
            "cache",
            Table(&CACHE),
            "How a cache hit is known from an answer.",
            "{ json = \"$.cached\", equals = true }",
        ),
        key(
            "cost",
            Table(&COST),
            "What an answer costs that does not come from the cache.",
            "{ per_miss = 0.06, requests_per_day = 1000 }",
        ),
        key("user", List(&Table(&USER)), "A kind of virtual user.", ""),
        key(
            "phase",
            List(&Table(&PHASE)),
            "A part of the run, with its own load and expectations.",
            "",
        ),
        key(
            "thresholds",
            Map(&Either(&[Text, List(&Either(&[Text, Map(&Any)]))])),
            "Conditions on the whole run, in k6's words.",
            "{ http_req_failed = [\"rate<0.01\"] }",
        ),
        key(
            "alerts",
            Either(&[Bool, Table(&ALERTS)]),
            "When somebody is told of trouble while it runs; false for never.",
            "{ webhook = \"${ALERT_WEBHOOK}\" }",
        ),
        key("grading", Table(&GRADING), "The rule of the grade.", "{ good = \"80%\" }"),
        key(
            "regression",
            Map(&Either(&[Text, Map(&Text)])),
            "Changes from a baseline that fail the run where they are real: measures of each phase and, \
             under `request`, of each request. A share changes by points. If not given: p95, memory \
             and the average of a request by 20%, error_rate by 0.5 points.",
            "{ p95 = \"+20%\", error_rate = \"+0.5 points\", request = { avg = \"+20%\" } }",
        ),
        key(
            "goals",
            Map(&Text),
            "Changes from a baseline that are wanted in each phase; told as reached, not reached or not \
             to be told.",
            "{ p99 = \"-85%\", rps = \"+400%\" }",
        ),
    ],
    foreign: &[
        ("users", "[[user]]"),
        ("phases", "[[phase]]"),
        ("host", "target"),
        ("base_url", "target"),
        ("url", "target"),
        ("scenarios", "[[phase]]"),
        ("options", "[[phase]]"),
        ("stages", "[[phase]] with stages"),
        ("vus", "[[phase]] with users"),
        ("duration", "[[phase]] with duration"),
        ("headers", "[http] with headers"),
        ("timeout", "[http] with timeout"),
        ("test", "[[test]] of a suite: proofload suite FILE"),
        ("requirement", "[[requirement]] of a suite: proofload suite FILE"),
        ("costs", "[cost]"),
        ("price", "[cost] with per_miss"),
        ("tls", "[http.tls]"),
        ("regressions", "[regression]"),
        ("baseline", "[regression]; the baseline itself is named by --baseline"),
        ("goal", "[goals]"),
    ],
    prefixes: &[],
};

pub(in crate::plan) static HEALTH: TableSpec = TableSpec {
    what: "a health check",
    doc: "What must answer before any load is put on.",
    keys: &[
        key("url", Text, "Where to ask, with GET.", "\"/health\""),
        key("status", Whole, "The status that means ready. Without it any 2xx or 3xx does.", "200"),
        key("timeout", Duration, "How long one attempt may take; 5s if not given.", "\"5s\""),
        key("wait", Duration, "How long to keep trying, once a second.", "\"30s\""),
    ],
    foreign: &[("path", "url"), ("get", "url"), ("retry", "wait"), ("interval", "wait")],
    prefixes: &[],
};

pub(in crate::plan) static HTTP: TableSpec = TableSpec {
    what: "[http]",
    doc: "How connections are made and requests are sent.",
    keys: &[
        key("timeout", Duration, "For a whole request; 60s if not given.", "\"10s\""),
        key(
            "connect_timeout",
            Duration,
            "For DNS, TCP and TLS together; 10s if not given.",
            "\"5s\"",
        ),
        key(
            "follow_redirects",
            Either(&[Whole, Bool]),
            "How many redirects in a row are followed; 10 if not given, false for none.",
            "5",
        ),
        key(
            "version",
            Word(&["auto", "1.1", "2", "2-prior-knowledge"]),
            "Which HTTP to speak. \"auto\" is HTTP/2 where TLS negotiates it.",
            "\"auto\"",
        ),
        key(
            "cookies",
            Bool,
            "Whether every virtual user keeps cookies; true if not given.",
            "false",
        ),
        key("keep_alive", Bool, "Whether connections are used again; true if not given.", "false"),
        key(
            "compression",
            Either(&[Bool, List(&Word(&["gzip", "br", "deflate", "zstd"]))]),
            "Which encodings to offer in accept-encoding; none if not given, true for all.",
            "[\"gzip\", \"br\"]",
        ),
        key(
            "max_body",
            Bytes,
            "Largest body that is kept for checks and extractions; 10MB if not given.",
            "\"1MB\"",
        ),
        key(
            "user_agent",
            Either(&[Text, Bool]),
            "The user-agent header; false sends none.",
            "\"shop-test/1.0\"",
        ),
        key(
            "headers",
            Map(&Either(&[Template, List(&Template)])),
            "Headers of every request. A request's own header of the same name wins.",
            "{ accept = \"application/json\" }",
        ),
        key(
            "basic",
            Either(&[Template, Table(&BASIC)]),
            "User and password of every request.",
            "\"user:password\"",
        ),
        key("bearer", Template, "Bearer token of every request.", "\"${TOKEN}\""),
        key(
            "resolve",
            Map(&Either(&[Text, List(&Text)])),
            "Addresses to use instead of DNS, by host or host:port.",
            "{ \"api.example.com:443\" = \"127.0.0.1\" }",
        ),
        key("tls", Table(&TLS), "Certificates.", ""),
    ],
    foreign: &[
        ("http2", "version = \"2\""),
        ("insecure", "[http.tls] with insecure"),
        ("ca", "[http.tls] with ca"),
        ("redirects", "follow_redirects"),
        ("max_redirects", "follow_redirects"),
        ("auth", "basic or bearer"),
        ("dns", "resolve"),
        ("accept_encoding", "compression"),
    ],
    prefixes: &[],
};

pub(in crate::plan) static TLS: TableSpec = TableSpec {
    what: "[http.tls]",
    doc: "Certificates, in PEM files.",
    keys: &[
        key("ca", Text, "Certificate authorities to trust besides the system's.", "\"ca.pem\""),
        key(
            "client_cert",
            Text,
            "Certificate chain to show to the server; goes with client_key.",
            "\"client.pem\"",
        ),
        key("client_key", Text, "Private key of client_cert.", "\"client.key\""),
        key("insecure", Bool, "Accept any certificate.", "true"),
        key(
            "server_name",
            Text,
            "Name to ask for and to verify instead of the URL's host.",
            "\"api.example.com\"",
        ),
    ],
    foreign: &[
        ("cert", "client_cert"),
        ("key", "client_key"),
        ("skip_verify", "insecure"),
        ("verify", "insecure"),
        ("sni", "server_name"),
    ],
    prefixes: &[],
};

pub(in crate::plan) static FEED: TableSpec = TableSpec {
    what: "a data feed",
    doc: "Rows of values for templates.",
    keys: &[
        key(
            "file",
            Text,
            "A file with rows: .csv with a head line, .json with a list of objects, or .ndjson; \
             relative to this file.",
            "\"users.csv\"",
        ),
        key(
            "rows",
            List(&Map(&Any)),
            "The rows themselves.",
            "[{ name = \"a\" }, { name = \"b\" }]",
        ),
        key(
            "mode",
            Word(&["sequential", "random", "unique", "per_user"]),
            "Who gets which row: one after the other over all users (and round again), any, each \
             row once in the whole run, or always the same one for a user. A row is drawn at the \
             start of each task.",
            "\"random\"",
        ),
        key("delimiter", Text, "Separator of a .csv file; a comma if not given.", "\";\""),
    ],
    foreign: &[
        ("path", "file"),
        ("order", "mode"),
        ("strategy", "mode"),
        ("separator", "delimiter"),
    ],
    prefixes: &[],
};

pub(in crate::plan) static GRADING: TableSpec = TableSpec {
    what: "[grading]",
    doc: "The rule of the grade. EXCELLENT: every target met. GOOD: every limit kept and this share \
          of the targets met. FAIR: every limit kept. POOR: a limit broken. With a ladder, the worse of \
          both grades counts.",
    keys: &[
        key(
            "good",
            Either(&[Text, Whole]),
            "Share of targets for GOOD; 80% if not given.",
            "\"80%\"",
        ),
        key(
            "ladder",
            Table(&LADDER),
            "Grades by one measure of each phase, beside what is expected.",
            "{ measure = \"avg\", excellent = \"<3s\", good = \"<5s\", fair = \"<10s\" }",
        ),
    ],
    foreign: &[],
    prefixes: &[],
};

pub(in crate::plan) static LADDER: TableSpec = TableSpec {
    what: "a ladder",
    doc: "Bounds on one measure, a grade each and each looser than the one before; what keeps none of them \
          is POOR, as is a phase without data on it.",
    keys: &[
        key("measure", Text, "What is graded, in the words of `expect`.", "\"avg\""),
        key("excellent", Either(&[Text, Amount]), "What keeps it is EXCELLENT.", "\"<3s\""),
        key("good", Either(&[Text, Amount]), "What keeps it is GOOD.", "\"<5s\""),
        key("fair", Either(&[Text, Amount]), "What keeps it is FAIR.", "\"<10s\""),
    ],
    foreign: &[("acceptable", "fair"), ("great", "excellent"), ("metric", "measure")],
    prefixes: &[],
};

pub(in crate::plan) static COST: TableSpec = TableSpec {
    what: "[cost]",
    doc: "What an answer costs that does not come from the cache, for this run and for a month, with the \
          cache and without it. Needs a rule of `cache`; answers that it says nothing about are not \
          counted.",
    keys: &[
        key("per_miss", Amount, "Price of an answer that does not come from the cache.", "0.06"),
        key("currency", Text, "Sign or name of the currency; \"$\" if not given.", "\"EUR\""),
        key(
            "requests_per_day",
            Whole,
            "Requests of a day in production, to project a month.",
            "1000",
        ),
        key("days", Whole, "Days of a month; 30 if not given.", "30"),
        key(
            "monthly_bill",
            Amount,
            "What a month without the cache costs, where that is known, instead of requests_per_day.",
            "4200",
        ),
        key(
            "hit_rate",
            Either(&[Text, Amount]),
            "Share of hits to project a month with; the one measured in the run if not given.",
            "\"80%\"",
        ),
    ],
    foreign: &[
        ("cost_per_miss", "per_miss"),
        ("price", "per_miss"),
        ("per_request", "per_miss"),
        ("symbol", "currency"),
        ("queries_per_day", "requests_per_day"),
        ("days_per_month", "days"),
        ("cache_hit_rate", "hit_rate"),
    ],
    prefixes: &[],
};

pub(in crate::plan) static ALERTS: TableSpec = TableSpec {
    what: "[alerts]",
    doc: "When somebody is told of trouble while the test runs: an expectation's target or limit is \
          broken over the window, the throughput falls although the load does not, many requests \
          fail all of a sudden, arrivals wait for a free user. Alerts change no grade.",
    keys: &[
        key("window", Duration, "How far back is looked; 10s if not given.", "\"10s\""),
        key(
            "min_requests",
            Whole,
            "Requests there must be in a window before it is judged; 20 if not given.",
            "20",
        ),
        key(
            "throughput_drop",
            Either(&[Text, Bool]),
            "By how much the throughput has to fall; 50% if not given, false does not look.",
            "\"50%\"",
        ),
        key(
            "error_burst",
            Either(&[Text, Bool]),
            "Share of requests that has to fail; 10% if not given, false does not look.",
            "\"10%\"",
        ),
        key(
            "queue",
            Either(&[Text, Bool]),
            "Share of arrivals that has to wait; 10% if not given, false does not look.",
            "\"10%\"",
        ),
        key(
            "webhook",
            Text,
            "Where alerts are posted to as JSON; Slack, Mattermost and Discord show them.",
            "\"${ALERT_WEBHOOK}\"",
        ),
    ],
    foreign: &[
        ("url", "webhook"),
        ("slack", "webhook"),
        ("enabled", "alerts = false"),
        ("interval", "window"),
        ("for", "window"),
    ],
    prefixes: &[],
};
