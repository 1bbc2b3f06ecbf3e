//! What the engine asks of the operating system about itself: descriptors and CPU time.

mod cpu;
mod descriptors;

pub(crate) use cpu::thread_cpu_time;
pub use descriptors::{DescriptorLimit, raise_descriptor_limit};
