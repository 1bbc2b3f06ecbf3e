//! Right plans: what they mean.

use std::time::Duration;

use proofload_core::plan::{Load, Overrides, Plan, RequestUrl, Secrets, Step, Target};
use proptest::prelude::*;

use crate::printing::{FILES, RICH};
use crate::support::{parse, parse_with, plan};

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// The text of a phase around its keys, with two kinds of user.
fn with_phase(phase: &str) -> String {
    format!(
        "target = \"http://h\"\n[[user]]\nname = \"a\"\n[[user.task]]\nget = \"/\"\n[[user]]\nname = \"b\"\n\
         weight = 0\n[[user.task]]\nget = \"/\"\n[[phase]]\n{phase}\n"
    )
}

/// The load of a phase as `users (or rate)@seconds` stages and what comes with them.
fn shown(plan: &Plan) -> String {
    let phase = &plan.phases[0];
    let mut text = match &phase.load {
        Load::Users(load) => {
            let stages =
                load.stages.iter().map(|s| format!("{}@{}", s.users, s.over.as_secs_f64()));
            let mut text = stages.collect::<Vec<_>>().join(" ");
            if let Some(iterations) = load.iterations_per_user {
                text.push_str(&format!(" x{iterations}"));
            }
            text + if load.unbounded { " unbounded" } else { "" }
        }
        Load::SharedIterations { users, iterations, max_duration } => {
            format!("{users} share {iterations} within {max_duration:?}")
        }
        Load::Arrivals(load) => {
            let stages =
                load.stages.iter().map(|s| format!("{}/s@{}", s.per_second, s.over.as_secs_f64()));
            let stages = stages.collect::<Vec<_>>().join(" ");
            format!("{stages} max {} {:?} {:?}", load.max_users, load.spacing, load.overload)
        }
    };
    if let Some(every) = phase.step_every {
        text.push_str(&format!(" step {}", every.as_secs_f64()));
    }
    text
}

#[test]
fn loads_become_stages() {
    let check = |phase: &str, expect: &str| {
        assert_eq!(shown(&plan(&with_phase(phase))), expect, "{phase}");
    };
    check("users = 10\nduration = \"1m\"", "10@0 10@60");
    check(
        "users = 10\nramp_up = \"10s\"\nduration = \"1m\"\nramp_down = \"5s\"",
        "10@10 10@45 0@5",
    );
    check("users = 10\nramp_up = \"1m\"\nduration = \"1m\"", "10@60");
    check("users = 20\nspawn_rate = 4\nduration = \"1m\"", "20@5 20@55");
    check("users = 20\nspawn_rate = \"60/m\"\nduration = \"1m\"", "20@20 20@40");
    check("users = \"${USERS}\"\nduration = \"${D:-9s}\"", "7@0 7@9");
    check("users = 5\niterations = 4", "5@0 x4 unbounded");
    check("users = 5\niterations = 4\nramp_up = \"2s\"", "5@2 x4 unbounded");
    check("users = 5\niterations = 4\nduration = \"9s\"", "5@0 5@9 x4");
    check("users = 5\nrequests = 100", "5 share 100 within None");
    check("users = 5\nshared_iterations = 100\nduration = \"9s\"", "5 share 100 within Some(9s)");
    check(
        "stages = [{ users = 1, for = \"1s\" }, { users = 9, over = \"2s\" }, { users = 0, over = \"0s\" }]",
        "1@0 1@1 9@2 0@0",
    );
    check(
        "rate = \"100/s\"\nduration = \"1m\"",
        "100/s@0 100/s@60 max 200 Even Queue { limit: 100000 }",
    );
    check(
        "rate = \"60/m\"\nduration = \"1m\"\nramp_up = \"6s\"\narrivals = \"poisson\"\noverload = \"drop\"\nmax_users = 3",
        "1/s@6 1/s@54 max 3 Poisson Drop",
    );
    check(
        "rate = \"10/s\"\nrequests = 99\noverload = { queue = 7 }",
        "10/s@0 10/s@10 max 100 Even Queue { limit: 7 }",
    );
    check(
        "step = { users = 50, every = \"2s\" }\nmax = 120",
        "50@0 50@2 100@0 100@2 120@0 120@2 step 2",
    );
    check(
        "users = 10\nstep = { users = 50, every = \"2s\" }\nmax = 60",
        "10@0 10@2 60@0 60@2 step 2",
    );
    check(
        "step = { levels = [10, 25, 50], every = \"30s\" }",
        "10@0 10@30 25@0 25@30 50@0 50@30 step 30",
    );
    check("shape = \"normal\"", "100@60 100@540");
    check("shape = \"peak\"\nduration = \"50s\"", "500@5 500@45");
    check("shape = \"spike\"", "100@0 100@30 1000@60 1000@60 100@30");
    check("shape = \"spike\"\nusers = 5\nduration = \"6s\"", "1@0 1@1 5@2 5@2 1@1");
    check(
        "shape = \"stress\"\nusers = 20\nduration = \"10s\"",
        "2@0 2@1 4@0 4@1 6@0 6@1 8@0 8@1 10@0 10@1 12@0 12@1 14@0 14@1 16@0 16@1 18@0 18@1 20@0 20@1 step 1",
    );
    check("shape = \"endurance\"", "200@300 200@86100");
}

