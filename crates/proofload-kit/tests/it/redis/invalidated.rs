//! What one process invalidates is gone for all, also from loads that run.

use super::child::{Child, close_gate, loads, open_gate};
use super::until;
use crate::servers::redis_server::RedisServer;

/// Ways to invalidate `user:1` but not `post:1`.
const WAYS: [&str; 4] = ["key user:1", "prefix user:", "glob user:[0-9]", "tag red"];

#[test]
fn it_is_gone_from_the_memory_of_all() {
    let server = RedisServer::start();
    let mut children: Vec<_> = (0..3).map(|_| Child::start(&server)).collect();
    open_gate(&server, "all");
    for child in &mut children {
        assert_eq!(child.ask("load post:1 1 blue"), "1");
    }
    for (round, way) in WAYS.iter().enumerate() {
        let (old, new) = ((round + 1).to_string(), (round + 2).to_string());
        for child in &mut children {
            assert_eq!(child.ask("load user:1 10 red"), old, "{way}");
            assert_eq!(child.ask("memory user:1"), old, "{way}");
        }
        children[0].ask(&format!("invalidate {way}"));
        for child in &mut children {
            until("forgetting", || child.ask("memory user:1") == "-");
            assert_eq!(child.ask("memory post:1"), "1", "{way}");
        }
        assert_eq!(children[1].ask("load user:1 10 red"), new, "{way}");
    }
    assert_eq!(loads(&server, "post:1"), 1);
    children[2].ask("invalidate all");
    for child in &mut children {
        until("forgetting", || child.ask("memory post:1") == "-");
    }
}

#[test]
fn it_beats_the_late_write_of_a_load_in_another_process() {
    for way in WAYS {
        let server = RedisServer::start();
        let (mut first, mut second) = (Child::start(&server), Child::start(&server));
        let early = first.tell("load user:1 10 red");
        until("load", || loads(&server, "user:1") == 1);
        second.ask(&format!("invalidate {way}"));
        until("message", || first.ask("heard") == "1");
        open_gate(&server, "all");
        assert_eq!(first.answer(early), "1", "{way}: who waited already gets what was loaded");
        assert_eq!(first.ask("memory user:1"), "-", "{way}: it is not kept in memory");
        assert_eq!(second.ask("load user:1 10 red"), "2", "{way}: nor in Redis");
        assert_eq!(first.ask("load user:1 10 red"), "2", "{way}");
        assert_eq!(loads(&server, "user:1"), 2, "{way}");
    }
}

#[test]
fn who_asks_after_it_does_not_wait_for_a_load_that_began_before() {
    let server = RedisServer::start();
    let (mut first, mut second) = (Child::start(&server), Child::start(&server));
    let early = first.tell("load user:1 10");
    until("load", || loads(&server, "user:1") == 1);
    second.ask("invalidate key user:1");
    let late = second.tell("load user:1 10");
    until("second load", || loads(&server, "user:1") == 2);
    open_gate(&server, "all");
    assert_eq!(second.answer(late), "2");
    assert_eq!(first.answer(early), "1");
    until("new value", || first.ask("load user:1 1") == "2");
    assert_eq!(loads(&server, "user:1"), 2);
}

#[test]
fn what_is_put_replaces_the_memory_of_others() {
    let server = RedisServer::start();
    let (mut first, mut second) = (Child::start(&server), Child::start(&server));
    open_gate(&server, "all");
    assert_eq!(first.ask("load user:1 1"), "1");
    second.ask("put user:1 new");
    until("forgetting", || first.ask("memory user:1") == "-");
    assert_eq!(first.ask("load user:1 1"), "new");
    assert_eq!(loads(&server, "user:1"), 1);
}

#[test]
fn memory_is_cleared_when_the_subscription_was_lost() {
    let server = RedisServer::start();
    let mut child = Child::start(&server);
    open_gate(&server, "all");
    assert_eq!(child.ask("load user:1 1"), "1");
    until("subscription", || child.ask("subscriptions") == "1");
    assert_eq!(child.ask("load user:1 1"), "1");
    close_gate(&server, "all");
    server.admin(&["CLIENT", "KILL", "TYPE", "pubsub"]);
    // An invalidation in this moment would go unheard.
    until("subscription", || child.ask("subscriptions") == "2");
    until("forgetting", || child.ask("memory user:1") == "-");
    assert_eq!(child.ask("load user:1 1"), "1", "it is still in Redis");
}
