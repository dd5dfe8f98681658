//! The real agent on other kernels than this machine's: Debian's, each in a guest of QEMU, with the tests of the evasion
//! suite that are about what the kernel tells.

mod guest;
mod image;
mod packages;
mod report;

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};

use guest::Outcome;

/// Some tests, run by one provider alone.
pub struct Trial {
    pub provider: &'static str,
    /// Each by its name in the suite, with the places on which something has to be told in real time.
    pub tests: &'static [(&'static str, &'static [&'static str])],
}

/// Boots each kernel, or those whose release begins as said, and writes what came of it.
pub fn run(root: &Path, wanted: &[String]) -> Result<()> {
    packages::hold_tools()?;
    let folder = root.join("target/kernels");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let kernels = packages::kernels(&folder, wanted)?;
    if kernels.is_empty() {
        bail!("apt offers no kernel of those: {wanted:?}; `apt-get update` may help");
    }
    let disk = image::disk(root, &folder)?;
    let mut outcomes = Vec::new();
    for kernel in kernels {
        println!("== Linux {}", kernel.release);
        let outcome = guest::boot(&folder, &kernel, &disk)?;
        print!("{}", report::of_kernel(&outcome));
        outcomes.push(outcome);
    }
    if wanted.is_empty() {
        report::write(root, &outcomes)?;
    }
    let missing: Vec<String> = outcomes.iter().flat_map(Outcome::missing).collect();
    if !missing.is_empty() {
        bail!("what is promised is missing; the logs are in {}:\n{}", folder.display(), missing.join("\n"));
    }
    Ok(())
}

/// What is tried on each kernel.
pub const TRIALS: [Trial; 2] = [
    Trial {
        provider: "fanotify+fentry",
        tests: &[
            (
                "attributes::marks_of_chattr_are_told_in_real_time_where_the_kernel_tells_of_inodes_else_by_the_next_scan",
                NUMBERED,
            ),
            (
                "names::what_is_stored_through_a_mapping_that_stays_is_told_in_real_time_where_the_kernel_tells_of_inodes",
                NUMBERED,
            ),
            (
                "names::what_is_stored_through_a_mapping_is_told_though_another_name_comes_and_goes_at_once",
                &[],
            ),
            (
                "names::what_is_written_through_a_merged_overlay_is_told_of_its_layer_where_the_kernel_tells_of_inodes",
                NUMBERED,
            ),
            ("writing::what_is_written_by_any_system_call_is_told", MARKED),
            ("attributes::attributes_that_grant_something_are_told", MARKED),
            ("names::what_is_written_by_another_way_to_the_file_is_told", MARKED),
            ("names::what_is_written_under_a_name_outside_is_told_under_the_monitored_one", MARKED),
        ],
    },
    Trial {
        provider: "fanotify+ebpf",
        tests: &[
            (
                "attributes::marks_of_chattr_are_told_in_real_time_where_the_kernel_tells_of_inodes_else_by_the_next_scan",
                &[],
            ),
            ("writing::what_is_written_by_any_system_call_is_told", MARKED),
        ],
    },
];

/// The places on which fanotify notices what changes.
const MARKED: &[&str] = &["own", "tmpfs", "ext4", "xfs", "btrfs"];

/// Those of them whose files have the numbers that the kernel tells.
const NUMBERED: &[&str] = &["own", "tmpfs", "ext4", "xfs"];
