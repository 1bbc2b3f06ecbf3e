//! The command as a user runs it: with peers that are shell scripts, and with the real nginx where it is installed.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// A directory of fake peers, removed on drop.
struct Peers {
    path: PathBuf,
}

impl Peers {
    fn new(test: &str) -> Self {
        let path =
            std::env::temp_dir().join(format!("proofload-bench-it-{}-{test}", std::process::id()));
        std::fs::create_dir_all(&path).expect("directory");
        Self { path }
    }

    /// Puts a script there under a peer's name.
    fn with(self, name: &str, script: &str) -> Self {
        let path = self.path.join(name);
        std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("write");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("mode");
        self
    }

    /// The command with nothing but these peers, sh and nginx in sight.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_proofload-bench"));
        command
            .args(arguments)
            .env("PATH", "/usr/bin:/bin")
            .env("PROOFLOAD_BENCH_PATH", &self.path)
            .stdin(Stdio::null());
        command
    }

    fn run(&self, arguments: &[&str]) -> (Option<i32>, String, String) {
        let Output { status, stdout, stderr } = self.command(arguments).output().expect("runs");
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        (status.code(), text(stdout), text(stderr))
    }
}

impl Drop for Peers {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.path);
    }
}

/// A wrk that sends nothing and says it had 1,000 requests answered.
const BOASTFUL_WRK: &str = r#"case "$1" in -v) echo "wrk 9.9 [fake] Copyright (C) nobody"; exit 1;; esac
printf '    99%%    2.50ms\n  1000 requests in 1.00s, 1MB read\nRequests/sec:  1000.00\n'"#;

/// nginx is the one thing these tests cannot bring along.
fn nginx_is_missing() -> bool {
    let missing = ["/usr/sbin/nginx", "/usr/local/sbin/nginx", "/usr/bin/nginx"]
        .iter()
        .all(|path| !Path::new(path).exists());
    if missing {
        use std::io::Write;
        let _ = writeln!(std::io::stderr(), "skipped: nginx is not installed");
    }
    missing
}

#[test]
fn the_list_says_what_is_here_and_how_to_get_the_rest() {
    let peers = Peers::new("list").with("wrk", BOASTFUL_WRK);
    let (code, stdout, _) = peers.run(&["--list", "--peers", "wrk,goose,locust"]);
    assert_eq!(code, Some(0));
    assert!(stdout.contains("wrk             wrk 9.9 [fake] ("), "{stdout}");
    assert!(stdout.contains("pip install locust"), "{stdout}");
}

#[test]
fn a_peer_that_claims_too_much_is_shown_against_the_servers_count() {
    if nginx_is_missing() {
        return;
    }
    let peers =
        Peers::new("claims").with("wrk", BOASTFUL_WRK).with("oha", "echo broken >&2; exit 3");
    let results = peers.path.join("RESULTS.md");
    let results_name = results.to_string_lossy().into_owned();
    let arguments = [
        "--rounds=3",
        "--seconds=1",
        "--connections=5",
        "--peers=wrk,oha",
        "--write",
        &results_name,
    ];
    let (code, stdout, stderr) = peers.run(&arguments);
    assert_eq!(code, Some(0), "{stderr}");
    let row = stdout.lines().find(|line| line.starts_with("| wrk")).expect("a row for wrk");
    for cell in
        ["1.00 [1.00–1.00]", "1,000 [1,000–1,000]", "2.50 [2.50–2.50]", "−1,000 [−1,000–−1,000]"]
    {
        assert!(row.contains(cell), "{cell} is not in {row}");
    }
    assert!(
        stdout.contains("wrk: claims requests that nginx did not see, 1,000 in the worst round."),
        "{stdout}"
    );
    // It fails twice and is not asked a third time.
    assert!(
        stdout.contains("oha: 2 of 2 runs failed: its output is not the JSON expected"),
        "{stdout}"
    );
    assert!(stdout.contains("its last words: broken"), "{stdout}");
    assert_eq!(std::fs::read_to_string(results).expect("written"), stdout);
}

