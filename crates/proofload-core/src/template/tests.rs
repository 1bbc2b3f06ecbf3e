//! Templates as a whole: text in, bytes out.

use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::plan::{CounterSlot, DataCell, FeedId, VarSlot};

/// Knows the variables `token` and `name`, the feed `users` with `email`, and `HOST`.
struct TestScope;

impl Scope for TestScope {
    fn variable(&mut self, name: &str) -> Result<VarSlot, Unknown> {
        match name {
            "token" => Ok(VarSlot(0)),
            "name" => Ok(VarSlot(1)),
            "unset" => Ok(VarSlot(2)),
            _ => EmptyScope.variable(name),
        }
    }

    fn counter(&mut self, name: &str) -> Result<CounterSlot, Unknown> {
        Ok(CounterSlot(u16::from(name != "counter")))
    }

    fn cell(&mut self, feed: &str, column: &str) -> Result<DataCell, Unknown> {
        match (feed, column) {
            ("users", "email") => Ok(DataCell { feed: FeedId(0), column: 0 }),
            ("users", "full name") => Ok(DataCell { feed: FeedId(0), column: 1 }),
            _ => EmptyScope.cell(feed, column),
        }
    }

    fn env(&mut self, name: &str) -> Result<String, Unknown> {
        if name == "HOST" { Ok("a\"b".to_owned()) } else { EmptyScope.env(name) }
    }

    fn user_kind(&mut self) -> Result<Arc<str>, Unknown> {
        Ok("member".into())
    }
}

struct TestContext {
    rng: fastrand::Rng,
    counters: [u64; 2],
}

fn context() -> TestContext {
    TestContext { rng: fastrand::Rng::with_seed(7), counters: [0; 2] }
}

impl Context for TestContext {
    fn variable(&self, slot: VarSlot) -> Option<&[u8]> {
        [Some(b"t0ken".as_slice()), Some("Zoë \"Z\" & co/1".as_bytes()), None]
            .get(usize::from(slot.0))
            .copied()
            .flatten()
    }

    fn cell(&self, cell: DataCell) -> Option<&[u8]> {
        [b"a@b.c".as_slice(), b"A B"].get(usize::from(cell.column)).copied()
    }

    fn rng(&mut self) -> &mut fastrand::Rng {
        &mut self.rng
    }

    fn user_id(&self) -> u64 {
        42
    }

    fn iteration(&self) -> u64 {
        3
    }

    fn count(&mut self, slot: CounterSlot) -> u64 {
        self.counters[usize::from(slot.0)] += 1;
        self.counters[usize::from(slot.0)]
    }

    fn unix_time(&self) -> Duration {
        Duration::from_millis(1_709_210_096_007)
    }
}

fn parse(text: &str, escape: Escape) -> Template {
    Template::parse(text, escape, &mut TestScope).unwrap_or_else(|e| panic!("{text}: {e:?}"))
}

fn render(template: &Template) -> String {
    let mut out = Vec::new();
    template.render(&mut context(), &mut out).expect("renders");
    String::from_utf8(out).expect("UTF-8")
}

#[test]
fn values_are_put_in_and_escaped_for_their_place() {
    let check = |text: &str, escape, expect: &str| {
        assert_eq!(render(&parse(text, escape)), expect, "{text}");
    };
    check("", Escape::None, "");
    check("plain } text { with }} braces", Escape::None, "plain } text { with }} braces");
    check("{{{ token }}}", Escape::None, "{t0ken}");
    check("Bearer {{ token }}", Escape::Header, "Bearer t0ken");
    check("{{token}}{{token}}", Escape::None, "t0kent0ken");
    check("/u/{{ name }}", Escape::Path, "/u/Zo%C3%AB%20%22Z%22%20&%20co/1");
    check("/u?n={{ name }}", Escape::Query, "/u?n=Zo%C3%AB%20%22Z%22%20%26%20co%2F1");
    check("/u?n={{ name | raw }}", Escape::Query, "/u?n=Zoë \"Z\" & co/1");
    check("{{ name | upper | json }}", Escape::None, "ZOë \\\"Z\\\" & CO/1");
    check("{{ token | base64 }}", Escape::None, "dDBrZW4=");
    check("{{ token | base64 }}", Escape::Query, "dDBrZW4%3D");
    check("{{ data.users.email }} {{ data.users.\"full name\" }}", Escape::None, "a@b.c A B");
    check("{{ user.id }}/{{ user.kind }}/{{ iteration }}", Escape::None, "42/member/3");
    check("{{ counter }}{{ counter }}{{ counter(\"b\") }}", Escape::None, "121");
    check("{{ now }} {{ now.ms }}", Escape::None, "1709210096 1709210096007");
    check("{{ now.iso }}", Escape::None, "2024-02-29T12:34:56.007Z");
    check("{{ env.HOST }}", Escape::Json, "a\\\"b");
    check("{{ \"{{\" }} {{ '}}' }}", Escape::None, "{{ }}");
    check("{{ random.int(5, 5) }} {{ random.int(-3,-3) }}", Escape::None, "5 -3");
    check(
        "{{ random.int(-9223372036854775808, -9223372036854775808) }}",
        Escape::None,
        "-9223372036854775808",
    );
    check("{{ random.choice('x') }}", Escape::None, "x");
    check("{{ random.float(1.5, 1.5) }}", Escape::None, "1.500");
    check(
        "{{ template(\"{{ token }}:{{ name }}\") | base64 }}",
        Escape::None,
        "dDBrZW46Wm/DqyAiWiIgJiBjby8x",
    );
}

