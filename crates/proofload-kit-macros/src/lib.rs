//! The attributes of `proofload-kit`; use them through that crate, which documents them.
