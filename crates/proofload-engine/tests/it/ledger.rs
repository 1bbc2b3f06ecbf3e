//! Every count in a report equals the server's ledger, exactly: for every load shape, with every
//! sort of failure in the mix, on one worker and on several.
//!
//! Answers take some milliseconds so that these tests leave the processor to the ones that measure
//! time. No test depends on how fast anything is: where a request must time out or be cut off, its
//! answer is due long after the end of the test.

use std::time::Duration;

use proofload_core::metrics::{ErrorKind, RequestStats};
use proofload_engine::run::PhaseEnd;
use proofload_testbed::fixture::{Behaviour, Delay, Fault, Fixture, Ledger, Reply};

use super::support::{GET_X, Ran, plan, run, scheduled, settled};

const SOON: Duration = Duration::from_millis(5);

/// Longer than any test.
const NEVER: Duration = Duration::from_secs(300);

/// What holds whatever was asked for, of a run without anything cut off.
fn compare(stats: &RequestStats, ledger: &Ledger, what: &str) {
    assert!(stats.requests() > 0, "{what}: nothing was asked");
    assert_eq!(stats.interrupted, 0, "{what}");
    compare_cut_off(stats, ledger, what);
    assert_eq!(stats.new_connections, ledger.connections, "connections, {what}");
    assert_eq!(stats.bytes_received, ledger.bytes_written, "bytes, {what}");
}

/// The same, of a run with requests that were cut off.
fn compare_cut_off(stats: &RequestStats, ledger: &Ledger, what: &str) {
    assert_eq!(ledger.protocol_errors + ledger.requests_cut_off, 0, "{what}");
    // A request that is sent again because the server hung up is one request that the server has
    // seen twice.
    let hung_up = ledger.fault("reset") + ledger.fault("close");
    let gave_up = stats.errors.get(ErrorKind::Reset) + stats.errors.get(ErrorKind::Closed);
    let seen = stats.requests() + stats.interrupted + hung_up - gave_up;
    assert_eq!(seen, ledger.requests, "requests, {what}");
    assert!(hung_up - gave_up <= stats.reconnects, "{what}");
    let statuses: Vec<_> = stats.statuses.iter().collect();
    let sent: Vec<_> = ledger.by_status.iter().map(|(&status, &count)| (status, count)).collect();
    assert_eq!(statuses, sent, "statuses, {what}");
    let timed_out = stats.errors.get(ErrorKind::Timeout);
    assert_eq!(timed_out + stats.interrupted, ledger.aborted, "given up, {what}");
    assert_eq!(stats.errors.get(ErrorKind::Truncated), ledger.fault("truncated"), "{what}");
    assert_eq!(stats.failed(), stats.errors.total(), "{what}");
    assert_eq!(stats.requests(), stats.successful() + stats.failed(), "{what}");
}

/// Runs one phase on one, two and three workers. Every 10th answer is an error. Where the number of
/// requests is known beforehand it is the same for any number of workers.
fn shape(phase: &str, expect: Option<u64>) {
    for workers in 1..=3 {
        let what = format!("{workers} workers, {phase}");
        let behaviour =
            Behaviour::new().prefix("/", Reply::text("hello").after(SOON).error_every(10));
        let fixture = Fixture::start(behaviour).expect("a fixture");
        let plan = plan(&fixture.url(""), &format!("{GET_X}[[phase]]\nname = \"p\"\n{phase}\n"));
        let ran = run(&plan, workers);
        let (ledger, stats) = (settled(&fixture), ran.requests(0));
        compare(&stats, &ledger, &what);
        assert_eq!(stats.errors.get(ErrorKind::Http5xx), ledger.status(500), "{what}");
        assert_eq!(stats.failed(), ledger.status(500), "{what}");
        let iterations = &ran.phase(0).iterations;
        assert_eq!(iterations.completed, ledger.requests, "{what}");
        assert_eq!(iterations.failed, ledger.status(500), "{what}");
        assert_eq!((iterations.interrupted, iterations.dropped), (0, 0), "{what}");
        assert_eq!(ran.phase(0).snapshots_missing(), 0, "{what}");
        assert_eq!(ran.outcome.ends[0], PhaseEnd::Completed, "{what}");
        if let Some(expect) = expect {
            assert_eq!(stats.requests(), expect, "{what}");
        }
    }
}

#[test]
fn closed_load_for_a_time() {
    shape("users = 7\nramp_up = \"300ms\"\nramp_down = \"300ms\"\nduration = \"1300ms\"", None);
    shape("users = 9\nspawn_rate = 20\nduration = \"1s\"", None);
}

