//! What the engine asks of the operating system about itself: descriptors, CPU time and the machine.

mod cpu;
mod descriptors;
mod machine;

pub(crate) use cpu::thread_cpu_time;
pub use descriptors::{DescriptorLimit, raise_descriptor_limit};
pub use machine::Machine;
