//! The live page in a real browser, and what a server sees of what is pressed there.

use std::time::{Duration, Instant};

use proofload_testbed::browser::Browser;
use proofload_testbed::fixture::{Behaviour, Fixture, Reply};
use serde_json::Value;

use crate::support::{Running, Sandbox, fixture, friendly, plan, settled, wait_until};

const DESKTOP: (u32, u32) = (1360, 900);
const PHONE: (u32, u32) = (390, 800);

/// `proofload …` that serves a page.
pub(crate) struct Served {
    pub(crate) running: Running,
    pub(crate) url: String,
}

impl Served {
    /// Waits until it says where the page is.
    #[track_caller]
    pub(crate) fn new(mut running: Running) -> Self {
        let mut url = None;
        wait_until("it says where the page is", || {
            let said = running.stdout() + &running.stderr();
            let found = said.split_whitespace().find(|word| word.starts_with("http://127.0.0.1:"));
            url = found.filter(|_| said.ends_with('\n')).map(str::to_owned);
            assert!(url.is_some() || running.is_running(), "it ended: {said}");
            url.is_some()
        });
        Self { running, url: url.unwrap_or_default() }
    }
}

/// Requests that the server has answered.
fn requests(fixture: &Fixture) -> u64 {
    fixture.ledger().requests
}

/// Requests a second that the server sees, over some seconds.
fn rate(fixture: &Fixture) -> f64 {
    let (before, began) = (requests(fixture), Instant::now());
    std::thread::sleep(Duration::from_secs(3));
    (requests(fixture) - before) as f64 / began.elapsed().as_secs_f64()
}

const PHASES: &str = "[[phase]]\nname = \"Steady\"\nusers = 4\nduration = \"10m\"\nthink_time = \"50ms\"\n\
    expect = { p95 = \"<2s\", error_rate = \"<1%\" }\n\
    [[phase]]\nname = \"After\"\nusers = 1\nduration = \"10m\"\nthink_time = \"50ms\"";

#[test]
fn a_run_is_steered_from_the_page() {
    let fixture = friendly();
    let sandbox = Sandbox::new();
    sandbox.write("plan.toml", plan(&fixture, PHASES));
    let served = Served::new(sandbox.run(["web", "plan.toml", "--web=:0"]).start());
    let mut browser = Browser::start();
    let page = browser.open(&served.url, DESKTOP);

    // Start, with nothing but the page.
    browser.wait(&page, "document.body.dataset.stage === 'idle'");
    assert_eq!(requests(&fixture), 0, "nobody has pressed anything");
    browser.picture(&page, "idle");
    browser.press(&page, "form.start [type=submit]");
    browser.wait(&page, "document.body.dataset.stage === 'running'");
    browser.wait(&page, "document.querySelector('[data-tile=users] .value')?.textContent === '4'");
    browser.wait(&page, "document.querySelectorAll('#p-charts svg.chart').length > 3");

    // A second viewer sees the same.
    let mut other = Browser::start();
    let second = other.open(&served.url, PHONE);
    other.wait(&second, "document.querySelector('[data-tile=users] .value')?.textContent === '4'");
    let normal = rate(&fixture);
    assert!(normal > 5.0, "4 users that rest for 50 ms: {normal}/s");

    // Pause: requests stop, at the server.
    browser.press(&page, "[data-do=pause]");
    other.wait(&second, "document.body.dataset.stage === 'paused'");
    wait_until("requests stop", || {
        let before = requests(&fixture);
        std::thread::sleep(Duration::from_millis(700));
        requests(&fixture) == before
    });

    // Resume, from the other page.
    let paused_at = requests(&fixture);
    other.press(&second, "[data-do=resume]");
    browser.wait(&page, "document.body.dataset.stage === 'running'");
    wait_until("requests go on", || requests(&fixture) > paused_at + 20);

    // Twice the load is twice the users.
    browser.eval(&page, "(() => { const f = document.getElementById('factor'); f.value = 200; f.dispatchEvent(new Event('change', {bubbles: true})) })()");
    browser.wait(&page, "document.querySelector('[data-tile=users] .value')?.textContent === '8'");
    other.wait(&second, "document.getElementById('factor').value === '200'");
    let doubled = rate(&fixture);
    assert!(doubled > normal * 1.3, "from {normal}/s to {doubled}/s");
    browser.picture(&page, "running");
    other.picture(&second, "phone");
    browser.emulate(&page, "dark", "screen");
    browser.picture(&page, "dark");
    browser.emulate(&page, "light", "screen");

    // The next phase has one user, twice.
    browser.press(&page, "[data-do=end_phase]");
    browser.wait(&page, "document.querySelector('[data-tile=users] .value')?.textContent === '2'");

    // Closing a page stops nothing.
    other.close(&second);
    let before = requests(&fixture);
    wait_until("the run goes on", || requests(&fixture) > before + 10);

    // Stop, which asks whether one is sure: by keyboard.
    browser.eval(&page, "document.querySelector('[data-do=stop]').focus()");
    browser.key(&page, "Enter");
    browser.wait(&page, "document.getElementById('confirm').open");
    assert_eq!(
        browser.eval(&page, "document.activeElement.value"),
        "no",
        "the harmless answer is at hand"
    );
    browser.press(&page, "#confirm [value=yes]");
    browser.wait(&page, "document.body.dataset.stage === 'ended'");
    browser.wait(&page, "document.querySelector('#past tbody tr')");
    browser.picture(&page, "ended");

    // What the page says is what the server saw, to the last request.
    let ledger = settled(&fixture);
    let said = browser.eval(&page, "document.querySelector('#verdict .figures dd').textContent");
    let said = said.as_str().expect("text").replace(',', "").parse::<u64>().expect("a count");
    assert_eq!(said + 1, ledger.requests, "the first was the question whether it is there");
    for browser in [&mut browser, &mut other] {
        assert_eq!(browser.complaints(&served.url), Vec::<String>::new());
    }

    // And so does the file it has left.
    let file =
        sandbox.files().into_iter().find(|name| name.ends_with("/result.json")).expect("a result");
    let result: Value = sandbox.result(&file);
    assert_eq!(result["summary"]["total_requests"], said);
    assert_eq!(result["run"]["interrupted"], true);
}