#[test]
fn closed_load_in_stages() {
    let stages = "stages = [{ users = 10, over = \"500ms\" }, { users = 3, for = \"300ms\" }, \
                  { users = 0, over = \"300ms\" }]";
    shape(stages, None);
}

#[test]
fn iterations_of_each_user() {
    shape("users = 5\niterations = 40", Some(200));
    shape("users = 5\nramp_up = \"200ms\"\niterations = 13", Some(65));
    shape("users = 5\nduration = \"20s\"\niterations = 20", Some(100));
    // Fewer users than workers.
    shape("users = 1\niterations = 20", Some(20));
}

#[test]
fn iterations_shared_by_all_users() {
    shape("users = 1\nshared_iterations = 101", Some(101));
    shape("users = 8\nshared_iterations = 1001", Some(1_001));
    shape("users = 20\nrequests = 10", Some(10));
}

#[test]
fn constant_arrivals() {
    shape("rate = \"300/s\"\nduration = \"1200ms\"", Some(360));
    // One user: on one worker, whatever was asked for.
    shape("rate = \"50/s\"\nduration = \"500ms\"\nmax_users = 1", Some(25));
    shape("rate = \"300/s\"\nrequests = 150", Some(150));
}

#[test]
fn ramping_arrivals() {
    let stages = "stages = [{ rate = \"200/s\", over = \"500ms\" }, \
                  { rate = \"200/s\", for = \"300ms\" }, { rate = \"0/s\", over = \"500ms\" }]";
    shape(stages, Some(160));
}

#[test]
fn poisson_arrivals() {
    // How many they are follows from the seed and the number of workers.
    for workers in 1..=3 {
        let fixture = Fixture::start(Behaviour::new().prefix("/", Reply::text("x"))).unwrap();
        let phase = "[[phase]]\nname = \"p\"\nrate = \"300/s\"\nduration = \"1s\"\n\
                     arrivals = \"poisson\"\n";
        let plan = plan(&fixture.url(""), &format!("{GET_X}{phase}"));
        let ran = run(&plan, workers);
        let (ledger, stats) = (settled(&fixture), ran.requests(0));
        compare(&stats, &ledger, phase);
        assert_eq!(stats.requests(), scheduled(&plan, 0, workers));
    }
}

#[test]
fn bursts_on_top_of_a_steady_load() {
    shape(
        "users = 3\nduration = \"1s\"\nburst = { users = 5, at = \"200ms\", for = \"300ms\" }",
        None,
    );
    let requests = "burst = { requests = 50, at = \"200ms\", every = \"400ms\" }";
    shape(&format!("rate = \"100/s\"\nduration = \"1s\"\n{requests}"), Some(200));
    shape(
        "rate = \"100/s\"\nduration = \"1s\"\nburst = { rate = \"200/s\", at = \"200ms\", for = \"500ms\" }",
        Some(200),
    );
    // Requests at once on top of users: the users' own are as many as fit in.
    shape(&format!("users = 2\nduration = \"1s\"\n{requests}"), None);
}

#[test]
fn steps_until_a_limit_breaks() {
    // Every other answer is an error, so the first step finds the limit, after its warm-up and the
    // three intervals that it takes to tell.
    let behaviour = Behaviour::new().prefix("/", Reply::text("x").after(4 * SOON).error_every(2));
    let fixture = Fixture::start(behaviour).unwrap();
    let phase = "[[phase]]\nname = \"stress\"\nstep = { users = 2, every = \"4s\" }\nmax = 20\n\
                 until = { error_rate = \">10%\" }\n\
                 [[phase]]\nname = \"after\"\nusers = 1\niterations = 10\n";
    let ran = run(&plan(&fixture.url(""), &format!("{GET_X}{phase}")), 2);
    let (ledger, stats) = (settled(&fixture), ran.all_requests());
    compare(&stats, &ledger, phase);
    assert!(matches!(ran.outcome.ends[0], PhaseEnd::LimitFound(_)));
    assert_eq!(ran.requests(1).requests(), 10, "the next phase runs all the same");
    assert_eq!(stats.failed(), ledger.status(500));
}

