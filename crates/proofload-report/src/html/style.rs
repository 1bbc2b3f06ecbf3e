//! The page's looks and manners, and the policy that allows nothing else.

use ring::digest::{SHA256, digest};

/// The style sheet of the report, of charts and of the live page. Colours are custom properties of the root
/// element, dark where the reader prefers it; `data-theme="light"` or `"dark"` on the root element overrides that.
pub const CSS: &str = include_str!("style.css");

/// Our own script, for comfort only: values under the pointer on all charts at once, tables that sort, the
/// choice of a phase, the choice of light or dark, the download of an embedded result. It works on what the
/// document has when it runs, and on charts that are put in later.
pub const JS: &str = include_str!("script.js");

/// The content security policy of the report: nothing from elsewhere, [`CSS`] and [`JS`] only.
#[must_use]
pub fn csp() -> String {
    format!(
        "default-src 'none'; style-src '{}'; script-src '{}'; img-src data:; base-uri 'none'; form-action 'none'",
        source_hash(CSS),
        source_hash(JS)
    )
}

/// How a policy names a text that it allows.
fn source_hash(text: &str) -> String {
    use base64::Engine as _;
    let hash = digest(&SHA256, text.as_bytes());
    format!("sha256-{}", base64::engine::general_purpose::STANDARD.encode(hash))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_those_of_the_standard() {
        // From the examples of W3C's Subresource Integrity and Content Security Policy.
        assert_eq!(
            source_hash("alert('Hello, world.');"),
            "sha256-qznLcsROx4GACP2dm0UCKCzCG+HiZ1guq6ZZDob/Tng="
        );
    }

    #[test]
    fn nothing_ends_its_element() {
        for text in [CSS, JS] {
            assert!(!text.contains("</"), "it would end its element");
            assert!(!text.contains("<!--"), "it would begin a comment");
        }
        assert!(!CSS.contains("url(") && !CSS.contains("@import"), "nothing is loaded");
    }
}
