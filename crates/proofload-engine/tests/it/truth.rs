//! Numbers against the truth.
