//! `#[cache_invalidate]`: what goes, and when.

use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt as _;
use proofload_kit::{Cache, Registry, Ttl, cache_invalidate, cached};

/// A registry with a cache that holds these keys.
async fn filled(keys: &[&'static str]) -> (Registry, Cache<&'static str>) {
    let registry = Registry::new();
    let cache = Cache::builder("filled", Ttl::DATA).registry(&registry).build().unwrap();
    for key in keys {
        cache.put(key, *key).await;
    }
    (registry, cache)
}

/// The keys of those that are left.
fn left(cache: &Cache<&'static str>, keys: &[&'static str]) -> Vec<&'static str> {
    keys.iter().filter_map(|key| cache.get(key)).collect()
}

#[tokio::test]
async fn the_two_attributes_meet_by_the_prefix() {
    #[cached(ttl = 300, key_prefix = "meeting_profile")]
    async fn get(user_id: u64) -> Result<std::time::Instant, Infallible> {
        Ok(std::time::Instant::now())
    }

    #[cache_invalidate("meeting_profile:")]
    async fn update(user_id: u64) -> Result<u64, Infallible> {
        Ok(user_id)
    }

    #[cache_invalidate("meeting_profile:{user_id}")]
    async fn update_one(user_id: u64) -> u64 {
        user_id
    }

    let (one, eleven) = (get(1).await, get(11).await);
    assert_eq!((get(1).await, get(11).await), (one, eleven));
    update_one(1).await;
    let newer = get(1).await;
    assert!(newer != one && get(11).await == eleven);
    update(1).await.unwrap();
    assert!(get(1).await != newer && get(11).await != eleven);
}

const KEYS: [&str; 5] = ["user:1", "user:1:profile", "user:11:profile", "user:2", "session:1"];

#[tokio::test]
async fn targets_take_away_what_they_name() {
    macro_rules! check {
        ($id:ident, $expect:expr, $($target:tt)+) => {{
            #[cache_invalidate($($target)+, registry = registry)]
            async fn change(registry: &Registry, $id: &str) {
                let _ = $id;
            }

            let (registry, cache) = filled(&KEYS).await;
            change(&registry, "1").await;
            let gone: Vec<_> = KEYS.into_iter().filter(|key| cache.get(key).is_none()).collect();
            assert_eq!(gone, $expect, "{}", stringify!($($target)+));
        }};
    }
    check!(id, ["user:1"], "user:{id}");
    check!(id, ["user:1:profile"], "user:{id}:");
    check!(id, ["user:1:profile", "user:11:profile"], "user:*:profile");
    check!(id, ["user:1", "user:2"], "user:?");
    check!(id, ["user:1", "user:1:profile", "user:11:profile"], prefix = "user:1");
    check!(id, ["user:1"], key = "user:1");
    check!(id, ["user:2", "session:1"], "user:2", "session:{id}");
    check!(id, KEYS, pattern = "*");
}

#[tokio::test]
async fn values_are_no_wildcards() {
    #[cache_invalidate("user:{id}:*", registry = registry)]
    async fn change(registry: &Registry, id: &str) {}

    let (registry, cache) = filled(&KEYS).await;
    change(&registry, "*").await;
    assert_eq!(left(&cache, &KEYS), KEYS);
    change(&registry, "1").await;
    assert_eq!(left(&cache, &KEYS), ["user:1", "user:11:profile", "user:2", "session:1"]);
}

#[tokio::test]
async fn tags_take_away_what_carries_them() {
    #[cached(ttl = 300, key_prefix = "tagged", tags("tagged_all", "tagged_author:{author}"))]
    async fn page(id: u64, author: &str) -> std::time::Instant {
        std::time::Instant::now()
    }

    #[cache_invalidate(tag = "tagged_author:{name}")]
    fn rename(name: &str) {}

    let (by_ada, by_bob) = (page(1, "Ada").await, page(2, "Bob").await);
    rename("Ada");
    assert!(page(1, "Ada").await != by_ada && page(2, "Bob").await == by_bob);
    assert_eq!(Registry::global().invalidate_tag("tagged_all").await, 2);
}

