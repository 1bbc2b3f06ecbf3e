//! Redis dead, slow, full, restarted, or holding what is not ours: every call ends with an answer or an error in
//! time, never a wrong value, and once it is over all is as before.

use super::*;

/// A handle that gives up soon.
fn impatient(server: &RedisServer) -> Redis {
    Redis::builder(server.address())
        .namespace("test")
        .timeout(Duration::from_millis(100))
        .retry_after(Duration::from_millis(20))
        .build()
        .expect("settings that work")
}

/// Waits until the layer loads and finds again, and checks that the outage was measured.
async fn recovered(redis: &Redis, layer: &Arc<dyn Remote>, key: &str) {
    let works = async {
        loop {
            if let Ok(Claim::Won(lease)) =
                layer.claim(key, Duration::from_millis(50), Wants::Option).await
                && let Ok(true) = layer.store(key, &lease, stored("recovered", &[])).await
                && layer.get(key).await.is_ok_and(|found| found.is_some())
            {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, works).await.expect("it recovers");
    let stats = redis.stats();
    assert!(stats.available, "{stats:?}");
    assert!(stats.recoveries >= 1, "{stats:?}");
    assert_eq!(stats.recoveries, stats.outages, "{stats:?}");
    assert!(stats.last_outage.is_some(), "{stats:?}");
}

/// Calls until Redis is given up.
async fn given_up(redis: &Redis, layer: &Arc<dyn Remote>) {
    let asking = async {
        while redis.stats().available {
            assert!(layer.get("1").await.is_err());
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, asking).await.expect("it is given up");
    assert_eq!(redis.stats().outages, 1);
}

#[tokio::test]
async fn dead_from_the_start() {
    let mut server = RedisServer::absent(&[]);
    let redis = impatient(&server);
    let layer: Arc<dyn Remote> = Layer::new(&redis, "users", |_| true);
    given_up(&redis, &layer).await;
    assert!(layer.get("1").await.is_err());
    server.run();
    recovered(&redis, &layer, "1").await;
}

#[tokio::test]
async fn during_an_outage_it_is_asked_seldom() {
    let server = RedisServer::absent(&[]);
    let redis = Redis::builder(server.address())
        .namespace("test")
        .retry_after(Duration::from_secs(3600))
        .build()
        .expect("settings that work");
    let layer: Arc<dyn Remote> = Layer::new(&redis, "users", |_| true);
    given_up(&redis, &layer).await;
    let before = redis.stats();
    for _ in 0..100 {
        assert!(layer.get("1").await.is_err());
        assert!(layer.claim("1", LEASE, Wants::Option).await.is_err());
    }
    let after = redis.stats();
    assert_eq!((after.calls, after.skipped), (before.calls, before.skipped + 200));
}

#[tokio::test]
async fn dies_and_is_started_again() {
    let mut server = RedisServer::start();
    let redis = impatient(&server);
    let layer: Arc<dyn Remote> = Layer::new(&redis, "users", |_| true);
    load(&layer, "1", "one", &[]).await;
    let heard = Ears::of(&layer).await;
    server.kill();
    given_up(&redis, &layer).await;
    server.run();
    recovered(&redis, &layer, "1").await;
    heard.until("gap", |heard| heard.contains(&Heard::Gap)).await;
}

#[tokio::test]
async fn silent_and_then_there_again() {
    let server = RedisServer::start();
    let redis = impatient(&server);
    let layer: Arc<dyn Remote> = Layer::new(&redis, "users", |_| true);
    load(&layer, "1", "one", &[]).await;
    server.pause();
    given_up(&redis, &layer).await;
    assert!(redis.stats().timeouts >= 3, "{:?}", redis.stats());
    server.resume();
    recovered(&redis, &layer, "2").await;
    assert_eq!(value(&layer, "1").await.as_deref(), Some("one"));
}

#[tokio::test]
async fn a_subscription_that_is_silent_is_made_anew() {
    let server = RedisServer::start();
    let redis = Redis::builder(server.address())
        .namespace("test")
        .connect_timeout(Duration::from_millis(200))
        .ping_every(Duration::from_millis(20))
        .build()
        .expect("settings that work");
    let layer: Arc<dyn Remote> = Layer::new(&redis, "users", |_| true);
    let heard = Ears::of(&layer).await;
    server.pause();
    tokio::time::sleep(Duration::from_millis(300)).await;
    server.resume();
    heard.until("gap", |heard| heard.contains(&Heard::Gap)).await;
}

#[tokio::test]
async fn out_of_memory() {
    let server = RedisServer::start();
    let redis = handle(&server);
    let layer: Arc<dyn Remote> = Layer::new(&redis, "users", |_| true);
    load(&layer, "1", "old", &[]).await;
    let lease = win(&layer, "2").await;
    server.admin(&["CONFIG", "SET", "maxmemory", "1"]);
    assert!(layer.claim("3", LEASE, Wants::Option).await.is_err());
    assert!(layer.store("2", &lease, stored("two", &[])).await.is_err());
    // What is there can be read, what is old is removed even though the new does not fit.
    assert_eq!(value(&layer, "1").await.as_deref(), Some("old"));
    assert!(layer.put("1", stored("new", &[])).await.is_err());
    assert_eq!(server.admin(&["EXISTS", "{test:users}:v:1"]), redis::Value::Int(0));
    let stats = redis.stats();
    assert!(stats.available && stats.outages == 0 && stats.refused >= 3, "{stats:?}");
    server.admin(&["CONFIG", "SET", "maxmemory", "0"]);
    until("memory", || redis.stats().available).await;
    // The failed store has ended its lease: nobody waits for it.
    loop {
        match layer.claim("2", LEASE, Wants::Option).await {
            Ok(Claim::Won(_)) => break,
            Ok(other) => panic!("{other:?}"),
            Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
        }
    }
}

#[tokio::test]
async fn full_from_the_start() {
    let server = RedisServer::start_with(&["--maxmemory", "1"]);
    let layer = layer(&server);
    assert!(layer.claim("1", LEASE, Wants::Option).await.is_err());
    assert_eq!(layer.get("1").await.ok(), Some(None));
}

#[tokio::test]
async fn scripts_are_forgotten() {
    let server = RedisServer::start();
    let layer = layer(&server);
    load(&layer, "1", "one", &[]).await;
    server.admin(&["SCRIPT", "FLUSH"]);
    let lease = win(&layer, "2").await;
    server.admin(&["SCRIPT", "FLUSH"]);
    assert!(layer.store("2", &lease, stored("two", &[])).await.expect("an answer"));
    server.admin(&["SCRIPT", "FLUSH"]);
    layer.put("3", stored("three", &[])).await.expect("an answer");
    server.admin(&["SCRIPT", "FLUSH"]);
    assert_eq!(layer.invalidate(&Target::Key("2".to_owned())).await.ok(), Some(1));
    assert_eq!(value(&layer, "3").await.as_deref(), Some("three"));
}

#[tokio::test]
async fn another_type_under_every_key_of_ours() {
    let server = RedisServer::start();
    let redis = handle(&server);
    let layer: Arc<dyn Remote> = Layer::new(&redis, "users", |_| true);
    for key in ["v:1", "l:1", "epoch", "fence", "g:t"] {
        server.admin(&["DEL", &format!("{PREFIX}{key}")]);
        server.admin(&["LPUSH", &format!("{PREFIX}{key}"), "foreign"]);
    }
    assert_eq!(layer.get("1").await.expect("nothing"), None);
    assert_eq!(redis.stats().foreign, 1);
    load(&layer, "1", "one", &["t"]).await;
    assert_eq!(value(&layer, "1").await.as_deref(), Some("one"));
    layer.invalidate(&Target::Tag("t".to_owned())).await.expect("an answer");
    assert_eq!(value(&layer, "1").await, None);
    server.admin(&["DEL", "{test:users}:epoch"]);
    server.admin(&["LPUSH", "{test:users}:epoch", "foreign"]);
    layer.put("1", stored("put", &["t"])).await.expect("an answer");
    assert_eq!(value(&layer, "1").await.as_deref(), Some("put"));
}

#[tokio::test]
async fn bytes_that_are_not_ours() {
    let server = RedisServer::start();
    let redis = Redis::builder(server.address())
        .namespace("test")
        .timeout(PATIENCE)
        .max_value_bytes(1000)
        .build()
        .expect("settings that work");
    let layer: Arc<dyn Remote> = Layer::new(&redis, "users", |_| true);
    load(&layer, "good", "value", &["tag"]).await;
    let good: Vec<u8> =
        redis::from_redis_value(server.admin(&["GET", "{test:users}:v:good"])).expect("bytes");
    let mut cases = vec![b"{\"a\":1}".to_vec(), vec![0], vec![b'x'; 100_000], good[..30].to_vec()];
    // Every header with one byte gone, and one with a length that is not there.
    cases.extend((0..45).map(|end| good[..end].to_vec()));
    let mut lies = good.clone();
    lies[37] = 255;
    cases.push(lies);
    let mut not_text = good.clone();
    not_text[40] = 0xff;
    cases.push(not_text);
    for bytes in cases {
        let mut connection = server.connection();
        redis::cmd("SET")
            .arg("{test:users}:v:1")
            .arg(&bytes)
            .exec(&mut connection)
            .expect("an answer");
        assert_eq!(layer.get("1").await.expect("nothing"), None, "{bytes:?}");
        let lease = win(&layer, "1").await;
        assert!(layer.store("1", &lease, stored("new", &[])).await.expect("an answer"));
        assert_eq!(value(&layer, "1").await.as_deref(), Some("new"), "{bytes:?}");
    }
}

#[tokio::test]
async fn a_value_that_is_too_large_is_not_kept_and_ends_its_lease() {
    let server = RedisServer::start();
    let redis = Redis::builder(server.address())
        .namespace("test")
        .timeout(PATIENCE)
        .max_value_bytes(10)
        .build()
        .expect("settings that work");
    let layer: Arc<dyn Remote> = Layer::new(&redis, "users", |_| true);
    let lease = win(&layer, "1").await;
    let large = "x".repeat(11);
    assert!(layer.store("1", &lease, stored(&large, &[])).await.is_err());
    load(&layer, "1", "small", &[]).await;
    assert!(layer.put("1", stored(&large, &[])).await.is_err());
    assert_eq!(value(&layer, "1").await, None, "the small one is old");
}

#[tokio::test]
async fn an_invalidation_that_redis_missed_is_made_up_for_before_anything_is_read() {
    for target in [
        Target::Key("user:1".to_owned()),
        Target::Prefix("user:".to_owned()),
        Target::Tag("t".to_owned()),
        Target::All,
    ] {
        let server = RedisServer::start();
        let redis = impatient(&server);
        let (layer, other) =
            (Layer::new(&redis, "users", |_| true) as Arc<dyn Remote>, layer(&server));
        load(&layer, "user:1", "old", &["t"]).await;
        let heard = Ears::of(&other).await;
        server.pause();
        assert!(layer.invalidate(&target).await.is_err());
        given_up(&redis, &layer).await;
        server.resume();
        // It errs until it can tell that there is nothing: it never finds the old value.
        let mut answer = layer.get("user:1").await;
        while answer.is_err() {
            tokio::time::sleep(Duration::from_millis(1)).await;
            answer = layer.get("user:1").await;
        }
        assert_eq!(answer.ok(), Some(None), "{target:?}");
        heard.until("message", |heard| heard.contains(&Heard::Invalidated(target.clone()))).await;
        recovered(&redis, &layer, "user:2").await;
    }
}

#[tokio::test]
async fn an_invalidation_whose_caller_went_away_is_made_up_for() {
    let server = RedisServer::start();
    let redis = handle(&server);
    let layer: Arc<dyn Remote> = Layer::new(&redis, "users", |_| true);
    load(&layer, "1", "old", &[]).await;
    server.pause();
    let target = Target::Key("1".to_owned());
    let given_up = tokio::time::timeout(Duration::from_millis(20), layer.invalidate(&target)).await;
    assert!(given_up.is_err());
    server.resume();
    let mut answer = layer.get("1").await;
    while answer.is_err() {
        tokio::time::sleep(Duration::from_millis(1)).await;
        answer = layer.get("1").await;
    }
    assert_eq!(answer.ok(), Some(None));
}

#[tokio::test]
async fn a_call_whose_caller_went_away_does_not_block_recovery() {
    let mut server = RedisServer::absent(&[]);
    let redis = impatient(&server);
    let layer: Arc<dyn Remote> = Layer::new(&redis, "users", |_| true);
    given_up(&redis, &layer).await;
    server.run();
    server.pause();
    tokio::time::sleep(Duration::from_millis(30)).await;
    // The probe, dropped before it ends.
    let probe = tokio::time::timeout(Duration::from_millis(5), layer.get("1")).await;
    assert!(probe.is_err());
    server.resume();
    recovered(&redis, &layer, "1").await;
}

#[test]
fn a_runtime_that_ends_takes_nothing_with_it() {
    let server = RedisServer::start();
    let redis = handle(&server);
    let layer: Arc<dyn Remote> = Layer::new(&redis, "users", |_| true);
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime().expect("a runtime").block_on(async {
        load(&layer, "1", "one", &[]).await;
        Ears::of(&layer).await;
    });
    runtime().expect("a runtime").block_on(async {
        // The first call may find out that the connection has gone.
        let mut answer = layer.get("1").await;
        for _ in 0..3 {
            if answer.is_ok() {
                break;
            }
            answer = layer.get("1").await;
        }
        assert!(answer.expect("an answer").is_some());
        until("subscription", || redis.stats().subscriptions == 2).await;
    });
}

#[tokio::test]
async fn no_more_is_read_than_an_entry_can_have() {
    const FOREIGN_BYTES: usize = 4 << 20;
    let server = RedisServer::start();
    let redis = Redis::builder(server.address())
        .namespace("test")
        .timeout(PATIENCE)
        .max_value_bytes(1000)
        .build()
        .expect("settings that work");
    let layer: Arc<dyn Remote> = Layer::new(&redis, "users", |_| true);
    server.admin(&["SET", "{test:users}:v:1", &"x".repeat(FOREIGN_BYTES)]);
    assert_eq!(layer.get("1").await.expect("nothing"), None);
    win(&layer, "1").await;
    let stats = server.admin_text(&["INFO", "stats"]);
    let sent = stats.lines().find_map(|line| line.strip_prefix("total_net_output_bytes:"));
    let sent: usize = sent.expect("a number").trim().parse().expect("a number");
    assert!(sent < FOREIGN_BYTES / 2, "{sent} bytes");
}

/// A way to Redis whose connections can be made to lead nowhere, without being closed.
struct Way {
    address: String,
    lost: tokio::sync::watch::Sender<u32>,
}

impl Way {
    async fn to(server: &RedisServer) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = format!("redis://{}", listener.local_addr().expect("an address"));
        let target = server.address().trim_start_matches("redis://").to_owned();
        let (lost, seen) = tokio::sync::watch::channel(0);
        tokio::spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                let mut far = tokio::net::TcpStream::connect(&target).await.expect("a server");
                let mut seen = seen.clone();
                let since = *seen.borrow();
                tokio::spawn(async move {
                    let mute = seen.wait_for(|&lost| lost > since);
                    let both = tokio::io::copy_bidirectional(&mut near, &mut far);
                    let _ = futures_util::future::select(Box::pin(mute), Box::pin(both)).await;
                    // Neither side is told.
                    std::future::pending::<()>().await;
                });
            }
        });
        Self { address, lost }
    }

    /// What is sent on the connections of now is never answered; new ones work.
    fn lose_all(&self) {
        self.lost.send_modify(|lost| *lost += 1);
    }
}

#[tokio::test]
async fn a_connection_that_leads_nowhere_is_given_up_for_a_new_one() {
    let server = RedisServer::start();
    let way = Way::to(&server).await;
    let redis = Redis::builder(&way.address)
        .namespace("test")
        .timeout(Duration::from_millis(100))
        .connect_timeout(Duration::from_millis(500))
        .retry_after(Duration::from_millis(20))
        .ping_every(Duration::from_millis(50))
        .build()
        .expect("settings that work");
    let layer: Arc<dyn Remote> = Layer::new(&redis, "users", |_| true);
    let heard = Ears::of(&layer).await;
    while layer.get("1").await.is_err() {}
    let before = redis.stats();
    way.lose_all();
    while redis.stats().outages == before.outages {
        let _ = layer.get("1").await;
    }
    recovered(&redis, &layer, "1").await;
    assert!(redis.stats().connections > before.connections);
    heard.until("gap", |heard| heard.contains(&Heard::Gap)).await;
}
