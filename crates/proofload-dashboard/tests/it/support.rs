//! A page with a runner that only takes notes, and a client that sends what no browser would.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use proofload_core::plan::{Inputs, Overrides, Plan};
use proofload_core::result::RunResult;
use proofload_dashboard::{
    Config, Control, Dashboard, Mode, PastRun, PlanInfo, Refusal, Runner, Running, StartRequest,
    Token, parse_address,
};

/// Against waiting for ever.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
pub(crate) const TOKEN: &str = "a token of enough letters";

/// Takes notes of what it is asked.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    pub(crate) started: Mutex<Vec<StartRequest>>,
    pub(crate) controls: Mutex<Vec<Control>>,
    pub(crate) plans: Vec<PlanInfo>,
    pub(crate) past: Vec<(PastRun, RunResult)>,
}

impl Runner for Notes {
    fn plans(&self) -> Vec<PlanInfo> {
        self.plans.clone()
    }

    fn start(&self, request: &StartRequest) -> Result<(), Refusal> {
        self.started.lock().unwrap().push(request.clone());
        Ok(())
    }

    fn control(&self, control: Control) -> Result<(), Refusal> {
        self.controls.lock().unwrap().push(control);
        Ok(())
    }

    fn past_runs(&self) -> Vec<PastRun> {
        self.past.iter().map(|(run, _)| run.clone()).collect()
    }

    fn past_result(&self, id: &str) -> Option<RunResult> {
        self.past.iter().find(|(run, _)| run.id == id).map(|(_, result)| result.clone())
    }
}

/// A plan with one phase.
pub(crate) fn plan(name: &str) -> Plan {
    let text = format!(
        "name = {name:?}\ntarget = 'http://127.0.0.1:1'\n[[user]]\n[[user.task]]\nget = '/'\n\
         [[phase]]\nname = 'Steady'\nusers = 2\nduration = '1m'\nexpect = {{ p95 = '<1s' }}"
    );
    Plan::parse("plan.toml", &text, &Overrides::default(), &Inputs::NONE).expect("a plan")
}

/// A page that is served to this machine, and its notes.
pub(crate) fn served() -> (Running, Arc<Notes>) {
    let notes = Notes { plans: vec![PlanInfo::of(&plan("test"))], ..Notes::default() };
    serve(local(), notes)
}

pub(crate) fn local() -> Config {
    Config::new(parse_address(":0").unwrap(), Mode::Serve)
}

/// As if it could be reached from elsewhere: with a token.
pub(crate) fn with_token() -> (Running, Arc<Notes>) {
    let mut config = local();
    config.token = Some(Token::new(TOKEN).unwrap());
    let notes = Notes { plans: vec![PlanInfo::of(&plan("test"))], ..Notes::default() };
    serve(config, notes)
}

pub(crate) fn serve(config: Config, notes: Notes) -> (Running, Arc<Notes>) {
    let notes = Arc::new(notes);
    let running = Dashboard::serve(config, Arc::<Notes>::clone(&notes)).expect("a page");
    (running, notes)
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    /// A header of it.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().skip(1).filter_map(|line| line.split_once(':'));
        let mut found = lines.filter(|(known, _)| known.eq_ignore_ascii_case(name));
        found.next().map(|(_, value)| value.trim())
    }
}

/// Sends bytes and reads everything until the server closes.
pub(crate) fn exchange(address: SocketAddr, bytes: &[u8]) -> Answer {
    let mut stream = TcpStream::connect(address).expect("a connection");
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    // A server that has heard enough may close before it has everything.
    let _ = stream.write_all(bytes);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let text = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    Answer { status, head: head.to_owned(), body: body.to_owned() }
}

/// GET with further headers.
pub(crate) fn get(page: &Running, path: &str, headers: &[&str]) -> Answer {
    let address = page.address();
    let own = format!("Host: {address}");
    let host = if headers.iter().any(|header| header.starts_with("Host:")) { "" } else { &own };
    let mut lines: Vec<&str> = vec![host].into_iter().filter(|line| !line.is_empty()).collect();
    lines.extend(headers);
    let request =
        format!("GET {path} HTTP/1.1\r\n{}\r\nConnection: close\r\n\r\n", lines.join("\r\n"));
    exchange(address, request.as_bytes())
}

/// POST of JSON with further headers.
pub(crate) fn post(page: &Running, path: &str, headers: &[&str], body: &str) -> Answer {
    let address = page.address();
    let mut lines = vec![format!("Content-Length: {}", body.len())];
    let has = |name: &str| headers.iter().any(|header| header.starts_with(name));
    if !has("Host:") {
        lines.push(format!("Host: {address}"));
    }
    if !has("Content-Type:") {
        lines.push("Content-Type: application/json".to_owned());
    }
    lines.extend(headers.iter().map(|&header| header.to_owned()));
    let request = format!(
        "POST {path} HTTP/1.1\r\n{}\r\nConnection: close\r\n\r\n{body}",
        lines.join("\r\n")
    );
    exchange(address, request.as_bytes())
}
