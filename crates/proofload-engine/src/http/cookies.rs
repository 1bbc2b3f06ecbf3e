//! The cookies of one virtual user.

use cookie_store::CookieStore;
use url::Url;

use super::origin::Origin;

/// Cookies a user keeps; what a server sets beyond is ignored.
const MAX_COOKIES: usize = 512;

/// A cookie jar.
#[derive(Debug, Default)]
pub(crate) struct Jar {
    store: CookieStore,
}

impl Jar {
    /// The value of the `Cookie` header for a request, if any cookie goes with it.
    pub(crate) fn header(&self, origin: &Origin, target: &[u8]) -> Option<Vec<u8>> {
        let url = url(origin, target)?;
        let mut value = Vec::new();
        for (name, content) in self.store.get_request_values(&url) {
            if !value.is_empty() {
                value.extend_from_slice(b"; ");
            }
            value.extend_from_slice(name.as_bytes());
            value.push(b'=');
            value.extend_from_slice(content.as_bytes());
        }
        (!value.is_empty() && super::syntax::is_field_value(&value)).then_some(value)
    }

    /// Keeps what `Set-Cookie` lines of an answer say. Lines that are no cookies, or that this server
    /// may not set, are ignored, as browsers do.
    pub(crate) fn keep<'a>(
        &mut self,
        origin: &Origin,
        target: &[u8],
        lines: impl Iterator<Item = &'a [u8]>,
    ) {
        let Some(url) = url(origin, target) else { return };
        for line in lines {
            if self.store.iter_any().count() >= MAX_COOKIES {
                return;
            }
            if let Ok(line) = std::str::from_utf8(line) {
                let _ = self.store.parse(line, &url);
            }
        }
    }

    /// Forgets all cookies.
    pub(crate) fn clear(&mut self) {
        self.store.clear();
    }
}

fn url(origin: &Origin, target: &[u8]) -> Option<Url> {
    Url::parse(&origin.url(std::str::from_utf8(target).ok()?)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(jar: &Jar, url: &str) -> String {
        let (origin, target) = Origin::parse(url).unwrap();
        String::from_utf8(jar.header(&origin, target.as_bytes()).unwrap_or_default()).unwrap()
    }

    fn jar(url: &str, lines: &[&str]) -> Jar {
        let (origin, target) = Origin::parse(url).unwrap();
        let mut jar = Jar::default();
        jar.keep(&origin, target.as_bytes(), lines.iter().map(|line| line.as_bytes()));
        jar
    }

    #[test]
    fn cookies_go_where_they_belong() {
        let jar = jar(
            "https://a.test/x/y",
            &[
                "s=1; Path=/",
                "t=2; Path=/x",
                "u=3; Secure; Path=/",
                "v=4; Domain=b.test",
                "nonsense",
            ],
        );
        let sorted = |url: &str| {
            let mut parts: Vec<_> = header(&jar, url).split("; ").map(str::to_owned).collect();
            parts.sort();
            parts.join("; ")
        };
        assert_eq!(sorted("https://a.test/x/"), "s=1; t=2; u=3");
        assert_eq!(sorted("https://a.test/"), "s=1; u=3");
        assert_eq!(sorted("http://a.test/"), "s=1");
        assert_eq!(sorted("https://b.test/"), "");
    }

    #[test]
    fn a_cookie_can_be_taken_back() {
        let mut jar = jar("http://a.test/", &["s=1"]);
        assert_eq!(header(&jar, "http://a.test/"), "s=1");
        let (origin, _) = Origin::parse("http://a.test/").unwrap();
        jar.keep(&origin, b"/", std::iter::once(b"s=; Max-Age=0".as_slice()));
        assert_eq!(header(&jar, "http://a.test/"), "");
    }

    #[test]
    fn the_jar_is_bounded() {
        let lines: Vec<_> = (0..1000).map(|n| format!("c{n}=1")).collect();
        let lines: Vec<_> = lines.iter().map(String::as_str).collect();
        let jar = jar("http://a.test/", &lines);
        assert_eq!(header(&jar, "http://a.test/").split("; ").count(), MAX_COOKIES);
    }
}
