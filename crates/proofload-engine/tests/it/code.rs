//! Users written in Rust, against a server that keeps a ledger.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use proofload_core::inspect::{CacheRule, Condition};
use proofload_core::metrics::{CheckCount, ErrorKind, PhaseTotals, RequestStats};
use proofload_core::plan::{Header, Load, Phase, Plan, UserLoad, UserStage};
use proofload_core::schedule::MixEntry;
use proofload_core::template::Template;
use proofload_engine::run::{RunOptions, RunOutcome, start};
use proofload_engine::workload::Workload;
use proofload_engine::workload::code::{
    Answer, CodeUsers, Combined, Kind, Load as CodeLoad, RequestError, TaskError, TaskResult, Test,
    User, Users,
};
use proofload_testbed::fixture::{Behaviour, Delay, Fixture, Ledger, Reply};

use super::support::{arrivals, phase, plan_with as plan, users};

const PATIENCE: Duration = Duration::from_secs(10);

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// So many iterations, by three users.
fn iterations(iterations: u64) -> Load {
    Load::SharedIterations { users: 3, iterations, max_duration: None }
}

/// A plan without users of its own.
fn bare_plan(fixture: &Fixture, load: Load, users: &Users) -> Plan {
    let phase = Phase { kinds: vec![own(0)], ..phase(load) };
    let other_kinds = users.for_plan();
    Plan { users: Vec::new(), other_kinds, ..plan(fixture, "/", vec![phase]) }
}

fn own(kind: usize) -> MixEntry {
    MixEntry { kind, weight: 1, count: None }
}

fn run<W: Workload>(plan: Arc<Plan>, workload: &Arc<W>) -> RunOutcome {
    let options = RunOptions { workers: Some(2), seed: Some(1) };
    start(plan, workload, options).expect("the run starts").wait()
}

/// Runs one kind of user to the end of `load`.
fn run_kind<S: 'static>(
    behaviour: Behaviour,
    load: Load,
    kind: Kind<S>,
    adapt: impl FnOnce(&mut Plan),
) -> (RunOutcome, Ledger) {
    let fixture = Fixture::start(behaviour).expect("a fixture");
    let users = Users::new().kind(kind);
    let mut plan = bare_plan(&fixture, load, &users);
    adapt(&mut plan);
    let code = CodeUsers::new(&plan, users).expect("the users can run");
    let outcome = run(Arc::new(plan), &code);
    let ledger = fixture.settled_ledger(PATIENCE).expect("the server comes to rest");
    (outcome, ledger)
}

fn totals(outcome: &RunOutcome) -> &PhaseTotals {
    assert_eq!(outcome.workers_lost, 0);
    outcome.record.totals.phase(0).expect("the phase ran")
}

/// What was measured about requests of this name.
fn named(outcome: &RunOutcome, name: &str) -> RequestStats {
    let mut stats = RequestStats::default();
    for (_, series) in totals(outcome).series().filter(|(meta, _)| meta.name == name) {
        stats.merge(series);
    }
    stats
}

fn messages(outcome: &RunOutcome, kind: ErrorKind) -> Vec<(String, String)> {
    let samples = totals(outcome).errors.samples().iter().filter(|sample| sample.kind == kind);
    samples.map(|sample| (sample.request.clone(), sample.message.clone())).collect()
}

async fn get_x(user: &mut User) -> TaskResult {
    user.get("/x?page=1").send().await?;
    Ok(())
}

/// Every 10th answer is an error.
fn check_counts(load: Load, expect: Option<u64>) {
    let behaviour = Behaviour::new().prefix("/", Reply::text("hello").error_every(10));
    let kind = Kind::new("visitor").task("get", 1, get_x);
    let (outcome, ledger) = run_kind(behaviour, load, kind, |_| ());
    let stats = named(&outcome, "GET /x");
    assert_eq!(stats.interrupted, 0);
    assert_eq!(stats.requests(), ledger.requests);
    assert_eq!(stats.failed(), ledger.status(500));
    assert_eq!(stats.errors.get(ErrorKind::Http5xx), ledger.status(500));
    assert_eq!(stats.statuses.get(200), ledger.status(200));
    assert_eq!(stats.new_connections, ledger.connections);
    assert_eq!(stats.bytes_received, ledger.bytes_written);
    assert!(ledger.requests > 0 && expect.is_none_or(|expect| expect == ledger.requests));
    let iterations = &totals(&outcome).iterations;
    assert_eq!((iterations.completed, iterations.failed), (ledger.requests, ledger.status(500)));
    assert!(messages(&outcome, ErrorKind::Script).is_empty());
}

