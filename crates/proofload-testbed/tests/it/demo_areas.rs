//! The areas of the demo service, each through its own endpoints.

use std::net::{SocketAddr, TcpStream};

use proofload_testbed::demo::{Demo, DemoOptions, Knobs, twilio_signature};
use serde_json::{Value, json};

use crate::client::{Answer, Client, connect, get};

/// A demo that adds no waits of its own.
pub(crate) fn instant() -> DemoOptions {
    DemoOptions { knobs: Knobs::instant(), ..DemoOptions::default() }
}

pub(crate) fn start(options: DemoOptions) -> Demo {
    Demo::start(options).unwrap()
}

pub(crate) fn post(client: &mut Client<TcpStream>, path: &str, body: &Value) -> Answer {
    let headers = [("content-type", "application/json")];
    client.request("POST", path, &headers, body.to_string().as_bytes())
}

/// The value of a series of `/metrics`; of a bare name, the sum of all its series.
pub(crate) fn metric(addr: SocketAddr, name: &str) -> f64 {
    let text = get(addr, "/metrics").text();
    let value = |line: &str| {
        let rest = line.strip_prefix(name)?;
        let value = match rest.strip_prefix('{') {
            Some(labels) => labels.rsplit_once("} ")?.1,
            None => rest.strip_prefix(' ')?,
        };
        Some(value.parse::<f64>().unwrap())
    };
    let values: Vec<f64> = text.lines().filter_map(value).collect();
    assert!(!values.is_empty(), "{name} is not in\n{text}");
    values.iter().sum()
}

fn login(client: &mut Client<TcpStream>, address: &str) -> String {
    let answer = post(client, "/api/auth/login", &json!({"address": address, "signature": "0x"}));
    assert_eq!(answer.json()["user"]["wallet_address"], address);
    format!("Bearer {}", answer.json()["token"].as_str().unwrap())
}

#[test]
fn the_catalogue_lists_endpoints_that_exist() {
    let demo = start(instant());
    let page = get(demo.addr(), "/").text();
    let mut checked = 0;
    for path in page.split("<code>").skip(1).filter_map(|rest| rest.split(['<', '?']).next()) {
        // Whatever else it says to a bare GET, an endpoint that is listed is not unknown.
        assert_ne!(get(demo.addr(), path).status, 404, "{path}");
        checked += 1;
    }
    assert!(checked > 20, "{checked} paths found in {page}");
    assert_eq!(get(demo.addr(), "/nothing/here").status, 404);
    assert_eq!(get(demo.addr(), "/health").json()["status"], "ok");
}

#[test]
fn messages_need_a_token_and_come_in_pages() {
    let demo = start(DemoOptions { seed_messages: 120, ..instant() });
    let mut client = connect(demo.addr());
    assert_eq!(client.get("/api/messages").status, 401);
    let wrong = [("authorization", "Bearer wrong")];
    assert_eq!(client.request("GET", "/api/groups", &wrong, b"").status, 401);

    let token = login(&mut client, "0xabc");
    let mut authorized = |method: &str, path: &str, body: &[u8]| {
        let headers = [("authorization", token.as_str()), ("content-type", "application/json")];
        client.request(method, path, &headers, body)
    };
    let draft = json!({"recipient": "0x01", "content": "Test message", "encrypted": true});
    let sent = authorized("POST", "/api/messages", draft.to_string().as_bytes()).json();
    assert_eq!((&sent["success"], &sent["id"]), (&json!(true), &json!(121)));

    let (mut cursor, mut ids) = (String::new(), Vec::new());
    loop {
        let page = authorized("GET", &format!("/api/messages?limit=50{cursor}"), b"").json();
        let messages = page["messages"].as_array().unwrap();
        ids.extend(messages.iter().map(|message| message["id"].as_u64().unwrap()));
        if ids.len() == 50 {
            assert_eq!(
                (&messages[0]["sender"], &messages[0]["encrypted"]),
                (&json!("0xabc"), &json!(true))
            );
        }
        if page["has_more"] == false {
            break;
        }
        cursor = format!("&cursor={}", page["next_cursor"]);
    }
    assert_eq!(ids, (1..=121).rev().collect::<Vec<_>>());
    assert_eq!(authorized("GET", "/api/messages?limit=0", b"").status, 400);
    assert_eq!(authorized("GET", "/api/messages?cursor=x", b"").status, 400);
    assert_eq!(authorized("GET", "/api/groups", b"").json()["user"], "0xabc");
    assert_eq!(authorized("POST", "/api/messages", b"{}").status, 422);
    let empty = json!({"recipient": "", "content": "x"}).to_string();
    assert_eq!(authorized("POST", "/api/messages", empty.as_bytes()).status, 400);
}

