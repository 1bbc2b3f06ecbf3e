//! The kit as its users see it.

#[cfg(feature = "tower")]
mod guards;
#[cfg(feature = "tower")]
mod outage;
