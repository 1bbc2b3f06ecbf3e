//! The demo's data in a real PostgreSQL.

use std::time::Duration;

use proofload_testbed::demo::{Demo, DemoOptions, Knobs};
use proofload_testbed::servers::Postgres;
use serde_json::{Value, json};

use crate::client::connect;
use crate::demo_areas::{instant, metric, post, start};

fn with(server: &Postgres) -> DemoOptions {
    DemoOptions { postgres: Some(server.url()), ..instant() }
}

/// The names of the schemas that demos have made.
fn schemas(server: &Postgres) -> Vec<String> {
    server.ask("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'proofload%'")
}

#[test]
fn everything_stands_in_a_schema_of_its_own_and_is_gone_at_the_end() {
    let server = Postgres::start();
    let before = server.ask("SELECT count(*) FROM pg_class");
    let demo = start(with(&server));
    let [schema] = &schemas(&server)[..] else { panic!("{:?}", schemas(&server)) };
    let place = demo.database().unwrap();
    assert_eq!((&place.schema, &place.replica), (schema, &None));
    assert!(place.server.starts_with('/') && place.server.ends_with("/postgres"), "{place:?}");

    let addr = demo.addr();
    let mut client = connect(addr);
    // What the backend is asked is looked up there: it answers what it is told there.
    let told = format!("UPDATE {schema}.topics SET answer = 'Never.' WHERE topic = 'refund'");
    let _ = server.ask(&told);
    let answer = |client: &mut _, text: &str| {
        let answer = post(client, "/api/chat", &json!({"message": text}));
        answer.json()["response"].as_str().unwrap().to_owned()
    };
    assert_eq!(answer(&mut client, "When do I get my REFUND?"), "Never.");
    assert!(answer(&mut client, "O'Hara; -- \\").starts_with("You asked: \"o'hara; --"));
    let form = b"From=whatsapp%3A%2B1&Body=Urgent+wire";
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    let knobs = json!({"check_latency_ms": 1});
    post(&mut client, "/admin/knobs", &knobs);
    let checked = client.request("POST", "/webhook/whatsapp", &headers, form).text();
    assert!(checked.contains("2 warning signs"), "{checked}");
    let shown = client.request("GET", "/api/analytics/dashboard", &[], b"");
    assert_eq!(shown.status, 200);
    assert_eq!(metric(addr, "pool_created_total{pool=\"backend\"}"), 1.0);

    demo.stop();
    assert_eq!(schemas(&server), Vec::<String>::new());
    assert_eq!(server.ask("SELECT count(*) FROM pg_class"), before);
}

/// Of every page to the last: the identifiers, newest first.
fn all_ids(client: &mut crate::client::Client<std::net::TcpStream>, token: &str) -> Vec<u64> {
    let (mut ids, mut cursor) = (Vec::new(), Value::Null);
    loop {
        let from = cursor.as_u64().map(|id| format!("&cursor={id}")).unwrap_or_default();
        let path = format!("/api/messages?limit=50{from}");
        let page = client.request("GET", &path, &[("authorization", token)], b"").json();
        let found = page["messages"].as_array().unwrap();
        ids.extend(found.iter().map(|message| message["id"].as_u64().unwrap()));
        cursor = page["next_cursor"].clone();
        if page["has_more"] == false {
            return ids;
        }
    }
}

