//! `#[cached]`: which functions it goes on, what is in their keys, what is kept.

use std::borrow::Cow;
use std::fmt::Display;
use std::io;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use proofload_kit::{Cache, Registry, Ttl, cached};

/// How often a body ran.
#[derive(Debug)]
struct Runs(AtomicU32);

impl Runs {
    const fn new() -> Self {
        Self(AtomicU32::new(0))
    }

    fn count(&self) -> u32 {
        self.0.fetch_add(1, Ordering::SeqCst) + 1
    }

    fn get(&self) -> u32 {
        self.0.load(Ordering::SeqCst)
    }
}

#[tokio::test]
async fn a_value_is_made_once_for_each_key() {
    static RUNS: Runs = Runs::new();

    #[cached(ttl = 300)]
    async fn name(id: u64, lang: &str) -> String {
        RUNS.count();
        format!("{id} in {lang}")
    }

    for _ in 0..3 {
        assert_eq!(name(1, "en").await, "1 in en");
        assert_eq!(name(1, "de").await, "1 in de");
        assert_eq!(name(11, "en").await, "11 in en");
    }
    assert_eq!(RUNS.get(), 3);
}

#[test]
fn synchronous_functions_are_cached_too() {
    static RUNS: Runs = Runs::new();

    #[cached(ttl = "5m")]
    fn area(width: f64, height: f64) -> f64 {
        RUNS.count();
        width * height
    }

    assert_eq!([area(2.0, 3.0), area(2.0, 3.0), area(3.0, 2.0)], [6.0; 3]);
    assert_eq!(RUNS.get(), 2);
}

#[tokio::test]
async fn parts_of_keys_cannot_run_into_each_other() {
    #[cached(ttl = 300)]
    async fn joined(a: &str, b: &str) -> String {
        format!("{a}|{b}")
    }

    assert_eq!(joined("a:b", "c").await, "a:b|c");
    assert_eq!(joined("a", "b:c").await, "a|b:c");
    assert_eq!(joined("a%3Ab", "c").await, "a%3Ab|c");
}

#[tokio::test]
async fn errors_are_not_kept() {
    static RUNS: Runs = Runs::new();
    type Answer<T> = Result<T, String>;

    #[cached(ttl = 300)]
    async fn second_time_lucky(id: u64) -> Answer<u64> {
        if RUNS.count() == 1 { Err("not yet".to_owned()) } else { Ok(id) }
    }

    assert_eq!(second_time_lucky(5).await, Err("not yet".to_owned()));
    assert_eq!(second_time_lucky(5).await, Ok(5));
    assert_eq!(second_time_lucky(5).await, Ok(5));
    assert_eq!(RUNS.get(), 2);
}

/// One of an `io::Error` for another caller.
fn another(error: Arc<io::Error>) -> io::Error {
    io::Error::new(error.kind(), error)
}

#[tokio::test(start_paused = true)]
async fn absence_is_kept_only_when_told() {
    static RUNS: Runs = Runs::new();
    static FORGETFUL: Runs = Runs::new();

    #[cached(ttl = 300, negative_ttl = 10, map_error = another)]
    async fn remembers(id: u64) -> io::Result<Option<u64>> {
        RUNS.count();
        Ok(Some(id).filter(|id| *id > 0))
    }

    #[cached(ttl = 300)]
    async fn forgets(id: u64) -> Option<u64> {
        FORGETFUL.count();
        Some(id).filter(|id| *id > 0)
    }

    for _ in 0..3 {
        assert_eq!(remembers(0).await.unwrap(), None);
        assert_eq!(remembers(1).await.unwrap(), Some(1));
        assert_eq!(forgets(0).await, None);
        assert_eq!(forgets(1).await, Some(1));
    }
    assert_eq!((RUNS.get(), FORGETFUL.get()), (2, 4));
    tokio::time::advance(Duration::from_secs(11)).await;
    assert_eq!(remembers(0).await.unwrap(), None);
    assert_eq!(remembers(1).await.unwrap(), Some(1));
    assert_eq!(RUNS.get(), 3);
}

#[tokio::test(start_paused = true)]
async fn values_are_kept_for_their_time() {
    static RUNS: Runs = Runs::new();
    const LIFE: Duration = Duration::from_secs(60);

    #[cached(ttl = LIFE, jitter = 0.5)]
    async fn run() -> u32 {
        RUNS.count()
    }

    assert_eq!(run().await, 1);
    tokio::time::advance(LIFE / 2 - Duration::from_millis(1)).await;
    assert_eq!(run().await, 1);
    tokio::time::advance(LIFE / 2 + Duration::from_millis(2)).await;
    assert_eq!(run().await, 2);
}