#[test]
fn counts_equal_the_servers_in_closed_and_open_load() {
    check_counts(users(7, ms(700)), None);
    check_counts(iterations(201), Some(201));
    check_counts(arrivals(300.0, 100, ms(700)), Some(210));
}

#[test]
fn open_load_is_measured_from_the_intended_start() {
    // One user at a time, 100 ms each, arriving every 20 ms: the last of 10 waits for 9 others.
    let behaviour = Behaviour::new().prefix("/", Reply::text("x").delay(Delay::Fixed(ms(100))));
    let kind = Kind::new("visitor").task("get", 1, get_x);
    let load = arrivals(50.0, 1, ms(200));
    let (outcome, ledger) = run_kind(behaviour, load, kind, |_| ());
    let stats = named(&outcome, "GET /x");
    assert_eq!((stats.requests(), ledger.requests), (10, 10));
    let (response, service) = (stats.response_ok.max().unwrap(), stats.service.min().unwrap());
    assert!(response >= 800_000_000, "{response}");
    assert!((100_000_000..response).contains(&service), "{service}");
}

#[derive(Debug, Default)]
struct Session {
    token: String,
    seen: Vec<u64>,
}

async fn log_in(user: &mut User<Session>) -> TaskResult {
    let answer: serde_json::Value =
        user.post("/login").json(&serde_json::json!({ "id": user.id() })).receive_json().await?;
    user.state.token = answer["token"].as_str().ok_or(TaskError::new("no token"))?.to_owned();
    Ok(())
}

async fn read_on(user: &mut User<Session>) -> TaskResult {
    user.state.seen.push(user.iteration());
    user.get("/private").query("page", user.iteration()).bearer(&user.state.token).send().await?;
    Ok(())
}

/// What a user remembers is its own and lasts from its start to its end.
#[test]
fn users_log_in_once_and_remember() {
    static REMEMBERED: AtomicU64 = AtomicU64::new(0);
    let behaviour = Behaviour::new()
        .exact("/login", Reply::json(&serde_json::json!({ "token": "abc" })))
        .exact("/private", Reply::text("ok").require_header("authorization", "Bearer abc", 401))
        .exact("/logout", Reply::new(204));
    let kind = Kind::<Session>::new("member").on_start(log_in).task("read on", 1, read_on).on_stop(
        async |user: &mut User<Session>| {
            assert!(user.state.seen.iter().copied().eq(0..user.iteration()));
            REMEMBERED.fetch_add(user.state.seen.len() as u64, Ordering::Relaxed);
            user.delete("/logout").send().await?;
            Ok(())
        },
    );
    let load = UserLoad {
        stages: vec![UserStage { users: 3, over: Duration::ZERO }],
        iterations_per_user: Some(20),
        unbounded: true,
    };
    let (outcome, ledger) = run_kind(behaviour, Load::Users(load), kind, |_| ());
    assert_eq!(
        [ledger.path("/login"), ledger.path("/private"), ledger.path("/logout")],
        [3, 60, 3]
    );
    assert_eq!([ledger.method("POST"), ledger.method("DELETE")], [3, 3]);
    assert_eq!(REMEMBERED.load(Ordering::Relaxed), 60);
    assert_eq!(ledger.status(401), 0);
    let parts: Vec<_> = totals(&outcome)
        .series()
        .map(|(meta, stats)| (&*meta.user, &*meta.task, &*meta.name, stats.requests()))
        .collect();
    assert_eq!(
        parts,
        [
            ("member", "on_start", "POST /login", 3),
            ("member", "read on", "GET /private", 60),
            ("member", "on_stop", "DELETE /logout", 3),
        ]
    );
}