#[test]
fn overrides_stretch_the_load() {
    let check = |phase: &str, change: &dyn Fn(&mut Overrides), expect: &str| {
        let mut overrides = Overrides::default();
        change(&mut overrides);
        let plan = parse_with(&with_phase(phase), &[], &overrides);
        assert_eq!(shown(&plan.unwrap_or_else(|e| panic!("{e}"))), expect, "{phase}");
    };
    let trapezoid = "users = 10\nramp_up = \"10s\"\nduration = \"1m\"\nramp_down = \"5s\"";
    check(trapezoid, &|o| o.users = Some(200), "200@10 200@45 0@5");
    check(trapezoid, &|o| o.duration = Some(seconds(6)), "10@1 10@4.5 0@0.5");
    check(trapezoid, &|o| o.spawn_rate = Some(0.5), "10@20 10@35 0@5");
    check(trapezoid, &|o| o.iterations = Some(3), "10@10 10@45 0@5 x3");
    check(
        trapezoid,
        &|o| {
            // As Milkbot's script did it.
            (o.users, o.spawn_rate, o.duration) = (Some(200), Some(20.0), Some(seconds(600)));
        },
        "200@10 200@540 0@50",
    );
    let stages = "stages = [{ users = 1, for = \"1s\" }, { users = 300, over = \"2s\" }]";
    check(stages, &|o| o.users = Some(30), "1@0 1@1 30@2");
    check(stages, &|o| o.duration = Some(seconds(30)), "1@0 1@10 300@20");
    check("users = 5\niterations = 4", &|o| o.duration = Some(seconds(30)), "5@0 5@30 x4");
    check("users = 5\nrequests = 4", &|o| o.users = Some(9), "9 share 4 within None");
    check("users = 5\nrequests = 4", &|o| o.iterations = Some(8), "5 share 8 within None");
    let rate = "stages = [{ rate = \"10/s\", for = \"1s\" }, { rate = \"100/s\", over = \"1s\" }]\nmax_users = 5";
    check(rate, &|o| o.rate = Some(50.0), "5/s@0 5/s@1 50/s@1 max 5 Even Queue { limit: 100000 }");
    check(
        rate,
        &|o| o.users = Some(50),
        "10/s@0 10/s@1 100/s@1 max 50 Even Queue { limit: 100000 }",
    );
    let steps = "step = { levels = [10, 25, 50], every = \"30s\" }";
    check(steps, &|o| o.duration = Some(seconds(9)), "10@0 10@3 25@0 25@3 50@0 50@3 step 3");
}

