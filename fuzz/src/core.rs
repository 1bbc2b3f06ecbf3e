//! Targets of `proofload-core`: what people write, and files of other programs and machines.

use std::sync::Arc;
use std::time::Duration;

use proofload_core::inspect::{Answer, Inspector, Sink};
use proofload_core::metrics::Histogram;
use proofload_core::plan::{
    CheckId, Colours, CounterSlot, DataCell, FeedId, Inputs, Overrides, Plan, PlanErrors, Secrets,
    Step, VarSlot,
};
use proofload_core::result::RunResult;
use proofload_core::schedule::{self, Schedule, Shard};
use proofload_core::template::{
    Context, EmptyScope, Escape, Scope, Template, TemplateError, Unknown,
};
use proofload_core::verdict::{Bound, ExpressionError, Measure, Threshold};

/// Steps of a schedule that are looked at.
const MAX_STEPS: usize = 64;

/// Splits at the first line feed.
fn line(data: &[u8]) -> (&[u8], &[u8]) {
    let end = data.iter().position(|&byte| byte == b'\n').unwrap_or(data.len());
    (&data[..end], data.get(end + 1..).unwrap_or_default())
}

fn parse_plan(text: &str, inputs: &Inputs<'_>) -> Result<Plan, PlanErrors> {
    Plan::parse("plan.toml", text, &Overrides::default(), inputs)
}

fn check_plan_errors(errors: &PlanErrors) {
    assert!(!errors.diagnostics.is_empty());
    for diagnostic in &errors.diagnostics {
        assert!(!diagnostic.message.is_empty());
        if let Some(at) = diagnostic.location {
            let source = &errors.sources[usize::from(at.file)];
            assert!(
                source.text.get(at.start as usize..at.end as usize).is_some(),
                "{diagnostic:?}"
            );
            let (_, line, column) = errors.position(at);
            assert!(line >= 1 && column >= 1);
        }
    }
    assert!(!errors.render(Colours::Plain).is_empty());
    assert!(!errors.render(Colours::Ansi).is_empty());
}

/// A plan that needs no files.
///
/// Either there is a plan or there are messages with places in its text. A plan prints and parses
/// to the same plan. Its schedules never step back in time, and what has ended stays ended.
pub fn plan(data: &[u8]) -> bool {
    let Ok(text) = str::from_utf8(data) else { return false };
    let plan = match parse_plan(text, &Inputs::NONE) {
        Ok(plan) => plan,
        Err(errors) => {
            check_plan_errors(&errors);
            return false;
        }
    };
    let printed = plan.to_toml(Secrets::Show);
    match parse_plan(&printed, &Inputs::NONE) {
        Ok(again) => {
            assert!(again == plan, "prints as another plan:\n{printed}\n{plan:#?}\n{again:#?}");
            assert_eq!(again.to_toml(Secrets::Show), printed);
        }
        Err(errors) => panic!("what was printed is wrong: {errors}\n\n{printed}"),
    }
    assert!(!plan.to_toml(Secrets::Hide).is_empty());
    check_schedules(&plan);
    true
}

fn check_schedules(plan: &Plan) {
    for phase in &plan.phases {
        for shard in [Shard::WHOLE, Shard::new(1, 2)] {
            let mut schedule = schedule::of_phase(phase, shard, plan.seed.unwrap_or(1));
            let mut now = Duration::ZERO;
            for _ in 0..MAX_STEPS {
                match schedule.next(now) {
                    schedule::Step::Users { until, .. } => {
                        assert!(until > now, "asks for {until:?} again at {now:?}: {phase:?}");
                        now = until;
                    }
                    schedule::Step::Start { at } => {
                        assert!(at >= now, "starts at {at:?} after {now:?}: {phase:?}");
                        now = at;
                    }
                    schedule::Step::Finished => {
                        let later = now.saturating_add(Duration::from_secs(1));
                        assert_eq!(schedule.next(later), schedule::Step::Finished);
                        break;
                    }
                }
            }
        }
    }
}