#[tokio::test]
async fn keys_are_made_of_what_is_chosen() {
    #[derive(Debug)]
    struct Pool;
    struct User {
        id: u64,
    }
    static RUNS: Runs = Runs::new();

    #[cached(ttl = 300, key_prefix = "chosen_skip", skip(pool))]
    async fn skipping(pool: &Pool, id: u64) -> u32 {
        let _ = (pool, id);
        RUNS.count()
    }

    #[cached(ttl = 300, key_prefix = "chosen_list", key(user.id, lang))]
    async fn listing(pool: &mut Pool, user: &User, lang: impl Display) -> u32 {
        let _ = (pool, user, lang);
        RUNS.count()
    }

    #[cached(ttl = 300, key_prefix = "chosen_template", key = "{id}/{name}")]
    async fn template((id, name): (u64, &str), mut extra: u64) -> u32 {
        extra += RUNS.count() as u64;
        let _ = (id, name);
        extra as u32
    }

    assert_eq!(
        [skipping(&Pool, 1).await, skipping(&Pool, 1).await, skipping(&Pool, 2).await],
        [1, 1, 2]
    );
    let (one, two) = (User { id: 1 }, User { id: 2 });
    let mut pool = Pool;
    assert_eq!(listing(&mut pool, &one, "en").await, 3);
    assert_eq!(
        listing(&mut pool, &one, String::from("en")).await,
        4,
        "another type has another cache"
    );
    assert_eq!(listing(&mut pool, &one, "en").await, 3);
    assert_eq!(listing(&mut pool, &two, "en").await, 5);
    assert_eq!(template((1, "x"), 10).await, 16);
    assert_eq!(template((1, "x"), 20).await, 16);

    let global = Registry::global();
    assert_eq!(global.invalidate("chosen_skip:2").await, 1);
    assert_eq!(global.invalidate("chosen_list:1:en").await, 2);
    assert_eq!(global.invalidate("chosen_template:1/x").await, 1);
}

static USERS: LazyLock<Cache<String>> = LazyLock::new(|| {
    Cache::builder("cached_users", Ttl::DATA).registry(Registry::global()).build().unwrap()
});

#[tokio::test]
async fn a_cache_can_be_given() {
    #[cached(cache = USERS, key_prefix = "user")]
    async fn find(id: u64) -> Result<String, &'static str> {
        if id == 0 { Err("nobody") } else { Ok(format!("user {id}")) }
    }

    #[cached(cache = *USERS, key = "email:{email}")]
    fn find_by_email(email: &str) -> Option<String> {
        Some(format!("user of {email}"))
    }

    assert_eq!(find(7).await.unwrap(), "user 7");
    assert_eq!(find(0).await, Err("nobody"));
    assert_eq!(find_by_email("a@b").unwrap(), "user of a@b");
    assert_eq!(USERS.get("user:7").unwrap(), "user 7");
    assert_eq!(USERS.get("email:a@b").unwrap(), "user of a@b");
}

struct Users {
    tenant: u64,
    cache: Cache<Cow<'static, str>>,
    runs: Runs,
}

/// A doc comment stays where it is.
impl Users {
    #[cached(ttl = 300, key_prefix = "users_of_tenant", key(self.tenant, id))]
    pub async fn find(&self, id: u64) -> Result<Cow<'static, str>, Arc<io::Error>> {
        self.runs.count();
        Ok(Cow::Owned(format!("{id} of {}", self.tenant)))
    }

    #[cached(cache = self.cache, skip(self))]
    async fn kept_by_self(&self, id: u64) -> Cow<'static, str> {
        self.runs.count();
        id.to_string().into()
    }

    #[cached(ttl = 300, skip(self))]
    fn compute(&mut self, id: u64) -> Option<u32> {
        self.tenant += id;
        Some(self.runs.count())
    }

    #[cached(ttl = 300, key(self.tenant))]
    async fn by_pointer(self: Arc<Self>) -> u32 {
        self.runs.count()
    }

    #[cached(ttl = 300)]
    async fn associated(id: u64) -> Self {
        Self { tenant: id, ..Self::new(0) }
    }

    fn new(tenant: u64) -> Self {
        let cache = Cache::builder("users_of_self", Ttl::DATA).build().unwrap();
        Self { tenant, cache, runs: Runs::new() }
    }
}

impl Clone for Users {
    fn clone(&self) -> Self {
        Self { cache: self.cache.clone(), ..Self::new(self.tenant) }
    }
}

#[tokio::test]
async fn methods_are_cached() {
    let (one, two) = (Users::new(1), Users::new(2));
    for _ in 0..2 {
        assert_eq!(one.find(7).await.unwrap(), "7 of 1");
        assert_eq!(two.find(7).await.unwrap(), "7 of 2");
    }
    assert_eq!((one.runs.get(), two.runs.get()), (1, 1));

    for _ in 0..2 {
        assert_eq!(one.kept_by_self(7).await, "7");
        assert_eq!(two.kept_by_self(7).await, "7");
    }
    assert_eq!((one.runs.get(), two.runs.get()), (2, 2));
    assert_eq!(one.cache.get("7").as_deref(), Some("7"));

    let mut three = Users::new(3);
    assert_eq!([three.compute(1), three.compute(1)], [Some(1); 2]);
    assert_eq!(three.tenant, 4);
    let three = Arc::new(three);
    assert_eq!(Arc::clone(&three).by_pointer().await, 2);
    assert_eq!(three.by_pointer().await, 2);
    assert_eq!(Users::associated(9).await.tenant, 9);
}

