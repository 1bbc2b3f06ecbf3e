//! What a call through the breaker and the limiter costs.

use crate::Args;

pub(crate) fn measure(_args: &Args) -> String {
    String::new()
}