#[test]
fn checks_fail_the_request_and_are_counted_once() {
    let behaviour = Behaviour::new().prefix("/", Reply::text("hello").error_every(3));
    let kind = Kind::new("visitor").task("get", 1, async |user: &mut User| {
        let answer = user
            .get("/")
            .name("home")
            .check("greets", |answer| answer.text() == Ok("hello"))
            .check("never", |answer| answer.body().is_empty())
            .send()
            .await;
        let error = answer.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::CheckFailed | ErrorKind::Http5xx));
        assert_eq!(error.status(), error.answer().map(Answer::status));
        let _ = user.check("of the user", user.iteration() % 2 == 0);
        Ok(())
    });
    let load = Load::SharedIterations { users: 1, iterations: 30, max_duration: None };
    let (outcome, ledger) = run_kind(behaviour, load, kind, |_| ());
    assert_eq!((ledger.requests, ledger.status(500)), (30, 10));
    let home = named(&outcome, "home");
    assert_eq!((home.requests(), home.failed()), (30, 30));
    assert_eq!(home.errors.get(ErrorKind::Http5xx), 10);
    assert_eq!(home.errors.get(ErrorKind::CheckFailed), 20);
    let checks: Vec<_> = totals(&outcome).checks().into_iter().collect();
    let count = |name: &str, passes, fails| (name.to_owned(), CheckCount { passes, fails });
    assert_eq!(
        checks,
        [count("greets", 20, 10), count("never", 0, 30), count("of the user", 15, 15)]
    );
    let iterations = &totals(&outcome).iterations;
    assert_eq!((iterations.completed, iterations.failed), (30, 30));
}

#[test]
fn expectations_extractions_and_cache_hits() {
    let behaviour = Behaviour::new()
        .exact("/gone", Reply::new(404))
        .exact("/ok", Reply::text("[1]").header("x-cache", "HIT"));
    let kind = Kind::new("visitor").in_order().task("all", 1, async |user: &mut User| {
        user.get("/gone").name("gone, as it must be").expect_status(404).send().await?;
        let there = user.get("/gone").name("gone").send().await;
        assert_eq!(there.unwrap_err().kind(), ErrorKind::Http4xx);
        let odd = user.get("/ok").name("not created").expect_status(201).send().await;
        assert_eq!(odd.unwrap_err().kind(), ErrorKind::CheckFailed);
        let numbers: Vec<u64> = user.get("/ok").receive_json().await?;
        assert_eq!(numbers, [1]);
        let texts = user.get("/ok").name("no texts").receive_json::<Vec<String>>().await;
        assert_eq!(texts.unwrap_err().kind(), ErrorKind::ExtractFailed);
        let counted =
            user.get("/ok").name("counted").cached(|_| false).discard_body().send().await?;
        assert_eq!((counted.body(), counted.body_bytes()), (b"".as_slice(), 3));
        let unsendable = user.get("/ok").name("unsendable").header("a b", "c").send().await;
        assert_eq!(unsendable.unwrap_err().kind(), ErrorKind::Request);
        user.get("/ok").name("twice").check("one", |_| true).send().await?;
        let other = user.get("/ok").name("twice").check("other", |_| false).send().await;
        assert_eq!(other.unwrap_err().detail(), "check `other` failed");
        Ok(())
    });
    let hit = Condition::Equals("HIT".into());
    let rule = CacheRule::Header { name: "x-cache".into(), condition: hit };
    let (outcome, ledger) =
        run_kind(behaviour, iterations(5), kind, |plan| plan.cache = Some(rule));
    assert_eq!(ledger.requests, 40);
    let checks = totals(&outcome).checks();
    assert_eq!(checks["one"], CheckCount { passes: 5, fails: 0 });
    assert_eq!(checks["other"], CheckCount { passes: 0, fails: 5 });
    for (name, failure, hits, known) in [
        ("gone, as it must be", None, 0, 5),
        ("gone", Some(ErrorKind::Http4xx), 0, 0),
        ("not created", Some(ErrorKind::CheckFailed), 0, 0),
        ("GET /ok", None, 5, 5),
        ("no texts", Some(ErrorKind::ExtractFailed), 5, 5),
        ("counted", None, 0, 5),
        ("unsendable", Some(ErrorKind::Request), 0, 0),
    ] {
        let stats = named(&outcome, name);
        assert_eq!(stats.requests(), 5, "{name}");
        assert_eq!(stats.failed(), if failure.is_some() { 5 } else { 0 }, "{name}");
        assert_eq!(failure.map_or(5, |kind| stats.errors.get(kind)), 5, "{name}");
        assert_eq!((stats.cache_hits, stats.cache_known), (hits, known), "{name}");
    }
    assert!(messages(&outcome, ErrorKind::Script).is_empty());
}

