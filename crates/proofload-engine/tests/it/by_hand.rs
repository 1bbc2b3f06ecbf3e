//! Plans made by hand, for users that are not in a plan.

use std::time::Duration;

use proofload_core::inspect::Inspector;
use proofload_core::plan::{
    ArrivalLoad, BaseUrl, Grading, GroupId, HttpSettings, Load, Method, Overload, Phase, Plan,
    RateStage, RequestSpec, RequestUrl, Scheme, Spacing, Step, Target, Task, TaskOrder, ThinkTime,
    UserKind, UserLoad, UserStage,
};
use proofload_core::schedule::MixEntry;
use proofload_core::template::Template;
use proofload_testbed::fixture::Fixture;

/// A plan in which every user gets `path` over and over.
pub(crate) fn plan(fixture: &Fixture, path: &str, phases: Vec<Phase>) -> Plan {
    let address = fixture.addr();
    let task = Task {
        name: "get".into(),
        weight: 1,
        steps: vec![Step::Request(Box::new(get(path)))],
        think_time: None,
        feeds: Vec::new(),
    };
    let kind = UserKind {
        name: "user".into(),
        weight: 1,
        count: None,
        think_time: ThinkTime::None,
        on_start: Vec::new(),
        tasks: vec![task],
        on_stop: Vec::new(),
        order: TaskOrder::Weighted,
        variables: Vec::new(),
        counters: Vec::new(),
        start_feeds: Vec::new(),
    };
    Plan {
        name: "test".into(),
        description: None,
        target: Target::Url(BaseUrl {
            scheme: Scheme::Http,
            host: address.ip().to_string().into(),
            port: address.port(),
            prefix: "".into(),
        }),
        health: None,
        http: HttpSettings::default(),
        headers: Vec::new(),
        users: vec![kind],
        other_kinds: Vec::new(),
        phases,
        thresholds: Vec::new(),
        grading: Grading::default(),
        feeds: Vec::new(),
        cache: None,
        groups: vec!["GET".into()],
        checks: Vec::new(),
        seed: None,
    }
}

fn get(path: &str) -> RequestSpec {
    RequestSpec {
        group: GroupId(0),
        method: Method::new("GET").expect("a token"),
        url: RequestUrl::Path { origin: None, path: Template::literal(path.as_bytes()) },
        headers: Vec::new(),
        body: None,
        sign: None,
        timeout: None,
        redirects: None,
        required: false,
        inspect: Inspector::default(),
    }
}

/// A phase with this load.
pub(crate) fn phase(load: Load) -> Phase {
    Phase {
        name: "phase".into(),
        load,
        kinds: vec![MixEntry { kind: 0, weight: 1, count: None }],
        bursts: Vec::new(),
        expect: Vec::new(),
        stop_when: Vec::new(),
        step_every: None,
        graceful_stop: Duration::from_secs(5),
        think_time: None,
        abort_on_fail: false,
        abort_delay: Duration::ZERO,
    }
}

/// So many users for so long.
pub(crate) fn users(users: u32, time: Duration) -> Load {
    Load::Users(UserLoad {
        stages: vec![UserStage { users, over: Duration::ZERO }, UserStage { users, over: time }],
        iterations_per_user: None,
        unbounded: false,
    })
}

/// So many arrivals a second for so long.
pub(crate) fn arrivals(per_second: f64, max_users: u32, time: Duration) -> Load {
    Load::Arrivals(ArrivalLoad {
        stages: vec![
            RateStage { per_second, over: Duration::ZERO },
            RateStage { per_second, over: time },
        ],
        max_users,
        spacing: Spacing::Even,
        overload: Overload::Queue { limit: 100_000 },
        max_arrivals: None,
    })
}
