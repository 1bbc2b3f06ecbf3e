//! `Cache-Control` of responses, as far as a shared cache has to know it (RFC 9111, section 5.2.2).

use std::time::Duration;

use http::HeaderMap;
use http::header::{AGE, CACHE_CONTROL};

/// What a response allows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Control {
    /// `no-store`, `private` or `no-cache`: nothing that is shared may answer with it again.
    pub(super) forbidden: bool,
    /// `must-revalidate` or `proxy-revalidate`: not to be served stale.
    pub(super) must_revalidate: bool,
    /// `public`: may be kept although the request was authorised.
    pub(super) public: bool,
    /// How long it is fresh from now: `s-maxage` before `max-age`, less the `Age` it came with.
    pub(super) fresh_for: Option<Duration>,
}

impl Control {
    /// Reads all `Cache-Control` fields of a response.
    ///
    /// Where a directive cannot be read, or stands there twice with different values, the stricter reading counts.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let mut control = Self::default();
        let mut max_age = None;
        let mut shared_max_age = None;
        for field in headers.get_all(CACHE_CONTROL) {
            let Ok(field) = field.to_str() else {
                control.forbidden = true;
                continue;
            };
            for directive in directives(field) {
                let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
                let seconds = || seconds(value);
                match name.trim().to_ascii_lowercase().as_str() {
                    // With field names (`private="set-cookie"`) only those are meant; the stricter reading is taken.
                    "no-store" | "private" | "no-cache" => control.forbidden = true,
                    "must-revalidate" | "proxy-revalidate" => control.must_revalidate = true,
                    "public" => control.public = true,
                    "max-age" => max_age = Some(max_age.unwrap_or(u64::MAX).min(seconds())),
                    "s-maxage" => {
                        shared_max_age = Some(shared_max_age.unwrap_or(u64::MAX).min(seconds()));
                        // RFC 9111, section 5.2.2.10: it is also `proxy-revalidate`.
                        control.must_revalidate = true;
                    }
                    _ => {}
                }
            }
        }
        let age = headers.get(AGE).and_then(|age| age.to_str().ok()).map_or(0, seconds);
        let fresh_for = shared_max_age.or(max_age).map(|max_age| max_age.saturating_sub(age));
        control.fresh_for = fresh_for.map(Duration::from_secs);
        control
    }
}

/// The directives of a field: at commas that are not within quotes.
fn directives(field: &str) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    field
        .split(move |c| {
            quoted ^= c == '"';
            c == ',' && !quoted
        })
        .map(str::trim)
        .filter(|directive| !directive.is_empty())
}

/// Whole seconds, also in quotes; what is no number is stale (RFC 9111, section 4.2.1), what is too large is as long
/// as can be.
pub(super) fn seconds(value: &str) -> u64 {
    let digits = value.trim().trim_matches('"');
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return 0;
    }
    digits.parse().unwrap_or(u64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn check(fields: &[&str], expect: &str) {
        let mut headers = HeaderMap::new();
        for field in fields {
            let (name, value) = field.split_once(": ").unwrap_or(("cache-control", field));
            let name: http::HeaderName = name.parse().unwrap();
            headers.append(name, HeaderValue::from_str(value).unwrap());
        }
        let control = Control::of(&headers);
        let mut shown = Vec::new();
        if control.forbidden {
            shown.push("forbidden".to_owned());
        }
        if control.must_revalidate {
            shown.push("revalidate".to_owned());
        }
        if control.public {
            shown.push("public".to_owned());
        }
        shown.extend(control.fresh_for.map(|fresh_for| fresh_for.as_secs().to_string()));
        assert_eq!(shown.join(" "), expect, "{fields:?}");
    }

    #[test]
    fn directives_are_read() {
        check(&[], "");
        check(&["no-store"], "forbidden");
        check(&["No-Store"], "forbidden");
        check(&["private, max-age=60"], "forbidden 60");
        check(&["private=\"set-cookie, x\", max-age=5"], "forbidden 5");
        check(&["no-cache"], "forbidden");
        check(&["public, max-age=300"], "public 300");
        check(&["max-age=300, s-maxage=10"], "revalidate 10");
        check(&["s-maxage=10, max-age=300"], "revalidate 10");
        check(&["max-age=60, must-revalidate"], "revalidate 60");
        check(&["max-age=\"60\""], "60");
        check(&["max-age=60", "max-age=30"], "30");
        check(&["max-age=60", "no-store"], "forbidden 60");
        check(&["max-age=ten"], "0");
        check(&["max-age=-1"], "0");
        check(&["max-age"], "0");
        check(&["max-age=99999999999999999999"], "4294967295");
        check(&["max-age=60", "age: 45"], "15");
        check(&["max-age=60", "age: 100"], "0");
        check(&["age: 100"], "");
        check(&["extension=\"no-store\", max-age=1"], "1");
        check(&["maxage=1,,"], "");
    }

    #[test]
    fn what_is_no_text_forbids() {
        let mut headers = HeaderMap::new();
        headers.insert(CACHE_CONTROL, HeaderValue::from_bytes(b"max-age=5\xff").unwrap());
        assert!(Control::of(&headers).forbidden);
    }
}
