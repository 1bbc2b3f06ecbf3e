//! Who may load, and whose value is kept.

use super::*;

#[tokio::test]
async fn one_of_many_wins_and_all_find_its_value() {
    let server = RedisServer::start();
    let layers: Vec<_> = (0..8).map(|_| layer(&server)).collect();
    let mut won = Vec::new();
    for layer in &layers {
        match layer.claim("1", LEASE, Wants::Option).await.expect("an answer") {
            Claim::Won(lease) => won.push(lease),
            Claim::Busy { remaining } => assert!(remaining <= LEASE && !remaining.is_zero()),
            Claim::Found(stored) => panic!("{stored:?}"),
        }
    }
    let [lease] = won[..] else { panic!("{won:?}") };
    let entry = stored("one", &["a", "b"]);
    assert!(layers[0].store("1", &lease, entry.clone()).await.expect("an answer"));
    let expect = Stored { epoch: lease.epoch, ..entry };
    for layer in &layers {
        assert_eq!(layer.get("1").await.expect("an answer"), Some(expect.clone()));
        match layer.claim("1", LEASE, Wants::Option).await.expect("an answer") {
            Claim::Found(stored) => assert_eq!(stored, expect),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_stale_value_is_found_but_does_not_keep_others_from_loading() {
    let server = RedisServer::start();
    let layer = layer(&server);
    let lease = win(&layer, "1").await;
    let stale = Stored { fresh_until_ms: unix_ms() - 1, ..stored("old", &[]) };
    assert!(layer.store("1", &lease, stale).await.expect("an answer"));
    assert_eq!(value(&layer, "1").await.as_deref(), Some("old"));
    let newer = win(&layer, "1").await;
    assert!(newer.token > lease.token, "{newer:?} after {lease:?}");
}

#[tokio::test]
async fn what_is_known_to_be_absent_is_kept_as_that() {
    let server = RedisServer::start();
    let layer = layer(&server);
    let lease = win(&layer, "1").await;
    let absent = Stored { value: None, ..stored("", &[]) };
    assert!(layer.store("1", &lease, absent).await.expect("an answer"));
    let found = layer.get("1").await.expect("an answer").expect("an entry");
    assert_eq!(found.value, None);
}

#[tokio::test]
async fn a_late_writer_does_not_overwrite_its_successor() {
    let server = RedisServer::start();
    let (first, second) = (layer(&server), layer(&server));
    let late =
        match first.claim("1", Duration::from_millis(1), Wants::Option).await.expect("an answer") {
            Claim::Won(lease) => lease,
            other => panic!("{other:?}"),
        };
    let lease = loop {
        if let Claim::Won(lease) = second.claim("1", LEASE, Wants::Option).await.expect("an answer")
        {
            break lease;
        }
    };
    assert!(lease.token > late.token);
    assert!(!first.store("1", &late, stored("late", &[])).await.expect("an answer"));
    assert!(!first.renew("1", &late, LEASE).await.expect("an answer"));
    first.release("1", &late).await.expect("an answer");
    assert!(
        matches!(first.claim("1", LEASE, Wants::Option).await, Ok(Claim::Busy { .. })),
        "it is not its to end"
    );
    assert!(second.store("1", &lease, stored("new", &[])).await.expect("an answer"));
    assert!(!first.store("1", &late, stored("late", &[])).await.expect("an answer"));
    assert_eq!(value(&first, "1").await.as_deref(), Some("new"));
}

#[tokio::test]
async fn a_lease_is_renewed_and_released() {
    let server = RedisServer::start();
    let (first, second) = (layer(&server), layer(&server));
    let lease = win(&first, "1").await;
    assert!(first.renew("1", &lease, LEASE * 2).await.expect("an answer"));
    match second.claim("1", LEASE, Wants::Option).await.expect("an answer") {
        Claim::Busy { remaining } => assert!(remaining > LEASE, "{remaining:?}"),
        other => panic!("{other:?}"),
    }
    first.release("1", &lease).await.expect("an answer");
    win(&second, "1").await;
}

#[tokio::test]
async fn what_is_put_takes_a_running_lease_away_and_others_hear_of_it() {
    let server = RedisServer::start();
    let (first, second) = (layer(&server), layer(&server));
    let ears = Ears::of(&first).await;
    let lease = win(&first, "1").await;
    second.put("1", stored("put", &["t"])).await.expect("an answer");
    assert!(!first.store("1", &lease, stored("loaded", &[])).await.expect("an answer"));
    assert_eq!(value(&first, "1").await.as_deref(), Some("put"));
    let target = Heard::Invalidated(Target::Key("1".to_owned()));
    ears.until("message", |heard| heard == [target.clone()]).await;
}

#[tokio::test]
async fn counters_grow_even_when_redis_forgets_them() {
    let server = RedisServer::start();
    let layer = layer(&server);
    load(&layer, "1", "one", &["t"]).await;
    let before = win(&layer, "2").await;
    server.admin(&["FLUSHALL"]);
    let after = win(&layer, "2").await;
    assert!(after.token > before.token, "{after:?} after {before:?}");
    assert!(after.epoch >= before.epoch, "{after:?} after {before:?}");
}

#[tokio::test]
async fn nothing_is_kept_in_redis_for_longer_than_it_is_good_for() {
    let server = RedisServer::start();
    let layer = layer(&server);
    load(&layer, "1", "one", &["t"]).await;
    win(&layer, "2").await;
    layer.invalidate(&Target::Tag("t".to_owned())).await.expect("an answer");
    for key in ["{test:users}:v:1", "{test:users}:l:2", "{test:users}:g:t"] {
        let remaining: i64 = redis::from_redis_value(server.admin(&["PTTL", key])).expect("ms");
        assert!(remaining > 0, "{key}: {remaining}");
    }
    let lease = win(&layer, "3").await;
    let over = Stored { keep_until_ms: unix_ms() - 1, ..stored("over", &[]) };
    assert!(layer.store("3", &lease, over).await.expect("an answer"));
    assert_eq!(value(&layer, "3").await, None);
}

#[tokio::test]
async fn who_cannot_read_a_value_loads_in_spite_of_it_and_alone() {
    let server = RedisServer::start();
    let old = layer(&server);
    load(&old, "1", "old", &[]).await;
    let readable: fn(&Bytes) -> bool = |bytes| !bytes.starts_with(b"old");
    let new: Arc<dyn Remote> = Layer::new(&handle(&server), "users", readable);
    let other: Arc<dyn Remote> = Layer::new(&handle(&server), "users", readable);
    let lease = win(&new, "1").await;
    assert!(matches!(other.claim("1", LEASE, Wants::Option).await, Ok(Claim::Busy { .. })));
    assert_eq!(value(&old, "1").await.as_deref(), Some("old"), "until it is written over");
    assert!(new.store("1", &lease, stored("new", &[])).await.expect("an answer"));
    assert!(matches!(other.claim("1", LEASE, Wants::Option).await, Ok(Claim::Found(_))));
}
