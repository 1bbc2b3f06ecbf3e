//! Suite files: what is read, and what people are told of wrong ones.

use proofload_core::compare::Aspect;
use proofload_core::plan::{Inputs, suite_json_schema};
use proofload_core::suite::{Suite, SuiteResult, TestKind, TestWork};

use crate::support::parse;

const GOOD: &str = r#"
name = "shop"
target = "${HOST:-demo}"
env = { STEP = "30s", USERS = 5 }

[[test]]
name = "Hooks"
kind = "webhook"
plan = "hooks.toml"
phases = ["Bursts"]
users = 50
rate = "100/s"
duration = "10s"
env = { USERS = 7 }

[[test]]
name = "No worse"
kind = "baseline"
test = "Hooks"
baseline = "../baselines/hooks.toml"
allow_different = "environment"

[[requirement]]
id = "1"
text = "hooks are fast"
by = [{ test = "Hooks", phase = "Bursts", expect = { p95 = "<500ms", success_rate = 0.99 } }, { test = "No worse" }]

[[requirement]]
id = "2"
"#;

fn read(text: &str) -> Result<Suite, String> {
    Suite::parse("suites/suite.toml", text, &Inputs::NONE).map_err(|errors| errors.to_string())
}

#[test]
fn everything_is_read() {
    let suite = read(GOOD).unwrap();
    assert_eq!((&*suite.name, suite.tests.len(), suite.requirements.len()), ("shop", 2, 2));
    let TestWork::Plan { path, overrides, env } = &suite.tests[0].work else { panic!("a plan") };
    assert_eq!(path, "suites/hooks.toml");
    assert_eq!(overrides.target.as_deref(), Some("demo"));
    assert_eq!((overrides.users, overrides.rate), (Some(50), Some(100.0)));
    assert_eq!(overrides.phases, ["Bursts"]);
    let env: Vec<_> = env.iter().map(|(key, value)| format!("{key}={value}")).collect();
    assert_eq!(env, ["STEP=30s", "USERS=5", "USERS=7"]);
    let file = "baselines/hooks.toml".to_owned();
    let expect = TestWork::Baseline { of: 0, file, allowed: vec![Aspect::Environment] };
    assert_eq!(suite.tests[1].work, expect);
    let by = &suite.requirements[0].by;
    assert_eq!((by.len(), by[0].expect.len(), by[1].test), (2, 2, 1));
    assert!(suite.requirements[1].by.is_empty());
}

#[test]
fn mistakes_are_told_all_at_once() {
    let suites = [
        "",
        "name = \"x\"\n[[tests]]\n",
        "test = []",
        "[[test]]\nname = \"a\"\nkind = \"webhok\"\nplan = \"a.toml\"\n[[test]]\nname = \"a\"\nkind = \"load\"\n\
         [[test]]\nkind = \"load\"\nplan = 5\nusers = 0\nrate = 5\ntarget = \"nowhere\"",
        "[[test]]\nname = \"a\"\nkind = \"load\"\nplan = \"a.toml\"\nbaseline = \"b\"\n\
         [[test]]\nname = \"b\"\nkind = \"baseline\"\nplan = \"a.toml\"\ntest = \"aa\"\nbaseline = \"x\"\nallow_different = [\"enviroment\"]\n\
         [[test]]\nname = \"c\"\nkind = \"baseline\"\n\
         [[test]]\nname = \"d\"\nkind = \"baseline\"\ntest = \"b\"\nbaseline = \"x\"",
        "[[test]]\nname = \"Webhook load\"\nkind = \"load\"\nplan = \"a.toml\"\nenv = { \"a b\" = 1, c = [] }\n\
         [[requirement]]\nid = \"1\"\nby = { test = \"Webhok load\" }\n\
         [[requirement]]\nid = \"1\"\nby = [{ phase = \"x\" }, { test = \"Webhook load\", expect = {} }]\n\
         [[requirement]]\ntext = \"x\"\nby = { test = \"Webhook load\", expect = { p59x = \"<1s\", p95 = \"<1%\" } }",
        "[[test]]\nname = \"b\"\nkind = \"baseline\"\ntest = \"b\"\nbaseline = \"x\"",
    ];
    let mut all = String::new();
    for text in suites {
        all.push_str(&read(text).expect_err(text));
        all.push_str("\n\n----\n\n");
    }
    insta::assert_snapshot!(all);
}

#[test]
fn what_the_plans_do_not_have_is_told() {
    let text = GOOD.replace("kind = \"webhook\"", "kind = \"redis\"");
    let suite = read(&text.replace("phase = \"Bursts\"", "phase = \"Burst\"")).unwrap();
    let plan = parse(
        "target = \"demo\"\n[[user]]\n[[user.task]]\nget = \"/\"\n[[phase]]\nname = \"Bursts\"\nusers = 1\nduration = \"1s\"",
    );
    let plans = [Some(plan.unwrap()), None];
    let check = |selected: [bool; 2], can_run: &[TestKind]| {
        suite.check(&selected, &plans, can_run).map_err(|errors| errors.to_string())
    };
    insta::assert_snapshot!(
        check([true, true], &[TestKind::Load, TestKind::Baseline]).unwrap_err()
    );
    // What is not run need not be there.
    let only_phase = check([false, true], &[TestKind::Baseline]).unwrap_err();
    assert!(!only_phase.contains("redis"), "{only_phase}");
    assert!(only_phase.contains("did you mean `Bursts`?"), "{only_phase}");
}

#[test]
fn a_suite_fits_its_schema() {
    let schema = jsonschema::validator_for(&suite_json_schema()).unwrap();
    let suite: toml::Table = GOOD.parse().unwrap();
    let value = serde_json::to_value(suite).unwrap();
    let errors: Vec<String> = schema.iter_errors(&value).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?}");
    let wrong = serde_json::json!({ "test": [{ "kind": "lode" }] });
    assert!(!schema.is_valid(&wrong));
    jsonschema::meta::validate(&SuiteResult::json_schema()).unwrap();
}
