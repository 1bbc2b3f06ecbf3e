//! Values, keys and settings at the ends of what is allowed, and a Redis that forgets some of its keys.

use super::*;

#[tokio::test]
async fn what_is_kept_for_ever_is_kept_and_invalidated() {
    let server = RedisServer::start();
    let (first, second) = (layer(&server), layer(&server));
    let ever = Stored { fresh_until_ms: u64::MAX, keep_until_ms: u64::MAX, ..stored("1", &["t"]) };
    let lease = win(&first, "1").await;
    assert!(first.store("1", &lease, ever.clone()).await.expect("an answer"));
    first.put("2", ever).await.expect("an answer");
    for key in ["1", "2"] {
        assert_eq!(value(&second, key).await.as_deref(), Some("1"), "{key}");
    }
    second.invalidate(&Target::Tag("t".to_owned())).await.expect("an answer");
    for key in ["1", "2"] {
        assert_eq!(value(&first, key).await, None, "{key}");
    }
}

/// Under `maxmemory` Redis drops what it likes of all that has a time to live, or of everything.
#[tokio::test]
async fn when_redis_drops_what_it_knows_of_a_tag_its_entries_are_dead() {
    let server = RedisServer::start();
    let layer = layer(&server);
    load(&layer, "1", "old", &["t", "u"]).await;
    layer.put("2", stored("old", &["u", "t"])).await.expect("an answer");
    load(&layer, "3", "other", &["u"]).await;
    layer.invalidate(&Target::Tag("t".to_owned())).await.expect("an answer");
    server.admin(&["DEL", &format!("{PREFIX}g:t")]);
    for key in ["1", "2"] {
        assert_eq!(value(&layer, key).await, None, "{key}");
        let lease = win(&layer, key).await;
        layer.release(key, &lease).await.expect("an answer");
    }
    assert_eq!(value(&layer, "3").await.as_deref(), Some("other"));
    load(&layer, "1", "new", &["t"]).await;
    assert_eq!(value(&layer, "1").await.as_deref(), Some("new"));
}

/// What is known of a tag lives as long as the last entry that has it.
#[tokio::test]
async fn a_tag_is_remembered_for_as_long_as_its_longest_entry() {
    let server = RedisServer::start();
    let layer = layer(&server);
    let days = |days: u64| days * 24 * 3_600_000;
    let long = |value| {
        let until = unix_ms() + days(30);
        Stored { fresh_until_ms: until, keep_until_ms: until, ..stored(value, &["t"]) }
    };
    load(&layer, "short", "1", &["t"]).await;
    let lease = win(&layer, "long").await;
    assert!(layer.store("long", &lease, long("2")).await.expect("an answer"));
    load(&layer, "shorter", "3", &["t"]).await;
    layer.invalidate(&Target::Tag("t".to_owned())).await.expect("an answer");
    let marker = format!("{PREFIX}g:t");
    let left: u64 = redis::from_redis_value(server.admin(&["PTTL", &marker])).expect("ms");
    assert!(left > days(29) && left <= days(30), "{left}");
    layer
        .put("put", Stored { keep_until_ms: unix_ms() + days(60), ..long("4") })
        .await
        .expect("ok");
    let left: u64 = redis::from_redis_value(server.admin(&["PTTL", &marker])).expect("ms");
    assert!(left > days(59) && left <= days(60), "{left}");
    assert_eq!(value(&layer, "put").await.as_deref(), Some("4"));
}

#[tokio::test]
async fn an_invalidation_too_long_to_be_heard_is_heard_as_more_than_it_was() {
    let server = RedisServer::start();
    let (first, second) = (layer(&server), layer(&server));
    let ears = Ears::of(&first).await;
    let long = "é".repeat(1 << 20);
    for target in [
        Target::Key(long.clone()),
        Target::Prefix(long.clone()),
        Target::Glob(long.clone()),
        Target::Tag(long.clone()),
    ] {
        ears.forget();
        second.invalidate(&target).await.expect("an answer");
        ears.until("message", |heard| {
            heard.iter().any(|heard| match heard {
                Heard::Invalidated(Target::Prefix(prefix)) => long.starts_with(&**prefix),
                heard => *heard == Heard::Invalidated(Target::All),
            })
        })
        .await;
    }
}
