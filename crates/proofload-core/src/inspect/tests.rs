//! Plans' words for checks and extractions against answers.

use std::time::Duration;

use super::*;
use crate::plan::{CheckId, Inputs, Overrides, Plan, Step, VarSlot};

struct TestAnswer {
    status: u16,
    headers: Vec<(&'static str, &'static str)>,
    body: &'static str,
    elapsed_ms: u64,
}

impl Answer for TestAnswer {
    fn status(&self) -> u16 {
        self.status
    }

    fn header(&self, name: &str) -> Option<&[u8]> {
        self.headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_bytes())
    }

    fn set_cookies(&self) -> impl Iterator<Item = &[u8]> {
        self.headers.iter().filter(|(name, _)| *name == "set-cookie").map(|(_, v)| v.as_bytes())
    }

    fn body(&self) -> &[u8] {
        self.body.as_bytes()
    }

    fn elapsed(&self) -> Duration {
        Duration::from_millis(self.elapsed_ms)
    }
}

const BODY: &str = r#"{"token":"t\"0k","n":5,"f":5.0,"ok":true,"none":null,"tags":["a","b",3],
    "messages":[{"id":7,"text":"hello world"},{"id":8}],"cached":true,"price":"12.50"}"#;

fn answer() -> TestAnswer {
    TestAnswer {
        status: 200,
        headers: vec![
            ("content-type", "application/json; charset=utf-8"),
            ("x-cache", "HIT from edge"),
            ("x-count", "17"),
            ("set-cookie", "a=1; Path=/"),
            ("set-cookie", "session = s3cr3t ; HttpOnly"),
        ],
        body: BODY,
        elapsed_ms: 250,
    }
}

/// What the engine would hear.
#[derive(Debug, Default, PartialEq)]
struct Heard {
    checks: Vec<(u32, bool)>,
    values: Vec<(u16, String)>,
}

impl Sink for Heard {
    fn check(&mut self, id: CheckId, passed: bool) {
        self.checks.push((id.0, passed));
    }

    fn extracted(&mut self, slot: VarSlot, value: &[u8]) {
        self.values.push((slot.0, String::from_utf8_lossy(value).into_owned()));
    }
}

/// The inspector of a request with these keys.
fn inspector(keys: &str) -> Inspector {
    let text = format!(
        "target = \"http://h\"\n[[user]]\n[[user.task]]\nget = \"/\"\n{keys}\n[[phase]]\nusers = 1\n\
         duration = \"1s\"\n"
    );
    let plan = Plan::parse("plan.toml", &text, &Overrides::default(), &Inputs::NONE)
        .unwrap_or_else(|errors| panic!("{errors}"));
    match &plan.users[0].tasks[0].steps[0] {
        Step::Request(spec) => spec.inspect.clone(),
        Step::Pause(_) => panic!("a request"),
    }
}