#[test]
fn messages_are_written_to_the_primary_read_from_the_replica_and_bounded() {
    let primary = Postgres::start();
    let replica = primary.replica();
    let demo = start(DemoOptions {
        postgres_replica: Some(replica.url()),
        seed_messages: 120,
        max_messages: 150,
        ..with(&primary)
    });
    let place = demo.database().unwrap();
    assert!(place.replica.is_some_and(|replica| replica != place.server));
    let addr = demo.addr();
    let mut client = connect(addr);
    let login = json!({"address": "0xabc", "signature": "0x"});
    let login = post(&mut client, "/api/auth/login", &login).json();
    let token = format!("Bearer {}", login["token"].as_str().unwrap());
    assert_eq!(all_ids(&mut client, &token), (1..=120).rev().collect::<Vec<_>>());
    let headers = [("content-type", "application/json"), ("authorization", token.as_str())];
    let draft = json!({"recipient": "0x01", "content": "hello"}).to_string();
    for id in 121..=300_u64 {
        let sent = client.request("POST", "/api/messages", &headers, draft.as_bytes());
        assert_eq!(sent.json()["id"], id);
    }
    let schema = &schemas(&primary)[0];
    let kept = primary.ask(&format!("SELECT min(id), max(id) FROM {schema}.messages"));
    assert_eq!(kept, ["151|300"]);
    assert_eq!(metric(addr, "messages_stored"), 150.0);
    let acquired = |pool: &str| metric(addr, &format!("pool_acquired_total{{pool=\"{pool}\"}}"));
    assert_eq!((acquired("messages"), acquired("messages-replica")), (180.0, 3.0));
    assert_eq!(replica.ask("SELECT pg_is_in_recovery()"), ["t"]);
    drop(demo);
    assert_eq!(schemas(&primary), Vec::<String>::new());
}

#[test]
fn a_slow_call_occupies_the_server() {
    let server = Postgres::start();
    let knobs = Knobs {
        miss_latency: Duration::from_secs(3600),
        connections: Some(2),
        connection_wait: Duration::from_millis(1),
        ..Knobs::instant()
    };
    let demo = start(DemoOptions { knobs, ..with(&server) });
    let ask = |text: &str| {
        let mut client = connect(demo.addr());
        let body = json!({"message": text}).to_string();
        let headers = [("content-type", "application/json")];
        client.send("POST", "/api/chat", &headers, body.as_bytes());
        client
    };
    let _served = [ask("one"), ask("two")];
    let asleep = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'";
    let deadline = std::time::Instant::now() + crate::client::PATIENCE;
    while server.ask(asleep) != ["2"] {
        assert!(std::time::Instant::now() < deadline, "never happened");
        std::thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(ask("three").answer("POST").unwrap().status, 503);
    // It does not wait an hour for them to end.
    demo.stop();
    assert_eq!(server.ask(asleep), ["0"]);
    assert_eq!(schemas(&server), Vec::<String>::new());
}

#[test]
fn a_demo_whose_postgres_cannot_be_used_does_not_start_and_says_why() {
    let server = Postgres::with(&["max_connections=30"]);
    let check = |options: DemoOptions, parts: &[&str]| {
        let error = Demo::start(options).unwrap_err().to_string();
        for part in parts {
            assert!(error.contains(part), "no {part:?} in {error}");
        }
        assert!(!error.contains(server.password()) && !error.contains("battery"), "{error}");
        assert_eq!(schemas(&server), Vec::<String>::new());
    };
    let at = |address: &str| DemoOptions { postgres: Some(address.to_owned()), ..instant() };
    let none = at("postgres://somebody:battery@127.0.0.1:1/shop");
    check(none, &["PostgreSQL at 127.0.0.1:1/shop cannot be used", "is it up"]);
    check(at(&server.url_with("battery")), &["password authentication failed", "pg_hba.conf"]);
    let unknown = format!("{}nowhere", server.url().trim_end_matches("postgres"));
    check(at(&unknown), &["database \"nowhere\" does not exist", "createdb"]);
    check(at("redis://a:battery@127.0.0.1"), &["no address of a PostgreSQL", "postgres://HOST"]);
    let after = DemoOptions { knobs: Knobs::after(), ..with(&server) };
    check(after, &["more connections, and the demo needs 90", "max_connections"]);
    let other = Postgres::start();
    let replica = Some(other.url());
    let alone = DemoOptions { postgres_replica: replica, ..with(&server) };
    check(alone, &["does not have the tables", "is it a replica of that one"]);
}