#[test]
fn overrides_that_cannot_be_are_told() {
    let check = |overrides: Overrides, message: &str| {
        let errors = parse_with(
            &with_phase("name = \"Normal load\"\nusers = 5\nrequests = 4"),
            &[],
            &overrides,
        )
        .expect_err(message);
        assert!(errors.to_string().contains(message), "{errors}");
    };
    let phases = |names: &[&str]| Overrides {
        phases: names.iter().map(|name| (*name).to_owned()).collect(),
        ..Overrides::default()
    };
    check(phases(&["normal loud"]), "did you mean `Normal load`?");
    check(phases(&["x"]), "phases are Normal load");
    check(Overrides { rate: Some(5.0), ..Overrides::default() }, "no phase has a rate");
    check(
        Overrides { spawn_rate: Some(5.0), ..Overrides::default() },
        "no phase begins with a ramp",
    );
    check(
        Overrides { target: Some("h:80".to_owned()), ..Overrides::default() },
        "`h:80` has no scheme",
    );
}

#[test]
fn the_environment_overrides_and_flags_win() {
    let environment = |name: &str| {
        let value = match name {
            "PROOFLOAD_USERS" => "12",
            "LOAD_TEST_USERS" => "99",
            "LOAD_TEST_HOST" => "http://localhost:8501",
            "LOAD_TEST_SPAWN_RATE" => "20",
            "LOAD_TEST_RUN_TIME" => "10m",
            "PROOFLOAD_RATE" => "600/m",
            "PROOFLOAD_TARGET" => " ",
            _ => return None,
        };
        Some(value.to_owned())
    };
    let expect = Overrides {
        target: Some("http://localhost:8501".to_owned()),
        users: Some(12),
        rate: Some(10.0),
        duration: Some(seconds(600)),
        spawn_rate: Some(20.0),
        ..Overrides::default()
    };
    let from_env = Overrides::from_env(environment).expect("fine");
    assert_eq!(from_env, expect);
    let flags = Overrides { users: Some(3), ..Overrides::default() };
    assert_eq!(flags.or(from_env), Overrides { users: Some(3), ..expect });
    let errors = Overrides::from_env(|name| {
        Some(if name.ends_with("TARGET") { "x" } else { "zero" }.to_owned())
    });
    let messages: Vec<String> =
        errors.expect_err("wrong").iter().map(ToString::to_string).collect();
    assert_eq!(messages.len(), 4, "{messages:?}");
    assert_eq!(messages[0], "PROOFLOAD_USERS: `zero` is not a whole number of users");
}

#[test]
fn a_missing_target_can_be_overridden() {
    let text = with_phase("users = 1\nduration = \"1s\"").replace("target = \"http://h\"\n", "");
    assert!(parse(&text).is_err());
    let overrides = Overrides { target: Some("demo".to_owned()), ..Overrides::default() };
    assert_eq!(parse_with(&text, &[], &overrides).expect("fine").target, Target::Demo);
}

#[test]
fn mixes_take_the_users_they_name() {
    let check = |mix: &str, expect: &[(usize, u32)]| {
        let plan = plan(&with_phase(&format!("users = 1\nduration = \"1s\"\n{mix}")));
        let kinds: Vec<_> = plan.phases[0].kinds.iter().map(|k| (k.kind, k.weight)).collect();
        assert_eq!(kinds, expect, "{mix}");
    };
    check("", &[(0, 1), (1, 0)]);
    check("mix = [\"b\"]", &[(1, 1)]);
    check("mix = { b = 3, a = 2 }", &[(1, 3), (0, 2)]);
}