#[test]
fn checks_hold_or_not() {
    let check = |condition: &str, passes: bool| {
        let inspector = inspector(&format!("check = {{ {condition} }}"));
        let mut heard = Heard::default();
        let inspection = inspector.inspect(&answer(), &mut heard);
        assert_eq!(heard.checks, [(0, passes)], "{condition}");
        assert_eq!(inspection.failure.is_none(), passes, "{condition}");
    };
    check("status = 200", true);
    check("status = 201", false);
    check("status = \"2xx\"", true);
    check("status = \"3xx\"", false);
    check("status = [201, 200]", true);
    check("status = [\"4xx\", 500]", false);
    check("status = \"<400\"", true);
    check("status = \"<200\"", false);
    check("status = \"<=200\"", true);
    check("status = \">200\"", false);
    check("status = \">=200\"", true);
    check("status = \"200..204\"", true);
    check("body = \"hello world\"", true);
    check("body = \"contains hello\"", true);
    check("body = \"contains bye\"", false);
    check("body = 'matches \"id\":\\d+'", true);
    check("body = 'matches ^x'", false);
    check("body = { equals = \"x\" }", false);
    check("\"$.token\" = \"exists\"", true);
    check("\"$.none\" = \"exists\"", true);
    check("\"$.nothing\" = \"exists\"", false);
    check("\"$.nothing\" = \"absent\"", true);
    check("\"$.token\" = \"absent\"", false);
    check("\"$.token\" = 't\"0k'", true);
    check("\"$.token\" = \"other\"", false);
    check("\"$.n\" = 5", true);
    check("\"$.n\" = 5.0", true);
    check("\"$.f\" = 5", true);
    check("\"$.n\" = 6", false);
    check("\"$.n\" = \"5\"", false);
    check("\"$.n\" = \"== 5\"", true);
    check("\"$.n\" = \"!= 5\"", false);
    check("\"$.n\" = \"!= 6\"", true);
    check("\"$.nothing\" = \"!= 6\"", true);
    check("\"$.n\" = \"> 4\"", true);
    check("\"$.n\" = \">5\"", false);
    check("\"$.n\" = \">=5\"", true);
    check("\"$.n\" = \"< 5.5\"", true);
    check("\"$.price\" = \"> 12\"", true);
    check("\"$.token\" = \"> 12\"", false);
    check("\"$.ok\" = true", true);
    check("\"$.ok\" = false", false);
    check("\"$.tags\" = [\"a\", \"b\", 3]", true);
    check("\"$.tags\" = \"contains b\"", true);
    check("\"$.tags\" = \"contains 3\"", true);
    check("\"$.tags\" = \"contains c\"", false);
    check("\"$.messages[0].text\" = \"contains world\"", true);
    check("\"$.messages[0].text\" = \"matches ^hello\"", true);
    check("\"$.messages[*].id\" = 8", true);
    check("\"$.messages[*].id\" = 9", false);
    check("\"$.messages[-1].id\" = 8", true);
    check("\"$.messages[?@.id > 7].id\" = \"exists\"", true);
    check("\"$.messages[0]\" = { equals = { id = 7, text = \"hello world\" } }", true);
    check("\"$.ok\" = { not_equals = false }", true);
    check("\"$.ok\" = { exists = false }", false);
    check("\"header.content-type\" = \"contains json\"", true);
    check("\"header.Content-Type\" = \"contains html\"", false);
    check("header.x-count = 17", true);
    check("header.x-count = \"> 16\"", true);
    check("header.x-none = \"absent\"", true);
    check("header.x-none = \"exists\"", false);
    check("header.x-count = \"exists\"", true);
    check("duration = \"<300ms\"", true);
    check("duration = \"<250ms\"", false);
    check("duration = \"<=250ms\"", true);
    check("duration = \"200ms\"", false);
    check("duration = \">200ms\"", true);
}

#[test]
fn values_are_extracted() {
    let check = |from: &str, expect: Option<&str>| {
        let inspector = inspector(&format!("extract = {{ v = {from} }}"));
        let mut heard = Heard::default();
        let inspection = inspector.inspect(&answer(), &mut heard);
        let values: Vec<(u16, String)> = expect.map(|v| (0, v.to_owned())).into_iter().collect();
        assert_eq!(heard.values, values, "{from}");
        let failure = expect.is_none().then_some(Failure::Extract(0));
        assert_eq!(inspection.failure, failure, "{from}");
    };
    check("\"$.token\"", Some("t\"0k"));
    check("\"$.n\"", Some("5"));
    check("\"$.tags\"", Some("[\"a\",\"b\",3]"));
    check("\"$.messages[*].id\"", Some("7"));
    check("\"$.messages[1].id\"", Some("8"));
    check("\"$.nothing\"", None);
    check("{ json = \"$.nothing\", default = \"d\" }", Some("d"));
    check("{ json = \"$.nothing\", default = 5 }", Some("5"));
    check("{ header = \"X-Count\" }", Some("17"));
    check("{ header = \"x-none\" }", None);
    check("{ cookie = \"session\" }", Some("s3cr3t"));
    check("{ cookie = \"a\" }", Some("1"));
    check("{ cookie = \"Path\" }", None);
    check("{ regex = '\"id\":(\\d+),\"text\"' }", Some("7"));
    check("{ regex = '\"id\":\\d+' }", Some("\"id\":7"));
    check("{ regex = '(i)(d)', group = 2 }", Some("d"));
    check("{ regex = 'zzz' }", None);
    check("\"status\"", Some("200"));
    check("\"body\"", Some(BODY));
}

#[test]
fn without_a_status_check_a_status_below_400_is_a_success() {
    let check = |keys: &str, status: u16, failure: Option<Failure>| {
        let answer = TestAnswer { status, ..answer() };
        let inspection = inspector(keys).inspect(&answer, &mut Heard::default());
        assert_eq!(inspection.failure, failure, "{keys} {status}");
    };
    check("", 399, None);
    check("", 400, Some(Failure::Status));
    check("check = { status = 404 }", 404, None);
    check("check = { status = 404 }", 200, Some(Failure::StatusCheck(0)));
    check("check = { body = \"zzz\" }", 500, Some(Failure::Status));
    check("check = { body = \"zzz\" }", 200, Some(Failure::Check(0)));
    assert_eq!(Failure::Status.error_kind(503), crate::metrics::ErrorKind::Http5xx);
    assert_eq!(Failure::StatusCheck(0).error_kind(404), crate::metrics::ErrorKind::Http4xx);
    assert_eq!(Failure::StatusCheck(0).error_kind(200), crate::metrics::ErrorKind::CheckFailed);
}

