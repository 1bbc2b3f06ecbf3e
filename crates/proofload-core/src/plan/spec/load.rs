//! The words of phases.

use super::Takes::{Bool, Duration, Either, List, Map, Rate, Table, Text, ThinkTime, Whole, Word};
use super::{TableSpec, key};

pub(in crate::plan) static PHASE: TableSpec = TableSpec {
    what: "a phase",
    doc: "A part of the run, with its own load and expectations. The load is one of: users (closed \
          model), shared_iterations, rate (open model), stages, or a shape.",
    keys: &[
        key("name", Text, "Unique among phases.", "\"Normal load\""),
        key(
            "shape",
            Word(&["normal", "peak", "stress", "spike", "endurance"]),
            "A ready-made load. `users` or `rate` is its peak. normal: 100 users for 10m; peak: 500 \
             for 5m; both ramp up over the first tenth. stress: ten steps up to 1000 in 10m, until \
             errors exceed 5%. spike: a tenth, then in 1m to 1000, 1m there, and back (3m in all). \
             endurance: 200 for 24h. The times scale with `duration`.",
            "\"spike\"",
        ),
        key(
            "users",
            Whole,
            "Virtual users, each waiting for its answer before it asks again.",
            "100",
        ),
        key(
            "spawn_rate",
            Either(&[Rate, Whole]),
            "How many users start a second, instead of ramp_up.",
            "10",
        ),
        key(
            "rate",
            Rate,
            "Iterations that start in a given time, whether or not the service keeps up.",
            "\"1000/s\"",
        ),
        key("ramp_up", Duration, "Time from none to all, at the start.", "\"30s\""),
        key("duration", Duration, "The whole phase, ramps included.", "\"10m\""),
        key("ramp_down", Duration, "Time from all to none, at the end.", "\"30s\""),
        key(
            "stages",
            List(&Table(&STAGE)),
            "The load over time: `over` a straight line to it, `for` at it from the start.",
            "[{ users = 100, for = \"10s\" }, { users = 1000, over = \"1m\" }]",
        ),
        key("iterations", Whole, "So many tasks for each user; then it stops.", "20"),
        key("shared_iterations", Whole, "So many tasks for all users together.", "10000"),
        key(
            "requests",
            Whole,
            "The same as shared_iterations; with a rate, end after so many.",
            "10000",
        ),
        key(
            "max_users",
            Whole,
            "With a rate: most users at work at once. If not given, twice the rate a \
            second, at least 100 and at most 10000.",
            "2000",
        ),
        key(
            "arrivals",
            Word(&["even", "poisson"]),
            "With a rate: how starts are spread; even if not given.",
            "\"poisson\"",
        ),
        key(
            "overload",
            Either(&[Word(&["queue", "drop"]), Map(&Whole)]),
            "With a rate: what happens to a start when all users are at work. \"queue\" (up to \
             100000, or as given) counts the waiting time; \"drop\" counts it as dropped.",
            "{ queue = 5000 }",
        ),
        key(
            "burst",
            Either(&[Table(&BURST), List(&Table(&BURST))]),
            "Load on top, at given times.",
            "{ requests = 100, every = \"10s\" }",
        ),
        key(
            "step",
            Table(&STEP_RULE),
            "Raise the load step by step, up to `max` or until `until`.",
            "{ users = 50, every = \"30s\" }",
        ),
        key("max", Either(&[Whole, Rate]), "With `step`: the last step's users or rate.", "1000"),
        key(
            "until",
            Map(&Text),
            "End the phase when one of these holds, judged over the current \
            step (or the last 10s).",
            "{ error_rate = \">5%\", p95 = \">2s\" }",
        ),
        key(
            "expect",
            Map(&Either(&[Text, Map(&Text)])),
            "What the phase must hold: success_rate, error_rate, avg, min, max, p50 to p99.99, rps, \
             cache_hit_rate, checks. A pair has a target and a limit.",
            "{ p95 = { target = \"<500ms\", limit = \"<2s\" } }",
        ),
        key(
            "mix",
            Either(&[List(&Text), Map(&Whole)]),
            "Which users take part; all by their own \
            weights if not given.",
            "{ member = 3, guest = 1 }",
        ),
        key("think_time", ThinkTime, "Instead of the users' and tasks' own.", "\"none\""),
        key(
            "graceful_stop",
            Duration,
            "How long answers may take at the end; 30s if not given.",
            "\"5s\"",
        ),
        key(
            "abort_on_fail",
            Either(&[Bool, Duration]),
            "End the run when an expectation's limit is \
            broken; a duration is how long to wait before looking.",
            "\"30s\"",
        ),
    ],
    foreign: &[
        ("vus", "users"),
        ("concurrency", "users"),
        ("threads", "users"),
        ("target", "users"),
        ("peak", "users"),
        ("run_time", "duration"),
        ("hold", "duration"),
        ("time", "duration"),
        ("ramp", "ramp_up"),
        ("rampup", "ramp_up"),
        ("ramp_time", "ramp_up"),
        ("rps", "rate"),
        ("arrival_rate", "rate"),
        ("requests_per_user", "iterations"),
        ("startTime", "phases run one after the other"),
        ("executor", "users, rate, stages or shared_iterations"),
        ("thresholds", "expect, or [thresholds] for the whole run"),
        ("preAllocatedVUs", "max_users"),
        ("maxVUs", "max_users"),
        ("gracefulStop", "graceful_stop"),
        ("user", "mix"),
        ("only", "mix"),
    ],
    prefixes: &[],
};

pub(in crate::plan) static STAGE: TableSpec = TableSpec {
    what: "a stage",
    doc: "A piece of the load over time.",
    keys: &[
        key("users", Whole, "Users at the end of the stage.", "100"),
        key("rate", Rate, "Iterations a second at the end of the stage.", "\"100/s\""),
        key("over", Duration, "In a straight line from the stage before.", "\"1m\""),
        key("for", Duration, "At once, and then so long.", "\"10s\""),
    ],
    foreign: &[
        ("duration", "over (k6's meaning: a straight line) or for (at once, then hold)"),
        ("target", "users or rate"),
        ("vus", "users"),
        ("hold", "for"),
        ("ramp", "over"),
    ],
    prefixes: &[],
};

pub(in crate::plan) static BURST: TableSpec = TableSpec {
    what: "a burst",
    doc: "Load on top of a phase's own: so many requests at once, or users or rate for a while.",
    keys: &[
        key("requests", Whole, "So many iterations at once.", "100"),
        key("users", Whole, "So many more users for a while.", "100"),
        key("rate", Rate, "So many more iterations a second for a while.", "\"500/s\""),
        key("for", Duration, "How long; with users or rate.", "\"5s\""),
        key(
            "at",
            Duration,
            "When the first begins; `every` if not given, else the middle of the phase.",
            "\"10s\"",
        ),
        key("every", Duration, "Time from one to the next.", "\"30s\""),
    ],
    foreign: &[("duration", "for"), ("interval", "every"), ("start", "at"), ("size", "requests")],
    prefixes: &[],
};

pub(in crate::plan) static STEP_RULE: TableSpec = TableSpec {
    what: "a step rule",
    doc: "How the load rises.",
    keys: &[
        key("users", Whole, "So many more users each step.", "50"),
        key("rate", Rate, "So many more iterations a second each step.", "\"50/s\""),
        key("levels", List(&Either(&[Whole, Rate])), "The levels themselves.", "[10, 25, 50, 100]"),
        key("every", Duration, "Length of a step.", "\"30s\""),
    ],
    foreign: &[("duration", "every"), ("by", "users or rate"), ("for", "every")],
    prefixes: &[],
};