#[test]
fn included_files_come_first_and_the_including_file_wins() {
    let files = [
        (
            "lib/users.toml",
            "include = [\"../base.toml\"]\ntarget = \"http://lib\"\n[variables]\na = \"lib\"\nb = \"lib\"\n\
             [data.rows]\nfile = \"rows.csv\"\n[[user]]\nname = \"from lib\"\n[[user.task]]\nget = \"/{{ a }}/{{ data.rows.x }}\"\n",
        ),
        ("lib/rows.csv", "x\n1\n"),
        (
            "base.toml",
            "seed = 5\n[http]\ntimeout = \"1s\"\ncookies = false\n[variables]\na = \"base\"\nc = \"base\"\n",
        ),
    ];
    let text = "include = [\"lib/users.toml\"]\ntarget = \"http://own\"\n[http]\ntimeout = \"2s\"\n[variables]\n\
                b = \"own\"\n[[user]]\nname = \"own\"\n[[user.task]]\nget = \"/\"\n[[phase]]\nusers = 1\nduration = \"1s\"\n";
    let plan = parse_with(text, &files, &Overrides::default()).unwrap_or_else(|e| panic!("{e}"));
    let printed = plan.to_toml(Secrets::Show);
    assert!(printed.contains("target = \"http://own\""), "{printed}");
    assert_eq!((plan.seed, plan.http.timeout, plan.http.cookies), (Some(5), seconds(2), false));
    let names: Vec<&str> = plan.users.iter().map(|user| &*user.name).collect();
    assert_eq!(names, ["from lib", "own"]);
    assert!(printed.contains("a = \"lib\", c = \"base\", b = \"own\""), "{printed}");
    assert_eq!(plan.feeds[0].file.as_deref(), Some("lib/rows.csv"));

    let clash = "include = [\"lib/users.toml\"]\n[data.rows]\nrows = [{ x = 1 }]\n";
    let errors = parse_with(clash, &files, &Overrides::default()).expect_err("a clash");
    assert!(errors.to_string().contains("data feed `rows` is defined twice"), "{errors}");
}

#[test]
fn values_are_escaped_where_they_stand() {
    let text = with_phase("users = 1\nduration = \"1s\"").replacen(
        "get = \"/\"",
        "post = \"http://x/a b/{{ v }}?q={{ v }}\"\nquery = { \"k k\" = \"{{ v }}\" }\nform = { f = \"ä{{ v }}\" }\n\
         headers = { h = \"{{ v }}\" }\nextract = { v = \"$.v\" }",
        1,
    );
    let plan = plan(&text);
    let Step::Request(spec) = &plan.users[0].tasks[0].steps[0] else { panic!("a request") };
    let RequestUrl::Path { origin: Some(origin), path } = &spec.url else { panic!("a path") };
    assert_eq!(origin.to_string(), "http://x");
    let none = proofload_core::template::Escape::None;
    assert_eq!(
        path.to_text(none),
        "/a%20b/{{ v | path }}?q={{ v | urlencode }}&k%20k={{ v | urlencode }}"
    );
    let body = spec.body.as_ref().expect("a body");
    assert_eq!(body.content.to_text(none), "f=%C3%A4{{ v | urlencode }}");
    assert_eq!(spec.headers[0].value.to_text(none), "{{ v | header }}");
    assert!(spec.required);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Whatever a plan is made into: there is a plan or there are messages, never a panic.
    #[test]
    fn no_plan_makes_the_parser_panic(
        cuts in proptest::collection::vec((any::<prop::sample::Index>(), 0_usize..40, "[ \\PC]{0,6}|\\{\\{|\\}\\}|\"|\n|\\[\\[|= -1|\\$\\{"), 1..6),
    ) {
        let mut text = RICH.to_owned();
        for (at, length, put) in cuts {
            let chars: Vec<char> = text.chars().collect();
            let at = at.index(chars.len().max(1));
            text = chars[..at].iter().copied()
                .chain(put.chars())
                .chain(chars[(at + length).min(chars.len())..].iter().copied())
                .collect();
        }
        match parse_with(&text, FILES, &Overrides::default()) {
            Ok(plan) => {
                let _ = plan.to_toml(Secrets::Hide);
            }
            Err(errors) => prop_assert!(!errors.to_string().is_empty()),
        }
    }
}