#[tokio::test]
async fn failures_change_nothing() {
    type Answer = Result<(), &'static str>;

    #[cache_invalidate("user:1", registry = registry)]
    async fn change(registry: &Registry, answer: Answer) -> Answer {
        answer?;
        Ok(())
    }

    #[cache_invalidate("user:2", registry = registry)]
    fn change_now(registry: &Registry, answer: Answer) -> Answer {
        answer?;
        Ok(())
    }

    let (registry, cache) = filled(&KEYS).await;
    assert!(
        change(&registry, Err("no")).await.is_err() && change_now(&registry, Err("no")).is_err()
    );
    assert_eq!(left(&cache, &KEYS), KEYS);
    assert!(change(&registry, Ok(())).await.is_ok() && change_now(&registry, Ok(())).is_ok());
    assert_eq!(left(&cache, &KEYS), ["user:1:profile", "user:11:profile", "session:1"]);
}

#[tokio::test]
async fn what_may_have_been_written_goes() {
    #[cache_invalidate("user:1", registry = registry)]
    async fn never_done(registry: &Registry) -> Result<(), ()> {
        std::future::pending().await
    }

    #[cache_invalidate("user:2", registry = registry)]
    async fn panicking(registry: &Registry) -> Result<(), ()> {
        panic!("after the write");
    }

    let (registry, cache) = filled(&KEYS).await;
    assert!(tokio::time::timeout(Duration::from_millis(1), never_done(&registry)).await.is_err());
    assert!(AssertUnwindSafe(panicking(&registry)).catch_unwind().await.is_err());
    assert_eq!(left(&cache, &KEYS), ["user:1:profile", "user:11:profile", "session:1"]);
}

#[tokio::test]
async fn before_is_before() {
    let (registry, cache) = filled(&KEYS).await;

    #[cache_invalidate("user:1", registry = registry, before = true)]
    async fn change(
        registry: &Registry,
        cache: &Cache<&'static str>,
    ) -> Result<Vec<&'static str>, ()> {
        Ok(left(cache, &["user:1", "user:2"]))
    }

    #[cache_invalidate("user:2", cache = cache, before)]
    fn change_now(cache: &Cache<&'static str>) -> usize {
        left(cache, &["user:2"]).len()
    }

    assert_eq!(change(&registry, &cache).await.unwrap(), ["user:2"]);
    assert_eq!(change_now(&cache), 0);
}

struct Users {
    cache: Cache<&'static str>,
    names: Vec<String>,
}

impl Users {
    #[cache_invalidate(key = "user:{id}", cache = self.cache)]
    async fn rename(&mut self, id: usize, name: String) -> Option<&mut String> {
        self.names.push(name);
        self.names.get_mut(id)
    }

    #[cache_invalidate("user:*", cache = self.cache)]
    fn first(&mut self, mut name: String) -> &mut String {
        name.push('!');
        self.names.insert(0, name);
        &mut self.names[0]
    }

    #[cache_invalidate("session:1", cache = self.cache)]
    fn each(&self) -> impl Iterator<Item = &String> {
        self.names.iter()
    }
}

#[tokio::test]
async fn methods_may_take_and_return_references() {
    let (_, cache) = filled(&KEYS).await;
    let mut users = Users { cache: cache.clone(), names: Vec::new() };
    *users.rename(0, "Ada".to_owned()).await.unwrap() = "Bob".to_owned();
    assert_eq!(users.rename(2, "Eve".to_owned()).await, None);
    assert_eq!(left(&cache, &KEYS), ["user:1", "user:1:profile", "user:11:profile", "session:1"]);
    assert_eq!(users.first("Zoe".to_owned()), "Zoe!");
    assert_eq!(left(&cache, &KEYS), ["session:1"]);
    assert_eq!(users.each().collect::<Vec<_>>(), ["Zoe!", "Bob", "Eve"]);
    assert_eq!(left(&cache, &KEYS), [""; 0]);
}