trait Source {
    fn load(&self, id: u64) -> impl Future<Output = u64> + Send;
}

struct Doubling;

impl Source for Doubling {
    #[cached(ttl = 300, skip(self))]
    async fn load(&self, id: u64) -> u64 {
        2 * id
    }
}

struct Generic<T>(std::marker::PhantomData<T>);

impl<T: Default + Display + Send + Sync> Generic<T> {
    #[cached(ttl = 300, key_prefix = "generic_default")]
    async fn default_of(id: u64) -> String {
        format!("{id} {:?}", T::default().to_string())
    }

    #[cached(ttl = 300, key_prefix = "generic_converted")]
    async fn converted<U>(id: u64) -> Result<U, String>
    where
        U: From<u8> + Clone + Send + Sync + 'static,
        T: 'static,
    {
        let _ = id;
        Ok(U::from(T::default().to_string().len() as u8))
    }
}

#[tokio::test]
async fn generic_functions_have_a_cache_for_each_type() {
    assert_eq!(Doubling.load(4).await, 8);
    for _ in 0..2 {
        assert_eq!(Generic::<u8>::default_of(1).await, "1 \"0\"");
        assert_eq!(Generic::<String>::default_of(1).await, "1 \"\"");
        assert_eq!(Generic::<bool>::default_of(1).await, "1 \"false\"");
        assert_eq!(Generic::<bool>::converted::<u32>(1).await, Ok(5));
        assert_eq!(Generic::<bool>::converted::<u64>(1).await, Ok(5));
        assert_eq!(Generic::<u8>::converted::<u64>(1).await, Ok(1));
    }
    assert_eq!(Registry::global().invalidate_prefix("generic_default:").await, 3);
    assert_eq!(Registry::global().invalidate_prefix("generic_converted:").await, 3);
}

#[tokio::test]
async fn what_stands_in_a_function_still_works() {
    trait Shape: Send + Sync {
        fn sides(&self) -> u32;
    }
    struct Square;
    impl Shape for Square {
        fn sides(&self) -> u32 {
            4
        }
    }

    /// With a documentation and lints of its own.
    #[cached(ttl = 300, tags("shapes"))]
    #[expect(clippy::too_many_arguments, reason = "it has too many")]
    async fn shape(
        _a: u8,
        _b: u8,
        _c: u8,
        _d: u8,
        _e: u8,
        _f: u8,
        _g: u8,
        name: &str,
    ) -> Result<Arc<dyn Shape>, Arc<dyn std::error::Error + Send + Sync>> {
        // `?` converts, `return` returns, and the value is coerced.
        let sides: u32 =
            name.parse().map_err(|error: std::num::ParseIntError| Arc::new(error) as Arc<_>)?;
        if sides != 4 {
            return Err(Arc::new(io::Error::other("not a square")));
        }
        Ok(Arc::new(Square))
    }

    #[cached(ttl = 300)]
    fn parsed(text: &str) -> Result<u32, String> {
        let answer = text.trim().parse::<u32>().map_err(|error| error.to_string())?;
        let (own, cache, shape, missing, writer) = (answer, 0, 0, 0, 0);
        Ok(own + cache + shape + missing + writer)
    }

    let of = |name| shape(0, 0, 0, 0, 0, 0, 0, name);
    assert_eq!(of("4").await.unwrap().sides(), 4);
    assert_eq!(of("5").await.err().unwrap().to_string(), "not a square");
    assert!(of("x").await.is_err());
    assert_eq!(parsed(" 5 "), Ok(5));
    assert!(parsed("x").is_err());
    assert_eq!(Registry::global().invalidate_tag("shapes").await, 1);
}

#[tokio::test]
async fn names_that_are_taken_get_their_function() {
    #[cached(ttl = 300, key_prefix = "taken_name")]
    async fn one() -> u8 {
        1
    }

    #[cached(ttl = 300, key_prefix = "taken_name")]
    async fn two() -> u8 {
        2
    }

    assert_eq!((one().await, two().await), (1, 2));
    let shown = format!("{:?}", Registry::global());
    assert!(shown.contains("\"taken_name\""), "{shown}");
    assert!(shown.contains("::two)\""), "{shown}");
    assert_eq!(Registry::global().invalidate_prefix("taken_name:").await, 2);
}

#[test]
fn a_hit_allocates_nothing() {
    use futures_util::FutureExt as _;

    #[cached(ttl = 300, key(id, lang))]
    async fn asynchronous(id: u64, lang: &str) -> Result<Arc<str>, String> {
        Ok(format!("{id} {lang}").into())
    }

    #[cached(ttl = 300)]
    fn synchronous(id: u64, lang: &str) -> Arc<str> {
        format!("{id} {lang}").into()
    }

    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let made = (runtime.block_on(asynchronous(7, "en")).unwrap(), synchronous(7, "en"));
    let _ = synchronous(7, "en");
    let mut found = None;
    let allocations = allocation_counter::measure(|| {
        found = asynchronous(7, "en")
            .now_or_never()
            .map(|found| (found.unwrap(), synchronous(7, "en")));
    });
    assert_eq!(found, Some(made));
    assert_eq!(allocations.count_total, 0);
}