/// A line with the name of a data file, then what is in it.
///
/// Every row has every column.
pub fn data_feed(data: &[u8]) -> bool {
    const PLAN: &str = "target = \"http://h\"\n[[user]]\n[[user.task]]\nget = \"/\"\n\
                        [[phase]]\nusers = 1\nduration = \"1s\"\n[data.d]\nfile = ";
    let (name, content) = line(data);
    let Ok(name) = str::from_utf8(name) else { return false };
    if name.contains('\'') || name.contains(char::is_control) {
        return false;
    }
    let load = |_: &str| Ok(content.to_vec());
    let inputs = Inputs { load: &load, ..Inputs::NONE };
    match parse_plan(&format!("{PLAN}'{name}'"), &inputs) {
        Ok(plan) => {
            let [feed] = &*plan.feeds else { panic!("one feed: {plan:?}") };
            assert!(!feed.rows.is_empty() && !feed.columns.is_empty());
            assert!(feed.rows.iter().all(|row| row.len() == feed.columns.len()));
            true
        }
        Err(errors) => {
            check_plan_errors(&errors);
            false
        }
    }
}

/// Knows the variables `token` and `unset`, the feed `users` with `email`, and `HOST`.
struct Names;

impl Scope for Names {
    fn variable(&mut self, name: &str) -> Result<VarSlot, Unknown> {
        match name {
            "token" => Ok(VarSlot(0)),
            "unset" => Ok(VarSlot(1)),
            _ => EmptyScope.variable(name),
        }
    }

    fn counter(&mut self, _name: &str) -> Result<CounterSlot, Unknown> {
        Ok(CounterSlot(0))
    }

    fn cell(&mut self, feed: &str, column: &str) -> Result<DataCell, Unknown> {
        match (feed, column) {
            ("users", "email") => Ok(DataCell { feed: FeedId(0), column: 0 }),
            _ => EmptyScope.cell(feed, column),
        }
    }

    fn env(&mut self, name: &str) -> Result<String, Unknown> {
        if name == "HOST" { Ok("a\"b\r\n".to_owned()) } else { EmptyScope.env(name) }
    }

    fn user_kind(&mut self) -> Result<Arc<str>, Unknown> {
        Ok("member".into())
    }
}

/// A user with values that every place has to escape.
struct User(fastrand::Rng, u64);

impl User {
    fn new() -> Self {
        Self(fastrand::Rng::with_seed(7), 0)
    }
}

impl Context for User {
    fn variable(&self, slot: VarSlot) -> Option<&[u8]> {
        (slot == VarSlot(0)).then_some("Zoë \"Z\" \\ & co/1?#%\r\n\0\x7f".as_bytes())
    }

    fn cell(&self, _cell: DataCell) -> Option<&[u8]> {
        Some(b"-12.5e3")
    }

    fn rng(&mut self) -> &mut fastrand::Rng {
        &mut self.0
    }

    fn user_id(&self) -> u64 {
        u64::MAX
    }

    fn iteration(&self) -> u64 {
        0
    }

    fn count(&mut self, _slot: CounterSlot) -> u64 {
        self.1 += 1;
        self.1
    }

    fn unix_time(&self) -> Duration {
        Duration::from_secs(1_700_000_000)
    }
}

fn rendered(template: &Template) -> Option<Vec<u8>> {
    let mut out = b"kept".to_vec();
    let result = template.render(&mut User::new(), &mut out);
    assert!(out.starts_with(b"kept") && (result.is_ok() || out.len() == 4));
    result.is_ok().then(|| out.split_off(4))
}

fn check_template_errors(text: &str, errors: &[TemplateError]) {
    assert!(!errors.is_empty());
    for error in errors {
        assert!(text.get(error.range.clone()).is_some(), "{error:?}");
    }
}