#[test]
fn random_values_have_their_shape() {
    let check = |text: &str, pattern: &str| {
        let template = parse(text, Escape::None);
        let pattern = regex::Regex::new(pattern).expect("a pattern");
        let mut cx = context();
        let mut seen = std::collections::HashSet::new();
        for _ in 0..200 {
            let mut out = Vec::new();
            template.render(&mut cx, &mut out).expect("renders");
            let value = String::from_utf8(out).expect("UTF-8");
            assert!(pattern.is_match(&value), "{text}: {value}");
            seen.insert(value);
        }
        assert!(seen.len() > 1, "{text}");
    };
    check("{{ random.hex(40) }}", "^[0-9a-f]{40}$");
    check("{{ random.alnum(12) }}", "^[0-9A-Za-z]{12}$");
    check("{{ random.int(1, 3) }}", "^[123]$");
    check("{{ random.choice(\"a\", \"b\") }}", "^[ab]$");
    check(
        "{{ random.uuid }}",
        "^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$",
    );
}

#[test]
fn json_strings_are_quoted_but_for_numbers() {
    let check = |text: &str, expect: &str| {
        let segments = Template::parse_json_string(text, &mut TestScope).expect("parses");
        assert_eq!(render(&Template::from_segments(segments)), expect, "{text}");
    };
    check("plain \"x\"", "\"plain \\\"x\\\"\"");
    check("{{ name }}", "\"Zoë \\\"Z\\\" & co/1\"");
    check("{{ user.id }}", "\"42\"");
    check("{{ user.id | number }}", "42");
    check("{{ token | raw }}", "t0ken");
    check("a {{ user.id | number }}", "\"a 42\"");
    check("", "\"\"");
}

#[test]
fn what_is_constant_is_folded() {
    let check = |text: &str, expect: &str| {
        assert_eq!(parse(text, Escape::Json).as_literal(), Some(expect.as_bytes()), "{text}");
    };
    check("", "");
    check("a{{ env.HOST }}b", "aa\\\"bb");
    check("{{ user.kind | upper }}", "MEMBER");
    assert_eq!(parse("a{{ token }}", Escape::None).as_literal(), None);
}

