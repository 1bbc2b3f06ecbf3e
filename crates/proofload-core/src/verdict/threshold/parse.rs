//! Reads a threshold: the metric with its tag selector, and the condition.

use super::{Aggregation, Metric, TagMatch, Threshold};
use crate::metrics::ErrorKind;
use crate::verdict::bound::parse_threshold_value;
use crate::verdict::{Comparison, ExpressionError, Percentile};
use std::ops::Range;
use std::time::Duration;

const AGGREGATIONS: [&str; 8] = ["avg", "min", "max", "med", "p(95)", "count", "rate", "value"];
const TAGS: [&str; 12] = [
    "phase",
    "scenario",
    "user",
    "task",
    "name",
    "method",
    "url",
    "group",
    "status",
    "expected_response",
    "error",
    "check",
];

impl Threshold {
    /// Reads a threshold from its key (`http_req_duration{task:send}`) and one condition
    /// (`p(99)<1s`).
    ///
    /// # Errors
    /// With the place in whichever of the two texts is wrong, and a suggestion.
    pub fn parse(metric_text: &str, condition_text: &str) -> Result<Self, ExpressionError> {
        let (metric, selector) = parse_metric(metric_text)?;
        let (aggregation, comparison, value) = parse_condition(condition_text, metric)?;
        Ok(Self {
            metric,
            selector,
            aggregation,
            comparison,
            value,
            abort_on_fail: false,
            delay_abort_eval: Duration::ZERO,
            metric_text: metric_text.trim().to_owned(),
            condition_text: condition_text.trim().to_owned(),
        })
    }
}

/// The byte range of a part of `text` without surrounding blanks.
fn trimmed(text: &str, range: Range<usize>) -> Range<usize> {
    let part = &text[range.clone()];
    let start = range.start + (part.len() - part.trim_start().len());
    start..(start + part.trim().len())
}

fn parse_metric(text: &str) -> Result<(Metric, Vec<TagMatch>), ExpressionError> {
    let end = text.trim_end().len();
    let (name, tags) = match (text.find('{'), text.rfind('}')) {
        (None, None) => (trimmed(text, 0..end), None),
        (Some(open), Some(close)) if open < close && close + 1 == end => {
            (trimmed(text, 0..open), Some(open + 1..close))
        }
        (Some(open), Some(close)) if open < close => {
            return Err(ExpressionError::new(text, close + 1..end, "unexpected text after `}`"));
        }
        (None | Some(_), Some(close)) => {
            return Err(ExpressionError::new(text, close..close + 1, "`}` without `{` before it"));
        }
        (Some(open), None) => {
            return Err(ExpressionError::new(text, open..end, "`{` is not closed by `}`"));
        }
    };
    let metric_name = &text[name.clone()];
    let metric = Metric::from_name(metric_name).ok_or_else(|| {
        let names: Vec<_> = Metric::ALL.iter().map(|metric| metric.name()).collect();
        let message = format!("unknown metric `{metric_name}`");
        ExpressionError::new(text, name, message).suggest(metric_name, &names)
    })?;
    let mut selector = Vec::new();
    if let Some(tags) = tags {
        let mut start = tags.start;
        for part in text[tags.clone()].split(',') {
            let range = start..start + part.len();
            start = range.end + 1;
            // k6 ignores an empty part, so that a trailing comma is harmless.
            if part.trim().is_empty() {
                continue;
            }
            let tag = parse_tag(text, range.clone(), metric)?;
            if tag.is_of_outcome() && selector.iter().any(TagMatch::is_of_outcome) {
                let message = "`status`, `error` and `expected_response` cannot be combined";
                return Err(ExpressionError::new(text, trimmed(text, range), message)
                    .help("each is counted by itself; keep one of them"));
            }
            selector.push(tag);
        }
        if selector.is_empty() {
            let message = "the tag selector is empty";
            return Err(ExpressionError::new(text, tags.start - 1..end, message)
                .help("write `{tag:value}` or leave the braces out"));
        }
    }
    Ok((metric, selector))
}

