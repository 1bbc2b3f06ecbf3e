//! Strangers are kept out.

use std::io::{Read, Write};
use std::net::TcpStream;

use proofload_dashboard::{Config, Dashboard, Mode, ServeError, parse_address};

use crate::support::{
    Notes, PATIENCE, TOKEN, exchange, get, local, post, serve, served, with_token,
};

const START: &str = r#"{"plan":0}"#;

#[test]
fn a_name_that_leads_here_is_not_enough() {
    let (page, notes) = served();
    for host in ["evil.example", "evil.example:8089", "localhost.evil.example", "10.0.0.1"] {
        let answer = get(&page, "/", &[&format!("Host: {host}")]);
        assert_eq!(answer.status, 403, "{host}");
        assert!(
            answer.body.contains("rebinding") && answer.body.contains("--web-host"),
            "{answer:?}"
        );
        assert_eq!(post(&page, "/api/start", &[&format!("Host: {host}")], START).status, 403);
    }
    assert_eq!(get(&page, "/", &["Host: localhost"]).status, 200);
    assert_eq!(exchange(page.address(), b"GET / HTTP/1.0\r\n\r\n").status, 403, "no name at all");
    let absolute =
        b"GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    assert_eq!(exchange(page.address(), absolute).status, 403);
    assert!(notes.started.lock().unwrap().is_empty());

    let mut config = local();
    config.hosts = vec!["box.example".to_owned()];
    let (page, _) = serve(config, Notes::default());
    assert_eq!(get(&page, "/", &["Host: box.example:9"]).status, 200);
}

#[test]
fn other_sites_press_no_buttons() {
    let (page, notes) = served();
    let own = format!("Origin: http://{}", page.address());
    let stranger = ["Origin: http://evil.example"];
    for path in ["/api/start", "/api/control", "/login"] {
        assert_eq!(post(&page, path, &stranger, START).status, 403, "{path}");
        assert_eq!(post(&page, path, &["Origin: null"], START).status, 403, "{path}");
        assert_eq!(post(&page, path, &["Sec-Fetch-Site: cross-site"], START).status, 403, "{path}");
        // What a form of another site can send without asking.
        let form = post(&page, path, &["Content-Type: text/plain"], START);
        assert_eq!(form.status, 415, "{path}");
        assert_eq!(get(&page, path, &[]).status, 405, "{path}");
    }
    assert_eq!(
        get(&page, "/events", &["Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: cors"]).status,
        403
    );
    assert!(notes.started.lock().unwrap().is_empty());
    assert!(notes.controls.lock().unwrap().is_empty());

    assert_eq!(post(&page, "/api/start", &[&own], START).status, 202);
    assert_eq!(notes.started.lock().unwrap().len(), 1);
}