#[test]
fn the_cache_says_hit_or_miss_and_the_metrics_agree() {
    let demo = start(instant());
    let mut client = connect(demo.addr());
    let mut hits = 0;
    for question in
        ["What is your refund policy?", "hello", " what is  your REFUND policy? ", "hello"]
    {
        let answer = post(&mut client, "/api/chat", &json!({"message": question}));
        let body = answer.json();
        let is_hit = body["cached"].as_bool().unwrap();
        assert_eq!(answer.header("x-cache"), Some(if is_hit { "HIT" } else { "MISS" }));
        assert_eq!(body["cost_usd"], if is_hit { 0.0 } else { 0.06 });
        hits += u32::from(is_hit);
    }
    assert_eq!(hits, 2);
    assert_eq!(metric(demo.addr(), "cache_hits_total"), 2.0);
    assert_eq!(metric(demo.addr(), "cache_misses_total"), 2.0);
    let stats = get(demo.addr(), "/admin/cache").json();
    assert_eq!((&stats["hit_rate"], &stats["size"]), (&json!(0.5), &json!(2)));

    let dropped = client.request("DELETE", "/admin/cache?prefix=chat:", &[], b"").json();
    assert_eq!(dropped["invalidated"], 2);
    let ask = json!({"query": "hello", "conversation_id": "c1"});
    let again = post(&mut client, "/api/chat", &ask).json();
    assert_eq!((&again["cached"], &again["conversation_id"]), (&json!(false), &json!("c1")));
    assert_eq!(post(&mut client, "/api/chat", &json!({"message": " "})).status, 400);
}

#[test]
fn the_bot_keeps_accounts() {
    let demo = start(instant());
    let mut client = connect(demo.addr());
    let mut command = |body: Value| post(&mut client, "/bot/command", &body);
    assert_eq!(command(json!({"user_id": 7, "command": "/start"})).json()["new_user"], true);
    assert_eq!(command(json!({"user_id": "7", "command": "start"})).json()["new_user"], false);
    assert_eq!(command(json!({"user_id": 7, "command": "/shop hat"})).json()["balance"], 40);
    assert_eq!(command(json!({"user_id": 7, "command": "/shop", "item": "hat"})).status, 402);
    assert_eq!(command(json!({"user_id": 7, "command": "/shop", "item": "boat"})).status, 404);
    assert_eq!(command(json!({"user_id": 7, "command": "/dance"})).status, 400);
    assert_eq!(command(json!({"user_id": [], "command": "/start"})).status, 400);
    assert_eq!(get(demo.addr(), "/bot/daily?user_id=7").json()["claimed"], true);
    assert_eq!(get(demo.addr(), "/bot/daily?user_id=7").json()["claimed"], false);
    assert_eq!(get(demo.addr(), "/bot/balance?user_id=7").json()["balance"], 65);
    assert_eq!(get(demo.addr(), "/bot/shop?user_id=8").json()["items"][2]["item"], "hat");
}

#[test]
fn analytics_are_cached_under_all_their_parameters() {
    let demo = start(instant());
    for path in [
        "/api/analytics/dashboard",
        "/api/analytics/segments",
        "/api/analytics/content?limit=3",
        "/api/config",
        "/api/city-metrics?city=NYC",
        "/api/equity-curve",
        "/api/public-trades?limit=5",
        "/api/health-status",
        "/api/strategy-metrics",
    ] {
        let [first, second] = [get(demo.addr(), path), get(demo.addr(), path)];
        assert_eq!(first.status, 200, "{path}: {}", first.text());
        assert_eq!(first.header("content-type"), Some("application/json"));
        assert_eq!(
            (first.header("x-cache"), second.header("x-cache")),
            (Some("MISS"), Some("HIT"))
        );
        assert_eq!(first.json(), second.json());
    }
    let other = get(demo.addr(), "/api/city-metrics?city=CHI");
    assert_eq!(other.header("x-cache"), Some("MISS"));
    assert_eq!(other.json()["cities"][0]["city_code"], "CHI");
    let trades = get(demo.addr(), "/api/public-trades?limit=5").json();
    assert_eq!(trades["trades"].as_array().unwrap().len(), 5);
    assert_eq!(get(demo.addr(), "/api/public-trades?limit=0").status, 400);
    let endless = format!("/api/config?x={}", "y".repeat(2000));
    assert_eq!(get(demo.addr(), &endless).status, 400);
}