#[test]
fn nothing_is_extracted_from_a_wrong_answer() {
    let inspector = inspector(
        "extract = { v = { json = \"$.x\", default = \"d\" } }\ncache = { json = \"$.cached\" }",
    );
    let mut heard = Heard::default();
    let inspection = inspector.inspect(&TestAnswer { status: 500, ..answer() }, &mut heard);
    assert_eq!(inspection, Inspection { failure: Some(Failure::Status), cache_hit: None });
    assert_eq!(heard, Heard::default());
}

#[test]
fn cache_hits_are_known() {
    let check = |rule: &str, hit: bool| {
        let inspector = inspector(&format!("cache = {rule}"));
        let inspection = inspector.inspect(&answer(), &mut Heard::default());
        assert_eq!(inspection.cache_hit, Some(hit), "{rule}");
    };
    check("{ json = \"$.cached\" }", true);
    check("{ json = \"$.cached\", equals = false }", false);
    check("{ json = \"$.no\", equals = true }", false);
    check("{ header = \"X-Cache\", contains = \"HIT\" }", true);
    check("{ header = \"x-cache\", matches = '(?i)^miss' }", false);
    check("{ header = \"x-none\", exists = true }", false);
    assert_eq!(inspector("").inspect(&answer(), &mut Heard::default()).cache_hit, None);
}

#[test]
fn messages_say_what_was_expected_and_what_was_found() {
    let check = |keys: &str, message: &str| {
        let (inspector, answer) = (inspector(keys), answer());
        let failure = inspector.inspect(&answer, &mut Heard::default()).failure.expect("a failure");
        assert_eq!(inspector.explain(&answer, failure), message);
    };
    check("check = { status = [201, 204] }", "expected status 201 or 204, found status 200");
    check("check = { \"$.n\" = \"> 9\" }", "expected $.n > 9, found `5`");
    check("check = { \"$.ok\" = false }", "expected $.ok is false, found `true`");
    check(
        "check = { header.x-none = \"exists\" }",
        "expected header x-none exists, found no such header",
    );
    check("check = { duration = \"<1ms\" }", "expected duration <1ms, found 250 ms");
    check(
        "[[user.task.check]]\nname = \"fast\"\nduration = \"<1ms\"",
        "expected fast, found 250 ms",
    );
    check("extract = { v = { cookie = \"c\" } }", "`v`: no cookie c");
    let (inspector, answer) = (
        inspector("check = { \"$.x\" = 1 }"),
        TestAnswer { body: "<html>\n an error page", ..answer() },
    );
    assert_eq!(
        inspector.explain(&answer, Failure::Check(0)),
        "expected $.x is 1, found a body that is not JSON: `<html>  an error page`"
    );
}

#[test]
fn the_body_is_asked_for_only_where_it_is_looked_at() {
    let check =
        |keys: &str, needed: bool| assert_eq!(inspector(keys).needs_body(), needed, "{keys}");
    check("", false);
    check("check = { status = 200, duration = \"<1s\", header.a = \"exists\" }", false);
    check("extract = { v = { header = \"a\" }, w = { cookie = \"c\" }, s = \"status\" }", false);
    check("cache = { header = \"x-cache\", contains = \"HIT\" }", false);
    check("check = { body = \"x\" }", true);
    check("check = { \"$.a\" = \"exists\" }", true);
    check("extract = { v = \"$.a\" }", true);
    check("extract = { v = { regex = 'a' } }", true);
    check("extract = { v = \"body\" }", true);
    check("cache = { json = \"$.cached\" }", true);
}

#[test]
fn many_paths_are_looked_up_in_one_document() {
    let inspector = inspector(
        "check = { \"$.n\" = 5, \"$.f\" = 5, \"$.ok\" = true, \"$.token\" = \"exists\", \"$.zzz\" = \"absent\" }",
    );
    let mut heard = Heard::default();
    assert_eq!(inspector.inspect(&answer(), &mut heard).failure, None);
    assert_eq!(heard.checks.len(), 5);
}