/// The text of a template, for every place where one can stand.
///
/// Errors have a place in the text. A template prints as a text that compiles to the same template
/// and renders to the same bytes; what failed leaves nothing behind. Values do not break out of a
/// JSON string or a header unless `raw` says so.
pub fn template(data: &[u8]) -> bool {
    let Ok(text) = str::from_utf8(data) else { return false };
    let mut taken = false;
    for escape in [Escape::None, Escape::Json, Escape::Query, Escape::Path, Escape::Header] {
        match Template::parse(text, escape, &mut Names) {
            Ok(template) => {
                let printed = template.to_text(escape);
                let again = Template::parse(&printed, escape, &mut Names);
                assert_eq!(again.as_ref(), Ok(&template), "{printed}");
                assert_eq!(again.ok().and_then(|again| rendered(&again)), rendered(&template));
                taken = true;
            }
            Err(errors) => check_template_errors(text, &errors),
        }
    }
    match Template::parse_json_string(text, &mut Names) {
        Ok(segments) => {
            let escapes_itself = ["raw", "urlencode", "path", "base64", "header"];
            if let Some(json) = rendered(&Template::from_segments(segments))
                && !escapes_itself.iter().any(|filter| text.contains(filter))
            {
                let value = serde_json::from_slice::<serde_json::Value>(&json);
                assert!(value.is_ok(), "{:?}: {value:?}", String::from_utf8_lossy(&json));
            }
        }
        Err(errors) => check_template_errors(text, &errors),
    }
    taken
}

/// An answer of which only the body and one header matter.
struct Reply<'a> {
    header: &'a [u8],
    body: &'a [u8],
}

impl Answer for Reply<'_> {
    fn status(&self) -> u16 {
        200
    }

    fn header(&self, _name: &str) -> Option<&[u8]> {
        Some(self.header)
    }

    fn set_cookies(&self) -> impl Iterator<Item = &[u8]> {
        std::iter::once(self.header)
    }

    fn body(&self) -> &[u8] {
        self.body
    }

    fn elapsed(&self) -> Duration {
        Duration::from_millis(5)
    }
}

/// Checks and extracted values, in order.
#[derive(Debug, Default, PartialEq)]
struct Seen(Vec<bool>, Vec<(VarSlot, Vec<u8>)>);

impl Sink for Seen {
    fn check(&mut self, _id: CheckId, passed: bool) {
        self.0.push(passed);
    }

    fn extracted(&mut self, slot: VarSlot, value: &[u8]) {
        self.1.push((slot, value.to_vec()));
    }
}

/// The inspector of a request with these checks and extractions.
fn inspector(check: &str, extract: &str) -> Inspector {
    let text = format!(
        "target = \"http://h\"\n[[user]]\n[[user.task]]\nget = \"/\"\ncheck = {{ {check} }}\n\
         extract = {{ {extract} }}\n[[phase]]\nusers = 1\nduration = \"1s\"\n"
    );
    let mut plan = parse_plan(&text, &Inputs::NONE).unwrap_or_else(|errors| panic!("{errors}"));
    match plan.users.remove(0).tasks.remove(0).steps.remove(0) {
        Step::Request(request) => request.inspect,
        Step::Pause(_) => unreachable!("a request"),
    }
}

/// A line that stands for a header and a cookie, then a body.
///
/// Walking over the bytes finds in a JSON document what JSONPath finds in the parsed one.
pub fn inspect(data: &[u8]) -> bool {
    const CHECK: &str = r#""$.a.b[1]" = "exists", "$.n" = ">5", body = "matches x+y""#;
    const EXTRACT: &str = r#"v = "$.a.b[1]", w = "$.n""#;
    thread_local! {
        static WALKING: Inspector = inspector(CHECK, EXTRACT);
        // A path that gives many nodes makes everything look at the parsed document.
        static PARSING: Inspector = inspector(&format!("{CHECK}, \"$..zz\" = \"absent\""), EXTRACT);
    }
    let (header, body) = line(data);
    let reply = Reply { header, body };
    let look = |inspector: &Inspector| {
        let mut seen = Seen::default();
        let inspection = inspector.inspect(&reply, &mut seen);
        if let Some(failure) = inspection.failure {
            assert!(inspector.explain(&reply, failure).chars().count() < 1000);
        }
        seen
    };
    let walked = WALKING.with(look);
    let mut parsed = PARSING.with(look);
    let is_json = serde_json::from_slice::<serde_json::Value>(body).is_ok();
    if is_json {
        parsed.0.pop();
        assert_eq!(walked, parsed);
    }
    is_json
}

