//! placeholder
#[derive(Debug)]
/// placeholder
pub struct Monitoring;
