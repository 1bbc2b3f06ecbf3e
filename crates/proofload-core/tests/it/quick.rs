//! One-liners as plans.

use std::time::Duration;

use proofload_core::plan::{
    Inputs, Load, Overrides, Plan, Quick, QuickBody, RequestUrl, Secrets, Step, Target,
};

fn plan(quick: &Quick) -> Plan {
    let load = |path: &str| Ok(path.as_bytes().to_vec());
    let inputs = Inputs { load: &load, ..Inputs::NONE };
    quick.plan(&Overrides::default(), &inputs).unwrap_or_else(|errors| panic!("{errors}"))
}

fn url(url: &str) -> Quick {
    Quick { url: url.to_owned(), ..Quick::default() }
}

#[test]
fn urls_are_split() {
    let check = |text: &str, target: &str, path: &str| {
        let plan = plan(&url(text));
        let Target::Url(base) = &plan.target else { panic!("a URL") };
        assert_eq!(base.to_string(), target);
        let Step::Request(spec) = &plan.users[0].tasks[0].steps[0] else { panic!("a request") };
        let RequestUrl::Path { origin: None, path: found } = &spec.url else { panic!("a path") };
        assert_eq!(found.as_literal(), Some(path.as_bytes()), "{text}");
    };
    check("http://127.0.0.1:8080", "http://127.0.0.1:8080", "/");
    check("localhost:8080/a", "http://localhost:8080", "/a");
    check("https://h/a/b?c=d&e=%20#f", "https://h", "/a/b?c=d&e=%20");
    check("http://h?x=1", "http://h", "/?x=1");
    check("http://h/{{ x }}/${y}", "http://h", "/%7B%7B%20x%20%7D%7D/$%7By%7D");
    check("http://[::1]:80/", "http://[::1]", "/");
}

#[test]
fn loads_are_those_of_ab_hey_and_oha() {
    let load = |quick: Quick| plan(&quick).phases[0].load.clone();
    let by_count = load(Quick { requests: Some(1000), users: Some(7), ..url("http://h") });
    assert_eq!(by_count, Load::SharedIterations { users: 7, iterations: 1000, max_duration: None });
    let by_time = load(Quick { duration: Some(Duration::from_secs(30)), ..url("http://h") });
    assert_eq!((by_time.peak_users(), by_time.duration()), (50, Some(Duration::from_secs(30))));
    let by_rate = load(Quick { rate: Some(0.5), users: Some(9), ..url("http://h") });
    assert_eq!((by_rate.peak_rate(), by_rate.peak_users()), (Some(0.5), 9));
    assert_eq!(by_rate.duration(), Some(Duration::from_secs(10)));
}

#[test]
fn requests_are_as_they_were_given() {
    let quick = Quick {
        method: Some("PUT".to_owned()),
        headers: vec![
            ("X-A".to_owned(), "1 {{ x }}".to_owned()),
            ("x-a".to_owned(), "${y} \"q\"".to_owned()),
            ("Content-Type".to_owned(), "text/plain".to_owned()),
        ],
        body: Some(QuickBody::Text("a={{ b }}\n${c}'".to_owned())),
        basic: Some("u:p".to_owned()),
        timeout: Some(Duration::from_secs(3)),
        insecure: true,
        ..url("http://h/x")
    };
    insta::assert_snapshot!(plan(&quick).to_toml(Secrets::Show));
    let file = Quick { body: Some(QuickBody::File("a {{ b }}.bin".to_owned())), ..url("http://h") };
    let plan = plan(&file);
    let Step::Request(spec) = &plan.users[0].tasks[0].steps[0] else { panic!("a request") };
    assert_eq!(spec.method.as_str(), "POST");
    let body = spec.body.as_ref().and_then(|body| body.content.as_literal());
    assert_eq!(body, Some(b"a {{ b }}.bin".as_slice()));
}

#[test]
fn wrong_arguments_are_told() {
    let wrong = Quick { method: Some("GE T".to_owned()), ..url("http://h:0/") };
    let errors = wrong.plan(&Overrides::default(), &Inputs::NONE).expect_err("is wrong");
    insta::assert_snapshot!(errors.to_string());
}
