//! What is shown of a Redis.

use super::*;
use crate::Registry;
use crate::registry::Value;

/// The one sample of a metric with all of these labels.
fn sample(registry: &Registry, metric: &str, labels: &[(&str, &str)]) -> f64 {
    let families = registry.families();
    let (_, family) = families.iter().find(|&(name, _)| name == metric).expect("the metric");
    assert!(!family.help.is_empty());
    let mut found = family.samples.iter().filter(|sample| {
        labels
            .iter()
            .all(|label| sample.labels.iter().any(|(name, value)| (*name, &**value) == *label))
    });
    let sample = found.next().expect("a sample");
    assert!(found.next().is_none(), "{metric} has several samples");
    match &sample.value {
        Value::Counter(value) | Value::Gauge(value) => *value,
        Value::Histogram { buckets, .. } => buckets.iter().map(|&(_, count)| count as f64).sum(),
    }
}

#[tokio::test]
async fn outages_are_counted_and_measured() {
    let mut server = RedisServer::start();
    let registry = Registry::new();
    let redis = Redis::builder(server.address())
        .name("sessions")
        .namespace("test")
        .timeout(Duration::from_millis(200))
        .retry_after(Duration::from_millis(10))
        .registry(&registry)
        .build()
        .expect("settings that work");
    let layer: Arc<dyn Remote> = Layer::new(&redis, "users", |_| true);
    let own = [("redis", "sessions")];
    let shown = |metric: &str| sample(&registry, metric, &own);
    while layer.get("1").await.is_err() {}
    assert_eq!(shown("cache_redis_available"), 1.0);
    assert_eq!(shown("cache_redis_outages"), redis.stats().recoveries as f64);
    let outages = shown("cache_redis_outages");

    server.kill();
    while shown("cache_redis_available") == 1.0 {
        let _ = layer.get("1").await;
    }
    assert_eq!(shown("cache_redis_outages"), outages + 1.0);
    assert_eq!(shown("cache_redis_recoveries"), outages);
    let broken =
        sample(&registry, "cache_redis_failures", &[("redis", "sessions"), ("kind", "broken")]);
    let timeouts =
        sample(&registry, "cache_redis_failures", &[("redis", "sessions"), ("kind", "timeout")]);
    assert!(broken + timeouts >= 3.0, "{broken} {timeouts}");

    tokio::time::sleep(Duration::from_millis(50)).await;
    server.run();
    while layer.get("1").await.is_err() {}
    assert_eq!(shown("cache_redis_available"), 1.0);
    assert_eq!(shown("cache_redis_recoveries"), outages + 1.0);
    let last = shown("cache_redis_last_outage_seconds");
    assert!(last >= 0.05, "{last} s");
    assert!(shown("cache_redis_outage_seconds") >= last);
    assert!(shown("cache_redis_answer_seconds") >= 5.0);
    drop((layer, redis));
    assert!(registry.parts().is_empty(), "it is gone with its last handle");
}
