//! What machine this is, so that results of different machines are not taken for comparable.

use std::fs;

/// The facts of a machine that decide what it can measure. What cannot be found out is absent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Machine {
    /// The processor as it names itself.
    pub cpu_model: Option<String>,
    /// Cores that this process may use.
    pub cores: Option<usize>,
    /// Name and release of the kernel.
    pub kernel: Option<String>,
}

impl Machine {
    /// Asks the operating system.
    #[must_use]
    pub fn detect() -> Self {
        let cpu_info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let system = rustix::system::uname();
        let (name, release) =
            (system.sysname().to_string_lossy(), system.release().to_string_lossy());
        Self {
            cpu_model: cpu_model(&cpu_info),
            cores: std::thread::available_parallelism().ok().map(usize::from),
            kernel: Some(format!("{name} {release}")),
        }
    }
}

/// The processor's name in the text of `/proc/cpuinfo`: `model name` on x86, `Model` or `Hardware` on
/// boards with ARM, else the implementer and part numbers, which name an ARM core as well.
fn cpu_model(cpu_info: &str) -> Option<String> {
    let field = |key: &str| {
        let mut fields = cpu_info.lines().filter_map(|line| line.split_once(':'));
        let (_, value) = fields.find(|(name, _)| name.trim() == key)?;
        let value = value.split_whitespace().collect::<Vec<_>>().join(" ");
        (!value.is_empty()).then_some(value)
    };
    let named = ["model name", "Model", "Hardware", "cpu model"].into_iter().find_map(field);
    let numbered = || Some(format!("{} {}", field("CPU implementer")?, field("CPU part")?));
    named.or_else(numbered)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processors_are_named_on_different_architectures() {
        let check = |text: &str, model: Option<&str>| assert_eq!(cpu_model(text).as_deref(), model);
        check("processor\t: 0\nmodel name\t: A  B\n\nprocessor\t: 1\nmodel name\t: C", Some("A B"));
        check("processor : 0\nHardware : BCM2835\nModel : Board 4", Some("Board 4"));
        check("CPU implementer\t: 0x41\nCPU part\t: 0xd0c\n", Some("0x41 0xd0c"));
        check("CPU implementer\t: 0x41\n", None);
        check("model name :\n", None);
        check("", None);
    }

    #[test]
    fn this_machine_has_cores() {
        let machine = Machine::detect();
        assert!(machine.cores.is_some_and(|cores| cores > 0));
        assert_eq!(machine, Machine::detect());
    }
}