/// What is drawn anew every second stays as it was sorted, and the focus stays on its heading.
#[test]
fn tables_are_sorted_by_mouse_and_keyboard_and_stay_so() {
    let fixture = friendly();
    let sandbox = Sandbox::new();
    sandbox.write("plan.toml", plan(&fixture, PHASES));
    let served = Served::new(sandbox.run(["web", "plan.toml", "--web=:0"]).start());
    let mut browser = Browser::start();
    let page = browser.open(&served.url, DESKTOP);
    browser.press(&page, "form.start [type=submit]");
    let names =
        "[...document.querySelectorAll('#p-phases tbody th')].map((e) => e.textContent).join()";
    browser.wait(&page, &format!("{names} === 'Steady,After'"));
    let sorted = "[...document.querySelectorAll('#p-phases th[aria-sort]')]\
        .map((e) => e.textContent + ' ' + e.ariaSort).join()";
    let redrawn = |browser: &mut Browser| {
        let count = "document.querySelector('#p-phases tbody td:nth-child(6)').textContent + \
            document.querySelector('#p-phases tbody tr:last-child td:nth-child(6)').textContent";
        let before = browser.eval(&page, count);
        browser.wait(&page, &format!("{count} !== {before}"));
    };
    browser.press(&page, "#p-phases thead th:first-child button");
    browser.wait(&page, &format!("{names} === 'After,Steady'"));
    redrawn(&mut browser);
    assert_eq!(browser.eval(&page, names), "After,Steady");
    assert_eq!(browser.eval(&page, sorted), "Phase ascending");
    browser.picture(&page, "sorted");

    browser.eval(&page, "document.querySelector('#p-phases thead th:first-child button').focus()");
    browser.key(&page, "Enter");
    browser.wait(&page, &format!("{names} === 'Steady,After'"));
    redrawn(&mut browser);
    assert_eq!(browser.eval(&page, sorted), "Phase descending");
    assert_eq!(browser.eval(&page, "document.activeElement.textContent"), "Phase");

    // Past runs, too; each box stays with its run when another run comes.
    for at in 0..2 {
        browser.press(&page, "[data-do=stop]");
        browser.press(&page, "#confirm [value=yes]");
        browser.wait(
            &page,
            &format!("document.querySelectorAll('#past tbody tr').length === {}", at + 1),
        );
        if at == 0 {
            browser.press(&page, "#past tbody input");
            browser.press(&page, "form.start [type=submit]");
            browser.wait(&page, "document.body.dataset.stage === 'running'");
        }
    }
    let chosen = "(() => { const box = document.querySelector('#past input:checked'); \
        const row = box.closest('tr'); \
        return row.id === 'run-' + box.value && row === row.parentElement.lastElementChild })()";
    assert_eq!(browser.eval(&page, chosen), true, "the older run is still chosen");
    browser.press(&page, "#past thead th:nth-child(3) button");
    assert_eq!(
        browser.eval(&page, "document.querySelector('#past tbody tr input').checked"),
        true,
        "the older run is first"
    );
    assert_eq!(browser.complaints(&served.url), Vec::<String>::new());
}