/// A run of `phase` on a server with one busy user, which is what `max_users` allows: the arrivals
/// that found nobody free.
fn overloaded(phase: &str, workers: u32) -> (Ran, Ledger, u64) {
    let behaviour = Behaviour::new().prefix("/", Reply::text("x").after(20 * SOON));
    let fixture = Fixture::start(behaviour).unwrap();
    let text = format!("{GET_X}[[phase]]\nname = \"p\"\n{phase}\n");
    let plan = plan(&fixture.url(""), &text);
    let ran = run(&plan, workers);
    (ran, settled(&fixture), scheduled(&plan, 0, workers))
}

#[test]
fn arrivals_that_are_dropped() {
    for workers in 1..=2 {
        let phase = "rate = \"200/s\"\nduration = \"1s\"\nmax_users = 4\noverload = \"drop\"";
        let (ran, ledger, scheduled) = overloaded(phase, workers);
        compare(&ran.requests(0), &ledger, phase);
        let iterations = &ran.phase(0).iterations;
        assert_eq!((scheduled, iterations.queued), (200, 0));
        assert_eq!(iterations.dropped, scheduled - ledger.requests);
        // Four users who take 100 ms each cannot do more.
        assert!(iterations.dropped >= 200 - 4 * 11, "{}", iterations.dropped);
        assert_eq!(ran.requests(0).new_connections, 4);
    }
}

#[test]
fn arrivals_that_wait() {
    for workers in 1..=2 {
        let phase = "rate = \"200/s\"\nduration = \"500ms\"\nmax_users = 4";
        let (ran, ledger, scheduled) = overloaded(phase, workers);
        compare(&ran.requests(0), &ledger, phase);
        let iterations = &ran.phase(0).iterations;
        assert_eq!((ledger.requests, scheduled, iterations.dropped), (100, 100, 0));
        // All but the first four and those for whom an answer came just in time.
        assert!((70..=96).contains(&iterations.queued), "{}", iterations.queued);
    }
}

#[test]
fn a_queue_has_an_end() {
    for workers in 1..=2 {
        let phase = "rate = \"200/s\"\nduration = \"1s\"\nmax_users = 4\noverload = { queue = 10 }";
        let (ran, ledger, scheduled) = overloaded(phase, workers);
        compare(&ran.requests(0), &ledger, phase);
        let iterations = &ran.phase(0).iterations;
        assert_eq!(scheduled, 200);
        assert_eq!(iterations.dropped, scheduled - ledger.requests);
        assert!(iterations.dropped >= 200 - 4 * 11 - 10 && iterations.queued > 0);
    }
}

#[test]
fn arrivals_that_still_wait_when_time_is_up() {
    for workers in 1..=2 {
        let phase =
            "rate = \"200/s\"\nduration = \"500ms\"\nmax_users = 4\ngraceful_stop = \"250ms\"";
        let (ran, ledger, scheduled) = overloaded(phase, workers);
        let (stats, iterations) = (ran.requests(0), &ran.phase(0).iterations);
        assert_eq!(ledger.requests, stats.requests() + stats.interrupted);
        assert_eq!(iterations.completed, stats.requests());
        assert_eq!(iterations.interrupted, stats.interrupted);
        assert_eq!(
            iterations.completed + iterations.interrupted + iterations.dropped,
            scheduled,
            "every arrival is accounted for"
        );
        assert!(iterations.dropped > 0 && iterations.interrupted <= 4);
    }
}

#[test]
fn arrivals_whose_users_cannot_even_start() {
    // The login hangs: every arrival makes a user until there are enough, the others wait, and all
    // are given up in the end. None of them may be forgotten.
    for workers in 1..=2 {
        let behaviour = Behaviour::new().exact("/login", Reply::text("x").after(NEVER));
        let fixture = Fixture::start(behaviour).unwrap();
        let text = "[[user]]\nname = \"u\"\n[[user.on_start]]\npost = \"/login\"\n\
                    [[user.task]]\nget = \"/x\"\n\
                    [[phase]]\nname = \"p\"\nrate = \"100/s\"\nduration = \"300ms\"\nmax_users = 4\n\
                    graceful_stop = \"200ms\"\n";
        let ran = run(&plan(&fixture.url(""), text), workers);
        let (ledger, stats) = (settled(&fixture), ran.requests(0));
        compare_cut_off(&stats, &ledger, text);
        assert_eq!((stats.requests(), stats.interrupted), (0, 4));
        let iterations = &ran.phase(0).iterations;
        assert_eq!(iterations.completed, 0);
        assert_eq!(iterations.interrupted + iterations.dropped, 30, "{iterations:?}");
    }
}

