//! What is invalidated is gone: in Redis, in loads that run, and in other processes.

use super::*;

fn key(text: &str) -> Target {
    Target::Key(text.to_owned())
}

/// Each kind of target, with two keys it covers (the first is loaded, the second being loaded), and one that it does not.
fn targets() -> Vec<(Target, [&'static str; 3])> {
    vec![
        (key("user:1"), ["user:1", "user:1", "user:2"]),
        (Target::Prefix("user:".to_owned()), ["user:1", "user:2", "users"]),
        (Target::Glob("user:*:posts".to_owned()), ["user:1:posts", "user:2:posts", "user:3"]),
        (Target::Glob("*:[12]?".to_owned()), ["user:10", "x:2z", "user:3"]),
        (Target::Tag("red".to_owned()), ["user:1", "user:2", "user:3"]),
    ]
}

fn tags_of(target: &Target, covered: bool) -> &'static [&'static str] {
    match (target, covered) {
        (Target::Tag(_), true) => &["blue", "red"],
        _ => &["blue"],
    }
}

#[tokio::test]
async fn it_is_gone_and_the_rest_stays() {
    for (target, [covered, _, other]) in targets() {
        let server = RedisServer::start();
        let (first, second) = (layer(&server), layer(&server));
        load(&first, covered, "old", tags_of(&target, true)).await;
        load(&first, other, "other", tags_of(&target, false)).await;
        second.invalidate(&target).await.expect("an answer");
        assert_eq!(value(&first, covered).await, None, "{target:?}");
        assert_eq!(value(&first, other).await.as_deref(), Some("other"), "{target:?}");
        // What is loaded from now on is kept.
        load(&first, covered, "new", tags_of(&target, true)).await;
        assert_eq!(value(&second, covered).await.as_deref(), Some("new"), "{target:?}");
        assert!(
            matches!(second.claim(covered, LEASE, Wants::Option).await, Ok(Claim::Found(_))),
            "{target:?}"
        );
    }
}

#[tokio::test]
async fn it_beats_the_late_write_of_a_load_that_began_before() {
    for (target, [_, loading, other]) in targets() {
        let server = RedisServer::start();
        let (first, second) = (layer(&server), layer(&server));
        let lease = win(&first, loading).await;
        let apart = win(&first, other).await;
        second.invalidate(&target).await.expect("an answer");
        let late = stored("late", tags_of(&target, true));
        assert!(!first.store(loading, &lease, late).await.expect("an answer"), "{target:?}");
        assert_eq!(value(&second, loading).await, None, "{target:?}");
        let kept = stored("kept", tags_of(&target, false));
        assert!(first.store(other, &apart, kept).await.expect("an answer"), "{target:?}");
        load(&second, loading, "new", tags_of(&target, true)).await;
        assert_eq!(value(&first, loading).await.as_deref(), Some("new"), "{target:?}");
    }
}

#[tokio::test]
async fn a_value_with_a_dead_tag_does_not_count_as_found() {
    let server = RedisServer::start();
    let layer = layer(&server);
    load(&layer, "1", "old", &["a", "b", "c"]).await;
    layer.invalidate(&Target::Tag("c".to_owned())).await.expect("an answer");
    win(&layer, "1").await;
}

#[tokio::test]
async fn others_hear_of_it_and_oneself_does_not() {
    let server = RedisServer::start();
    let (first, second, third) = (layer(&server), layer(&server), layer(&server));
    let elsewhere: Arc<dyn Remote> = Layer::new(&handle(&server), "posts", |_| true);
    let (own, heard, also) =
        (Ears::of(&first).await, Ears::of(&second).await, Ears::of(&third).await);
    let other_cache = Ears::of(&elsewhere).await;
    let mut expect = Vec::new();
    for (target, _) in targets() {
        first.invalidate(&target).await.expect("an answer");
        expect.push(Heard::Invalidated(target));
    }
    first.invalidate(&Target::All).await.expect("an answer");
    expect.push(Heard::Invalidated(Target::All));
    heard.until("messages", |heard| heard.len() == expect.len()).await;
    also.until("messages", |heard| heard.len() == expect.len()).await;
    assert_eq!(heard.heard(), expect);
    assert_eq!(also.heard(), expect);
    // One that comes after all of them on the same connection: its own are not merely late.
    second.invalidate(&key("last")).await.expect("an answer");
    own.until("message", |heard| !heard.is_empty()).await;
    assert_eq!(own.heard(), [Heard::Invalidated(key("last"))]);
    assert_eq!(other_cache.heard(), []);
}

