//! Places in a JSON body (RFC 9535 JSONPath).

use std::fmt;
use std::sync::Arc;

use serde_json_path::JsonPath;

/// A compiled JSONPath. One that can give a single node only (`$.a.b[0]`) is found by walking over
/// the bytes, without building the document.
#[derive(Clone)]
pub struct JsonQuery {
    text: Arc<str>,
    path: Arc<JsonPath>,
}

impl PartialEq for JsonQuery {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl fmt::Debug for JsonQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "JsonQuery({})", self.text)
    }
}

impl JsonQuery {
    /// Compiles a JSONPath.
    ///
    /// # Errors
    /// The position (in bytes) and what is wrong.
    pub fn parse(text: &str) -> Result<Self, serde_json_path::ParseError> {
        let path = JsonPath::parse(text)?;
        Ok(Self { text: text.into(), path: Arc::new(path) })
    }

    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Every node of the document at that place.
    #[must_use]
    pub fn nodes<'v>(&self, document: &'v serde_json::Value) -> Vec<&'v serde_json::Value> {
        self.path.query(document).all()
    }
}
