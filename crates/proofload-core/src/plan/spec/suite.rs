//! The words of a suite file.

use super::Takes::{Any, Duration, Either, List, Map, Rate, Table, Template, Text, Whole, Word};
use super::{TableSpec, key};

/// Kinds of tests, as they are written.
pub(in crate::plan) static TEST_KINDS: &[&str] =
    &["webhook", "load", "redis", "postgres", "capacity", "baseline"];

/// What a comparison may be told to overlook, as it is written.
static ASPECTS: &[&str] = &["environment", "plan", "target"];

pub(in crate::plan) static SUITE: TableSpec = TableSpec {
    what: "a suite",
    doc: "Tests that run one after the other, and the requirements that they prove.",
    keys: &[
        key("name", Text, "What the suite is called in reports.", "\"Reality Checker\""),
        key("description", Text, "What the suite is for.", ""),
        key(
            "target",
            Text,
            "The service under test, instead of the one in each plan: a URL, or \"demo\".",
            "\"http://127.0.0.1:8000\"",
        ),
        key(
            "env",
            Map(&Template),
            "Variables for `${KEY}` in the plans of all tests.",
            "{ STEP = \"30s\" }",
        ),
        key("test", List(&Table(&TEST)), "A test. Tests run in the order of the file.", ""),
        key(
            "requirement",
            List(&Table(&REQUIREMENT)),
            "Something that the service must hold, and which test proves it.",
            "",
        ),
    ],
    foreign: &[
        ("tests", "[[test]]"),
        ("requirements", "[[requirement]]"),
        ("host", "target"),
        ("variables", "env"),
        ("phase", "[[phase]] of a plan, which a [[test]] names"),
        ("user", "[[user]] of a plan, which a [[test]] names"),
    ],
    prefixes: &[],
};

pub(in crate::plan) static TEST: TableSpec = TableSpec {
    what: "a test",
    doc: "A plan that is run as it is or with changes, or a run that is compared with a baseline.",
    keys: &[
        key("name", Text, "Unique among tests; requirements name it.", "\"Webhook load\""),
        key("kind", Word(TEST_KINDS), "What it is; `--only` picks tests by it.", "\"webhook\""),
        key(
            "plan",
            Text,
            "The plan, relative to the suite file. Every kind but baseline needs one.",
            "\"webhook.toml\"",
        ),
        key("target", Text, "Another service than the suite's.", "\"http://127.0.0.1:8001\""),
        key("phases", List(&Text), "Only these phases of the plan.", "[\"Normal load\"]"),
        key("users", Whole, "Peak number of users; stages are scaled to it.", "50"),
        key("rate", Rate, "Peak rate of open load.", "\"500/s\""),
        key("duration", Duration, "Length of every phase.", "\"30s\""),
        key("spawn_rate", Rate, "Users started a second at the beginning.", "\"10/s\""),
        key(
            "iterations",
            Whole,
            "Iterations of each user, or of all together where the phase shares them.",
            "20",
        ),
        key("seed", Whole, "Seed of every random choice.", "42"),
        key(
            "env",
            Map(&Template),
            "Variables for `${KEY}` in the plan; they win over the suite's.",
            "{ STEP = \"30s\" }",
        ),
        key(
            "test",
            Text,
            "Of kind baseline: the earlier test whose run is compared.",
            "\"Webhook load\"",
        ),
        key(
            "baseline",
            Text,
            "Of kind baseline: the baseline file to compare with, relative to the suite file.",
            "\"webhook.baseline.toml\"",
        ),
        key(
            "allow_different",
            Either(&[Word(ASPECTS), List(&Word(ASPECTS))]),
            "Of kind baseline: what may differ between the baseline and the run.",
            "[\"environment\"]",
        ),
    ],
    foreign: &[
        ("file", "plan"),
        ("type", "kind"),
        ("phase", "phases"),
        ("variables", "env"),
        ("run_time", "duration"),
        ("requests_per_user", "iterations"),
        ("requirements", "[[requirement]] with by"),
        ("proves", "[[requirement]] with by"),
        ("expect", "[[requirement]] with by, or the plan's phases"),
    ],
    prefixes: &[],
};

pub(in crate::plan) static REQUIREMENT: TableSpec = TableSpec {
    what: "a requirement",
    doc: "Something that the service must hold. It is proven when everything in `by` holds; without `by` \
          nobody proves it, and it is shown as unproven.",
    keys: &[
        key("id", Text, "Its number or name, unique.", "\"4.1\""),
        key("text", Text, "What is required, in words.", "\"Webhooks are answered within 2 s\""),
        key(
            "by",
            Either(&[Table(&PROOF), List(&Table(&PROOF))]),
            "What proves it.",
            "{ test = \"Webhook load\", expect = { p95 = \"<2s\" } }",
        ),
    ],
    foreign: &[
        ("name", "id or text"),
        ("description", "text"),
        ("title", "text"),
        ("proof", "by"),
        ("proven_by", "by"),
        ("test", "by = { test = \"…\" }"),
        ("expect", "by = { test = \"…\", expect = { … } }"),
    ],
    prefixes: &[],
};

pub(in crate::plan) static PROOF: TableSpec = TableSpec {
    what: "a proof",
    doc: "What of a test proves the requirement: measures with the bounds they must keep, or, without \
          any, that the test keeps all limits of its own.",
    keys: &[
        key("test", Text, "Name of the test.", "\"Webhook load\""),
        key("phase", Text, "One phase of it; all together if not given.", "\"Bursts\""),
        key(
            "expect",
            Map(&Any),
            "Measures and the bounds they must keep, as in the phases of plans.",
            "{ p95 = \"<500ms\", success_rate = \">99%\" }",
        ),
    ],
    foreign: &[
        ("measure", "expect = { p95 = \"<500ms\" }"),
        ("phases", "phase"),
        ("name", "test"),
        ("scenario", "phase"),
    ],
    prefixes: &[],
};