#[tokio::test]
async fn two_caches_of_one_name_on_one_handle_hear_each_other() {
    let server = RedisServer::start();
    let redis = handle(&server);
    let first: Arc<dyn Remote> = Layer::new(&redis, "users", |_| true);
    let second: Arc<dyn Remote> = Layer::new(&redis, "users", |_| true);
    let heard = Ears::of(&second).await;
    first.invalidate(&key("1")).await.expect("an answer");
    heard.until("message", |heard| heard == [Heard::Invalidated(key("1"))]).await;
}

#[tokio::test]
async fn a_lost_subscription_is_a_gap() {
    let server = RedisServer::start();
    let (first, second) = (layer(&server), layer(&server));
    let heard = Ears::of(&second).await;
    server.admin(&["CLIENT", "KILL", "TYPE", "pubsub"]);
    heard.until("gap", |heard| heard == [Heard::Gap]).await;
    first.invalidate(&key("1")).await.expect("an answer");
    heard.until("message", |heard| heard.len() == 2).await;
    assert_eq!(heard.heard()[1], Heard::Invalidated(key("1")));
}

#[tokio::test]
async fn everything_of_one_cache_is_not_everything() {
    let server = RedisServer::start();
    let users = layer(&server);
    let posts: Arc<dyn Remote> = Layer::new(&handle(&server), "users:v", |_| true);
    load(&posts, "1", "post", &[]).await;
    load(&users, "1", "user", &[]).await;
    assert_eq!(users.invalidate(&Target::All).await.ok(), Some(1));
    assert_eq!(value(&users, "1").await, None);
    assert_eq!(value(&posts, "1").await.as_deref(), Some("post"));
}

#[tokio::test]
async fn patterns_are_removed_in_bounded_batches_without_keys_or_flush() {
    const ENTRIES: u64 = 5_000;
    let server = RedisServer::start();
    let layer = layer(&server);
    for number in 0..ENTRIES {
        server_side(&server, number);
    }
    load(&layer, "other", "stays", &[]).await;
    server.admin(&["CONFIG", "RESETSTAT"]);
    let removed = layer.invalidate(&Target::Prefix("user:".to_owned())).await.expect("an answer");
    assert_eq!(removed, ENTRIES);
    assert_eq!(value(&layer, "other").await.as_deref(), Some("stays"));
    for command in ["keys", "flushall", "flushdb", "del"] {
        assert_eq!(server.calls(command), 0, "{command}");
    }
    assert!(server.calls("unlink") >= ENTRIES / 256, "{} batches", server.calls("unlink"));
    assert!(server.calls("scan") >= 2 * ENTRIES / 1024, "{} batches", server.calls("scan"));
}

/// An entry that was not written by a cache, to have many of them soon.
fn server_side(server: &RedisServer, number: u64) {
    thread_local! {
        static CONNECTION: std::cell::RefCell<Option<(String, redis::Connection)>> =
            const { std::cell::RefCell::new(None) };
    }
    CONNECTION.with_borrow_mut(|kept| {
        if kept.as_ref().is_none_or(|(address, _)| *address != server.address()) {
            *kept = Some((server.address(), server.connection()));
        }
        let (_, connection) = kept.as_mut().expect("just made");
        let key = format!("{{test:users}}:v:user:{number}");
        redis::cmd("SET").arg(key).arg("x").exec(connection).expect("an answer");
    });
}
