//! Cost: the arithmetic of the load-testing guide, from real requests to the result and the summary.

use proofload_testbed::fixture::{Behaviour, Fixture, Reply};
use serde_json::{Value, json};

use crate::support::{Sandbox, fixture};

/// Of five answers four come from the cache.
fn cached() -> Fixture {
    let reply = |cached: bool| Reply::json(&json!({ "cached": cached }));
    fixture(Behaviour::new().prefix("/hit", reply(true)).prefix("/miss", reply(false)))
}

/// 12 iterations of 4 hits and a miss: 60 requests.
fn plan(target: &str, top: &str) -> String {
    let hit = "[[user.task.step]]\nget = \"/hit\"\n".repeat(4);
    format!(
        "name = \"chat\"\ntarget = \"{target}\"\n{top}\n[[user]]\n[[user.task]]\nname = \"ask\"\n{hit}\
         [[user.task.step]]\nget = \"/miss\"\n[[phase]]\nname = \"Heavy load\"\nusers = 3\n\
         shared_iterations = 12\n"
    )
}

fn run(top: &str) -> (Value, String) {
    let fixture = cached();
    let sandbox = Sandbox::new();
    sandbox.write("plan.toml", plan(&fixture.url(""), top));
    let ended = sandbox.run(["run", "plan.toml", "-o", "r.json"]).end().with(0);
    (sandbox.result("r.json")["cost"].clone(), ended.stdout)
}

#[test]
fn sixty_requests_with_four_fifths_hits_cost_72_cents() {
    let (cost, shown) = run("cache = { json = \"$.cached\", equals = true }\n\
         cost = { per_miss = 0.06, monthly_bill = 4200 }");
    assert_eq!(cost["run"], json!({ "without_cache": 3.6, "with_cache": 0.72, "saved": 2.88 }));
    assert_eq!((&cost["counted_responses"], &cost["cached_responses"]), (&json!(60), &json!(48)));
    assert_eq!(
        (&cost["month"]["without_cache"], &cost["month"]["with_cache"]),
        (&json!(4200.0), &json!(840.0))
    );
    for part in ["$0.06 for each miss", "$0.72 instead of $3.60", "$840 instead of $4,200"] {
        assert!(shown.contains(part), "no {part:?} in:\n{shown}");
    }
}

#[test]
fn without_a_rule_of_the_cache_the_cost_is_unknown() {
    let (cost, shown) = run("cost = { per_miss = 0.06, requests_per_day = 1000 }");
    assert_eq!((&cost["run"], &cost["month"]), (&Value::Null, &Value::Null));
    assert_eq!(cost["total_requests"], 60);
    assert!(shown.contains("no answer said whether it came from a cache"), "{shown}");
    let (cost, shown) = run("");
    assert_eq!(cost, Value::Null);
    assert!(!shown.contains("Cost"), "{shown}");
}
