//! Reading results: of runs, of suites, and the digest of either, each with a version of its own.

use serde::de::{DeserializeOwned, Error as _, IgnoredAny};
use std::collections::BTreeMap;

use super::model::ResultError;

/// Something that says which version of its format it is.
pub(crate) trait Versioned: DeserializeOwned {
    /// The key of the version.
    const KEY: &'static str;
    /// The latest version that this build reads.
    const KNOWN: u32;

    /// The version that it is.
    fn version(&self) -> u32;
}

/// Reads JSON with a version; a byte order mark is skipped, unknown keys are ignored. In one pass where all is well:
/// that the version is too new is looked for where the rest cannot be read.
pub(crate) fn read<T: Versioned>(text: &str) -> Result<T, ResultError> {
    let text = without_mark(text);
    if text.trim().is_empty() {
        return Err(ResultError::Malformed(serde_json::Error::custom("it is empty")));
    }
    // serde takes a list for a structure's fields in their order.
    if !text.trim_start().starts_with('{') {
        return Err(ResultError::Malformed(serde_json::Error::custom("it is not an object")));
    }
    let read = serde_json::from_str::<T>(text);
    let found = match &read {
        Ok(read) => Some(read.version()),
        Err(_) => version_in(text, T::KEY),
    };
    match found {
        Some(found) if found > T::KNOWN => Err(ResultError::TooNew { found, known: T::KNOWN }),
        _ => Ok(read?),
    }
}

/// Whether a text is JSON with this key, whatever is in it.
pub(crate) fn has_key(text: &str, key: &str) -> bool {
    let keys = serde_json::from_str::<BTreeMap<String, IgnoredAny>>(without_mark(text));
    keys.is_ok_and(|keys| keys.contains_key(key))
}

fn version_in(text: &str, key: &str) -> Option<u32> {
    let value: serde_json::Value = serde_json::from_str(text).ok()?;
    u32::try_from(value.get(key)?.as_u64()?).ok()
}

fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::result::{RunDigest, RunResult};
    use crate::suite::SuiteResult;

    fn told<T: Versioned>(text: &str) -> String {
        read::<T>(text).err().map_or_else(String::new, |error| error.to_string())
    }

    #[test]
    fn all_of_them_are_read_alike() {
        let check = |run: &str, expect: &str| {
            let suite = run.replace("schema", "suite_schema");
            for (told, what) in [
                (told::<RunResult>(run), "run"),
                (told::<RunDigest>(run), "digest"),
                (told::<SuiteResult>(&suite), "suite"),
            ] {
                let is_so = if expect.is_empty() { told.is_empty() } else { told.contains(expect) };
                assert!(is_so, "{what}: {told}");
            }
        };
        check("{\"schema\": 1, \"new\": [1]}", "");
        check("\u{feff} {\"schema\": 1}", "");
        check("{\"schema\": 99}", "schema 99");
        // What a later version has made of a key is no reason to call it damaged.
        check("{\"schema\": 99, \"timestamp\": {}}", "schema 99");
        check("{\"schema\": 1, \"timestamp\": {}}", "invalid type");
        check("{}", "missing field");
        check("[1]", "not an object");
        check("", "it is empty");
        check("\u{feff}\n", "it is empty");
    }

    #[test]
    fn suites_are_told_from_runs_by_their_key() {
        assert!(SuiteResult::is_meant_by("\u{feff}{\"suite_schema\": 99, \"x\": {}}"));
        assert!(!SuiteResult::is_meant_by("{\"schema\": 1}") && !SuiteResult::is_meant_by("[]"));
    }
}