fn check_expression_error(error: &ExpressionError) {
    assert!(error.text.get(error.range.clone()).is_some(), "{error:?}");
    assert!(error.column() >= 1 && !error.to_string().is_empty());
}

/// A line with a metric and its selector, then a condition, in k6's grammar.
///
/// Errors have a place in the text; a threshold keeps its texts, which mean the same again.
pub fn threshold(data: &[u8]) -> bool {
    let (metric, condition) = line(data);
    let (Ok(metric), Ok(condition)) = (str::from_utf8(metric), str::from_utf8(condition)) else {
        return false;
    };
    match Threshold::parse(metric, condition) {
        Ok(threshold) => {
            assert!(threshold.value.is_finite(), "{threshold:?}");
            let again = Threshold::parse(&threshold.metric_text, &threshold.condition_text);
            assert_eq!(again.as_ref(), Ok(&threshold));
            assert!(!threshold.quantity().human(threshold.value).is_empty());
            true
        }
        Err(error) => {
            check_expression_error(&error);
            false
        }
    }
}

/// A line with a measure, then a bound.
///
/// Errors have a place in the text; a measure's name is the measure; a bound is a finite number
/// that can be shown.
pub fn bound(data: &[u8]) -> bool {
    let (measure, bound) = line(data);
    let (Ok(measure), Ok(bound)) = (str::from_utf8(measure), str::from_utf8(bound)) else {
        return false;
    };
    let measure = match Measure::parse(measure) {
        Ok(measure) => measure,
        Err(error) => {
            check_expression_error(&error);
            return false;
        }
    };
    assert_eq!(Measure::parse(&measure.to_string()).as_ref(), Ok(&measure));
    match Bound::parse(bound, &measure) {
        Ok(bound) => {
            assert!(bound.value.is_finite(), "{bound:?}");
            assert!(!bound.to_string().is_empty());
            true
        }
        Err(error) => {
            check_expression_error(&error);
            false
        }
    }
}

/// The binary form of a histogram.
///
/// There is one form of a histogram: what is decoded encodes to the same bytes. Quantiles lie
/// between minimum and maximum and do not fall; merging keeps every sample.
pub fn histogram(data: &[u8]) -> bool {
    let Ok(histogram) = Histogram::decode(data) else { return false };
    let mut bytes = Vec::new();
    histogram.encode(&mut bytes);
    assert_eq!(bytes, data);
    assert_eq!(Histogram::decode(&bytes).as_ref(), Ok(&histogram));
    assert_eq!(Histogram::from_base64(&histogram.to_base64()).as_ref(), Ok(&histogram));
    let mut last = histogram.min();
    for q in [0.0, 0.01, 0.5, 0.9, 0.99, 0.9999, 1.0] {
        let value = histogram.value_at_quantile(q);
        assert!(value >= last && value <= histogram.max(), "{q}: {value:?}");
        last = value;
    }
    assert!(histogram.mean().is_none_or(f64::is_finite));
    assert!(histogram.stdev().is_none_or(f64::is_finite));
    let mut twice = histogram.clone();
    twice.merge(&histogram);
    assert_eq!((twice.count(), twice.sum()), (2 * histogram.count(), 2 * histogram.sum()));
    assert_eq!((twice.min(), twice.max()), (histogram.min(), histogram.max()));
    true
}

/// A result file.
///
/// What can be read can be written, and reads as the same.
pub fn result(data: &[u8]) -> bool {
    let Ok(text) = str::from_utf8(data) else { return false };
    let result = match RunResult::from_json(text) {
        Ok(result) => result,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return false;
        }
    };
    let written = result.to_json().expect("what was read is written");
    let again = RunResult::from_json(&written).expect("what was written is read");
    assert!(again == result, "reads as another result:\n{written}");
    true
}
