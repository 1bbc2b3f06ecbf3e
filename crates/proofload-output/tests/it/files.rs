//! NDJSON, plain and compressed.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::PathBuf;

use proofload_core::result::RunResult;
use serde_json::Value;

use super::run::{all_requests, events, open};

fn file(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("proofload-output-it-{}-{name}", std::process::id()))
}

/// Writes the run; the lines by type.
fn lines(name: &str) -> BTreeMap<String, Vec<Value>> {
    let path = file(name);
    let mut output = open("ndjson", path.to_str()).expect("a file");
    for event in &events().0 {
        output.hear(event).expect("it can be written");
    }
    output.finish(Some(&RunResult::default())).expect("it can be written");
    let bytes = std::fs::read(&path).expect("the file");
    std::fs::remove_file(&path).expect("it is there");
    let bytes = if name.ends_with(".zst") { decompressed(&bytes) } else { bytes };
    let text = String::from_utf8(bytes).expect("text");
    assert!(!text.contains("hunter2"), "{text}");
    let mut lines = BTreeMap::<String, Vec<Value>>::new();
    for line in text.lines() {
        let line: Value = serde_json::from_str(line).expect("JSON");
        lines.entry(line["type"].as_str().expect("a type").to_owned()).or_default().push(line);
    }
    lines
}

/// Frame after frame, as `zstd -d` does.
fn decompressed(mut bytes: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    while !bytes.is_empty() {
        let mut frame = ruzstd::decoding::StreamingDecoder::new(&mut bytes).expect("a frame");
        frame.read_to_end(&mut text).expect("a whole frame");
    }
    text
}

#[test]
fn every_interval_is_a_line_and_every_request_in_it() {
    for name in ["intervals.ndjson", "intervals.ndjson.zst"] {
        let lines = lines(name);
        assert_eq!(lines["run"][0]["schema"], 1);
        assert_eq!((lines["interval"].len(), lines["request"].len()), (6, 12));
        assert_eq!((lines["phase_started"].len(), lines["phase_ended"].len()), (2, 2));
        assert_eq!(lines["end"].len(), 1);
        let sum = |kind: &str, key: &str| {
            lines[kind].iter().map(|line| line[key].as_u64().expect(key)).sum::<u64>()
        };
        let all = all_requests(&events().1);
        for kind in ["interval", "request"] {
            assert_eq!(sum(kind, "requests"), all.requests(), "{kind}");
            assert_eq!(sum(kind, "failed"), all.failed(), "{kind}");
            assert_eq!(sum(kind, "bytes_received"), all.bytes_received, "{kind}");
        }
        let line = &lines["interval"][4];
        assert_eq!(line["start_seconds"], 4.0);
        assert_eq!((&line["users"], &line["phase"]), (&6.into(), &"second \"quoted\"".into()));
        assert_eq!(line["generator_cpu_share"], 0.25);
        assert_eq!(line["errors"]["http_5xx"], line["statuses"]["503"]);
        assert_eq!(lines["request"][1]["name"], "/b?t=***");
    }
}