/// A service that only fails: whoever watches the page sees it without looking for it, on a phone, too.
#[test]
fn an_alert_is_seen_on_the_page() {
    let fixture = fixture(Behaviour::new().prefix("/", Reply::text("no").status(500)));
    let sandbox = Sandbox::new();
    let phase = "[[phase]]\nname = \"bad\"\nusers = 4\nduration = \"10m\"\nthink_time = \"20ms\"\n\
        expect = { error_rate = \"<1%\" }";
    let text = format!("alerts = {{ window = '3s' }}\n{}", plan(&fixture, phase));
    sandbox.write("plan.toml", text);
    let served =
        Served::new(sandbox.run(["web", "plan.toml", "--no-health-check", "--web=:0"]).start());
    let mut browser = Browser::start();
    let page = browser.open(&served.url, DESKTOP);
    browser.press(&page, "form.start [type=submit]");
    browser.wait(&page, "document.getElementById('p-events').innerText.includes('bad: 100%')");
    browser.wait(&page, "document.querySelectorAll('#trouble [data-alert]').length === 2");
    browser.wait(
        &page,
        "document.querySelector('[data-alert=critical]').innerText.includes('limit < 1%')",
    );
    browser.picture(&page, "alert");
    let phone = browser.open(&served.url, PHONE);
    browser.wait(&phone, "document.getElementById('p-events').innerText.includes('bad: 100%')");
    browser.picture(&phone, "alert-phone");

    // What is over is no alert any more.
    browser.press(&phone, "[data-do=stop]");
    browser.press(&phone, "#confirm [value=yes]");
    browser.wait(&phone, "document.body.dataset.stage === 'ended'");
    assert_eq!(browser.eval(&phone, "document.querySelectorAll('[data-alert]').length"), 0);
    assert_eq!(browser.complaints(&served.url), Vec::<String>::new());
}

/// A few requests, over soon.
const SHORT: &str = "[[phase]]\nname = \"Short\"\nusers = 1\niterations = 3";

#[test]
fn a_run_with_a_page_ends_with_its_verdict() {
    let fixture = friendly();
    let sandbox = Sandbox::new();
    sandbox.write("plan.toml", plan(&fixture, SHORT));
    let ended = sandbox.run(["run", "plan.toml", "--web=:0"]).end().with(0);
    ended.says(&["the live page is at http://127.0.0.1:"]);
}

#[test]
fn strangers_need_a_token() {
    let fixture = friendly();
    let sandbox = Sandbox::new();
    sandbox.write("plan.toml", plan(&fixture, SHORT));
    for command in ["run", "web"] {
        let open = sandbox.run([command, "plan.toml", "--web=0.0.0.0:0"]).end().with(64);
        open.says(&["PROOFLOAD_WEB_TOKEN", "127.0.0.1"]);
        let short = sandbox.run([command, "plan.toml", "--web=:0", "--web-token=easy-one"]).end();
        let short = short.with(64);
        assert!(!short.stderr.contains("easy-one"), "{}", short.stderr);
        short.says(&["16"]);
    }
    let token = "0123456789abcdefghij";
    let run = sandbox.run(["run", "plan.toml", "--web=0.0.0.0:0"]);
    let ended = run.env("PROOFLOAD_WEB_TOKEN", token).end().with(0);
    assert!(!(ended.stdout + &ended.stderr).contains(token));
    assert_eq!(settled(&fixture).requests, 4, "nothing was run without one");
}

#[test]
fn a_port_that_is_taken_is_told_before_any_load() {
    let fixture = friendly();
    let sandbox = Sandbox::new();
    sandbox.write("plan.toml", plan(&fixture, SHORT));
    let other = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("--web={}", other.local_addr().expect("an address"));
    for command in ["run", "web"] {
        let ended = sandbox.run([command, "plan.toml", &address]).end().with(74);
        ended.says(&["is taken", "--web=:0"]);
    }
    assert_eq!(requests(&fixture), 0);
}

#[cfg(unix)]
#[test]
fn the_page_is_served_until_somebody_ends_it() {
    let fixture = friendly();
    let sandbox = Sandbox::new();
    sandbox.write("plan.toml", plan(&fixture, SHORT));
    let served = Served::new(sandbox.run(["web", "plan.toml", "--web=:0"]).start());
    served.running.signal(rustix::process::Signal::INT);
    served.running.end().with(0);
    let two = sandbox.run(["web", "plan.toml", "-o", "result.json"]).end().with(64);
    two.says(&["--results"]);
    assert_eq!(requests(&fixture), 0);
}
