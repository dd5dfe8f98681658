//! The items that the published documents recommend, based on known attack patterns.

use super::Rule;

/// The group of the recommended items.
pub const RECOMMENDED_GROUP: &str = "Recommended";

/// The 18 recommended items for Linux, in the order of the published list.
///
/// A directory stands for itself and its direct children: none of them is recursive, as published. Each is named by its
/// path, so that a person finds it in the list.
pub fn recommended_linux() -> Vec<Rule> {
    LINUX_PATHS.iter().map(|&path| Rule::new(path, RECOMMENDED_GROUP, path)).collect()
}

/// The 9 recommended files for Windows, in the order of the published list, each named by its path. All are files, and
/// each is monitored alone; what an older or newer system does not have is told once it is there.
pub fn recommended_windows_files() -> Vec<Rule> {
    WINDOWS_PATHS.iter().map(|&path| Rule::new(path, RECOMMENDED_GROUP, path)).collect()
}

const LINUX_PATHS: [&str; 18] = [
    "/bin/login",
    "/bin/passwd",
    "/etc/*.conf",
    "/usr/bin",
    "/usr/sbin",
    "/bin",
    "/sbin",
    "/boot",
    "/usr/local/bin",
    "/usr/local/sbin",
    "/opt/bin",
    "/opt/sbin",
    "/etc/crontab",
    "/etc/init.d",
    "/etc/cron.hourly",
    "/etc/cron.daily",
    "/etc/cron.weekly",
    "/etc/cron.monthly",
];

const WINDOWS_PATHS: [&str; 9] = [
    r"C:\autoexec.bat",
    r"C:\boot.ini",
    r"C:\config.sys",
    r"C:\Windows\system.ini",
    r"C:\Windows\win.ini",
    r"C:\Windows\regedit.exe",
    r"C:\Windows\System32\userinit.exe",
    r"C:\Windows\explorer.exe",
    r"C:\Program Files\Microsoft Security Client\msseces.exe",
];
