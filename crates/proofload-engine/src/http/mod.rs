//! The HTTP client of the virtual users.