/// Errors that are not a request's are the code's own; a request's are counted once.
#[test]
fn errors_end_the_task_and_fail_the_iteration() {
    #[derive(Debug, thiserror::Error)]
    #[error("buying failed")]
    struct Buying(#[from] RequestError);

    let behaviour = Behaviour::new().prefix("/", Reply::new(503));
    let kind =
        Kind::new("visitor").task("buy", 1, async |user: &mut User| match user.iteration() {
            0 => Err("x".parse::<u64>().unwrap_err().into()),
            1 => Err(Buying(user.get("/").send().await.unwrap_err()).into()),
            2 => {
                user.get("/").send().await?;
                unreachable!("the request fails")
            }
            _ => Err(TaskError::no_more_work()),
        });
    let load = Load::SharedIterations { users: 1, iterations: 100, max_duration: None };
    let (outcome, ledger) = run_kind(behaviour, load, kind, |_| ());
    assert_eq!(ledger.requests, 2);
    assert_eq!(named(&outcome, "GET /").errors.get(ErrorKind::Http5xx), 2);
    let own = ("visitor: buy".to_owned(), "invalid digit found in string".to_owned());
    assert_eq!(messages(&outcome, ErrorKind::Script), [own]);
    assert_eq!(messages(&outcome, ErrorKind::Http5xx).len(), 2);
    let iterations = &totals(&outcome).iterations;
    assert_eq!((iterations.completed, iterations.failed), (3, 3));
}

/// A panic costs an iteration, and the user what it remembered. Nobody else notices.
#[test]
fn panics_stay_in_their_iteration() {
    let behaviour = Behaviour::new().prefix("/", Reply::text("hello"));
    let kind = Kind::with_state("clumsy", |_| 0_u64)
        .on_start(async |user: &mut User<u64>| {
            user.get("/start").send().await?;
            Ok(())
        })
        .task("work", 1, async |user: &mut User<u64>| {
            user.state += 1;
            user.get("/work").send().await?;
            assert!(user.state < 4, "the {}th time is too much", user.state);
            Ok(())
        })
        .task("never", 0, async |_: &mut User<u64>| unreachable!("it has no weight"));
    let load = Load::SharedIterations { users: 1, iterations: 20, max_duration: None };
    let (outcome, ledger) = run_kind(behaviour, load, kind, |_| ());
    assert_eq!((ledger.path("/start"), ledger.path("/work")), (5, 20));
    assert_eq!(named(&outcome, "GET /work").requests(), 20);
    let iterations = &totals(&outcome).iterations;
    assert_eq!((iterations.completed, iterations.failed, iterations.interrupted), (20, 5, 0));
    let samples = messages(&outcome, ErrorKind::Script);
    assert_eq!(samples.len(), 5);
    let message = "panicked: the 4th time is too much".to_owned();
    assert_eq!(samples[0], ("clumsy: work".to_owned(), message));
}

/// A panic in a check fails the request it looks at, which is counted all the same.
#[test]
fn panics_in_checks_fail_the_request() {
    let behaviour = Behaviour::new().prefix("/", Reply::text("hello"));
    let kind = Kind::new("visitor").task("get", 1, async |user: &mut User| {
        user.get("/").check("odd", |_| panic!("out of order")).send().await?;
        unreachable!("the check fails")
    });
    let (outcome, ledger) = run_kind(behaviour, iterations(10), kind, |_| ());
    let stats = named(&outcome, "GET /");
    assert_eq!((stats.requests(), ledger.requests, stats.interrupted), (10, 10, 0));
    assert_eq!(stats.errors.get(ErrorKind::Script), 10);
    let sample = ("GET /".to_owned(), "check `odd` panicked: out of order".to_owned());
    assert_eq!(messages(&outcome, ErrorKind::Script)[0], sample);
}

#[test]
fn redirects_are_followed_and_each_is_counted() {
    let behaviour = Behaviour::new()
        .exact("/a", Reply::redirect(302, "/b"))
        .exact("/b", Reply::redirect(303, "/c"))
        .exact("/c", Reply::echo())
        .exact("/loop", Reply::redirect(302, "/loop"));
    let kind = Kind::new("visitor").task("walk", 1, async |user: &mut User| {
        let answer = user.post("/a").name("walk").form([("k", "v")]).send().await?;
        let echo: serde_json::Value = answer.json()?;
        assert_eq!(echo["method"], "GET");
        let stay = user.get("/a").name("stay").redirects(0).send().await?;
        assert_eq!((stay.status(), stay.header("Location")), (302, Some("/b")));
        let lost = user.get("/loop").name("loop").redirects(4).send().await.unwrap_err();
        assert_eq!((lost.kind(), lost.status()), (ErrorKind::Redirect, Some(302)));
        Ok(())
    });
    let (outcome, ledger) = run_kind(behaviour, iterations(3), kind, |_| ());
    assert_eq!(messages(&outcome, ErrorKind::Script), []);
    assert_eq!([ledger.path("/a"), ledger.path("/b"), ledger.path("/c")], [6, 3, 3]);
    let counts = |name: &str| (named(&outcome, name).requests(), named(&outcome, name).failed());
    assert_eq!([counts("walk"), counts("stay"), counts("loop")], [(9, 0), (3, 0), (15, 3)]);
    assert_eq!(ledger.path("/loop"), 15);
}

/// What a request says reaches the server, on top of the plan's default headers.
#[test]
fn requests_are_sent_as_described() {
    let behaviour = Behaviour::new().prefix("/", Reply::echo().set_cookie("sid=1; Path=/"));
    let kind = Kind::new("visitor").task("say", 1, async |user: &mut User| {
        let echo: serde_json::Value = user
            .put("say it/ä?x=1#no")
            .name("say")
            .query("q", "a b&c")
            .basic("me", "secret")
            .header("X-Other", "mine")
            .json(&[1, 2])
            .timeout(ms(5_000))
            .receive_json()
            .await?;
        let text = echo.to_string();
        for part in [
            "/api/say%20it/%C3%A4\"",
            "\"x=1&q=a+b%26c\"",
            "Basic bWU6c2VjcmV0",
            "application/json",
            "[1,2]",
            "x-default",
            "mine",
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
        assert!(!text.contains("theirs"), "{text}");
        assert_eq!(text.contains("sid=1"), user.iteration() > 0, "{text}");
        Ok(())
    });
    let header = |name: &str, value: &'static str| Header {
        name: name.into(),
        value: Template::literal(value.as_bytes()),
        target_only: false,
    };
    let load = Load::SharedIterations { users: 1, iterations: 2, max_duration: None };
    let (outcome, ledger) = run_kind(behaviour, load, kind, |plan| {
        plan.headers = vec![header("x-default", "1"), header("x-other", "theirs")];
        let proofload_core::plan::Target::Url(base) = &mut plan.target else { unreachable!() };
        base.prefix = "/api".into();
    });
    assert_eq!(messages(&outcome, ErrorKind::Script), []);
    assert_eq!((ledger.requests, named(&outcome, "say").requests()), (2, 2));
}

/// Requests that are under way when the phase ends are counted as that.
#[test]
fn what_is_cut_off_is_counted() {
    let behaviour = Behaviour::new().prefix("/", Reply::text("x").after(Duration::from_secs(20)));
    let kind = Kind::new("visitor").task("get", 1, get_x);
    let (outcome, ledger) = run_kind(behaviour, users(4, ms(1_000)), kind, |plan| {
        plan.phases[0].graceful_stop = ms(100);
    });
    let stats = named(&outcome, "GET /x");
    assert_eq!((stats.requests(), stats.interrupted), (0, 4));
    assert_eq!((ledger.requests, totals(&outcome).iterations.interrupted), (4, 4));
}

/// Requests of one user go one after the other, also when its code sends them at once.
#[test]
fn requests_at_once_wait_for_each_other() {
    let behaviour = Behaviour::new().prefix("/", Reply::text("x").after(ms(5)));
    let kind = Kind::new("visitor").task("both", 1, async |user: &mut User| {
        let (one, other) = tokio::join!(user.get("/1").send(), user.get("/2").send());
        one?;
        other?;
        Ok(())
    });
    let load = Load::SharedIterations { users: 1, iterations: 5, max_duration: None };
    let (outcome, ledger) = run_kind(behaviour, load, kind, |_| ());
    assert_eq!((ledger.path("/1"), ledger.path("/2"), ledger.in_flight_max), (5, 5, 1));
    assert_eq!(named(&outcome, "GET /2").requests(), 5);
}

/// A plan's users and users in code share the phases by weight, each with weights of their own.
#[test]
fn plan_and_code_side_by_side() {
    let fixture =
        Fixture::start(Behaviour::new().prefix("/", Reply::text("x"))).expect("a fixture");
    let entry = |kind, weight| MixEntry { kind, weight, count: None };
    let kinds = vec![entry(0, 1), entry(1, 2), entry(2, 1)];
    let phase = Phase { kinds, ..phase(arrivals(400.0, 50, ms(1_000))) };
    let rare = async |user: &mut User| user.get("/rare").send().await.map(drop).map_err(Into::into);
    let users = Users::new()
        .kind(Kind::new("first").task("often", 3, get_x).task("rare", 1, rare))
        .kind(Kind::new("second").task("get", 1, get_x));
    let plan = Plan { other_kinds: users.for_plan(), ..plan(&fixture, "/plan", vec![phase]) };
    let plan = Arc::new(plan);
    let outcome = run(Arc::clone(&plan), &Combined::new(plan, users).expect("they can run"));
    let ledger = fixture.settled_ledger(PATIENCE).expect("the server comes to rest");
    let rare = ledger.path("/rare");
    assert_eq!((ledger.path("/plan"), ledger.path("/x")), (100, 300 - rare));
    // 3 to 1 at random: 50 of 200, give or take five standard deviations.
    assert!((20..=80).contains(&rare), "{rare}");
    let rows: Vec<_> = totals(&outcome)
        .series()
        .map(|(meta, stats)| (&*meta.user, &*meta.task, &*meta.name, stats.requests()))
        .collect();
    assert_eq!(
        rows,
        [
            ("user", "get", "GET", 100),
            ("first", "often", "GET /x", 200 - rare),
            ("first", "rare", "GET /rare", rare),
            ("second", "get", "GET /x", 100),
        ]
    );
}

#[test]
fn what_cannot_run_is_said() {
    let fixture = Fixture::start(Behaviour::new()).expect("a fixture");
    let check = |users: Users, expect: &str| {
        let plan = bare_plan(&fixture, iterations(1), &users);
        let error = CodeUsers::new(&plan, users).expect_err("they cannot run").to_string();
        assert_eq!(error, expect);
    };
    let kind = |name: &str| Kind::new(name).task("get", 1, get_x);
    let plan = bare_plan(&fixture, iterations(1), &Users::new().kind(kind("a")));
    let error = CodeUsers::new(&plan, Users::new().kind(kind("b"))).expect_err("they cannot run");
    assert_eq!(error.to_string(), "the plan was not read for these kinds of users");
    check(Users::new(), "phase `phase`: there is no kind of user number 0");
    check(Users::new().kind(kind("a")).kind(kind("a")), "there are two kinds of users called `a`");
    check(
        Users::new().kind(Kind::new("a").task("t", 0, get_x)),
        "users of kind `a` have no task with a weight above 0",
    );
    check(
        Users::new().kind(kind("a").task("get", 1, get_x)),
        "users of kind `a` have two tasks called `get`",
    );
}

/// A test that is all code, from its target to its phases.
#[test]
fn a_test_in_code_runs_phase_after_phase() {
    let behaviour = Behaviour::new().prefix("/", Reply::text("hello"));
    let fixture = Fixture::start(behaviour).expect("a fixture");
    let second = async |user: &mut User| {
        user.get("/second").send().await?;
        Ok(())
    };
    let code = Users::new()
        .kind(Kind::new("one").task("get", 1, get_x))
        .kind(Kind::new("two").weight(0).task("get", 1, second));
    let plan = Test::new(&fixture.url(""))
        .load(CodeLoad::iterations("first", 30, 3))
        .load(CodeLoad::rate("second", 100.0).duration(ms(500)).key("mix", "[\"two\"]"))
        .plan(&code)
        .unwrap_or_else(|errors| panic!("{errors}"));
    let workload = CodeUsers::new(&plan, code).expect("the users can run");
    let outcome = run(Arc::new(plan), &workload);
    let ledger = fixture.settled_ledger(PATIENCE).expect("the server comes to rest");
    assert_eq!((ledger.path("/x"), ledger.path("/second")), (30, 50));
    let counted =
        [0, 1].map(|phase| outcome.record.totals.phase(phase).expect("it ran").requests());
    assert_eq!(counted.map(|stats| stats.requests()), [30, 50]);
}

/// Ten thousand users have ten thousand requests under way.
#[test]
fn a_request_under_way_is_small() {
    let behaviour = Behaviour::new().prefix("/", Reply::text("hello"));
    let kind = Kind::new("visitor").task("get", 1, async |user: &mut User| {
        let sending = user.get("/").send();
        let bytes = size_of_val(&sending);
        assert!(bytes <= 3_072, "{bytes}");
        sending.await?;
        Ok(())
    });
    let (outcome, _) = run_kind(behaviour, iterations(3), kind, |_| ());
    assert_eq!(messages(&outcome, ErrorKind::Script), []);
}

/// However many names a user's code comes up with, memory stays bounded and no request is lost.
#[test]
fn names_without_end_are_counted_together() {
    let behaviour = Behaviour::new().prefix("/", Reply::text("hello"));
    let kind = Kind::new("visitor").task("get", 1, async |user: &mut User| {
        user.get(format!("/{}", user.iteration())).send().await?;
        Ok(())
    });
    let load = Load::SharedIterations { users: 1, iterations: 2_300, max_duration: None };
    let (outcome, ledger) = run_kind(behaviour, load, kind, |_| ());
    assert_eq!((ledger.requests, totals(&outcome).requests().requests()), (2_300, 2_300));
    assert_eq!(totals(&outcome).series().count(), 2_001);
    assert_eq!(named(&outcome, "(other)").requests(), 300);
}

/// A request that the code gives up is neither a success nor a failure, and the user goes on.
#[test]
fn what_the_code_gives_up_is_counted() {
    let slow = Reply::text("x").after(Duration::from_secs(20));
    let behaviour = Behaviour::new().exact("/slow", slow).exact("/x", Reply::text("x"));
    let kind = Kind::new("visitor").task("get", 1, async |user: &mut User| {
        let slow = user.get("/slow").send();
        assert!(tokio::time::timeout(ms(250), slow).await.is_err());
        get_x(user).await
    });
    let load = Load::SharedIterations { users: 1, iterations: 3, max_duration: None };
    let (outcome, ledger) = run_kind(behaviour, load, kind, |_| ());
    let slow = named(&outcome, "GET /slow");
    assert_eq!((slow.requests(), slow.interrupted), (0, 3));
    assert_eq!((ledger.path("/slow"), ledger.aborted), (3, 3));
    assert_eq!((named(&outcome, "GET /x").successful(), ledger.path("/x")), (3, 3));
    assert_eq!(totals(&outcome).iterations.failed, 0);
}