#[test]
fn errors_say_where_and_what_to_do() {
    let check = |text: &str, at: &str, message: &str, help: &str| {
        let errors = Template::parse(text, Escape::None, &mut TestScope).expect_err(text);
        let error = &errors[0];
        assert_eq!(&text[error.range.clone()], at, "{text}: {error:?}");
        assert_eq!(error.message, message);
        assert!(error.help.as_deref().unwrap_or_default().contains(help), "{error:?}");
    };
    check("a {{ token", "{{ token", "`{{` without `}}`", "close the expression");
    check("{{ }}", " ", "empty expression", "{{ token }}");
    check("{{ tokn }}", "tokn", "unknown variable `tokn`", "");
    check("{{ random.it(1) }}", "random.it", "unknown expression `random.it`", "random.int(a, b)");
    check(
        "{{ random.int(9, 1) }}",
        "random.int",
        "the smaller number comes first, as in `random.int(1, 100)`",
        "",
    );
    check(
        "{{ random.int(1) }}",
        "random.int",
        "expected two numbers, as in `random.int(1, 100)`",
        "",
    );
    check(
        "{{ random.hex(0) }}",
        "random.hex",
        "expected a number from 1 to 10000, as in `random.hex(40)`",
        "",
    );
    check("{{ random.choice() }}", "random.choice", "expected `random.choice(\"a\", \"b\")`", "");
    check("{{ token | uper }}", "uper", "unknown filter `uper`", "did you mean `upper`?");
    check("{{ token | json | upper }}", "upper", "`json` comes last", "");
    check("{{ token % 2 }}", "%", "unexpected `%` in an expression", "");
    check("{{ token token }}", "token", "unexpected text after the name", "filters follow");
    check("{{ token. }}", " token. ", "expected a name after `.`", "");
    check("{{ 'abc }}", "{{ 'abc }}", "`{{` without `}}`", "");
    check("{{ user.id() }}", "user.id", "`user.id` takes no arguments", "");
    check("{{ user.name }}", "user.name", "unknown expression `user.name`", "user.id");
    check("{{ now.iss }}", "now.iss", "unknown expression `now.iss`", "now.iso");
    check("{{ data.users }}", "data.users", "unknown expression `data.users`", "data.FEED.COLUMN");
    check("{{ env.PORT }}", "env.PORT", "environment variable `PORT` is not set", "");
    check("{{ base64('?') }}", "base64", "this is not Base64 (with padding)", "");
    check("{{ user.kind | number }}", " user.kind | number ", "`member` is not a number", "");
    check("{{ \"\\q\" }}", "\\q", "unknown escape `\\q`", "known are");
    let both = Template::parse("{{ a }} {{ b }}", Escape::None, &mut EmptyScope).expect_err("two");
    assert_eq!(both.len(), 2);
}

#[test]
fn a_failed_rendering_leaves_nothing_behind() {
    let check = |text: &str, escape, message: &str| {
        let mut out = b"kept".to_vec();
        let error = parse(text, escape).render(&mut context(), &mut out).expect_err(text);
        assert_eq!(error.to_string(), message);
        assert_eq!(out, b"kept");
    };
    check("x{{ unset }}", Escape::None, "variable `unset` is not set: no answer has had it yet");
    check("x{{ token | number }}", Escape::None, "`t0ken` is not a number");
}

#[test]
fn numbers_are_json_numbers() {
    let check = |value: &str, fine: bool| {
        let text = format!("{{{{ \"{value}\" | number }}}}");
        assert_eq!(
            Template::parse(&text, Escape::None, &mut EmptyScope).is_ok(),
            fine && serde_json::from_str::<serde_json::Number>(value).is_ok(),
            "{value}"
        );
    };
    for fine in ["0", "-1", "1.5", "10e3", "1E-7", "1e+2"] {
        check(fine, true);
    }
    for wrong in ["", "-", "01", "1.", ".5", "1e", "0x1", "1 ", "NaN", "1e5x", "--1"] {
        check(wrong, false);
    }
}

#[test]
fn rendering_is_free_of_allocation_once_warm() {
    let template =
        parse("/m?u={{ name }}&r={{ random.hex(40) }}&t={{ token | base64 }}", Escape::Query);
    let mut cx = context();
    let mut out = Vec::new();
    template.render(&mut cx, &mut out).expect("renders");
    let (capacity, at) = (out.capacity(), out.as_ptr());
    for _ in 0..100 {
        out.clear();
        template.render(&mut cx, &mut out).expect("renders");
    }
    assert_eq!((out.capacity(), out.as_ptr()), (capacity, at));
}

proptest! {
    #[test]
    fn parsing_never_panics_and_text_round_trips(text in "(\\PC|\\{\\{|\\}\\}|\"| token | random.int\\(1,2\\)|\\||raw|json){0,12}") {
        for escape in [Escape::None, Escape::Json, Escape::Query, Escape::Header] {
            if let Ok(template) = Template::parse(&text, escape, &mut TestScope) {
                let printed = template.to_text(escape);
                let again = Template::parse(&printed, escape, &mut TestScope);
                prop_assert_eq!(again, Ok(template), "{}", printed);
            }
        }
    }

    #[test]
    fn any_bytes_can_be_printed(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
        let template = Template::literal(bytes);
        let printed = template.to_text(Escape::Json);
        prop_assert_eq!(Template::parse(&printed, Escape::Json, &mut EmptyScope), Ok(template));
    }
}
