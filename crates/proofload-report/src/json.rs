//! The result file: a run as JSON.

use proofload_core::result::{ResultError, RunResult};

/// Why bytes are not a result.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// Not UTF-8, hence not JSON.
    #[error("this is not a result of Proofload: it is not text ({0})")]
    NotText(#[from] std::str::Utf8Error),
    /// Not a result, or one of a later version.
    #[error(transparent)]
    NotAResult(#[from] ResultError),
}

/// Reads a result back. A byte order mark at the beginning is skipped, keys that are not known are
/// ignored.
///
/// # Errors
/// When it is not a result, or one that a later version has written; the message says which.
pub fn from_bytes(bytes: &[u8]) -> Result<RunResult, ReadError> {
    let text = std::str::from_utf8(bytes)?;
    Ok(RunResult::from_json(text)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let result = RunResult {
            schema: RunResult::SCHEMA,
            timestamp: "2026-11-21T01:00:00Z".to_owned(),
            ..RunResult::default()
        };
        let bytes = result.to_json().unwrap().into_bytes();
        assert!(bytes.ends_with(b"}\n"));
        assert_eq!(from_bytes(&bytes).unwrap(), result);
        let marked: Vec<u8> = [b"\xef\xbb\xbf", bytes.as_slice()].concat();
        assert_eq!(from_bytes(&marked).unwrap(), result);
    }

    #[test]
    fn errors_say_what_is_wrong() {
        let check = |bytes: &[u8], expect: &str| {
            let message = from_bytes(bytes).unwrap_err().to_string();
            assert!(message.contains(expect), "{message}");
        };
        check(b"{\"schema\": 999}", "schema 999");
        check(b"{}", "not a result of Proofload");
        check(b"", "not a result of Proofload");
        check(b"\xff\xfe", "not text");
        check(b"{\"schema\": 1, \"test_results\": 7}", "not a result of Proofload");
    }
}
