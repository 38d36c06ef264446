//! Measured time, memory and processor: the one place that asks the machine.

use std::time::{Duration, Instant};

/// Time since a beginning.
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    #[allow(clippy::disallowed_methods)] // the one place
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

/// The largest resident memory of this process so far, in bytes.
pub(crate) fn most_memory() -> anyhow::Result<u64> {
    memory("VmHWM:")
}

/// The resident memory of this process now, in bytes.
pub(crate) fn memory_now() -> anyhow::Result<u64> {
    memory("VmRSS:")
}

fn memory(name: &str) -> anyhow::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix(name))
        .ok_or_else(|| anyhow::anyhow!("the system does not tell this process's memory"))?;
    let kibibytes: u64 = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kibibytes * 1024)
}

/// Processor seconds of this process so far, all threads together.
pub(crate) fn processor() -> anyhow::Result<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    // Behind the name, which may hold spaces: state is the third field.
    let rest = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks: f64 = rest
        .split_whitespace()
        .skip(11)
        .take(2)
        .filter_map(|field| field.parse::<f64>().ok())
        .sum();
    // Linux counts a hundred ticks a second on every machine that this runs on.
    Ok(ticks / 100.0)
}
