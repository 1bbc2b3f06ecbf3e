//! Caches as a whole, where tests need to see inside.
