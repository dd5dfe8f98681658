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

/// The 29 recommended keys of the registry, in the order of the published list, each named by its path and checked with
/// all that is in it, as published.
pub fn recommended_registry() -> Vec<Rule> {
    let rule = |&path: &&str| Rule { recurse: true, ..Rule::new(path, RECOMMENDED_GROUP, path) };
    REGISTRY_KEYS.iter().map(rule).collect()
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

const REGISTRY_KEYS: [&str; 29] = [
    r"HKLM\SOFTWARE\Microsoft\Cryptography\OID\EncodingType 0\CryptSIPDllRemoveSignedDataMsg\{C689AAB8-8E78-11D0-8C47-00C04FC295EE}",
    r"HKLM\SOFTWARE\Microsoft\Cryptography\OID\EncodingType 0\CryptSIPDllRemoveSignedDataMsg\{603BCC1F-4B59-4E08-B724-D2C6297EF351}",
    r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion\IniFileMapping\SYSTEM.ini\boot",
    r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion\Windows",
    r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion\Winlogon",
    r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Explorer\Shell Folders",
    r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Explorer\User Shell Folders",
    r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Run",
    r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\RunOnce",
    r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\RunOnceEx",
    r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\RunServices",
    r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\RunServicesOnce",
    r"HKLM\SOFTWARE\WOW6432Node\Microsoft\Cryptography\OID\EncodingType 0\CryptSIPDllRemoveSignedDataMsg\{C689AAB8-8E78-11D0-8C47-00C04FC295EE}",
    r"HKLM\SOFTWARE\WOW6432Node\Microsoft\Cryptography\OID\EncodingType 0\CryptSIPDllRemoveSignedDataMsg\{603BCC1F-4B59-4E08-B724-D2C6297EF351}",
    r"HKLM\SOFTWARE\WOW6432Node\Microsoft\Windows NT\CurrentVersion\IniFileMapping\system.ini\boot",
    r"HKLM\SOFTWARE\WOW6432Node\Microsoft\Windows NT\CurrentVersion\Windows",
    r"HKLM\SOFTWARE\WOW6432Node\Microsoft\Windows NT\CurrentVersion\Winlogon",
    r"HKLM\SOFTWARE\WOW6432Node\Microsoft\Windows\CurrentVersion\Explorer\Shell Folders",
    r"HKLM\SOFTWARE\WOW6432Node\Microsoft\Windows\CurrentVersion\Explorer\User Shell Folders",
    r"HKLM\SOFTWARE\WOW6432Node\Microsoft\Windows\CurrentVersion\Run",
    r"HKLM\SOFTWARE\WOW6432Node\Microsoft\Windows\CurrentVersion\RunOnce",
    r"HKLM\SOFTWARE\WOW6432Node\Microsoft\Windows\CurrentVersion\RunOnceEx",
    r"HKLM\SOFTWARE\WOW6432Node\Microsoft\Windows\CurrentVersion\RunServices",
    r"HKLM\SOFTWARE\WOW6432Node\Microsoft\Windows\CurrentVersion\RunServicesOnce",
    r"HKLM\SYSTEM\CurrentControlSet\Control\hivelist",
    r"HKLM\SYSTEM\CurrentControlSet\Control\Session Manager\KnownDLLs",
    r"HKLM\SYSTEM\CurrentControlSet\Services\SharedAccess\Parameters\FirewallPolicy\DomainProfile",
    r"HKLM\SYSTEM\CurrentControlSet\Services\SharedAccess\Parameters\FirewallPolicy\PublicProfile",
    r"HKLM\SYSTEM\CurrentControlSet\Services\SharedAccess\Parameters\FirewallPolicy\StandardProfile",
];