#[test]
fn answers_longer_than_the_graceful_stop() {
    for workers in 1..=3 {
        // Three answers of four come soon.
        let (first, rest) = (SOON, NEVER);
        let delay = Delay::Bimodal { share: 0.75, first, rest };
        let fixture =
            Fixture::start(Behaviour::new().prefix("/", Reply::text("x").delay(delay))).unwrap();
        let phase =
            "[[phase]]\nname = \"p\"\nusers = 6\nduration = \"1s\"\ngraceful_stop = \"300ms\"\n";
        let ran = run(&plan(&fixture.url(""), &format!("{GET_X}{phase}")), workers);
        let (ledger, stats) = (settled(&fixture), ran.requests(0));
        compare_cut_off(&stats, &ledger, phase);
        assert_eq!((stats.interrupted, ledger.aborted), (6, 6), "each user met its end");
        assert_eq!(stats.requests(), ledger.status(200));
        let iterations = &ran.phase(0).iterations;
        assert_eq!((iterations.completed, iterations.interrupted), (stats.requests(), 6));
        assert_eq!(ran.outcome.ends[0], PhaseEnd::Completed);
    }
}

/// One path for each way in which an exchange can end.
fn mixed_behaviour() -> Behaviour {
    let text = || Reply::text("hello, world").after(SOON);
    Behaviour::new()
        .exact("/errors", text().error_every(3))
        .exact("/resets", text().fault_every(4, Fault::Reset))
        .exact("/hangs-up", text().fault_every(5, Fault::Close))
        .exact("/cut-off", Reply::sized(5_000).after(SOON).fault_every(3, Fault::Truncated))
        .exact("/chunked", Reply::sized(5_000).chunked().fault_every(4, Fault::Truncated))
        .exact("/garbage", text().fault_every(4, Fault::BadStatusLine))
        .exact("/never", text().after(NEVER))
        .exact("/from", Reply::redirect(302, "/to").after(SOON))
        .exact("/to", text())
        .exact("/login", text().set_cookie("session=1; Path=/"))
        .exact("/private", text().require_cookie("session", "1", 403))
        .exact("/closes", text().close_every(2))
        .exact("/list", Reply::text(r#"{"items":[1,2]}"#).after(SOON))
        .exact("/missing", text().status(404))
}

const MIXED_USER: &str = r#"
[[user]]
name = "u"
[[user.on_start]]
name = "login"
post = "/login"
[[user.task]]
name = "errors"
get = "/errors"
[[user.task]]
name = "resets"
get = "/resets"
[[user.task]]
name = "posts that are reset"
post = "/resets"
[[user.task]]
name = "hangs up"
get = "/hangs-up"
[[user.task]]
name = "cut off"
get = "/cut-off"
[[user.task]]
name = "chunked"
get = "/chunked"
[[user.task]]
name = "garbage"
get = "/garbage"
[[user.task]]
name = "never"
get = "/never"
timeout = "100ms"
[[user.task]]
name = "redirected"
get = "/from"
[[user.task]]
name = "private"
get = "/private"
[[user.task]]
name = "closes"
get = "/closes"
[[user.task]]
name = "checked"
get = "/list"
check = { status = 200, "$.items" = "exists", "$.nothing" = "exists" }
[[user.task]]
name = "missing"
get = "/missing"
[[user.task]]
name = "extracts"
[[user.task.step]]
name = "list"
get = "/list"
extract = { id = "$.nothing" }
[[user.task.step]]
name = "unreached"
get = "/to/{{ id }}"
"#;

#[test]
fn every_sort_of_failure_in_the_mix() {
    let phases = [
        "users = 8\nduration = \"1500ms\"",
        "users = 8\niterations = 30",
        "users = 8\nshared_iterations = 300",
        "rate = \"200/s\"\nduration = \"1500ms\"",
    ];
    for (phase, workers) in phases.into_iter().zip([2, 1, 3, 2]) {
        let fixture = Fixture::start(mixed_behaviour()).unwrap();
        let text = format!("{MIXED_USER}[[phase]]\nname = \"p\"\n{phase}\n");
        let ran = run(&plan(&fixture.url(""), &text), workers);
        let (ledger, stats) = (settled(&fixture), ran.requests(0));
        compare(&stats, &ledger, phase);
        let error = |kind| stats.errors.get(kind);
        assert_eq!(error(ErrorKind::Http5xx), ledger.status(500));
        assert_eq!(error(ErrorKind::Http4xx), ledger.path("/missing"));
        assert_eq!(ledger.status(403), 0, "the cookie is sent");
        assert_eq!(error(ErrorKind::Malformed), ledger.fault("bad_status_line"));
        assert_eq!(error(ErrorKind::Timeout), ledger.path("/never"));
        assert_eq!(ledger.path("/from"), ledger.path("/to"));
        assert_eq!(ran.named(0, "redirected").requests(), 2 * ledger.path("/to"));
        let list = ran.named(0, "list");
        assert_eq!(error(ErrorKind::ExtractFailed), list.requests());
        assert_eq!(ran.named(0, "unreached").requests(), 0);
        let checked = ran.named(0, "checked");
        assert_eq!(error(ErrorKind::CheckFailed), checked.requests());
        assert_eq!(checked.requests() + list.requests(), ledger.path("/list"));
        let checks: Vec<_> = checked.checks.iter().map(|c| (c.passes, c.fails)).collect();
        let all = checked.requests();
        assert_eq!(checks, [(all, 0), (all, 0), (0, all)]);
        // A POST is never sent twice.
        let posts = ran.named(0, "posts that are reset");
        assert_eq!(posts.requests() + ran.named(0, "login").requests(), ledger.method("POST"));
        assert_eq!(posts.reconnects, 0);
        assert!(stats.errors.iter().count() >= 7, "{:?}", stats.errors);
    }
}

#[test]
fn connections_that_the_server_closes_between_requests() {
    // The server says nothing before it closes: the client notices, or sends its request once more.
    // Either way one request is one request.
    for workers in 1..=2 {
        let behaviour = Behaviour::new().prefix("/", Reply::text("x")).close_unannounced_after(3);
        let fixture = Fixture::start(behaviour).unwrap();
        let phase = "[[phase]]\nname = \"p\"\nusers = 4\niterations = 100\n";
        let ran = run(&plan(&fixture.url(""), &format!("{GET_X}{phase}")), workers);
        let (ledger, stats) = (settled(&fixture), ran.requests(0));
        compare(&stats, &ledger, phase);
        assert_eq!((stats.requests(), stats.failed()), (400, 0));
        assert_eq!(ledger.connections, 4 * 34);
    }
}

#[test]
fn without_cookies_and_keep_alive() {
    let fixture = Fixture::start(mixed_behaviour()).unwrap();
    let text = "[http]\ncookies = false\nkeep_alive = false\n\
                [[user]]\nname = \"u\"\norder = \"sequential\"\n\
                [[user.task]]\nname = \"login\"\npost = \"/login\"\n\
                [[user.task]]\nname = \"private\"\nget = \"/private\"\n\
                [[phase]]\nname = \"p\"\nusers = 3\niterations = 20\n";
    let ran = run(&plan(&fixture.url(""), text), 2);
    let (ledger, stats) = (settled(&fixture), ran.requests(0));
    compare(&stats, &ledger, text);
    assert_eq!(ledger.connections, 60);
    assert_eq!((stats.errors.get(ErrorKind::Http4xx), ledger.status(403)), (30, 30));
}

#[test]
fn bytes_sent() {
    let bytes = |iterations: u64| {
        let fixture = Fixture::start(Behaviour::new().prefix("/", Reply::echo())).unwrap();
        let text = format!(
            "[[user]]\nname = \"u\"\n[[user.task]]\npost = \"/x\"\nbody = \"twelve bytes\"\n\
             [[phase]]\nname = \"p\"\nusers = 3\nshared_iterations = {iterations}\n"
        );
        let ran = run(&plan(&fixture.url(""), &text), 2);
        let (ledger, stats) = (settled(&fixture), ran.requests(0));
        compare(&stats, &ledger, &text);
        assert_eq!(ledger.request_body_bytes, 12 * iterations);
        // The port is a part of the head and need not have as many digits each time.
        stats.bytes_sent - iterations * fixture.addr().port().to_string().len() as u64
    };
    assert_eq!(bytes(200), 200 * bytes(1));
}

#[test]
fn phases_are_kept_apart() {
    let behaviour = Behaviour::new()
        .exact("/a", Reply::text("a").after(SOON).error_every(4))
        .exact("/b", Reply::text("b").after(SOON))
        .exact("/c", Reply::text("c").after(SOON).error_every(7));
    let text = "[[user]]\nname = \"a\"\n[[user.task]]\nget = \"/a\"\n\
                [[user]]\nname = \"b\"\n[[user.task]]\nget = \"/b\"\n\
                [[user]]\nname = \"c\"\n[[user.task]]\nget = \"/c\"\n\
                [[phase]]\nname = \"1\"\nusers = 5\nduration = \"1200ms\"\nmix = [\"a\"]\n\
                [[phase]]\nname = \"2\"\nrate = \"100/s\"\nduration = \"1200ms\"\nmix = [\"b\"]\n\
                [[phase]]\nname = \"3\"\nusers = 2\niterations = 30\nmix = [\"c\"]\n";
    for workers in 1..=3 {
        let fixture = Fixture::start(behaviour.clone()).unwrap();
        let ran = run(&plan(&fixture.url(""), text), workers);
        let ledger = settled(&fixture);
        compare(&ran.all_requests(), &ledger, text);
        let counted = [0, 1, 2].map(|phase| ran.requests(phase).requests());
        assert_eq!(counted, ["/a", "/b", "/c"].map(|path| ledger.path(path)));
        assert_eq!(counted[1..], [120, 60]);
        let failed = [0, 1, 2].map(|phase| ran.requests(phase).failed());
        assert_eq!(failed, [counted[0] / 4, 0, 60 / 7]);
        let connections: u64 = (0..3).map(|phase| ran.requests(phase).new_connections).sum();
        assert_eq!(connections, ledger.connections);
    }
}

#[test]
fn a_worker_that_ends_long_before_the_others() {
    // One user has answers at once, the other, on another worker, after more than a second.
    let behaviour = Behaviour::new()
        .exact("/quick", Reply::text("x"))
        .exact("/slow", Reply::text("x").after(Duration::from_millis(700)));
    let fixture = Fixture::start(behaviour).unwrap();
    let text = "[[user]]\nname = \"quick\"\n[[user.task]]\nget = \"/quick\"\n\
                [[user]]\nname = \"slow\"\n[[user.task]]\nget = \"/slow\"\n\
                [[phase]]\nname = \"p\"\nusers = 2\niterations = 3\n";
    let ran = run(&plan(&fixture.url(""), text), 2);
    let (ledger, stats) = (settled(&fixture), ran.requests(0));
    compare(&stats, &ledger, text);
    assert_eq!((ledger.path("/quick"), ledger.path("/slow")), (3, 3));
}

#[test]
fn the_number_of_workers_does_not_change_the_counts() {
    // Shapes whose requests are known beforehand; the server decides by number what it answers.
    for phase in [
        "users = 6\niterations = 25",
        "users = 6\nshared_iterations = 150",
        "rate = \"150/s\"\nduration = \"1s\"",
    ] {
        let counts = |workers| {
            let behaviour =
                Behaviour::new().prefix("/", Reply::text("x").after(SOON).error_every(7));
            let fixture = Fixture::start(behaviour).unwrap();
            let text = format!("{GET_X}[[phase]]\nname = \"p\"\n{phase}\n");
            let ran = run(&plan(&fixture.url(""), &text), workers);
            let stats = ran.requests(0);
            let iterations = &ran.phase(0).iterations;
            (
                (stats.requests(), stats.failed(), stats.statuses.clone(), stats.errors.clone()),
                (stats.bytes_received, stats.response().count(), stats.service.count()),
                (iterations.completed, iterations.failed, iterations.dropped),
            )
        };
        let one = counts(1);
        assert_eq!(one.0.0, 150);
        assert_eq!(one, counts(2), "{phase}");
        assert_eq!(one, counts(4), "{phase}");
    }
}

#[test]
fn redirects_without_end_are_followed_as_far_as_the_plan_says() {
    let fixture = Fixture::start(Behaviour::new().exact("/x", Reply::redirect(302, "/x")))
        .expect("a fixture");
    let check = |limit: &str, per_iteration: u64, failed: u64| {
        let text = format!(
            "[http]\nfollow_redirects = {limit}\n{GET_X}\
             [[phase]]\nname = \"p\"\nusers = 1\niterations = 2\n"
        );
        let before = settled(&fixture).requests;
        let stats = run(&plan(&fixture.url(""), &text), 1).requests(0);
        assert_eq!(stats.requests(), 2 * per_iteration, "{limit}");
        assert_eq!(stats.errors.get(ErrorKind::Redirect), failed, "{limit}");
        assert_eq!(stats.failed(), failed, "{limit}");
        assert_eq!(settled(&fixture).requests - before, stats.requests(), "{limit}");
    };
    check("3", 4, 2);
    check("1", 2, 2);
    // Then the redirect itself is the answer.
    check("false", 1, 0);
}