/// One `key:value` of a selector. Both may be quoted; a value may contain further colons.
fn parse_tag(text: &str, range: Range<usize>, metric: Metric) -> Result<TagMatch, ExpressionError> {
    let Some(colon) = text[range.clone()].find(':') else {
        let range = trimmed(text, range);
        let message = format!("`{}` is not `tag:value`", &text[range.clone()]);
        return Err(ExpressionError::new(text, range, message));
    };
    let key_range = trimmed(text, range.start..range.start + colon);
    let value_range = trimmed(text, range.start + colon + 1..range.end);
    let unquoted = |range: &Range<usize>| text[range.clone()].trim_matches(['"', '\'']);
    let (key, value) = (unquoted(&key_range), unquoted(&value_range));
    if value.is_empty() {
        return Err(ExpressionError::new(text, range, format!("tag `{key}` has no value")));
    }
    let wrong_value = |message: &str| ExpressionError::new(text, value_range.clone(), message);
    let owned = || value.to_owned();
    let tag = match key {
        "phase" | "scenario" => TagMatch::Phase(owned()),
        "user" => TagMatch::User(owned()),
        "task" => TagMatch::Task(owned()),
        "name" => TagMatch::Name(owned()),
        "method" => TagMatch::Method(owned()),
        "url" => TagMatch::Url(owned()),
        "group" => TagMatch::Group(owned()),
        "check" => TagMatch::Check(owned()),
        "status" => TagMatch::Status(
            value
                .parse()
                .ok()
                .filter(|status| *status <= 999)
                .ok_or_else(|| wrong_value("a status is a number like 200"))?,
        ),
        "expected_response" => TagMatch::ExpectedResponse(
            value.parse().map_err(|_| wrong_value("`expected_response` is `true` or `false`"))?,
        ),
        "error" => TagMatch::Error(ErrorKind::from_id(value).ok_or_else(|| {
            let ids: Vec<_> = ErrorKind::ALL.iter().map(|kind| kind.id()).collect();
            wrong_value(&format!("unknown kind of error `{value}`")).suggest(value, &ids)
        })?),
        _ => {
            let error = ExpressionError::new(text, key_range, format!("unknown tag `{key}`"));
            return Err(error.suggest(key, &TAGS));
        }
    };
    if tag.applies_to(metric) {
        Ok(tag)
    } else {
        let message = format!("`{metric}` is not kept by `{key}`");
        Err(ExpressionError::new(text, key_range, message).help(tag.where_it_applies()))
    }
}

impl TagMatch {
    fn applies_to(&self, metric: Metric) -> bool {
        match self {
            Self::Phase(_) => true,
            Self::User(_)
            | Self::Task(_)
            | Self::Name(_)
            | Self::Method(_)
            | Self::Url(_)
            | Self::Group(_) => metric.is_of_requests(),
            Self::Status(_) | Self::Error(_) => metric == Metric::HttpReqs,
            Self::ExpectedResponse(_) => {
                matches!(metric, Metric::HttpReqs | Metric::HttpReqDuration | Metric::ResponseTime)
            }
            Self::Check(_) => metric == Metric::Checks,
        }
    }

    /// Whether it selects by what became of a request, which is counted apart from the tags.
    const fn is_of_outcome(&self) -> bool {
        matches!(self, Self::Status(_) | Self::Error(_) | Self::ExpectedResponse(_))
    }

    const fn where_it_applies(&self) -> &'static str {
        match self {
            Self::Status(_) | Self::Error(_) => "`status` and `error` select from `http_reqs`",
            Self::ExpectedResponse(_) => {
                "`expected_response` selects from `http_req_duration`, `response_time` and \
                 `http_reqs`"
            }
            Self::Check(_) => "`check` selects from `checks`",
            _ => "use `phase`, or a metric of requests",
        }
    }
}

fn parse_condition(
    text: &str,
    metric: Metric,
) -> Result<(Aggregation, Comparison, f64), ExpressionError> {
    let end = text.trim_end().len();
    let operator = text.find(['<', '>', '=', '!']).ok_or_else(|| {
        let range = trimmed(text, 0..text.len());
        ExpressionError::new(text, range, "no comparison, expected something like `p(95)<200`")
    })?;
    let (comparison, length) = Comparison::at_front(&text[operator..]).ok_or_else(|| {
        let error = ExpressionError::new(text, operator..operator + 1, "unknown operator");
        error.help("operators are <, <=, >, >=, ==, !=")
    })?;
    let aggregation = parse_aggregation(text, trimmed(text, 0..operator))?;
    if !metric.kind().has(aggregation) {
        let range = trimmed(text, 0..operator);
        let message = format!("`{metric}` has no `{aggregation}`");
        let help = format!("it has: {}", metric.kind().aggregations());
        return Err(ExpressionError::new(text, range, message).help(help));
    }
    let value_range = trimmed(text, operator + length..end.max(operator + length));
    let value_text = &text[value_range.clone()];
    let value = parse_threshold_value(value_text, metric.quantity(aggregation))
        .map_err(|error| ExpressionError::new(text, value_range, error.to_string()))?;
    Ok((aggregation, comparison, value))
}