#[test]
fn only_the_plans_of_the_page_are_started() {
    let (page, notes) = served();
    for wrong in [
        r#"{"plan":1}"#,
        r#"{"plan":0,"phases":[7]}"#,
        r#"{"plan":0,"users":0}"#,
        r#"{"plan":0,"target":"http://evil.example"}"#,
        r#"{"plan":"../../etc/passwd"}"#,
        "[]",
        "",
        "{",
    ] {
        let status = post(&page, "/api/start", &[], wrong).status;
        assert!((400..500).contains(&status), "{wrong}: {status}");
    }
    // No run is under way.
    assert_eq!(post(&page, "/api/control", &[], r#"{"do":"stop"}"#).status, 409);
    assert!(notes.started.lock().unwrap().is_empty());
    assert!(notes.controls.lock().unwrap().is_empty());
}

#[test]
fn without_the_token_there_is_nothing() {
    let (page, notes) = with_token();
    for path in
        ["/", "/events", "/runs", "/compare", "/download/result.json", "/runs/x/result.json"]
    {
        let answer = get(&page, path, &[]);
        assert_eq!(answer.status, 401, "{path}");
        assert!(!answer.body.contains("Steady"), "{path}");
    }
    assert_eq!(post(&page, "/api/start", &[], START).status, 401);
    for wrong in ["", "wrong", "a token of enough letter", "a token of enough letters "] {
        assert_eq!(get(&page, "/", &[&format!("Authorization: Bearer x{wrong}")]).status, 401);
        let query = wrong.replace(' ', "%20");
        assert_eq!(get(&page, &format!("/?token={query}"), &[]).status, 401, "{wrong:?}");
        let login = format!("{{\"token\":{wrong:?}}}");
        assert_eq!(post(&page, "/login", &[], &login).status, 401);
        let cookie = format!("Cookie: proofload_{}={wrong}", page.address().port());
        assert_eq!(get(&page, "/", &[&cookie]).status, 401);
    }
    assert!(notes.started.lock().unwrap().is_empty());
}

#[test]
fn the_token_opens_the_page_and_leaves_the_address() {
    let (page, notes) = with_token();
    assert!(!page.url().contains("token"));
    let answer = get(&page, &format!("/runs?token={}", TOKEN.replace(' ', "%20")), &[]);
    assert_eq!((answer.status, answer.header("location")), (303, Some("/runs")));
    let cookie = answer.header("set-cookie").expect("a cookie").to_owned();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"), "{cookie}");
    assert!(!cookie.contains("letters"), "the cookie is not the token");
    let cookie = format!("Cookie: other=1; {}", cookie.split(';').next().unwrap());
    assert_eq!(get(&page, "/", &[&cookie]).status, 200);
    assert_eq!(post(&page, "/api/start", &[&cookie], START).status, 202);
    assert_eq!(notes.started.lock().unwrap().len(), 1);

    let bearer = format!("Authorization: Bearer {TOKEN}");
    assert_eq!(get(&page, "/runs", &[&bearer]).status, 200);
    let login = post(&page, "/login", &[], &format!("{{\"token\":{TOKEN:?}}}"));
    assert_eq!(login.status, 204);
    assert!(login.header("set-cookie").is_some());
    // A path that a browser would take for another site.
    let away = get(&page, &format!("//evil.example/?token={}", TOKEN.replace(' ', "%20")), &[]);
    assert_eq!(away.header("location"), Some("/evil.example/"));
}

#[test]
fn off_loopback_a_token_is_demanded() {
    let config = Config::new(parse_address("0.0.0.0:0").unwrap(), Mode::Serve);
    let error = Dashboard::serve(config, std::sync::Arc::new(Notes::default())).unwrap_err();
    assert!(matches!(error, ServeError::Config(_)), "{error}");
    let text = error.to_string();
    assert!(text.contains("--web-token") && text.contains("PROOFLOAD_WEB_TOKEN"), "{text}");
}

#[test]
fn a_port_that_is_taken_is_told() {
    let (page, _) = served();
    let config = Config::new(page.address(), Mode::Serve);
    let error = Dashboard::serve(config, std::sync::Arc::new(Notes::default())).unwrap_err();
    assert!(error.to_string().contains("--web=:0"), "{error}");
}

#[test]
fn large_requests_are_refused() {
    let (page, notes) = served();
    let body = format!("{{\"plan\":0,\"phases\":[{}0]}}", "0,".repeat(20_000));
    assert_eq!(post(&page, "/api/start", &[], &body).status, 413);
    // A length that is not said beforehand.
    let chunked = format!(
        "POST /api/start HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
         Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n{}0\r\n\r\n",
        format!("400\r\n{}\r\n", "x".repeat(1024)).repeat(40)
    );
    assert_eq!(exchange(page.address(), chunked.as_bytes()).status, 413);
    let long = format!("X-Long: {}", "x".repeat(40_000));
    assert_eq!(get(&page, "/", &[&long]).status, 431);
    let many: Vec<String> = (0..100).map(|number| format!("X-{number}: 1")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert_eq!(get(&page, "/", &many).status, 431);
    assert!(notes.started.lock().unwrap().is_empty());
}

#[test]
fn who_sends_nothing_is_dropped_and_holds_nobody_up() {
    let (page, _) = served();
    let mut slow = TcpStream::connect(page.address()).unwrap();
    slow.set_read_timeout(Some(PATIENCE)).unwrap();
    slow.write_all(b"GET / HTTP/1.1\r\nHost: loc").unwrap();
    let mut slow_body = TcpStream::connect(page.address()).unwrap();
    slow_body.set_read_timeout(Some(PATIENCE)).unwrap();
    let head = b"POST /api/start HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{";
    slow_body.write_all(head).unwrap();
    assert_eq!(get(&page, "/", &[]).status, 200, "others are served");
    let mut read = Vec::new();
    // Ends because the server closes, long before our own patience does.
    slow.read_to_end(&mut read).expect("it is closed");
    let mut first = [0; 12];
    slow_body.read_exact(&mut first).expect("an answer");
    assert_eq!(&first, b"HTTP/1.1 408");
}

#[test]
fn paths_lead_nowhere_else() {
    let (page, _) = served();
    for path in [
        "/runs/..%2f..%2fetc%2fpasswd/result.json",
        "/runs/%2e%2e/result.json",
        "/runs/../../etc/passwd",
        "/download/..%2fCargo.toml",
        "/download/%2fetc%2fpasswd",
        "/assets/../Cargo.toml",
        "/assets/..%2flive.css",
        "/runs/nothing/result.json",
        "/compare?run=..&run=..%2f..",
    ] {
        let answer = get(&page, path, &[]);
        assert_eq!(answer.status, 404, "{path}");
        assert!(!answer.body.contains("root:"), "{path}");
    }
}

#[test]
fn every_answer_forbids_what_is_foreign() {
    let (page, _) = served();
    for (path, status) in
        [("/", 200), ("/runs", 200), ("/assets/live.js", 200), ("/x", 404), ("/api/start", 405)]
    {
        let answer = get(&page, path, &[]);
        assert_eq!(answer.status, status, "{path}");
        let policy = answer.header("content-security-policy").expect(path);
        for part in ["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'"] {
            assert!(policy.contains(part), "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(answer.header("referrer-policy"), Some("no-referrer"), "{path}");
        assert_eq!(answer.header("access-control-allow-origin"), None, "{path}");
    }
}
