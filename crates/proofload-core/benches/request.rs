//! What a virtual user does for every request besides talking to the network: rendering a URL and
//! a body, looking at the answer.

use std::time::Duration;

use divan::{Bencher, black_box};
use proofload_core::inspect::{Answer, Sink};
use proofload_core::plan::{
    CheckId, CounterSlot, DataCell, Inputs, Overrides, Plan, RequestSpec, RequestUrl, Step, VarSlot,
};
use proofload_core::template::Context;

fn main() {
    divan::main();
}

const PLAN: &str = r#"
target = "http://h"
[[user]]
[[user.task]]
post = "/api/items/{{ random.int(1, 100000) }}?u={{ user.id }}"
bearer = "{{ token }}"
json = { id = "{{ counter | number }}", text = "hello {{ token }}" }
extract = { token = "$.token" }
check = { status = 200, "$.data.items[1].id" = 2 }
[[phase]]
users = 1
duration = "1s"
"#;

const BODY: &[u8] = br#"{"ok":true,"token":"0123456789abcdef0123456789abcdef","data":{"items":[{"id":1,"name":"first"},{"id":2,"name":"second"}],"next":null},"took_ms":12}"#;

fn request() -> RequestSpec {
    let plan = Plan::parse("plan.toml", PLAN, &Overrides::default(), &Inputs::NONE);
    match plan.expect("a plan").users.remove(0).tasks.remove(0).steps.remove(0) {
        Step::Request(request) => *request,
        Step::Pause(_) => unreachable!("a request"),
    }
}

struct User {
    rng: fastrand::Rng,
    count: u64,
}

impl Context for User {
    fn variable(&self, _slot: VarSlot) -> Option<&[u8]> {
        Some(b"0123456789abcdef0123456789abcdef")
    }

    fn cell(&self, _cell: DataCell) -> Option<&[u8]> {
        None
    }

    fn rng(&mut self) -> &mut fastrand::Rng {
        &mut self.rng
    }

    fn user_id(&self) -> u64 {
        42
    }

    fn iteration(&self) -> u64 {
        7
    }

    fn count(&mut self, _slot: CounterSlot) -> u64 {
        self.count += 1;
        self.count
    }

    fn unix_time(&self) -> Duration {
        Duration::from_secs(1_700_000_000)
    }
}

struct Reply;

impl Answer for Reply {
    fn status(&self) -> u16 {
        200
    }

    fn header(&self, _name: &str) -> Option<&[u8]> {
        None
    }

    fn set_cookies(&self) -> impl Iterator<Item = &[u8]> {
        std::iter::empty()
    }

    fn body(&self) -> &[u8] {
        black_box(BODY)
    }

    fn elapsed(&self) -> Duration {
        Duration::from_millis(5)
    }
}

#[derive(Default)]
struct Counting {
    passed: u64,
    bytes: u64,
}

impl Sink for Counting {
    fn check(&mut self, _id: CheckId, passed: bool) {
        self.passed += u64::from(passed);
    }

    fn extracted(&mut self, _slot: VarSlot, value: &[u8]) {
        self.bytes += value.len() as u64;
    }
}

/// URL, one header and a JSON body, with five values.
#[divan::bench]
fn render(bencher: Bencher) {
    let request = request();
    let mut user = User { rng: fastrand::Rng::with_seed(1), count: 0 };
    let mut out = Vec::new();
    bencher.bench_local(|| {
        out.clear();
        let RequestUrl::Path { path, .. } = &request.url else { return 0 };
        let mut rendered = path.render(&mut user, &mut out).is_ok();
        for header in &request.headers {
            rendered &= header.value.render(&mut user, &mut out).is_ok();
        }
        if let Some(body) = &request.body {
            rendered &= body.content.render(&mut user, &mut out).is_ok();
        }
        assert!(rendered);
        out.len()
    });
}

/// Status, one JSONPath condition and one extraction, on a 150-byte body.
#[divan::bench]
fn inspect(bencher: Bencher) {
    let request = request();
    let mut sink = Counting::default();
    bencher.bench_local(|| {
        let inspection = request.inspect.inspect(&Reply, &mut sink);
        assert!(inspection.failure.is_none());
        sink.bytes
    });
}

/// A whole plan from its text.
#[divan::bench]
fn parse_plan() -> bool {
    Plan::parse("plan.toml", black_box(PLAN), &Overrides::default(), &Inputs::NONE).is_ok()
}