fn parse_aggregation(text: &str, range: Range<usize>) -> Result<Aggregation, ExpressionError> {
    let word = &text[range.clone()];
    if let Some(number) = word.strip_prefix("p(").and_then(|rest| rest.strip_suffix(')')) {
        let percent = number.trim().parse().ok().and_then(Percentile::from_percent);
        return percent.map(Aggregation::Percentile).ok_or_else(|| {
            let range = range.start + 2..range.end - 1;
            ExpressionError::new(text, range, "a percentile is a number from 0 to 100")
        });
    }
    Ok(match word {
        "avg" => Aggregation::Average,
        "min" => Aggregation::Min,
        "max" => Aggregation::Max,
        "med" => Aggregation::Median,
        "count" => Aggregation::Count,
        "rate" => Aggregation::Rate,
        "value" => Aggregation::Value,
        "" => {
            return Err(ExpressionError::new(text, range, "nothing stands before the operator")
                .help(format!("expected one of {}", AGGREGATIONS.join(", "))));
        }
        _ => {
            let error = ExpressionError::new(text, range, format!("unknown figure `{word}`"));
            // "p95<1s" is our spelling in expectations; k6 has brackets.
            let digits = word.strip_prefix('p').filter(|d| d.parse::<f64>().is_ok());
            return Err(match digits {
                Some(digits) => error.help(format!("did you mean `p({digits})`?")),
                None => error.suggest(word, &AGGREGATIONS),
            });
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_of_k6() {
        let check =
            |metric: &str, condition: &str, aggregation: &str, op: Comparison, value: f64| {
                let threshold = Threshold::parse(metric, condition).unwrap();
                assert_eq!(threshold.aggregation.to_string(), aggregation, "{condition}");
                assert_eq!((threshold.comparison, threshold.value), (op, value), "{condition}");
            };
        use Comparison::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual, NotEqual};
        check("http_req_duration", "p(95)<500", "p(95)", Less, 500e6);
        check("http_req_duration", " p(99.9) < 1s ", "p(99.9)", Less, 1e9);
        check("http_req_duration", "p(99.99)<=1.5s", "p(99.99)", LessOrEqual, 1.5e9);
        check("http_req_duration", "avg<200", "avg", Less, 200e6);
        check("http_req_duration", "med < 200.5", "med", Less, 200.5e6);
        check("http_req_duration", "max<2000", "max", Less, 2e9);
        check("http_req_duration", "max>=0", "max", GreaterOrEqual, 0.0);
        check("http_req_duration", "min>-1", "min", Greater, -1e6);
        check("http_req_duration", "avg<1e3", "avg", Less, 1e9);
        check("http_req_failed", "rate<0.01", "rate", Less, 0.01);
        check("http_req_failed", "rate<1%", "rate", Less, 0.01);
        check("http_req_failed", "rate==0", "rate", Equal, 0.0);
        check("http_req_failed", "rate===0", "rate", Equal, 0.0);
        check("checks", "rate>=0.95", "rate", GreaterOrEqual, 0.95);
        check("http_reqs", "count>1000", "count", Greater, 1000.0);
        check("http_reqs", "rate>100/s", "rate", Greater, 100.0);
        check("http_reqs", "count!=0", "count", NotEqual, 0.0);
        check("iterations", "rate>10", "rate", Greater, 10.0);
        check("dropped_iterations", "count<1", "count", Less, 1.0);
        check("data_received", "count<10MB", "count", Less, 1e7);
        check("data_sent", "rate<1MB/s", "rate", Less, 1e6);
        check("vus", "value>5", "value", Greater, 5.0);
        check("vus_max", "value<=100", "value", LessOrEqual, 100.0);
        check("service_time", "p(50)<5ms", "p(50)", Less, 5e6);
        check("response_time", "count>5", "count", Greater, 5.0);
    }

    #[test]
    fn selectors() {
        let check = |text: &str, selector: &[TagMatch]| {
            let threshold = Threshold::parse(text, "count>0").unwrap();
            assert_eq!(threshold.selector, selector, "{text}");
        };
        let owned = str::to_owned;
        check("http_reqs", &[]);
        check("http_reqs{task:send}", &[TagMatch::Task(owned("send"))]);
        check("http_reqs { status : 503 }", &[TagMatch::Status(503)]);
        check(
            "http_reqs{scenario:spike, name:'GET /a', method:GET,}",
            &[
                TagMatch::Phase(owned("spike")),
                TagMatch::Name(owned("GET /a")),
                TagMatch::Method(owned("GET")),
            ],
        );
        check("http_reqs{url:http://a:8/b}", &[TagMatch::Url(owned("http://a:8/b"))]);
        check("http_reqs{group:::login}", &[TagMatch::Group(owned("::login"))]);
        check("http_reqs{expected_response:false}", &[TagMatch::ExpectedResponse(false)]);
        check("http_reqs{error:timeout}", &[TagMatch::Error(ErrorKind::Timeout)]);
        check("iterations{phase:a}", &[TagMatch::Phase(owned("a"))]);
        let checks = Threshold::parse("checks{check:is ok}", "rate>0.9").unwrap();
        assert_eq!(checks.selector, [TagMatch::Check(owned("is ok"))]);
    }

    #[test]
    fn errors_have_a_column_and_a_suggestion() {
        let check = |metric: &str, condition: &str, column: usize, message: &str, help: &str| {
            let error = Threshold::parse(metric, condition).unwrap_err();
            assert_eq!(error.column(), column, "{error}");
            assert!(error.message.contains(message), "{error}");
            assert!(error.help.as_deref().unwrap_or_default().contains(help), "{error}");
        };
        let d = "http_req_duration";
        check("http_req_durration", "avg<1", 1, "unknown metric", "`http_req_duration`?");
        check(" latency", "avg<1", 2, "unknown metric `latency`", "known are: http_req_dura");
        check("http_reqs{task:a", "count>1", 10, "not closed", "");
        check("http_reqs}", "count>1", 10, "without `{`", "");
        check("http_reqs}{", "count>1", 10, "without `{`", "");
        check("http_reqs{task:a}x", "count>1", 18, "unexpected text", "");
        check("http_reqs{}", "count>1", 10, "empty", "");
        check("http_reqs{task}", "count>1", 11, "not `tag:value`", "");
        check("http_reqs{task:}", "count>1", 11, "no value", "");
        check("http_reqs{a:b,taks:x}", "count>1", 11, "unknown tag `a`", "known are: phase");
        check("http_reqs{user:b, taks:x}", "count>1", 19, "unknown tag `taks`", "`task`?");
        check("http_reqs{status:OK}", "count>1", 18, "number like 200", "");
        check("http_reqs{error:timeuot}", "count>1", 17, "unknown kind", "`timeout`?");
        check("http_reqs{expected_response:yes}", "count>1", 29, "`true` or `false`", "");
        check("http_req_duration{status:200}", "avg<1", 19, "not kept by", "`http_reqs`");
        check("http_reqs{status:200,error:tls}", "count>1", 22, "cannot be combined", "keep one");
        check("iterations{task:a}", "count>1", 12, "not kept by `task`", "phase");
        check(d, "", 1, "no comparison", "");
        check(d, "avg 200", 1, "no comparison", "");
        check(d, "avg=200", 4, "unknown operator", "operators are");
        check(d, "avg!200", 4, "unknown operator", "");
        check(d, "<200", 1, "nothing stands before", "avg");
        check(d, "p95<200", 1, "unknown figure `p95`", "`p(95)`?");
        check(d, "p(101)<200", 3, "0 to 100", "");
        check(d, "p(x)<200", 3, "0 to 100", "");
        check(d, "average<200", 1, "unknown figure", "known are");
        check(d, "mix<200", 1, "unknown figure `mix`", "did you mean");
        check(d, "rate<0.1", 1, "has no `rate`", "avg, min, max");
        check("http_req_failed", "p(95)<1", 1, "has no `p(95)`", "it has: rate");
        check(d, "avg<", 5, "empty, expected a duration", "");
        check(d, "avg < fast", 7, "does not start with a number", "");
        check(d, "avg<200mb", 5, "unknown unit `mb`", "");
        check(d, "avg<<200", 5, "does not start with a number", "");
    }

    #[test]
    fn every_metric_is_found_by_its_name() {
        for &metric in Metric::ALL {
            assert_eq!(Metric::from_name(metric.name()), Some(metric));
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics_and_every_error_has_its_place(
            metric in "(http_req_duration|http_reqs|checks|vus|µ)?[{}:,a-zß\"' ]{0,12}",
            condition in "(p\\(|avg|rate|count)?[<>=!()a-zµ0-9. %/-]{0,10}",
        ) {
            if let Err(error) = Threshold::parse(&metric, &condition) {
                proptest::prop_assert!(error.text.get(error.range.clone()).is_some(), "{:?}", error);
                proptest::prop_assert!(error.column() >= 1);
            }
        }
    }
}