/// A Proofload whose one-liner gives the verdict FAIR (exit 1) and whose `run` finds fault with the plan.
const FAKE_PROOFLOAD: &str = r#"case "$1" in --version) echo "proofload 9.9"; exit 0;; esac
what=$1 plan=$2
while [ $# -gt 0 ]; do [ "$1" = --output-file ] && out=$2; shift; done
if [ "$what" = run ]; then [ -f "$plan" ] && echo "the plan is there" >&2; exit 65; fi
echo '{"test_results": [{"total_requests": 500, "failed": 20, "p99_latency_ms": 1.25}]}' >"$out"
exit 1"#;

#[test]
fn proofload_is_read_from_its_result_file_whatever_the_verdict() {
    if nginx_is_missing() {
        return;
    }
    let peers = Peers::new("proofload").with("wrk", BOASTFUL_WRK).with("proofload", FAKE_PROOFLOAD);
    let arguments =
        ["--rounds=1", "--seconds=1", "--connections=5", "--peers=wrk,proofload,proofload-plan"];
    let (code, stdout, stderr) = peers.run(&arguments);
    assert_eq!(code, Some(0), "{stderr}");
    let row =
        stdout.lines().find(|line| line.starts_with("| proofload ")).expect("a row for proofload");
    for cell in ["480 [480–480]", "1.25 [1.25–1.25]", "−500 [−500–−500]"] {
        assert!(row.contains(cell), "{cell} is not in {row}");
    }
    assert!(
        stdout.contains("proofload: 20 requests failed and are not counted as completed."),
        "{stdout}"
    );
    assert!(
        stdout.contains("proofload-plan: 1 of 1 runs failed: it wrote no proofload.json"),
        "{stdout}"
    );
    assert!(stdout.contains("its last words: the plan is there"), "{stdout}");
    assert!(
        stdout
            .contains("`proofload run bench/plans/templated.toml --target http://127.0.0.1:PORT "),
        "{stdout}"
    );
}

#[test]
fn without_peers_there_is_nothing_to_do() {
    if nginx_is_missing() {
        return;
    }
    let (code, stdout, stderr) =
        Peers::new("none").run(&["--peers", "locust", "--path", "/nonexistent"]);
    assert_eq!((code, stdout.as_str()), (Some(1), ""));
    assert!(stderr.contains("none of the peers is installed"), "{stderr}");
}

#[test]
fn an_interrupt_ends_peer_and_server_and_still_prints() {
    if nginx_is_missing() {
        return;
    }
    let peers = Peers::new("interrupt");
    let pid_file = peers.path.join("pid");
    let script = format!(
        "[ \"$1\" = -v ] && exit 0; echo $PPID $$ > {0}.part; mv {0}.part {0}; exec sleep 600",
        pid_file.display()
    );
    let peers = peers.with("wrk", &script);
    let arguments = ["--rounds=3", "--seconds=600", "--connections=5", "--peers=wrk"];
    let mut command = peers.command(&arguments);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("starts");
    let started = Instant::now();
    while !pid_file.exists() {
        assert!(started.elapsed() < Duration::from_secs(60), "the peer was not started");
        std::thread::sleep(Duration::from_millis(10));
    }
    let pids = std::fs::read_to_string(&pid_file).expect("pids");
    let pids: Vec<&str> = pids.split_whitespace().collect();
    assert_eq!(pids[0], child.id().to_string());
    let server = std::fs::read_to_string(format!("/proc/{0}/task/{0}/children", child.id()))
        .expect("children");
    let killed =
        Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill runs");
    assert!(killed.success());
    let output = child.wait_with_output().expect("ends");
    assert_eq!(output.status.code(), Some(130));
    assert!(String::from_utf8_lossy(&output.stdout).contains("Interrupted"));
    for pid in server.split_whitespace().chain([pids[1]]) {
        assert!(!Path::new(&format!("/proc/{pid}")).exists(), "{pid} is still there");
    }
}