#[test]
fn the_signature_is_that_of_twilios_documentation() {
    let number = "+14158675309".to_owned();
    let parameters = [
        ("To".to_owned(), "+18005551212".to_owned()),
        ("From".to_owned(), number.clone()),
        ("Digits".to_owned(), "1234".to_owned()),
        ("Caller".to_owned(), number),
        ("CallSid".to_owned(), "CA1234567890ABCDE".to_owned()),
    ];
    let url = "https://mycompany.com/myapp.php?foo=1&bar=2";
    assert_eq!(twilio_signature("12345", url, &parameters), "RSOYDt4T1cUTdK1PDd93/VVr8B8=");
}

#[test]
fn the_webhook_takes_what_is_signed_and_nothing_else() {
    let options = DemoOptions {
        twilio_auth_token: Some("secret".to_owned()),
        public_origin: Some("https://bot.example/".to_owned()),
        ..instant()
    };
    assert!(!format!("{options:?}").contains("secret"));
    let demo = start(options);
    let form = "From=whatsapp%3A%2B15551234567&Body=Is+%3Cthis%3E+a+guaranteed+prize%3F";
    let parameters = [
        ("From".to_owned(), "whatsapp:+15551234567".to_owned()),
        ("Body".to_owned(), "Is <this> a guaranteed prize?".to_owned()),
    ];
    let url = "https://bot.example/webhook/whatsapp?v=1";
    let signature = twilio_signature("secret", url, &parameters);
    let post = |signature: &str, form: &str| {
        let headers = [
            ("content-type", "application/x-www-form-urlencoded"),
            ("x-twilio-signature", signature),
        ];
        connect(demo.addr()).request("POST", "/webhook/whatsapp?v=1", &headers, form.as_bytes())
    };
    let answer = post(&signature, form);
    assert_eq!(answer.header("content-type"), Some("application/xml"));
    let text = answer.text();
    assert!(text.contains("<Response><Message to=\"whatsapp:+15551234567\">"), "{text}");
    assert!(text.contains("most likely a scam"), "{text}");

    assert_eq!(post("", form).status, 403);
    assert_eq!(post("not base64!", form).status, 403);
    assert_eq!(post(&signature, &form.replace("prize", "price")).status, 403);
    let headers = [("content-type", "application/json")];
    let json = connect(demo.addr()).request("POST", "/webhook/whatsapp", &headers, b"{}");
    assert_eq!(json.status, 415);

    // Without a token nothing is verified, but the fields are still needed.
    let open = start(instant());
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    let post =
        |form: &[u8]| connect(open.addr()).request("POST", "/webhook/whatsapp", &headers, form);
    assert_eq!(post(form.as_bytes()).status, 200);
    assert_eq!(post(b"From=x").status, 400);
}

#[test]
fn metrics_count_by_route_and_status() {
    let demo = start(instant());
    for user in ["a", "b"] {
        get(demo.addr(), &format!("/bot/start?user_id={user}"));
    }
    get(demo.addr(), "/no/such/page");
    let addr = demo.addr();
    let route = "method=\"GET\",route=\"/bot/{command}\"";
    let name = format!("http_requests_total{{{route},status=\"200\"}}");
    assert_eq!(metric(addr, &name), 2.0);
    let unknown = "http_requests_total{method=\"GET\",route=\"unmatched\",status=\"404\"}";
    assert_eq!(metric(addr, unknown), 1.0);
    assert_eq!(metric(addr, &format!("http_request_duration_seconds_count{{{route}}}")), 2.0);
    assert_eq!(metric(addr, "http_requests_in_flight"), 1.0);
    assert_eq!(metric(addr, "active_users"), 2.0);
}

#[test]
fn large_answers_are_compressed_where_asked() {
    let demo = start(instant());
    let path = "/api/public-trades?limit=100";
    let plain = get(demo.addr(), path);
    assert_eq!(plain.header("content-encoding"), None);
    let accepts = [("accept-encoding", "gzip")];
    let gzip = connect(demo.addr()).request("GET", path, &accepts, b"");
    assert_eq!(gzip.header("content-encoding"), Some("gzip"));
    assert!(gzip.body.len() < plain.body.len() / 2);
    let small = connect(demo.addr()).request("GET", "/health", &accepts, b"");
    assert_eq!(small.header("content-encoding"), None);
}
