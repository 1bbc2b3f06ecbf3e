//! However many callers in however many processes miss a key at once: one load.

use std::time::Duration;

use super::child::{Child, loads, open_gate};
use super::until;
use crate::servers::redis_server::RedisServer;

#[test]
fn eight_processes_of_a_thousand_callers_load_once() {
    const PROCESSES: usize = 8;
    const CALLERS: u32 = 1000;
    let server = RedisServer::start();
    let mut children: Vec<_> = (0..PROCESSES).map(|_| Child::start(&server)).collect();
    let waiting: Vec<_> =
        children.iter_mut().map(|child| child.tell(&format!("load cold {CALLERS}"))).collect();
    until("load", || loads(&server, "cold") > 0);
    // All others have had time to do the wrong thing.
    std::thread::sleep(Duration::from_millis(300));
    open_gate(&server, "cold");
    for (child, command) in children.iter_mut().zip(waiting) {
        assert_eq!(child.answer(command), "1", "all callers get the value of the first load");
    }
    assert_eq!(loads(&server, "cold"), 1);
    for child in &mut children {
        assert_eq!(child.ask("load cold 1"), "1");
    }
    assert_eq!(loads(&server, "cold"), 1);
}

#[test]
fn when_the_one_that_loads_is_killed_exactly_one_other_loads_after_its_lease() {
    let lease = Duration::from_secs(2);
    let server = RedisServer::start();
    let mut first = Child::start_with_lease(&server, lease);
    let mut others: Vec<_> = (0..3).map(|_| Child::start_with_lease(&server, lease)).collect();
    first.tell("load key 100");
    until("load", || loads(&server, "key") == 1);
    let waiting: Vec<_> = others.iter_mut().map(|child| child.tell("load key 100")).collect();
    // It lives, and says so: nobody takes over, however long it takes.
    std::thread::sleep(lease + lease / 2);
    assert_eq!(loads(&server, "key"), 1, "its lease is renewed");
    first.kill();
    let remaining: u64 =
        redis::from_redis_value(server.admin(&["PTTL", "{test:users}:l:key"])).expect("ms");
    assert!(remaining <= lease.as_millis() as u64, "it ends within the lease: {remaining} ms");
    until("second load", || loads(&server, "key") == 2);
    open_gate(&server, "key");
    for (child, command) in others.iter_mut().zip(waiting) {
        assert_eq!(child.answer(command), "2");
    }
    assert_eq!(loads(&server, "key"), 2);
}

#[test]
fn one_whose_lease_was_taken_over_does_not_overwrite() {
    let server = RedisServer::start();
    let (mut first, mut second) = (Child::start(&server), Child::start(&server));
    let late = first.tell("load key 1");
    until("load", || loads(&server, "key") == 1);
    // As if it had been frozen for longer than its lease.
    server.admin(&["DEL", "{test:users}:l:key"]);
    let newer = second.tell("load key 1");
    until("second load", || loads(&server, "key") == 2);
    open_gate(&server, "key");
    assert_eq!(first.answer(late), "1");
    assert_eq!(second.answer(newer), "2");
    // Nor does the late one keep what it could not store: its next caller gets the newer value.
    assert_eq!(first.ask("load key 1"), "2");
    let mut third = Child::start(&server);
    assert_eq!(third.ask("load key 1"), "2");
    assert_eq!(loads(&server, "key"), 2);
}

#[test]
fn one_that_was_frozen_for_longer_than_its_lease_keeps_nothing() {
    let lease = Duration::from_secs(1);
    let server = RedisServer::start();
    let mut first = Child::start_with_lease(&server, lease);
    let mut second = Child::start_with_lease(&server, lease);
    let late = first.tell("load key 10");
    until("load", || loads(&server, "key") == 1);
    first.pause();
    let newer = second.tell("load key 10");
    until("second load", || loads(&server, "key") == 2);
    // It renews a lease that is not its own any more, or tries to.
    first.resume();
    std::thread::sleep(lease);
    assert_eq!(loads(&server, "key"), 2, "the second one has its lease");
    first.pause();
    open_gate(&server, "key");
    assert_eq!(second.answer(newer), "2");
    second.ask("invalidate key key");
    second.ask("put key new");
    first.resume();
    assert_eq!(first.answer(late), "1", "who waited already gets what was loaded");
    until("new value", || first.ask("load key 1") == "new");
    assert_eq!(first.ask("memory key"), "new");
    assert_eq!(second.ask("load key 1"), "new");
    assert_eq!(loads(&server, "key"), 2);
}
