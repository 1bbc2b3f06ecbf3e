//! The JSON Schema for editors, held against a validator that is not ours.

use jsonschema::Validator;
use proofload_core::plan::json_schema;
use serde_json::Value;

use crate::examples;
use crate::printing::RICH;

fn validator() -> Validator {
    jsonschema::validator_for(&json_schema()).expect("a valid schema")
}

fn json(plan: &str) -> Value {
    let table: toml::Table = plan.parse().expect("TOML");
    serde_json::to_value(table).expect("JSON")
}

fn mistakes(plan: &str) -> Vec<String> {
    let plan = json(plan);
    validator().iter_errors(&plan).map(|error| error.to_string()).collect()
}

#[test]
fn every_example_fits() {
    for (path, text) in examples::plans() {
        assert_eq!(mistakes(&text), Vec::<String>::new(), "{path}");
    }
    let rich = RICH.replace(", when = 2026-01-01T00:00:00Z", "");
    assert_eq!(mistakes(&rich), Vec::<String>::new());
}

#[test]
fn what_is_wrong_does_not_fit() {
    let check = |plan: &str| assert!(!mistakes(plan).is_empty(), "{plan}");
    check("targets = \"x\"");
    check("target = 5");
    check("[http]\ntimeout = 5");
    check("[http]\nversion = \"3\"");
    check("[[user]]\nwait_time = \"1s\"");
    check("[[user]]\n[[user.task]]\ngett = \"/\"");
    check("[[user]]\n[[user.task]]\ncheck = { statu = 5 }");
    check("[[phase]]\nusers = -1");
    check("[[phase]]\nrate = 5");
    check("[[phase]]\nstages = [{ target = 5 }]");
    check("[[phase]]\nshape = \"spiky\"");
    check("[data.x]\nmode = \"rand\"");
}

#[test]
fn every_key_has_a_description_and_fitting_examples() {
    let schema = json_schema();
    let mut tables = vec![("plan".to_owned(), &schema)];
    tables.extend(schema["$defs"].as_object().expect("tables").iter().map(|(k, v)| (k.clone(), v)));
    for (name, table) in tables {
        for (key, property) in table["properties"].as_object().expect("keys") {
            assert!(property["description"].as_str().is_some_and(|d| d.len() > 8), "{name}.{key}");
            let mut alone = property.clone();
            alone["$defs"] = schema["$defs"].clone();
            let validator = jsonschema::validator_for(&alone).expect("a valid schema");
            for example in property["examples"].as_array().into_iter().flatten() {
                assert!(validator.is_valid(example), "{name}.{key}: {example}");
            }
        }
    }
}
