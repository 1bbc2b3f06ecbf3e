//! The attributes and the response cache on a cache that processes share: what one process answered or
//! changed is what the others see.

use std::sync::LazyLock;

use axum::body::Body;
use axum::http::{Request, Response};
use http_body_util::BodyExt as _;
use proofload_kit::response::ResponseCacheLayer;
use proofload_kit::{Cache, Redis, Registry, Ttl, cache_invalidate, cached};
use redis::AsyncCommands as _;
use tower::{Layer as _, ServiceExt as _, service_fn};

use super::child::{Child, address, connect, loads};
use super::until;
use crate::servers::redis_server::RedisServer;

/// Of a process of the tests.
static REDIS: LazyLock<Redis> = LazyLock::new(|| {
    let redis = Redis::builder(address().expect("a child")).namespace("test");
    redis.timeout(super::PATIENCE).build().expect("settings that work")
});

static NAMES: LazyLock<Cache<String>> = LazyLock::new(|| {
    let names = Cache::builder("names", Ttl::hours(1)).registry(Registry::global());
    names.redis(&REDIS, Ttl::hours(2)).build().expect("settings that work")
});

static PAGES: LazyLock<ResponseCacheLayer> = LazyLock::new(|| {
    let pages = ResponseCacheLayer::builder("pages", Ttl::hours(1));
    let pages = pages.cache(|cache| cache.redis(&REDIS, Ttl::hours(2)));
    pages.writes_invalidate(true).build().expect("settings that work")
});

async fn source() -> redis::aio::MultiplexedConnection {
    connect(address().expect("a child")).await
}

#[cached(cache = NAMES, key_prefix = "name", tags("names"))]
async fn name(id: u64) -> Result<Option<String>, String> {
    let mut source = source().await;
    source.incr::<_, _, u64>("loads:name", 1).await.map_err(|error| error.to_string())?;
    source.get(format!("source:{id}")).await.map_err(|error| error.to_string())
}

async fn write(id: u64, name: &str) -> Result<(), String> {
    let written = source().await.set::<_, _, ()>(format!("source:{id}"), name).await;
    written.map_err(|error| error.to_string())
}

#[cache_invalidate("name:{id}")]
async fn rename(id: u64, to: &str) -> Result<(), String> {
    write(id, to).await
}

#[cache_invalidate("name:")]
async fn rename_by_prefix(id: u64, to: &str) -> Result<(), String> {
    write(id, to).await
}

#[cache_invalidate(tag = "names", cache = NAMES)]
async fn rename_by_tag(id: u64, to: &str) -> Result<(), String> {
    write(id, to).await
}

/// A synchronous writer: the shared layer follows by a task.
#[cache_invalidate(pattern = "na*:{id}")]
fn announce(id: u64) {}

/// What a child does for its parent.
pub(super) async fn obey(words: &[&str]) -> Option<String> {
    let answer = match *words {
        ["name", id] => name(number(id)).await.expect("no error").unwrap_or_else(|| "-".to_owned()),
        ["rename", how, id, to] => {
            match how {
                "key" => rename(number(id), to).await,
                "prefix" => rename_by_prefix(number(id), to).await,
                "tag" => rename_by_tag(number(id), to).await,
                _ => {
                    write(number(id), to).await.expect("no error");
                    announce(number(id));
                    Ok(())
                }
            }
            .expect("no error");
            "renamed".to_owned()
        }
        ["ask", method, path] => ask(method, path).await,
        _ => return None,
    };
    Some(answer)
}

fn number(text: &str) -> u64 {
    text.parse().expect("a number")
}

/// How a service with the layer answers: its cache's word, and the body.
async fn ask(method: &str, path: &str) -> String {
    let service = service_fn(|_: Request<Body>| async {
        let answers: u64 = source().await.incr("loads:answers", 1).await.expect("a number");
        Ok::<_, std::convert::Infallible>(Response::new(Body::from(format!("answer {answers} ü"))))
    });
    let request = Request::builder().method(method).uri(path).body(Body::empty()).expect("right");
    let Ok(response) = PAGES.layer(service).oneshot(request).await;
    let outcome = response.headers().get("x-cache").map_or("-", |it| it.to_str().expect("text"));
    let outcome = outcome.to_owned();
    let body = response.into_body().collect().await.expect("a body").to_bytes();
    format!("{outcome} {}", String::from_utf8_lossy(&body))
}

#[test]
fn what_a_function_answered_in_one_process_is_its_answer_in_all() {
    let server = RedisServer::start();
    let (mut one, mut other) = (Child::start(&server), Child::start(&server));
    server.admin(&["SET", "source:7", "Ada"]);
    assert_eq!(one.ask("name 7"), "Ada");
    for how in ["key", "prefix", "tag", "sync"] {
        // By one of them, then by the other, which had its answer of Redis.
        for (round, to) in [format!("Bea {how}"), format!("Cleo {how}")].iter().enumerate() {
            let to = to.replace(' ', "-");
            let (writer, reader) =
                if round == 0 { (&mut one, &mut other) } else { (&mut other, &mut one) };
            writer.ask(&format!("rename {how} 7 {to}"));
            // The reader hears of it a moment later; after the synchronous one the writer does, too.
            until("new name", || reader.ask("name 7") == to);
            until("new name", || writer.ask("name 7") == to);
        }
    }
    for child in [&mut one, &mut other] {
        until("subscription", || child.ask("subscriptions") == "1");
    }
    let before = loads(&server, "name");
    one.ask("rename key 7 Dora");
    until("new name", || other.ask("name 7") == "Dora");
    assert_eq!(one.ask("name 7"), "Dora");
    assert_eq!(other.ask("name 7"), "Dora");
    assert_eq!(loads(&server, "name"), before + 1, "one loaded for both");
}

#[test]
fn what_a_service_answered_in_one_process_is_a_hit_in_all() {
    let server = RedisServer::start();
    let (mut one, mut other) = (Child::start(&server), Child::start(&server));
    assert_eq!(one.ask("ask GET /pages/1"), "MISS answer 1 ü");
    // With the subscription, memory forgets what it had before.
    assert_eq!(one.ask("ask GET /pages/1"), "HIT answer 1 ü");
    assert_eq!(other.ask("ask GET /pages/1"), "HIT answer 1 ü", "from Redis");
    assert_eq!(other.ask("ask GET /pages/1"), "HIT answer 1 ü", "from memory");
    assert_eq!(other.ask("ask GET /pages/2"), "MISS answer 2 ü");
    assert_eq!(one.ask("ask GET /pages/2"), "HIT answer 2 ü");
    // A write through one of them.
    assert!(other.ask("ask PUT /pages/1").ends_with("answer 3 ü"));
    until("new answer", || one.ask("ask GET /pages/1").ends_with("answer 4 ü"));
    assert_eq!(one.ask("ask GET /pages/1"), "HIT answer 4 ü");
    assert_eq!(other.ask("ask GET /pages/1"), "HIT answer 4 ü");
    assert_eq!(loads(&server, "answers"), 4);
}
