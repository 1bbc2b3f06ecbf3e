//! What opens the doors of the target is not shown to other services.

use proofload_testbed::fixture::{Behaviour, Fixture, Reply};

use super::support::{plan, run};

/// The credentials and headers that a plan gives to all requests, and who must see which of them.
#[test]
fn credentials_go_to_the_target_only() {
    let echo = || Fixture::start(Behaviour::new().prefix("/", Reply::echo())).expect("a port");
    let (home, away) = (echo(), echo());
    // By address the two differ in their port, which makes them two origins.
    let (target, other) = (home.url(""), away.url(""));
    let text = format!(
        "[http]\nbearer = 's3cret'\n\
         headers = {{ x-api-key = 's3cret', x-plain = 'seen' }}\n\
         [variables]\nhere = '{target}/c'\nthere = '{other}/d'\n[[user]]\n"
    );
    let task = |get: &str, secrets: &str| {
        format!(
            "[[user.task]]\nget = \"{get}\"\n[user.task.check]\n\
             \"$.headers['x-plain']\" = 'exists'\n\"$.headers.authorization\" = '{secrets}'\n\
             \"$.headers['x-api-key']\" = '{secrets}'\n"
        )
    };
    let tasks = [
        task("/a", "exists"),
        task(&format!("{other}/b"), "absent"),
        task("{{ here }}", "exists"),
        task("{{ there }}", "absent"),
    ];
    let phase = "[[phase]]\nusers = 1\niterations = 40\n";
    let ran = run(&plan(&target, &format!("{text}{}{phase}", tasks.concat())), 1);
    let checks = ran.phase(0).checks();
    assert_eq!(checks.len(), 5, "{checks:?}");
    assert!(checks.values().all(|count| count.passes > 0 && count.fails == 0), "{checks:?}");
    assert!(away.ledger().requests > 0 && home.ledger().requests > 0);
}
